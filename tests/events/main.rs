//! History as it is stored: a fixture of every kind and version of event, the chain of hashes,
//! replay, and that nothing private ever gets into it.

mod digests;
mod fixtures;
mod lives;

use std::path::PathBuf;
use std::sync::LazyLock;

use duban_core::calendar::Calendar;
use duban_core::definition::Shelf;
use duban_core::simulate::{Life, Scenario, simulate};

static SHELF: LazyLock<Shelf> = LazyLock::new(duban_shipped::shelf);

static CALENDAR: LazyLock<Calendar> = LazyLock::new(duban_shipped::calendar);

/// A folder below `tests`.
fn folder(name: &str) -> PathBuf {
    duban_shipped::folder("tests").join(name)
}

/// Every scenario by its name, sorted.
fn scenarios() -> Vec<(String, Scenario)> {
    let files = std::fs::read_dir(folder("scenarios")).expect("the scenarios");
    let paths = files.map(|file| file.expect("a file").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    assert!(paths.len() > 40, "only {} scenarios", paths.len());
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a scenario");
        (name.clone(), Scenario::read(&name, &text).expect("a good scenario"))
    };
    paths.into_iter().map(read).collect()
}

fn life(scenario: &Scenario) -> Life {
    simulate(&SHELF, &CALENDAR, scenario).expect("a life")
}

/// Every scenario's life, played once.
fn lives() -> &'static [(String, Life)] {
    static LIVES: LazyLock<Vec<(String, Life)>> = LazyLock::new(|| {
        let played = scenarios().into_iter().map(|(name, scenario)| (name, life(&scenario)));
        played.collect()
    });
    &LIVES
}
