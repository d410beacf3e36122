//! The program against an oracle that was written apart from it: thousands of random lives of
//! tickets, compared after every command.
//!
//! `DUBAN_LIVES` says how many, `DUBAN_SEED` with which seed to begin. A life that fails is made
//! as short as it goes, printed, and written as a scenario for `duban simulate`.

mod choose;
mod coverage;
mod directed;
mod fill;
mod life;
mod live;
mod observed;
mod oracle;
mod play;
mod random;
mod setting;
mod shrink;
mod view;
mod watch;

use std::sync::Mutex;

use coverage::Coverage;
use life::Life;
use live::live;
use play::Failure;
use setting::{HOTLINE_AGENCIES, Settings};

/// Lives of a run, if nobody says how many: what takes some twenty seconds in a dev build.
const LIVES: u64 = 10_000;
/// The seed of the first life, if nobody says which.
const SEED: u64 = 20_260_304;
/// From so many lives on, everything has to be reached.
const LIVES_FOR_COVERAGE: u64 = LIVES;
/// More threads than this only wait for memory.
const THREADS_MAX: usize = 8;

fn number(variable: &str, otherwise: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(otherwise, |text| text.parse().expect("a whole number"))
}

#[test]
fn random_lives_are_as_the_oracle_says() {
    let (lives, first) = (number("DUBAN_LIVES", LIVES), number("DUBAN_SEED", SEED));
    println!("{lives} lives from seed {first} (DUBAN_LIVES, DUBAN_SEED)");
    let settings = Settings::new();
    let seeds = Mutex::new(first..first + lives);
    let run = Mutex::new(Run::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(THREADS_MAX) {
            scope.spawn(|| live_on(&settings, &seeds, &run));
        }
    });
    let Run { failed, events, coverage } = run.into_inner().expect("no thread broke off");
    if let Some((life, failure)) = failed {
        panic!("{}", shrink::report(&settings, &life, &failure));
    }
    println!("{events} events compared");
    let missing = coverage.missing(settings.definitions());
    if lives >= LIVES_FOR_COVERAGE {
        assert!(missing.is_empty(), "not reached in {lives} lives:\n{missing}");
    } else {
        println!("too few lives to reach everything; not reached:\n{missing}");
    }
}

/// What all threads found.
#[derive(Default)]
struct Run {
    /// The life that failed with the lowest seed.
    failed: Option<(Life, Failure)>,
    events: usize,
    coverage: Coverage,
}

/// Takes seed after seed, until there are none or a life fails.
fn live_on(settings: &Settings, seeds: &Mutex<std::ops::Range<u64>>, run: &Mutex<Run>) {
    let mut coverage = Coverage::default();
    let mut events = 0;
    let mut failed = None;
    loop {
        // A statement of its own, or the lock would be held while the life is lived.
        let seed = seeds.lock().expect("no thread broke off").next();
        let Some(seed) = seed else { break };
        match live(settings, seed, &mut coverage) {
            (_, Ok(lived)) => events += lived,
            (life, Err(failure)) => {
                failed = Some((life, failure));
                let mut seeds = seeds.lock().expect("no thread broke off");
                seeds.start = seeds.end;
            }
        }
    }
    let mut run = run.lock().expect("no thread broke off");
    run.events += events;
    run.coverage.join(coverage);
    let is_first = |(life, _): &(Life, Failure)| {
        run.failed.as_ref().is_none_or(|(known, _)| life.seed < known.seed)
    };
    if failed.as_ref().is_some_and(is_first) {
        run.failed = failed;
    }
}

/// The oracle is worth something only as long as it shares nothing with the program.
#[test]
fn the_oracle_imports_nothing_of_the_program() {
    let root = duban_shipped::folder("tests/sim");
    let mut files = vec![root.join("view.rs")];
    let folder = std::fs::read_dir(root.join("oracle")).expect("the oracle's folder");
    files.extend(folder.map(|entry| entry.expect("readable").path()));
    assert!(files.len() > 8, "the oracle's files are elsewhere");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        for foreign in ["duban", "crate::play", "crate::observed", "include_", "workflows/"] {
            let found = text.lines().position(|line| line.contains(foreign));
            let line = found.map(|index| index + 1);
            assert_eq!(line, None, "{} knows `{foreign}`", file.display());
        }
        for line in text.lines().filter(|line| line.trim_start().starts_with("use ")) {
            let own =
                ["use super::", "use std::", "use crate::view", "use serde_json::", "use Field"];
            let is_own = own.iter().any(|own| line.trim_start().starts_with(own));
            assert!(is_own, "{}: {line}", file.display());
        }
    }
}

/// A life is told apart only by its seed.
#[test]
fn a_seed_gives_the_same_life_again() {
    let settings = Settings::new();
    let scenario = |seed| {
        let (life, played) = live(&settings, seed, &mut Coverage::default());
        assert!(played.is_ok(), "seed {seed} fails");
        life.scenario(&HOTLINE_AGENCIES, &[])
    };
    assert_eq!(scenario(7), scenario(7));
    assert_ne!(scenario(7), scenario(8));
}
