//! What both READMEs show of the command line is what it prints: every example is run, and what stands
//! below it compared. `…` stands for what is left out: alone on a line for lines, within one for words.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is typed, and what is shown below it.
struct Example {
    typed: String,
    shown: Vec<String>,
}

/// The examples of the console blocks of a page.
fn examples(page: &str) -> Vec<Example> {
    let mut all: Vec<Example> = Vec::new();
    let (mut is_console, mut ends_with) = (false, None);
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
            continue;
        }
        if !is_console {
            continue;
        }
        if let Some(typed) = line.strip_prefix("$ ") {
            ends_with =
                typed.split_once("<<'").map(|(_, end)| end.trim_end_matches('\'').to_owned());
            all.push(Example { typed: typed.to_owned(), shown: Vec::new() });
            continue;
        }
        let example = all.last_mut().expect("an example begins with what is typed");
        if let Some(end) = &ends_with {
            example.typed.push('\n');
            example.typed.push_str(line);
            if line == end {
                ends_with = None;
            }
        } else {
            example.shown.push(line.to_owned());
        }
    }
    all
}

/// A folder in which the examples can be typed: the tests, and workflows with a slip.
fn place() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::TempDir::new().expect("a folder");
    symlink(root.join("tests"), place.path().join("tests")).expect("a link");
    let own = place.path().join("my-workflows");
    fs::create_dir_all(own.join("forms")).expect("a folder");
    for (from, to) in [("workflows", own.clone()), ("workflows/forms", own.join("forms"))] {
        for file in fs::read_dir(root.join(from)).expect("the workflows").flatten() {
            if file.path().is_file() {
                fs::copy(file.path(), to.join(file.file_name())).expect("copied");
            }
        }
    }
    let matter = fs::read_to_string(own.join("matter.toml")).expect("readable");
    let (before, contact) = matter.split_once("[deadlines.contact]").expect("the deadline");
    let contact = contact.replacen("within = \"3wd\"", "within = \"3w\"", 1);
    fs::write(own.join("matter.toml"), format!("{before}[deadlines.contact]{contact}"))
        .expect("written");
    place
}

/// What comes of what is typed.
/// What is printed, and whether all went well.
fn typed(place: &Path, typed: &str) -> (String, bool) {
    let program = Path::new(env!("CARGO_BIN_EXE_duban"));
    let folder = program.parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(typed).current_dir(place).env("PATH", path).stdin(Stdio::null());
    let output = shell.output().expect("a shell");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout) + &text(output.stderr), output.status.success())
}

/// Whether lines are as they are shown; else the first that is not.
fn missing<'s>(mut lines: &[&str], shown: &'s [String]) -> Option<&'s str> {
    let mut is_free = false;
    for one in shown {
        if one.trim() == "…" {
            is_free = true;
            continue;
        }
        let found = lines.iter().position(|line| is_as(line.trim_end(), one.trim_end()));
        match found {
            Some(place) if is_free || place == 0 => lines = &lines[place + 1..],
            _ => return Some(one),
        }
        is_free = false;
    }
    let is_whole = is_free || lines.iter().all(|line| line.trim().is_empty());
    if is_whole { None } else { Some("（之后没有别的）") }
}

fn is_as(line: &str, shown: &str) -> bool {
    let mut rest = line;
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || rest.is_empty() || line.ends_with(part),
    }
}

#[test]
fn what_the_tour_shows_is_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = place();
    let mut printed: BTreeMap<String, (String, bool)> = BTreeMap::new();
    for page in ["README.md", "README.zh-CN.md"] {
        let text = fs::read_to_string(root.join(page)).expect("readable");
        let examples = examples(&text);
        assert!(examples.len() > 6, "{page}: {} examples", examples.len());
        for Example { typed: line, shown } in examples {
            let (printed, is_good) =
                printed.entry(line.clone()).or_insert_with_key(|line| typed(place.path(), line));
            let lines: Vec<&str> = printed.lines().collect();
            // What is typed and not shown must at least be good.
            let wrong = if shown.is_empty() { None } else { missing(&lines, &shown) };
            assert_eq!(wrong, None, "{page}: {line}\n{printed}");
            assert!(*is_good || !shown.is_empty(), "{page}: {line}\n{printed}");
        }
    }
}

#[test]
fn what_is_left_out_is_left_out_alone() {
    let shown = |lines: &[&str]| lines.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let lines = ["a", "b 1 c", "d"];
    assert_eq!(missing(&lines, &shown(&["a", "b … c", "d"])), None);
    assert_eq!(missing(&lines, &shown(&["…", "d"])), None);
    assert_eq!(missing(&lines, &shown(&["a", "…"])), None);
    assert_eq!(missing(&lines, &shown(&["a", "d"])), Some("d"));
    assert!(missing(&lines, &shown(&["a", "b 1 c"])).is_some());
    assert!(missing(&lines, &shown(&["b … c", "d"])).is_some());
}
