//! All definitions that one process knows: by name and version, and the newest by class. Must
//! never hold two texts for one name and version.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::basis::{Basis, BasisText};
use super::model::{Definition, Pin};
use crate::name::Name;
use crate::time::Day;

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
    /// A newer version that takes effect before an older one.
    #[error("{file}: 工作流 {name} 第 {version} 版的 effective_from 早于第 {other} 版")]
    Effective {
        /// The newcomer's file.
        file: String,
        /// The workflow.
        name: Name,
        /// The version.
        version: u32,
        /// The version that it would overtake.
        other: u32,
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
        for there in self.definitions.values().filter(|one| one.pin.name == definition.pin.name) {
            let by_version = there.pin.version.cmp(&definition.pin.version);
            let by_day = there.effective_from.cmp(&definition.effective_from);
            if by_day != by_version && by_day != Ordering::Equal {
                return Err(ShelfError::Effective {
                    other: there.pin.version,
                    file: definition.file,
                    name: key.0,
                    version: key.1,
                });
            }
        }
        for class in &definition.classes {
            let there = self.definitions.values().find(|one| one.takes(class));
            if let Some(there) = there
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

    /// Every definition, by name and version.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.values()
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

    /// The newest version that takes a class and is in force on a day.
    #[must_use]
    pub fn for_class(&self, class: &Name, on: Day) -> Option<&Arc<Definition>> {
        let mut newest_first = self.definitions.values().rev();
        newest_first.find(|one| one.takes(class) && one.effective_from <= Some(on))
    }

    /// The very definition that a ticket is pinned to.
    #[must_use]
    pub fn pinned(&self, pin: &Pin) -> Option<&Arc<Definition>> {
        let found = self.definitions.get(&(pin.name.clone(), pin.version))?;
        (found.pin.hash == pin.hash).then_some(found)
    }

    /// All texts that citations resolve to.
    #[must_use]
    pub const fn texts(&self) -> &BTreeMap<Basis, BasisText> {
        &self.texts
    }

    /// The text that a citation resolves to.
    #[must_use]
    pub fn text_of(&self, basis: &Basis) -> Option<&BasisText> {
        self.texts.get(basis)
    }
}
