//! Known faults put into the core on purpose: the random lives must find each, or they prove
//! nothing.
//!
//! Each mutant is a copy of the package's sources with one exact snippet replaced, built and run
//! offline in a target folder that all mutants share. A snippet that is no longer there exactly
//! once fails the test: whoever moves the code moves the mutant.
//!
//! `cargo test -p duban-core --test mutants` tries a few, with `DUBAN_MUTANTS=all` every one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lives of a mutant's run: it ends with the first that fails, mostly among the first
/// hundred.
const LIVES: &str = "4000";
/// Lives of the run without a mutant.
const LIVES_WITHOUT: &str = "100";

struct Mutant {
    name: &'static str,
    file: &'static str,
    sound: &'static str,
    mutated: &'static str,
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an action at the due instant counts as in time",
        file: "core/src/decide/deadlines.rs",
        sound: "let (run, late) = (reference(run), self.at >= run.due_at);",
        mutated: "let (run, late) = (reference(run), self.at > run.due_at);",
    },
    Mutant {
        name: "who was overtaken is let through",
        file: "core/src/decide/mod.rs",
        sound: "instance.fired_at.is_some_and(|fired| moment.at < fired)",
        mutated: "instance.fired_at.is_some_and(|fired| moment.at > fired)",
    },
    Mutant {
        name: "a recomputation may take away the next working day",
        file: "core/src/deadline/schedule.rs",
        sound: "if floor <= self.due_day {",
        mutated: "if floor != self.due_day {",
    },
    Mutant {
        name: "the yellow light waits for the days off to end",
        file: "core/src/deadline/schedule.rs",
        sound: "let (_, yellow_at) = edition.shift(due.day, -1)?;",
        mutated: "let yellow_at = edition.zone().start_of(due.day);",
    },
    Mutant {
        name: "rungs that passed meanwhile fire",
        file: "core/src/decide/deadlines.rs",
        sound: "passed_over: passed.map(|rung| rung.rung).collect(),",
        mutated: "passed_over: passed.map(|rung| rung.rung).take(0).collect(),",
    },
    Mutant {
        name: "what a window's end starts counts from the day after",
        file: "core/src/decide/fire.rs",
        sound: "self.counts_from = self.at.plus_ms(-1);",
        mutated: "self.counts_from = self.at;",
    },
    Mutant {
        name: "a card is issued on an estimated instant",
        file: "core/src/decide/fire.rs",
        sound: "let withheld = card.is_some() && rung.estimated;",
        mutated: "let withheld = card.is_none() && rung.estimated;",
    },
    Mutant {
        name: "a breach of an estimated end stays one",
        file: "core/src/decide/recompute.rs",
        sound: "let breached = run.is_overdue_at(self.at) && run.certainty != Certainty::Estimated;",
        mutated: "let breached = run.is_overdue_at(self.at);",
    },
    Mutant {
        name: "a grant after the feedback leaves the agency late",
        file: "core/src/apply.rs",
        sound: "run.state = if met_at < run.due_at { State::Met } else { State::MetLate };",
        mutated: "let _ = met_at;",
    },
    Mutant {
        name: "going back forgets where a step was first reached from",
        file: "core/src/apply.rs",
        sound: "if !step.back {",
        mutated: "if step.back || !step.back {",
    },
    Mutant {
        name: "an agency that gave its ticket back is not told",
        file: "core/src/decide/follow.rs",
        sound: "let concerned = change.released.clone().or_else(|| self.instance.agency.clone());",
        mutated: "let concerned = self.instance.agency.clone();",
    },
    Mutant {
        name: "the last message about a run is not the one that stays",
        file: "core/src/message.rs",
        sound: "messages[index + 1..].iter().any(|later| {",
        mutated: "messages[..index].iter().any(|later| {",
    },
    Mutant {
        name: "the day of receipt counts among the days left",
        file: "core/src/deadline/run.rs",
        sound: "let after = received.max(today.plus(-1));",
        mutated: "let after = received.plus(-1).max(today.plus(-1));",
    },
    Mutant {
        name: "on its own ticket the hotline is charged",
        file: "core/src/definition/permission.rs",
        sound: "stand_in.and_then(|one| one.by.party()).unwrap_or(party)",
        mutated: "stand_in.and_then(|_| None).unwrap_or(party)",
    },
    Mutant {
        name: "a claim that lies ahead is kept as it is",
        file: "core/src/definition/form.rs",
        sound: "take_claims(&self.shape, &mut taken, at);",
        mutated: "take_claims(&self.shape, &mut taken, at.plus_ms(FUTURE_MS_MAX));",
    },
    Mutant {
        name: "an upheld card is objected to again",
        file: "core/src/decide/card.rs",
        sound: "if matches!(step, CardStep::Contest(_)) && card.upheld {",
        mutated: "if matches!(step, CardStep::Uphold(_)) && card.upheld {",
    },
];

/// How many are tried if nobody asks for more (`DUBAN_MUTANTS=all`): the first of the list, which
/// stand for what must never slip.
const TRIED: usize = 3;

#[test]
fn every_mutant_is_found() {
    let all = std::env::var("DUBAN_MUTANTS").is_ok_and(|value| value == "all");
    let tried = if all { MUTANTS.len() } else { TRIED };
    let package = &duban_shipped::folder("");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let copy = folder.join("package");
    // One folder for all: cargo then builds anew only what the last mutant changed.
    let mut survivors = Vec::new();
    copy_package(package, &copy);
    let (is_passed, output) = run(&copy, &folder, LIVES_WITHOUT);
    assert!(is_passed, "the random lives fail without any mutant:\n{output}");
    for mutant in &MUTANTS[..tried] {
        let file = copy.join(mutant.file);
        let text = fs::read_to_string(package.join(mutant.file)).expect("a source file");
        let times = text.matches(mutant.sound).count();
        assert_eq!(times, 1, "`{}` is there {times} times in {}", mutant.sound, mutant.file);
        write(&file, &text.replace(mutant.sound, mutant.mutated));
        let (is_passed, output) = run(&copy, &folder, LIVES);
        write(&file, &text);
        if is_passed {
            survivors.push(mutant.name);
            continue;
        }
        let is_compared = output.contains("the program and the oracle differ: seed ");
        assert!(is_compared, "`{}` fails otherwise than by comparison:\n{output}", mutant.name);
        let found = output.lines().find(|line| line.contains("differ: seed")).unwrap_or_default();
        println!("{}: {found}", mutant.name);
    }
    assert!(survivors.is_empty(), "not found: {survivors:?}");
}

/// Runs the random lives of a copy; gives whether they passed, and what they said.
fn run(copy: &Path, folder: &Path, lives: &str) -> (bool, String) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "test",
        "--offline",
        "--locked",
        "-p",
        "duban-core",
        "--test",
        "sim",
        "random_lives",
    ]);
    command.current_dir(copy);
    // What the outer cargo told this test about its own package is not true of the copy.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_") {
            command.env_remove(name);
        }
    }
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("RUSTFLAGS");
    command.env_remove("DUBAN_SEED").env("DUBAN_LIVES", lives);
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    // Few lives are lived and much is built: what builds fastest is fastest.
    for (setting, value) in [("OPT_LEVEL", "0"), ("DEBUG", "0"), ("INCREMENTAL", "true")] {
        command.env(format!("CARGO_PROFILE_DEV_{setting}"), value);
    }
    command.env("RUST_BACKTRACE", "0");
    let output = command.output().expect("cargo can be run");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Copies everything but what is hidden and what cargo builds.
fn copy_package(from: &Path, to: &Path) {
    let mut wanted = Vec::new();
    copy(from, to, &mut wanted);
    remove_others(to, &wanted);
}

fn copy(from: &Path, to: &Path, wanted: &mut Vec<PathBuf>) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder can be read") {
            let (path, name) = entry.map(|one| (one.path(), one.file_name())).expect("readable");
            let is_hidden = name.to_string_lossy().starts_with('.');
            let is_built =
                name == "target" || Path::new(env!("CARGO_TARGET_TMPDIR")).starts_with(&path);
            if !is_hidden && !is_built {
                copy(&path, &to.join(name), wanted);
            }
        }
        return;
    }
    fs::create_dir_all(to.parent().expect("a file lies in a folder")).expect("a folder");
    let bytes = fs::read(from).expect("a file can be read");
    // Untouched files keep their time, so that cargo has nothing to do for them.
    if fs::read(to).ok().as_ref() != Some(&bytes) {
        fs::write(to, bytes).expect("a file can be written");
    }
    wanted.push(to.to_owned());
}

/// What an earlier run left and is no longer part of the package.
fn remove_others(folder: &Path, wanted: &[PathBuf]) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            remove_others(&path, wanted);
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).expect("a file can be removed");
        }
    }
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).expect("a file can be written");
}
