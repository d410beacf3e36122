//! The definitions, forms and legal texts out of the catalog. Must never put a definition with a
//! fault on the shelf.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::{CatalogError, Source, Text, texts};
use crate::core::definition::{
    Basis, BasisText, Definition, Form, Shelf, read_basis_texts, read_definition,
};
use crate::core::document::{Fault, Faults};
use crate::core::name::Name;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/workflows");

/// The file with the legal texts; every other `*.toml` of the folder is a definition.
const BASIS_FILE: &str = "basis.toml";

/// What a source holds: the definitions without a fault, the legal texts, and every fault found.
#[derive(Debug, Default)]
pub struct Reading {
    /// The definitions without a fault, by file.
    pub definitions: Vec<Definition>,
    /// The texts that citations resolve to.
    pub texts: BTreeMap<Basis, BasisText>,
    /// Every fault of every file.
    pub faults: Vec<Fault>,
}

/// Reads all definitions of a source, with all faults.
///
/// A folder replaces the embedded definitions. Forms (`forms/*.json`) and legal texts
/// (`basis.toml`) that the folder does not have are the embedded ones.
///
/// # Errors
/// When the folder cannot be read, is empty or holds too many files.
pub fn read(source: &Source) -> Result<Reading, CatalogError> {
    let mut reading = Reading::default();
    let mut forms = BTreeMap::new();
    for layer in layers(source) {
        read_forms(&layer, &mut forms, &mut reading.faults)?;
    }
    let (basis, definitions): (Vec<Text>, Vec<Text>) =
        texts(source, &EMBEDDED, "toml")?.into_iter().partition(is_basis);
    let embedded = texts(&Source::Embedded, &EMBEDDED, "toml")?.into_iter().filter(is_basis);
    for text in embedded.chain(basis) {
        match text.map(|(file, text)| read_basis_texts(&file, &text)) {
            Ok(Ok(texts)) => reading.texts.extend(texts),
            Ok(Err(Faults(faults))) => reading.faults.extend(faults),
            Err(fault) => reading.faults.push(fault),
        }
    }
    for text in definitions {
        let read =
            |(file, text): (String, String)| read_definition(&file, &text, &forms, &reading.texts);
        match text.map(read) {
            Ok(Ok(definition)) => reading.definitions.push(definition),
            Ok(Err(Faults(faults))) => reading.faults.extend(faults),
            Err(fault) => reading.faults.push(fault),
        }
    }
    Ok(reading)
}

/// All definitions of a source on one shelf.
///
/// # Errors
/// When the folder cannot be used, with every fault of its files, or when two definitions
/// contradict one another.
pub fn shelf(source: &Source) -> Result<Shelf, CatalogError> {
    let reading = read(source)?;
    if !reading.faults.is_empty() {
        return Err(Faults(reading.faults).into());
    }
    let mut shelf = Shelf::new(reading.texts);
    for definition in reading.definitions {
        shelf.add(definition)?;
    }
    Ok(shelf)
}

/// The embedded files first, so that a folder's own override them.
fn layers(source: &Source) -> Vec<Source> {
    let own = match source {
        Source::Folder(folder) => Some(folder.join("forms")).filter(|forms| forms.is_dir()),
        Source::Embedded => None,
    };
    std::iter::once(Source::Embedded).chain(own.map(Source::Folder)).collect()
}

fn read_forms(
    layer: &Source,
    forms: &mut BTreeMap<Name, Arc<Form>>,
    faults: &mut Vec<Fault>,
) -> Result<(), CatalogError> {
    let embedded = EMBEDDED.get_dir("forms").unwrap_or(&EMBEDDED);
    for text in texts(layer, embedded, "json")? {
        let read = |(file, text): (String, String)| {
            let name = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy();
            Form::read(Name::from(&*name), &file, &text)
        };
        match text.map(read) {
            Ok(Ok(form)) => {
                forms.insert(form.name.clone(), Arc::new(form));
            }
            Ok(Err(found)) => faults.extend(found),
            Err(fault) => faults.push(fault),
        }
    }
    Ok(())
}

fn is_basis(text: &Text) -> bool {
    let file = match text {
        Ok((file, _)) => file,
        Err(fault) => &fault.file,
    };
    Path::new(file).file_name().is_some_and(|name| name == BASIS_FILE)
}
