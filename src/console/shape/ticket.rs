//! A ticket and its deadlines.

use duban_core::time::Instant;
use serde::Deserialize;

use crate::console::part::light::Light;
use crate::console::part::pips::Days;
use crate::console::part::when;

#[derive(Deserialize)]
pub(in crate::console) struct Ticket {
    #[serde(rename = "ticket_no")]
    pub(in crate::console) number: String,
    pub(in crate::console) class: String,
    pub(in crate::console) step_title: String,
    pub(in crate::console) light: Option<String>,
    pub(in crate::console) agency: Option<String>,
    pub(in crate::console) agency_name: Option<String>,
    pub(in crate::console) flags: Vec<String>,
    pub(in crate::console) received_at: Instant,
    pub(in crate::console) deadlines: Vec<Deadline>,
    pub(in crate::console) incident: bool,
}

#[derive(Deserialize)]
pub(in crate::console) struct Deadline {
    pub(in crate::console) title: String,
    pub(in crate::console) kind: String,
    pub(in crate::console) party: String,
    pub(in crate::console) state: String,
    pub(in crate::console) starts_at: Instant,
    pub(in crate::console) due_at: Instant,
    pub(in crate::console) certainty: String,
    pub(in crate::console) light: Option<String>,
    pub(in crate::console) working_days: Option<u32>,
    pub(in crate::console) remaining_working_days: Option<u32>,
}

impl Ticket {
    /// The agency by name, else by code.
    pub(in crate::console) fn whose(&self) -> Option<&str> {
        self.agency_name.as_deref().or(self.agency.as_deref())
    }

    /// What the agency owes next.
    pub(in crate::console) fn owed(&self) -> Option<&Deadline> {
        let owed = self.deadlines.iter().filter(|one| one.is_running() && one.is_of_agency());
        owed.min_by_key(|one| one.due_at)
    }
}

impl Deadline {
    pub(in crate::console) fn is_running(&self) -> bool {
        self.state == "running"
    }

    fn is_of_agency(&self) -> bool {
        self.kind == "obligation" && self.party == "agency"
    }

    pub(in crate::console) fn is_estimated(&self) -> bool {
        self.certainty == "estimated"
    }

    pub(in crate::console) fn light(&self) -> Light {
        Light::named(self.light.as_deref())
    }

    /// Its working days as they stand at an instant; none where it is not counted in them.
    pub(in crate::console) fn days(&self, at: Instant) -> Option<Days> {
        let (all, left) = self.working_days.zip(self.remaining_working_days)?;
        // The day on which it begins is none of its days.
        let is_today = when::end_of_day(self.starts_at) < at;
        Some(Days { all, left, is_today })
    }
}
