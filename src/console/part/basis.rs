//! Articles and local rules as officials cite them. Must never hide what it does not know.

use duban_core::definition::Basis;

use crate::console::words::Lang;

/// `article 24` as 第二十四条, `local_rule A14` as 本系统规则 A14.
pub(in crate::console) fn title(lang: Lang, basis: &str) -> String {
    match (lang, basis.split_once(' ')) {
        (Lang::Chinese, _) => Basis(basis.into()).title(),
        (Lang::English, Some(("article", which))) => format!("Article {which}"),
        (Lang::English, Some(("local_rule", which))) => format!("Local rule {which}"),
        (Lang::English, _) => basis.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_cited_as_officials_do() {
        for (basis, says) in [
            ("article 3", "第三条"),
            ("article 10", "第十条"),
            ("article 16", "第十六条"),
            ("article 24", "第二十四条"),
            ("article 30", "第三十条"),
            ("article 24(2)", "第二十四条第二项"),
            ("article 25(p1)", "第二十五条第一款"),
            ("article 27(p2-3)", "第二十七条第二款至第三款"),
            ("article 25(first)", "article 25(first)"),
            ("civil_code 203", "《民法典》第二百零三条"),
            ("local_rule A14", "本系统规则 A14"),
            ("decree", "decree"),
        ] {
            assert_eq!(title(Lang::Chinese, basis), says);
        }
        assert_eq!(title(Lang::English, "article 24"), "Article 24");
    }
}
