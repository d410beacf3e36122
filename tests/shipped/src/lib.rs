//! The files that ship, read from their folders: for tests and benches of the core, which embeds
//! none and must be built without the service. Must never be part of a program.

use std::fs;
use std::path::{Path, PathBuf};

use duban_core::calendar::{Calendar, Year};
use duban_core::definition::{Library, Shelf, Text};
use duban_core::time::SHANGHAI;

/// A folder of the repository.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn texts(folder: &Path, extension: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a readable text"))
    };
    paths.into_iter().map(read).collect()
}

/// All definitions, forms and legal texts.
///
/// # Panics
/// When the repository is not there.
#[must_use]
pub fn library() -> Library {
    let workflows = folder("workflows");
    let given = |texts: Vec<(String, String)>| texts.into_iter().map(Ok).collect::<Vec<Text>>();
    let (basis, definitions) =
        texts(&workflows, "toml").into_iter().partition(|(file, _)| file == "basis.toml");
    let forms = texts(&workflows.join("forms"), "json");
    Library::read(given(forms), given(basis), given(definitions))
}

/// All definitions on one shelf.
///
/// # Panics
/// When a shipped definition has a fault.
#[must_use]
pub fn shelf() -> Shelf {
    library().shelve().expect("the shipped workflows are good")
}

/// The notices of a folder.
///
/// # Panics
/// When one of them has a fault.
#[must_use]
pub fn calendar_of(folder: &Path) -> Calendar {
    let years = texts(folder, "toml");
    let years = years.iter().map(|(file, text)| Year::read(file, text).expect("a good year"));
    Calendar::new(SHANGHAI, years.collect()).expect("years that fit together")
}

/// The shipped notices.
///
/// # Panics
/// When one of them has a fault.
#[must_use]
pub fn calendar() -> Calendar {
    calendar_of(&folder("calendars"))
}
