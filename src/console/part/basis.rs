//! Articles and local rules as officials cite them. Must never hide what it does not know.

use crate::console::words::Lang;

const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// `article 24` as 第二十四条, `local_rule A14` as 本地规则 A14.
pub(in crate::console) fn title(lang: Lang, basis: &str) -> String {
    let (kind, which) = basis.split_once(' ').unwrap_or((basis, ""));
    // 25(1): the first paragraph of Article 25.
    let (article, paragraph) = which.trim_end_matches(')').split_once('(').unwrap_or((which, ""));
    let paragraph = paragraph.parse::<usize>().ok();
    match (kind, lang, article.parse::<usize>().ok()) {
        ("article", Lang::Chinese, Some(number)) => match paragraph {
            Some(paragraph) => format!("第{}条第{}款", chinese(number), chinese(paragraph)),
            None => format!("第{}条", chinese(number)),
        },
        ("article", Lang::English, _) => format!("Article {which}"),
        ("local_rule", Lang::Chinese, _) => format!("本地规则 {which}"),
        ("local_rule", Lang::English, _) => format!("Local rule {which}"),
        _ => basis.to_owned(),
    }
}

/// A number below a hundred in Chinese; others in digits.
fn chinese(number: usize) -> String {
    let digit = |digit: usize| DIGITS.get(digit).copied().unwrap_or_default();
    match (number / 10, number % 10) {
        (0, ones) => digit(ones).to_owned(),
        (1, ones) => format!("十{}", digit(ones)),
        (tens @ 2..=9, ones) => format!("{}十{}", digit(tens), digit(ones)),
        _ => number.to_string(),
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
            ("article 25(1)", "第二十五条第一款"),
            ("local_rule A14", "本地规则 A14"),
            ("decree", "decree"),
        ] {
            assert_eq!(title(Lang::Chinese, basis), says);
        }
        assert_eq!(title(Lang::English, "article 24"), "Article 24");
    }
}
