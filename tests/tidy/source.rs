//! The files of the repository and what a check says about them.

use std::fmt;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scanner::{self, Token};

/// A text file of the repository; `path` is relative to its root, with `/`.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A Rust file, scanned.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    tests: Vec<RangeInclusive<usize>>,
}

/// One broken rule at one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let tokens = scanner::tokens(text);
        let tests = scanner::test_lines(&tokens);
        Self { path: path.to_owned(), text: text.to_owned(), tokens, tests }
    }

    /// Whether the file lies in the folder, or is the file itself.
    pub(crate) fn under(&self, place: &str) -> bool {
        let rest = self.path.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || place.ends_with('/') || rest.starts_with('/'))
    }

    /// Whether the line belongs to tests: the file by its place, or the item by `#[cfg(test)]`.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        let by_place = self.under("tests")
            || self.path.contains("benches/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs");
        by_place || self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// Whether the file is part of what ships.
    pub(crate) fn ships(&self) -> bool {
        ["src", "core/src", "migrations/src", "stdio/src"].iter().any(|folder| self.under(folder))
    }

    /// The modules from the crate's root down to this file; empty for a root and outside `src`.
    pub(crate) fn modules(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("core/").unwrap_or(&self.path).strip_prefix("src/");
        let Some(inner) = inner.and_then(|path| path.strip_suffix(".rs")) else {
            return Vec::new();
        };
        let mut modules: Vec<&str> = inner.split('/').collect();
        if modules.last() == Some(&"mod") || inner == "lib" || inner == "main" {
            modules.pop();
        }
        modules
    }

    pub(crate) fn finding(&self, line: usize, rule: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, rule: rule.into() }
    }
}

/// Fails the test with every finding on a line of its own.
pub(crate) fn report(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} finding(s)\n{}", lines.len(), lines.join("\n"));
}

/// The Rust files of the repository.
pub(crate) fn rust() -> Vec<Source> {
    let sources = tracked().into_iter();
    let sources =
        sources.filter(|file| Path::new(&file.path).extension().is_some_and(|end| end == "rs"));
    sources.map(|file| Source::new(&file.path, &file.text)).collect()
}

/// The text files that are or will be committed; without git, all that lies there.
pub(crate) fn tracked() -> Vec<Text> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = listed_by_git(root);
    if !paths.iter().any(|path| path == "Cargo.toml") {
        paths = walked(root);
    }
    paths.sort();
    let texts = paths.into_iter().filter_map(|path| {
        // A deleted file is still listed, and a picture is no text: both are no matter here.
        let text = fs::read_to_string(root.join(&path)).ok()?;
        Some(Text { path, text })
    });
    let texts: Vec<Text> = texts.collect();
    assert!(texts.iter().any(|file| file.path == "src/lib.rs"), "the repository was not found");
    texts
}

fn listed_by_git(root: &Path) -> Vec<String> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output();
    let Ok(listing) = listing else {
        return Vec::new();
    };
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    names.split('\0').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

fn walked(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the repository can be read").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            if name == "target" || name == ".git" || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(inner) = path.strip_prefix(root) {
                found.push(inner.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

#[test]
fn a_walk_finds_what_git_lists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let walk = walked(root);
    for path in ["Cargo.toml", "src/lib.rs", "tests/tidy/main.rs"] {
        assert!(walk.iter().any(|found| found == path), "{path}");
    }
}

#[test]
fn places_and_modules() {
    let source = |path: &str| Source::new(path, "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
    assert_eq!(source("core/src/deadline/ladder.rs").modules(), ["deadline", "ladder"]);
    assert_eq!(source("src/http/mod.rs").modules(), ["http"]);
    assert!(source("core/src/lib.rs").modules().is_empty());
    assert!(source("core/src/time.rs").ships() && !source("core/benches/decide.rs").ships());
    assert_eq!(source("src/clock.rs").modules(), ["clock"]);
    assert!(source("src/main.rs").modules().is_empty());
    assert!(source("src/cli/serve.rs").under("src/cli"));
    assert!(!source("src/client.rs").under("src/cli"));
    assert!(!source("src/http/mod.rs").is_test(1) && source("src/http/mod.rs").is_test(3));
    assert!(source("tests/it/main.rs").is_test(1) && source("core/src/tests.rs").is_test(1));
}
