//! Everything besides the ticket that decisions look at: definitions, calendars, which agencies are
//! the hotline. Must never lose a definition that some ticket is pinned to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use duban_core::calendar::Calendar;
use duban_core::decide::Context;
use duban_core::definition::{
    Definition, ENGINE_LEVEL, Form, Pin, Shelf, ShelfError, read_definition,
};
use duban_core::document::Faults;
use duban_core::instance::Instance;
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
    /// Definitions, by name and version, whose tickets this node leaves to others: their programs are
    /// newer.
    left: Mutex<BTreeSet<(String, u32)>>,
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
        let (mut stored, mut left) = (BTreeSet::new(), BTreeSet::new());
        for one in store.definitions().await? {
            match read(&one, &shelf) {
                Ok(definition) => {
                    if definition.engine_level > ENGINE_LEVEL {
                        left.insert((one.name, one.version));
                    }
                    stored.insert(definition.pin.clone());
                    shelf.add(definition)?;
                }
                // Where there are other nodes, some newer one wrote it.
                Err(_) if !store.is_embedded() => {
                    left.insert((one.name, one.version));
                }
                Err(faults) => return Err(faults.into()),
            }
        }
        for (workflow, version) in &left {
            warn_of(workflow, *version);
        }
        let (stored, left) = (Mutex::new(stored), Mutex::new(left));
        Ok(Self { shelf, calendar, hotline_agencies, stored, left })
    }

    /// Whether this node can work on a ticket; one that it cannot is left to others from now on, and
    /// so are those like it.
    pub(super) fn can_work_on(&self, instance: &Instance) -> bool {
        let can = self.context().definition(instance).is_ok();
        if !can {
            let Pin { name, version, .. } = &instance.definition;
            let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            if left.insert((name.to_string(), *version)) {
                warn_of(name.as_str(), *version);
            }
        }
        can
    }

    /// The definitions, by name and version, whose tickets this node leaves to others.
    #[must_use]
    pub fn left_to_others(&self) -> Vec<(String, u32)> {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.iter().cloned().collect()
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

fn warn_of(workflow: &str, version: u32) {
    tracing::warn!(
        workflow,
        version,
        "this program is too old for a workflow: its tickets are left"
    );
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
