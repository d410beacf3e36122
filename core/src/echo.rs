//! What somebody wrote, told back to him. Must never give back more than tells it, nor a character
//! that steers a terminal, nor an address, which may hold a password.

use std::path::Path;

/// As much of it as tells what it is.
const CHARACTERS_MAX: usize = 40;

/// In place of an address.
const ADDRESS: &str = "（网址，不予显示）";

/// Text that was given, cut and without what cannot be seen; of an address nothing.
#[must_use]
pub fn echo(text: &str) -> String {
    if text.contains("://") {
        return ADDRESS.to_owned();
    }
    let mut said: String = text.chars().take(CHARACTERS_MAX).map(visible).collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        said.push('…');
    }
    said
}

/// What is said of a word that is none of those that are known.
#[must_use]
pub fn unknown(what: &str, text: &str, known: &str) -> String {
    if text.trim().is_empty() {
        return format!("应写明{what}；可用：{known}");
    }
    format!("没有名为“{}”的{what}；可用：{known}", echo(text))
}

/// A path as it may be shown, whole and on one line: nobody who names a file writes lines of his own
/// among ours.
#[must_use]
pub fn echo_path(path: &Path) -> String {
    path.display().to_string().chars().map(visible).collect()
}

/// A character as a terminal may show it.
#[must_use]
pub fn visible(character: char) -> char {
    if steers(character) { '\u{fffd}' } else { character }
}

/// Whether a character steers a terminal, or turns the text behind it round.
pub(crate) fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::echo;

    #[test]
    fn what_was_written_is_told_back_in_short_and_plain() {
        assert_eq!(echo("2026-02-30"), "2026-02-30");
        assert_eq!(echo("a\u{1b}[31mb\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
        assert_eq!(echo("postgres://u:4711@host/db"), "（网址，不予显示）");
        assert_eq!(echo(&"长".repeat(41)), format!("{}…", "长".repeat(40)));
    }
}
