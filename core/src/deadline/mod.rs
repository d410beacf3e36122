//! A deadline that runs: when it started, when it is due, what its ladder did, and every change
//! with its reason. Must never be overdue by a stored flag: light and overdue are computed.

mod card;
mod run;
mod schedule;

pub use card::{Card, CardId, CardState, card_id};
pub use run::{LedgerEntry, LedgerReason, Light, Run, RungRun, RungState, State};
pub use schedule::{Firing, PlannedRung, Schedule, next_firing};
