//! What the shipped definitions say: one word for one thing, and texts cited as they stand there.

#[test]
fn an_action_and_its_form_are_called_alike() {
    for definition in duban_shipped::library().definitions {
        for action in &definition.actions {
            let form = definition.form(action.form.as_str()).expect("its form");
            assert_eq!(form.title, action.title, "{} {}", definition.pin.name, action.name);
        }
    }
}

/// Whoever cites a paragraph must find it there, and an item where the text numbers it.
#[test]
fn what_is_cited_is_what_the_text_has() {
    let texts = duban_shipped::library().texts;
    for (basis, cited) in &texts {
        let Some((article, part)) = basis.0.as_str().split_once('(') else { continue };
        let whole = &texts.iter().find(|(one, _)| one.0.as_str() == article).expect("it").1;
        let part = part.trim_end_matches(')');
        if let Some(paragraphs) = part.strip_prefix('p') {
            let is_item = |line: &&str| line.starts_with('(') || line.starts_with("若在规定期限内");
            let lines: Vec<&str> =
                whole.text.trim().lines().filter(|line| !is_item(line)).collect();
            let (first, last) = paragraphs.split_once('-').unwrap_or((paragraphs, paragraphs));
            let (first, last): (usize, usize) =
                (first.parse().expect("a number"), last.parse().expect("a number"));
            assert_eq!(cited.text.trim(), lines[first - 1..last].join("\n"), "{basis}");
        } else {
            let number = ["一", "二", "三"][part.parse::<usize>().expect("a number") - 1];
            assert!(cited.text.trim().starts_with(&format!("({number})")), "{basis}");
        }
        assert!(basis.title().ends_with(['款', '项']), "{}", basis.title());
    }
}
