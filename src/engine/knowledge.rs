//! Everything besides the ticket that decisions look at: definitions, calendars, which agencies are
//! the hotline. Must never lose a definition that some ticket is pinned to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use duban_core::calendar::Calendar;
use duban_core::decide::Context;
use duban_core::definition::{Definition, Form, Pin, Shelf, ShelfError, read_definition};
use duban_core::document::Faults;
use duban_core::name::Name;

use crate::store::{Store, StoreError, StoredDefinition, UsedDefinition};

/// What is known.
#[derive(Debug)]
pub struct Knowledge {
    shelf: Shelf,
    calendar: Calendar,
    hotline_agencies: BTreeSet<Name>,
    /// Definitions that stand in the database.
    stored: Mutex<BTreeSet<Pin>>,
}

/// Why a server must not start with these definitions.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same name and version with another text.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// A stored definition that this program can no longer read.
    #[error("数据库中的工作流无法读取：{0}")]
    Unreadable(#[from] Faults),
}

impl Knowledge {
    /// The definitions of the catalog and all that tickets were ever pinned to.
    ///
    /// # Errors
    /// A definition that was changed without a new version, or a stored one that cannot be read.
    pub async fn gather(
        mut shelf: Shelf,
        calendar: Calendar,
        hotline_agencies: BTreeSet<Name>,
        store: &Store,
    ) -> Result<Self, KnowledgeError> {
        let mut stored = BTreeSet::new();
        for one in store.definitions().await? {
            let definition = read(&one, &shelf)?;
            stored.insert(definition.pin.clone());
            shelf.add(definition)?;
        }
        Ok(Self { shelf, calendar, hotline_agencies, stored: Mutex::new(stored) })
    }

    /// What a decision may look at.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            shelf: &self.shelf,
            calendar: &self.calendar,
            hotline_agencies: &self.hotline_agencies,
        }
    }

    /// The definitions of these pins that do not stand in the database yet.
    pub(super) fn unstored<'p>(&self, pins: impl Iterator<Item = &'p Pin>) -> Vec<UsedDefinition> {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let new: BTreeSet<&Pin> = pins.filter(|pin| !stored.contains(*pin)).collect();
        let definitions = new.into_iter().filter_map(|pin| self.shelf.pinned(pin));
        definitions.map(|definition| UsedDefinition::of(definition)).collect()
    }

    /// They stand there now.
    pub(super) fn note_stored<'p>(&self, pins: impl Iterator<Item = &'p Pin>) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        for pin in pins {
            if !stored.contains(pin) {
                stored.insert(pin.clone());
            }
        }
    }
}

fn read(stored: &StoredDefinition, shelf: &Shelf) -> Result<Definition, Faults> {
    let file = format!("{}@{}", stored.name, stored.version);
    let mut forms = BTreeMap::new();
    for (name, text) in &stored.forms {
        let name: Name = name.as_str().into();
        let form = Form::read(name.clone(), &file, text).map_err(Faults)?;
        forms.insert(name, Arc::new(form));
    }
    read_definition(&file, &stored.text, &forms, shelf.texts())
}
