//! A ticket with its deadlines and cards.

use duban_core::time::Instant;
use serde::Deserialize;

use crate::console::part::light::Light;
use crate::console::part::pips::Days;
use crate::console::part::when;

#[derive(Deserialize)]
pub(in crate::console) struct Ticket {
    #[serde(rename = "ticket_no")]
    pub(in crate::console) number: String,
    pub(in crate::console) revision: u32,
    pub(in crate::console) class: String,
    pub(in crate::console) step_title: String,
    pub(in crate::console) status: String,
    pub(in crate::console) light: Option<String>,
    pub(in crate::console) agency: Option<String>,
    pub(in crate::console) agency_name: Option<String>,
    pub(in crate::console) district: Option<String>,
    pub(in crate::console) flags: Vec<String>,
    pub(in crate::console) received_at: Instant,
    pub(in crate::console) deadlines: Vec<Deadline>,
    pub(in crate::console) cards: Vec<Card>,
    pub(in crate::console) review: Option<Review>,
    pub(in crate::console) reviewer: Option<Reviewer>,
    pub(in crate::console) settled: bool,
    pub(in crate::console) incident: bool,
}

#[derive(Deserialize)]
pub(in crate::console) struct Deadline {
    pub(in crate::console) name: String,
    pub(in crate::console) title: String,
    pub(in crate::console) kind: String,
    pub(in crate::console) party: String,
    pub(in crate::console) run: u16,
    pub(in crate::console) basis: Vec<String>,
    pub(in crate::console) state: String,
    pub(in crate::console) starts_at: Instant,
    pub(in crate::console) due_at: Instant,
    pub(in crate::console) original_due_at: Instant,
    pub(in crate::console) met_at: Option<Instant>,
    pub(in crate::console) certainty: String,
    pub(in crate::console) light: Option<String>,
    pub(in crate::console) working_days: Option<u32>,
    pub(in crate::console) remaining_working_days: Option<u32>,
    pub(in crate::console) overdue_working_days: Option<u32>,
}

#[derive(Deserialize)]
pub(in crate::console) struct Card {
    pub(in crate::console) id: String,
    pub(in crate::console) kind: String,
    pub(in crate::console) deadline: String,
    pub(in crate::console) party: String,
    pub(in crate::console) agency: Option<String>,
    pub(in crate::console) fired_at: Instant,
    pub(in crate::console) state: String,
}

/// What was rated and what was said of it, without what names somebody.
#[derive(Deserialize)]
pub(in crate::console) struct Review {
    pub(in crate::console) agency: Option<String>,
    pub(in crate::console) channel: Option<String>,
    pub(in crate::console) comment: Option<String>,
    pub(in crate::console) level: Option<String>,
    pub(in crate::console) matter: Option<Matter>,
    pub(in crate::console) reviewed_at: Option<Instant>,
    #[serde(default)]
    pub(in crate::console) tags: Vec<String>,
}

#[derive(Deserialize)]
pub(in crate::console) struct Matter {
    pub(in crate::console) name: Option<String>,
}

/// Who rated, masked.
#[derive(Deserialize)]
pub(in crate::console) struct Reviewer {
    pub(in crate::console) name: Option<String>,
    pub(in crate::console) phone: Option<String>,
}

impl Ticket {
    /// The agency by name, else by code.
    pub(in crate::console) fn whose(&self) -> Option<&str> {
        self.agency_name.as_deref().or(self.agency.as_deref())
    }

    pub(in crate::console) fn light(&self) -> Light {
        Light::named(self.light.as_deref())
    }

    /// What the agency owes next.
    pub(in crate::console) fn owed(&self) -> Option<&Deadline> {
        let owed = self.deadlines.iter();
        let owed = owed.filter(|one| one.is_running() && one.is_owed() && one.party == "agency");
        owed.min_by_key(|one| one.due_at)
    }
}

impl Deadline {
    pub(in crate::console) fn is_running(&self) -> bool {
        self.state == "running"
    }

    pub(in crate::console) fn is_owed(&self) -> bool {
        self.kind == "obligation"
    }

    /// Within which somebody may ask for something.
    pub(in crate::console) fn is_window(&self) -> bool {
        self.kind == "window"
    }

    pub(in crate::console) fn is_estimated(&self) -> bool {
        self.certainty == "estimated"
    }

    pub(in crate::console) fn light(&self) -> Light {
        Light::named(self.light.as_deref())
    }

    /// Its working days as they stand at an instant, which is on a working day or not; none where it
    /// is not counted in them.
    pub(in crate::console) fn days(&self, at: Instant, is_working_day: bool) -> Option<Days> {
        let (all, left) = self.working_days.zip(self.remaining_working_days)?;
        // The day on which it begins is none of its days.
        let is_today = is_working_day && when::end_of_day(self.starts_at) < at;
        Some(Days { all, left, is_today })
    }
}

impl Card {
    pub(in crate::console) fn light(&self) -> Light {
        Light::of_card(&self.kind)
    }
}
