//! The days of a calendar: which are worked on, and what notices call them.

use std::collections::BTreeMap;

use chrono::Datelike;
use duban_core::time::Day;
use serde::Deserialize;

use crate::console::ask::Ask;
use crate::console::told::Told;

/// What is known of some years.
#[derive(Default)]
pub(in crate::console) struct Days {
    years: BTreeMap<i32, Year>,
}

/// A year as the API tells it.
#[derive(Deserialize)]
pub(in crate::console) struct Year {
    pub(in crate::console) named: Vec<Named>,
}

/// A day that a notice names, or that was assumed to be a holiday.
#[derive(Deserialize)]
pub(in crate::console) struct Named {
    pub(in crate::console) day: Day,
    pub(in crate::console) holiday: String,
    pub(in crate::console) working: bool,
    pub(in crate::console) notice: Option<String>,
}

/// How a day is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Work {
    /// An ordinary working day.
    Ordinary,
    /// A Saturday or Sunday that is worked on.
    MakeUp,
    /// An ordinary Saturday or Sunday.
    Weekend,
    /// A day off of a holiday.
    Holiday,
}

impl Days {
    /// The years from one day to another.
    ///
    /// # Errors
    /// What the API tells instead.
    pub(in crate::console) async fn between(ask: &Ask, from: Day, to: Day) -> Result<Self, Told> {
        let mut years = BTreeMap::new();
        for year in from.year()..=to.year() {
            years.insert(year, ask.get::<Year>(&format!("/v1/calendars/{year}")).await?);
        }
        Ok(Self { years })
    }

    pub(in crate::console) fn named(&self, day: Day) -> Option<&Named> {
        self.years.get(&day.year())?.named.iter().find(|named| named.day == day)
    }

    pub(in crate::console) fn work(&self, day: Day) -> Work {
        match self.named(day) {
            Some(named) if named.working => Work::MakeUp,
            Some(_) => Work::Holiday,
            None if day.date().weekday().number_from_monday() > 5 => Work::Weekend,
            None => Work::Ordinary,
        }
    }
}
