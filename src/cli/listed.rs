//! What is said of what is wrong, on the error stream: as much of it as somebody reads. Must never
//! hide that there is more.

use duban_core::document::Fault;

use super::Failure;
use super::text::{printable, without_passwords};

/// Lines that are shown; the others are counted.
const LINES_MAX: usize = 100;

/// Characters of a line that are shown.
const CHARACTERS_MAX: usize = 1_000;

fn cut(line: &str) -> String {
    let sign = if line.chars().nth(CHARACTERS_MAX).is_some() { "…" } else { "" };
    line.chars().take(CHARACTERS_MAX).collect::<String>() + sign
}

/// Faults of files, a line each, and how many they are.
pub(super) fn faults(found: &[Fault], besides: &[String]) -> Failure {
    let more = found.iter().filter(|fault| fault.stands_for_more()).count();
    let count = found.len() + besides.len() - more;
    let lines = found.iter().map(ToString::to_string).chain(besides.iter().cloned());
    let mut lines: Vec<String> = lines.take(LINES_MAX).collect();
    let others = found.len() + besides.len() - lines.len();
    if others > 0 {
        lines.push(if more > 0 {
            "……其余未列出".to_owned()
        } else {
            format!("……另有 {others} 行未列出")
        });
    }
    let more = if more > 0 { "以上" } else { "" };
    Failure::Input(format!("{}\n共 {count} 处{more}错误", lines.join("\n")))
}

/// A text of many lines, cut.
pub(super) fn of(text: &str) -> String {
    // Before a line is cut: half an address would not be known for one.
    let text = without_passwords(text);
    let lines: Vec<&str> = text.lines().collect();
    // Two more say that there are others, and how many.
    let most = if lines.len() > LINES_MAX + 2 { LINES_MAX } else { lines.len() };
    let (first, others) = lines.split_at(most);
    let mut shown: Vec<String> = first.iter().map(|line| cut(line)).collect();
    if let Some((last, others)) = others.split_last() {
        shown.push(format!("……另有 {} 行未列出", others.len()));
        shown.push(cut(last));
    }
    printable(&shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_list_ends_with_a_count_and_a_line_with_a_sign() {
        assert_eq!(of("一\n二"), "一\n二");
        let many = format!("{}共 103 处", "错\n".repeat(103));
        assert!(of(&many).ends_with("错\n……另有 3 行未列出\n共 103 处"));
        assert_eq!(of(&many).lines().count(), 102);
        assert_eq!(of(&"长".repeat(1_001)).chars().count(), 1_001);
        let long = format!("postgres://u:{}@h", "p".repeat(2_000));
        assert_eq!(of(&long), "postgres://…@h");
        assert_eq!(of("a\u{1b}[2J\u{202e}b"), "a\u{fffd}[2J\u{fffd}b");
    }
}
