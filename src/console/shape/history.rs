//! What happened on a ticket, and what comes if nobody acts.

use duban_core::time::Instant;
use serde::Deserialize;
use serde_json::Value;

/// A history, as far as it was asked for.
#[derive(Deserialize)]
pub(in crate::console) struct History {
    pub(in crate::console) events: Vec<Event>,
    pub(in crate::console) verified: bool,
}

/// An event; of what is hidden only its number.
#[derive(Deserialize)]
pub(in crate::console) struct Event {
    pub(in crate::console) seq: u64,
    pub(in crate::console) at: Option<Instant>,
    #[serde(default)]
    pub(in crate::console) kind: String,
    #[serde(default)]
    pub(in crate::console) data: Value,
    pub(in crate::console) text: Option<String>,
    pub(in crate::console) hash: String,
}

impl Event {
    /// A word of what the event carries, by JSON pointer.
    pub(in crate::console) fn word(&self, pointer: &str) -> Option<&str> {
        self.data.pointer(pointer)?.as_str()
    }

    /// The step in which the ticket is from now on.
    pub(in crate::console) fn step(&self) -> Option<&str> {
        self.word("/change/step/to").or_else(|| self.word("/step"))
    }

    /// The deadline that it is about, and which run.
    pub(in crate::console) fn run(&self) -> Option<(&str, u16)> {
        let run = self.data.get("run")?.as_u64()?;
        Some((self.word("/deadline")?, u16::try_from(run).ok()?))
    }

    /// The card that it issued.
    pub(in crate::console) fn card(&self) -> Option<&str> {
        if self.kind == "rung_fired" { self.word("/card") } else { None }
    }
}

/// What was written with an action, without what names somebody.
#[derive(Deserialize)]
pub(in crate::console) struct Statement {
    pub(in crate::console) seq: u64,
    pub(in crate::console) role: String,
    pub(in crate::console) fields: Vec<Written>,
}

/// A field with what was written.
#[derive(Deserialize)]
pub(in crate::console) struct Written {
    pub(in crate::console) title: String,
    pub(in crate::console) text: String,
}

/// What comes if nobody acts.
#[derive(Deserialize)]
pub(in crate::console) struct Forecast {
    pub(in crate::console) coming: Vec<Coming>,
}

#[derive(Deserialize)]
pub(in crate::console) struct Coming {
    pub(in crate::console) at: Instant,
    pub(in crate::console) deadline: Option<String>,
    pub(in crate::console) rung: Option<String>,
    pub(in crate::console) card: Option<String>,
    pub(in crate::console) text: String,
}
