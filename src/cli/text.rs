//! Texts on a terminal: the width of Chinese, weekdays, nothing that steers the terminal. Must
//! never change what a text says.

use chrono::Weekday;
use duban_core::echo::visible;

/// The columns a text takes on a terminal: Chinese characters and full-width marks take two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// The wide and full-width blocks of Unicode that Chinese texts use.
const fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
}

/// The text with spaces behind it up to a width.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let spaces = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(spaces))
}

/// The text without characters that steer a terminal, or turn what stands behind them round.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

/// The text with addresses' names and passwords left out, wherever one has come into it.
pub(super) fn without_passwords(text: &str) -> String {
    const BEFORE: &str = "://";
    let mut parts = text.split(BEFORE);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        said.push_str(BEFORE);
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | '，' | '：' | '；');
        let address = part.split(ends).next().unwrap_or_default();
        match address.rfind('@') {
            Some(at) => said.extend(["…", &part[at..]]),
            None => said.push_str(part),
        }
    }
    said
}

/// 周一 to 周日.
pub(super) const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "周一",
        Weekday::Tue => "周二",
        Weekday::Wed => "周三",
        Weekday::Thu => "周四",
        Weekday::Fri => "周五",
        Weekday::Sat => "周六",
        Weekday::Sun => "周日",
    }
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn no_password_is_shown() {
        let check = |text: &str, said: &str| assert_eq!(without_passwords(text), said);
        check("目录 a/b 不存在", "目录 a/b 不存在");
        check("postgres://u:p@h/d: 不存在", "postgres://…@h/d: 不存在");
        check("“redis://:p@ss/w@h”和 postgres://h", "“redis://…@h”和 postgres://h");
        check("a://b@c d://e@f", "a://…@c d://…@f");
    }
}
