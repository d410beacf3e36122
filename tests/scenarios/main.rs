//! Tickets' lives through the program: every scenario beside this file is played by
//! `duban simulate --scenario`, compared with its timeline (`DUBAN_BLESS=1` rewrites them), and
//! the facts that matter are asserted in code, so that blessing cannot hide an error.

mod calendars;
mod courses;
mod deadlines;
mod extensions;
mod order;
mod played;
mod returns;
mod rules;
mod staff;
mod time_first;
mod who;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use played::duban;

/// The folder of the scenarios.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// The names of all scenarios, sorted.
fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).expect("the folder of the scenarios");
    let paths = files.map(|file| file.expect("a file").path());
    let scenarios = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let name = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut names: Vec<String> = scenarios.map(name).collect();
    names.sort();
    names
}

#[test]
fn every_timeline_is_as_written() {
    let bless = std::env::var_os("DUBAN_BLESS").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    for name in names() {
        let file = folder().join(format!("{name}.toml"));
        let output = duban(&["simulate", "--scenario", file.to_str().expect("UTF-8")]);
        assert_eq!(output.complaint, "", "{name}");
        assert_eq!(output.code, Some(0), "{name}");
        let written = folder().join(format!("{name}.txt"));
        if bless {
            std::fs::write(&written, &output.out).expect("the timeline is written");
        } else if std::fs::read_to_string(&written).ok().as_ref() != Some(&output.out) {
            wrong.push(difference(&name, &written, &output.out));
        }
    }
    assert!(wrong.is_empty(), "{}\nDUBAN_BLESS=1 rewrites the timelines", wrong.join("\n"));
}

fn difference(name: &str, written: &Path, out: &str) -> String {
    let Ok(text) = std::fs::read_to_string(written) else {
        return format!("{name}: no {name}.txt beside the scenario");
    };
    let pairs = text.lines().zip(out.lines());
    let first = pairs.enumerate().find(|(_, (before, now))| before != now);
    match first {
        Some((line, (before, now))) => {
            format!("{name}.txt:{}:\n- {before}\n+ {now}", line + 1)
        }
        None => format!("{name}.txt: one is longer than the other"),
    }
}

#[test]
fn no_timeline_is_left_over() {
    let names: BTreeSet<String> = names().into_iter().collect();
    for file in std::fs::read_dir(folder()).expect("the folder of the scenarios") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|end| end == "txt") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(names.contains(&name), "{name}.txt has no scenario");
        }
    }
}

/// A scenario that no test looks into could be blessed with any error in it.
#[test]
fn every_scenario_is_looked_into() {
    let sources = [
        include_str!("calendars.rs"),
        include_str!("courses.rs"),
        include_str!("deadlines.rs"),
        include_str!("extensions.rs"),
        include_str!("order.rs"),
        include_str!("rules.rs"),
        include_str!("returns.rs"),
        include_str!("staff.rs"),
        include_str!("time_first.rs"),
        include_str!("who.rs"),
    ];
    for name in names() {
        let quoted = format!("\"{name}\"");
        assert!(sources.iter().any(|source| source.contains(&quoted)), "nobody asserts {name}");
    }
}

#[test]
fn every_scenario_says_which_rule_it_shows() {
    for name in names() {
        let file = folder().join(format!("{name}.toml"));
        let text = std::fs::read_to_string(&file).expect("a scenario");
        assert!(text.starts_with("# "), "{name}: no comment that names the rule");
        let title = text.lines().find(|line| line.starts_with("title = ")).expect("a title");
        assert!(!title.is_ascii(), "{name}: the title is not Chinese: {title}");
    }
}
