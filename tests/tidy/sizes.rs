//! How long files and functions may be, and how a module opens.

use crate::scanner;
use crate::source::{Finding, Source};

/// A file stays under this: past it, a second noun has moved in.
const FILE_LINES: usize = 500;
/// A function stays under this: about one screen.
const FUNCTION_LINES: usize = 70;

fn is_measured(source: &Source) -> bool {
    ["src", "core", "migrations", "stdio", "tests"].iter().any(|folder| source.under(folder))
}

/// Files stay under `FILE_LINES`.
pub(crate) fn files(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    if !is_measured(source) || lines < FILE_LINES {
        return Vec::new();
    }
    let rule = format!("{lines} lines; a file stays under {FILE_LINES}");
    vec![source.finding(FILE_LINES, rule)]
}

/// Functions stay under `FUNCTION_LINES`.
pub(crate) fn functions(source: &Source) -> Vec<Finding> {
    if !is_measured(source) {
        return Vec::new();
    }
    let functions = scanner::functions(&source.tokens);
    let long = functions.iter().filter(|function| function.lines >= FUNCTION_LINES);
    long.map(|function| {
        let (name, lines) = (&function.name, function.lines);
        let rule = format!("`{name}` has {lines} lines; a function stays under {FUNCTION_LINES}");
        source.finding(function.line, rule)
    })
    .collect()
}

/// Each module that ships begins with `//!`: what it is, what it must never do.
pub(crate) fn openings(source: &Source) -> Vec<Finding> {
    if !source.ships() || source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![source.finding(1, "a module begins with `//!` and what it is")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let sample = |path: &str, lines: usize| files(&Source::new(path, &"//\n".repeat(lines)));
        assert_eq!(sample("core/src/time.rs", FILE_LINES).len(), 1);
        assert!(sample("core/src/time.rs", FILE_LINES - 1).is_empty());
        assert!(sample("vendor/time.rs", FILE_LINES).is_empty());
    }

    #[test]
    fn a_long_function_is_found() {
        let sample = |lines: usize| {
            let body = "    let brace = \"}\";\n".repeat(lines - 2);
            functions(&Source::new("src/a.rs", &format!("//!\nfn long() {{\n{body}}}\n")))
        };
        assert_eq!(sample(FUNCTION_LINES)[0].line, 2);
        assert!(sample(FUNCTION_LINES - 1).is_empty());
    }

    #[test]
    fn a_silent_module_is_found() {
        assert_eq!(openings(&Source::new("core/src/a.rs", "use std::fmt;\n")).len(), 1);
        assert!(openings(&Source::new("core/src/a.rs", "//! What it is.\n")).is_empty());
    }
}
