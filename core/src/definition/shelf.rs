//! All definitions that one process knows: by name and version, and the newest by class. Must
//! never hold two texts for one name and version.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::basis::{Basis, BasisText};
use super::model::{Definition, Pin};
use crate::name::Name;

/// Definitions and the texts of their legal bases.
#[derive(Debug, Default)]
pub struct Shelf {
    definitions: BTreeMap<(Name, u32), Arc<Definition>>,
    texts: BTreeMap<Basis, BasisText>,
}

/// Why a definition can't be put on the shelf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// The same name and version with another text.
    #[error(
        "{file}: 工作流 {name} 第 {version} 版已有另一份文本（{other}）；文本改动后须提高 version"
    )]
    SameVersion {
        /// The newcomer's file.
        file: String,
        /// The file that is there.
        other: String,
        /// The workflow.
        name: Name,
        /// The version.
        version: u32,
    },
    /// Two workflows claim one class.
    #[error("{file}: 类别 {class} 已由工作流 {other} 受理；一个类别只能有一个工作流")]
    SameClass {
        /// The newcomer's file.
        file: String,
        /// The workflow that is there.
        other: Name,
        /// The class.
        class: Name,
    },
}

impl Shelf {
    /// An empty shelf that resolves these citations.
    #[must_use]
    pub fn new(texts: BTreeMap<Basis, BasisText>) -> Self {
        Self { definitions: BTreeMap::new(), texts }
    }

    /// Puts a definition on the shelf. The same text twice is no fault.
    ///
    /// # Errors
    /// Another text of the same name and version, or a class that another workflow has.
    pub fn add(&mut self, definition: Definition) -> Result<(), ShelfError> {
        let key = (definition.pin.name.clone(), definition.pin.version);
        if let Some(there) = self.definitions.get(&key)
            && there.pin.hash != definition.pin.hash
        {
            return Err(ShelfError::SameVersion {
                file: definition.file,
                other: there.file.clone(),
                name: key.0,
                version: key.1,
            });
        }
        for class in &definition.classes {
            if let Some(there) = self.for_class(class.as_str())
                && there.pin.name != definition.pin.name
            {
                return Err(ShelfError::SameClass {
                    other: there.pin.name.clone(),
                    class: class.clone(),
                    file: definition.file,
                });
            }
        }
        self.definitions.insert(key, Arc::new(definition));
        Ok(())
    }

    /// The newest version of each workflow, by name.
    pub fn newest(&self) -> impl Iterator<Item = &Arc<Definition>> {
        let newest = |(name, version): &(Name, u32)| {
            let later = self.definitions.range((name.clone(), version + 1)..);
            later.take_while(|((other, _), _)| other == name).next().is_none()
        };
        self.definitions.iter().filter(move |(key, _)| newest(key)).map(|(_, one)| one)
    }

    /// The newest version of a workflow.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Definition>> {
        self.newest().find(|definition| definition.pin.name == *name)
    }

    /// The newest version of the workflow that takes a class.
    #[must_use]
    pub fn for_class(&self, class: &str) -> Option<&Arc<Definition>> {
        self.newest().find(|definition| definition.classes.iter().any(|one| *one == *class))
    }

    /// The very definition that a ticket is pinned to.
    #[must_use]
    pub fn pinned(&self, pin: &Pin) -> Option<&Arc<Definition>> {
        let found = self.definitions.get(&(pin.name.clone(), pin.version))?;
        (found.pin.hash == pin.hash).then_some(found)
    }

    /// The text that a citation resolves to.
    #[must_use]
    pub fn text_of(&self, basis: &Basis) -> Option<&BasisText> {
        self.texts.get(basis)
    }
}
