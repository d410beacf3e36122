//! The definitions, forms and legal texts out of the catalog. Must never put a definition with a
//! fault on the shelf.

use std::fs;
use std::path::Path;

use duban_core::definition::{Library, Shelf, Text};
use duban_core::document::{Fault, Faults};
use duban_core::echo::echo_path;
use include_dir::{Dir, include_dir};

use super::{CatalogError, Source, texts};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/workflows");

/// The file with the legal texts; every other `*.toml` of the folder is a definition.
const BASIS_FILE: &str = "basis.toml";

/// Reads all definitions of a source, with all faults.
///
/// A folder replaces the embedded definitions. Forms (`forms/*.json`) and legal texts
/// (`basis.toml`) that the folder does not have are the embedded ones.
///
/// # Errors
/// When the folder cannot be read, is empty or holds too many files.
pub fn read(source: &Source) -> Result<Library, CatalogError> {
    let embedded_forms = EMBEDDED.get_dir("forms").unwrap_or(&EMBEDDED);
    let mut forms = Vec::new();
    for layer in layers(source) {
        forms.extend(texts(&layer, embedded_forms, "json")?);
    }
    let mut definitions = texts(source, &EMBEDDED, "toml")?;
    definitions.retain(|one| !is_basis(one));
    if let (Source::Folder(folder), true) = (source, definitions.is_empty()) {
        return Err(CatalogError::NoDefinition { path: echo_path(folder) });
    }
    Ok(Library::read(forms, basis(source)?, definitions))
}

/// The embedded legal texts, and those of a folder.
fn basis(source: &Source) -> Result<Vec<Text>, CatalogError> {
    let mut basis = texts(&Source::Embedded, &EMBEDDED, "toml")?;
    if *source != Source::Embedded {
        basis.extend(texts(source, &EMBEDDED, "toml")?);
    }
    basis.retain(is_basis);
    Ok(basis)
}

/// The legal texts of a source, for taking away; later ones win.
///
/// # Errors
/// When the folder or one of its files cannot be read.
pub fn basis_files(source: &Source) -> Result<Vec<(String, String)>, CatalogError> {
    let read: Result<_, Fault> = basis(source)?.into_iter().collect();
    read.map_err(|fault| Faults(vec![fault]).into())
}

/// All definitions of a source on one shelf.
///
/// # Errors
/// When the folder cannot be used, with every fault of its files, or when two definitions
/// contradict one another.
pub fn shelf(source: &Source) -> Result<Shelf, CatalogError> {
    Ok(read(source)?.shelve()?)
}

/// The embedded files first, so that a folder's own override them.
fn layers(source: &Source) -> Vec<Source> {
    let own = match source {
        // What is there and is no folder is told, and not passed over.
        Source::Folder(folder) => {
            Some(folder.join("forms")).filter(|forms| fs::symlink_metadata(forms).is_ok())
        }
        Source::Embedded => None,
    };
    std::iter::once(Source::Embedded).chain(own.map(Source::Folder)).collect()
}

fn is_basis(text: &Text) -> bool {
    let file = match text {
        Ok((file, _)) => file,
        Err(fault) => &fault.file,
    };
    Path::new(file).file_name().is_some_and(|name| name == BASIS_FILE)
}
