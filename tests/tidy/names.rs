//! Words that no tracked text may hold: unfinished business, machine paths, registry hosts.
//!
//! Each is put together from pieces, or this file would be the first finding.

use crate::source::{Finding, Text};

const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/bash", "_jobs")];

const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("crates.io", "-index"),
    concat!("rsproxy", ".cn"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
    concat!("archive.ubuntu", ".com"),
    concat!("proxy.golang", ".org"),
];

/// Programs and scripts hold no unfinished business.
pub(crate) fn unfinished_words(file: &Text) -> Vec<Finding> {
    let is_program = [".rs", ".toml", ".sh", ".html", ".css", ".js", "/run"]
        .iter()
        .any(|end| file.path.ends_with(end));
    if !is_program {
        return Vec::new();
    }
    lines_with(file, |line| UNFINISHED.iter().find(|word| line.contains(**word)).copied())
}

/// No text names a folder of one machine or the host of a package registry.
pub(crate) fn places(file: &Text) -> Vec<Finding> {
    let is_lock = file.path.ends_with("Cargo.lock");
    lines_with(file, |line| {
        // Cargo writes where each package comes from.
        if is_lock && line.starts_with("source = ") {
            return None;
        }
        let path = MACHINE_PATHS.iter().find(|path| starts_somewhere(line, path));
        path.or_else(|| REGISTRY_HOSTS.iter().find(|host| line.contains(**host))).copied()
    })
}

/// Whether an absolute path stands in the line, and not the middle of a relative one.
fn starts_somewhere(line: &str, path: &str) -> bool {
    let inner =
        |before: &str| before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_-.})".contains(c));
    line.match_indices(path).any(|(at, _)| !inner(&line[..at]))
}

fn lines_with(file: &Text, word: impl Fn(&str) -> Option<&'static str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(word) = word(line) {
            let rule = format!("`{word}` has no place in the repository");
            findings.push(Finding { path: file.path.clone(), line: index + 1, rule });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(path: &str, text: &str) -> Text {
        Text { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn every_unfinished_word_is_found() {
        for word in UNFINISHED {
            let text = format!("fine\n# {word}: later\n");
            assert_eq!(unfinished_words(&sample("workflows/matter.toml", &text))[0].line, 2);
            assert!(unfinished_words(&sample("README.md", &text)).is_empty());
        }
    }

    #[test]
    fn every_place_is_found() {
        for word in MACHINE_PATHS.iter().chain(REGISTRY_HOSTS) {
            let text = format!("fine\nsee \"{word}x\"\n");
            assert_eq!(places(&sample("README.md", &text)).len(), 1, "{word}");
        }
    }

    #[test]
    fn what_cargo_writes_and_relative_paths_are_no_places() {
        let source =
            concat!("source = \"registry+https://github.com/rust-lang/crates.io", "-index\"");
        assert!(places(&sample("Cargo.lock", source)).is_empty());
        assert_eq!(places(&sample("deny.toml", source)).len(), 1);
        assert!(places(&sample("README.md", concat!("frame", "/wo", "rk/a"))).is_empty());
    }
}
