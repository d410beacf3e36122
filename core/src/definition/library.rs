//! All definitions with their forms and legal texts, read from the texts of their files. Must
//! never put a definition with a fault on the shelf, and never ask where the texts come from.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::basis::{Basis, BasisText, read_basis_texts};
use super::form::Form;
use super::model::Definition;
use super::read::read_definition;
use super::shelf::{Shelf, ShelfError};
use crate::document::{Fault, Faults, gather};
use crate::name::Name;

/// A file's name and its text, or why there is none.
pub type Text = Result<(String, String), Fault>;

/// What was read: the definitions without a fault, the legal texts, and every fault found.
#[derive(Debug, Default)]
pub struct Library {
    /// The definitions without a fault, by file.
    pub definitions: Vec<Definition>,
    /// The texts that citations resolve to.
    pub texts: BTreeMap<Basis, BasisText>,
    /// Every fault of every file.
    pub faults: Vec<Fault>,
}

/// Why a library gives no shelf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// Faults of its files.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// Definitions that contradict one another.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

impl Library {
    /// Reads forms (a later one of a name replaces an earlier one), legal texts (likewise), and
    /// the definitions that stand on them.
    #[must_use]
    pub fn read(forms: Vec<Text>, basis: Vec<Text>, definitions: Vec<Text>) -> Self {
        let mut library = Self::default();
        let mut by_name = BTreeMap::new();
        for form in library.each(forms, |file, text| {
            let name = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
            Form::read(Name::from(&*name), file, text)?.fit_for_a_file(file)
        }) {
            by_name.insert(form.name.clone(), Arc::new(form));
        }
        for texts in library
            .each(basis, |file, text| read_basis_texts(file, text).map_err(|Faults(all)| all))
        {
            library.texts.extend(texts);
        }
        let texts = std::mem::take(&mut library.texts);
        library.definitions = library.each(definitions, |file, text| {
            read_definition(file, text, &by_name, &texts).map_err(|Faults(all)| all)
        });
        library.texts = texts;
        library
    }

    /// What each text gives; the faults of those that give nothing are kept.
    fn each<T>(
        &mut self,
        texts: Vec<Text>,
        read: impl Fn(&str, &str) -> Result<T, Vec<Fault>>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        for text in texts {
            match text.map(|(file, text)| read(&file, &text)) {
                Ok(Ok(one)) => found.push(one),
                Ok(Err(faults)) => gather(&mut self.faults, faults),
                Err(fault) => gather(&mut self.faults, [fault]),
            }
        }
        found
    }

    /// All definitions on one shelf.
    ///
    /// # Errors
    /// Every fault of the files, or two definitions that contradict one another.
    pub fn shelve(self) -> Result<Shelf, LibraryError> {
        if !self.faults.is_empty() {
            return Err(Faults(self.faults).into());
        }
        let mut shelf = Shelf::new(self.texts);
        for definition in self.definitions {
            shelf.add(definition)?;
        }
        Ok(shelf)
    }
}
