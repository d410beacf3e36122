//! Floor 3: one decision taken away, with everything that it rests on and nothing about people, and
//! decided again, byte for byte. Must never need the database that it came from.

mod again;
mod export;

use std::collections::{BTreeMap, BTreeSet};

use duban_core::event::{Opened, Sealed};
use duban_core::name::Name;
use duban_core::purpose::Purpose;
use duban_core::role::Role;
use duban_core::time::{Day, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use again::{Again, ReplayError, decide_again};
pub use export::{ExportError, House, of_event, of_incident};

/// What a file of this shape calls itself.
pub const FORMAT: &str = "duban-decision-1";

/// One decision with everything that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFile {
    /// [`FORMAT`].
    pub format: String,
    /// The program that wrote it.
    pub program: String,
    /// What was asked for.
    pub command: Asked,
    /// The stamp of the request, or up to when time was worked off.
    pub arrived_at: Instant,
    /// When the outcome was recorded.
    pub recorded_at: Instant,
    /// What came of it.
    pub expected: Expected,
    /// The ticket's events before it, as they are stored.
    pub history: Vec<String>,
    /// The agencies that are the hotline itself.
    pub hotline_agencies: BTreeSet<Name>,
    /// The definitions that it looks at.
    pub definitions: Vec<DefinitionText>,
    /// Legal texts, by file; later ones win.
    pub basis: Vec<(String, String)>,
    /// The notices, by file.
    pub calendar: BTreeMap<String, String>,
}

/// A definition as it was first used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionText {
    /// The workflow.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its text.
    pub text: String,
    /// Its forms.
    pub forms: BTreeMap<String, String>,
}

/// What was asked for, in codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Asked {
    /// A bad review came in.
    Open {
        /// Who delivered it.
        subject: Name,
        /// What history holds of it.
        opened: Box<Opened>,
    },
    /// Somebody did something.
    Act {
        /// Who.
        subject: Name,
        /// In which role.
        role: Role,
        /// For which agency.
        agency: Option<Name>,
        /// What.
        action: Name,
        /// The form's codes.
        form: BTreeMap<Name, Value>,
        /// Where its private part lay.
        sealed: Option<Sealed>,
    },
    /// Somebody was shown the reviewer unmasked.
    Disclose {
        /// Who.
        subject: Name,
        /// In which role.
        role: Role,
        /// For which agency.
        agency: Option<Name>,
        /// Why.
        purpose: Purpose,
    },
    /// Time passed.
    Advance,
    /// A notice was published.
    Recompute {
        /// The day of the publication.
        known_on: Day,
    },
}

/// What came of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expected {
    /// Events, as they are stored.
    Events(Vec<String>),
    /// None: it could not be decided.
    Rejected {
        /// The word of the reason.
        code: String,
    },
}
