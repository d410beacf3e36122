//! The years' notices out of the catalog. Must never give a calendar out of files with faults.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};

use super::{CatalogError, Source, texts};
use duban_core::calendar::{Calendar, Year};
use duban_core::document::{Fault, Faults, gather};
use duban_core::time::SHANGHAI;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/calendars");

/// What a source holds: the years that could be read, and every fault found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The years without a fault of their own, by file.
    pub years: Vec<Year>,
    /// The faults of the files, then those between them.
    pub faults: Vec<Fault>,
}

/// Reads all years of a source, with all faults, also those between the files.
///
/// # Errors
/// When the folder cannot be read, is empty or holds too many files.
pub fn read(source: &Source) -> Result<Reading, CatalogError> {
    let mut reading = read_files(source)?;
    if let Err(Faults(between)) = Calendar::new(SHANGHAI, reading.years.clone()) {
        gather(&mut reading.faults, between);
    }
    Ok(reading)
}

/// The texts of a source's files, for taking away.
///
/// # Errors
/// When the folder or one of its files cannot be read.
pub fn files(source: &Source) -> Result<BTreeMap<String, String>, CatalogError> {
    let read: Result<_, Fault> = texts(source, &EMBEDDED, "toml")?.into_iter().collect();
    read.map_err(|fault| Faults(vec![fault]).into())
}

/// A calendar of texts that were taken away.
///
/// # Errors
/// Every fault of them.
pub fn of_files(files: &BTreeMap<String, String>) -> Result<Calendar, Faults> {
    let (mut years, mut faults) = (Vec::new(), Vec::new());
    for (file, text) in files {
        match Year::read(file, text) {
            Ok(year) => years.push(year),
            Err(Faults(found)) => gather(&mut faults, found),
        }
    }
    if faults.is_empty() { Calendar::new(SHANGHAI, years) } else { Err(Faults(faults)) }
}

fn read_files(source: &Source) -> Result<Reading, CatalogError> {
    let mut reading = Reading::default();
    for text in texts(source, &EMBEDDED, "toml")? {
        match text.map(|(file, text)| Year::read(&file, &text)) {
            Ok(Ok(year)) => reading.years.push(year),
            Ok(Err(Faults(faults))) => gather(&mut reading.faults, faults),
            Err(fault) => gather(&mut reading.faults, [fault]),
        }
    }
    Ok(reading)
}

/// The calendar of a source, in the zone of all China.
///
/// # Errors
/// When the folder cannot be used, or with every fault of its files.
pub fn calendar(source: &Source) -> Result<Calendar, CatalogError> {
    let Reading { years, mut faults } = read_files(source)?;
    match Calendar::new(SHANGHAI, years) {
        Ok(calendar) if faults.is_empty() => Ok(calendar),
        Ok(_) => Err(Faults(faults).into()),
        Err(Faults(between)) => {
            gather(&mut faults, between);
            Err(Faults(faults).into())
        }
    }
}
