//! Known faults put into the core on purpose: the random lives must find each, or they prove
//! nothing.
//!
//! Each mutant is a copy of the package's sources with one exact snippet replaced, built and run
//! offline in a target folder that all mutants share. A snippet that is no longer there exactly
//! once fails the test: whoever moves the code moves the mutant.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most lives of a mutant's run: it ends with the first that fails, mostly among the first
/// hundred.
const LIVES: &str = "2000";
/// Lives of the run without a mutant.
const LIVES_WITHOUT: &str = "100";

struct Mutant {
    name: &'static str,
    file: &'static str,
    sound: &'static str,
    mutated: &'static str,
}

const MUTANTS: [Mutant; 4] = [
    Mutant {
        name: "an action at the due instant counts as in time",
        file: "core/src/decide/deadlines.rs",
        sound: "let late = self.at >= run.due_at;",
        mutated: "let late = self.at > run.due_at;",
    },
    Mutant {
        name: "rungs that passed meanwhile fire",
        file: "core/src/decide/deadlines.rs",
        sound: "passed_over: rungs.map(|rung| rung.name.clone()).collect(),",
        mutated: "passed_over: rungs.map(|rung| rung.name.clone()).take(0).collect(),",
    },
    Mutant {
        name: "what a window's end starts counts from the day after",
        file: "core/src/decide/fire.rs",
        sound: "self.counts_from = self.at.plus_ms(-1);",
        mutated: "self.counts_from = self.at;",
    },
    Mutant {
        name: "a recomputation may take away the next working day",
        file: "core/src/deadline/schedule.rs",
        sound: "if floor <= self.due_day {",
        mutated: "if floor != self.due_day {",
    },
];

#[test]
fn every_mutant_is_found() {
    let package = &duban_shipped::folder("");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let copy = folder.join("package");
    // One folder for all: cargo then builds anew only what the last mutant changed.
    let mut survivors = Vec::new();
    copy_package(package, &copy);
    let (is_passed, output) = run(&copy, &folder, LIVES_WITHOUT);
    assert!(is_passed, "the random lives fail without any mutant:\n{output}");
    for mutant in &MUTANTS {
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
