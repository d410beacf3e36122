//! Working days by the State Council's notices, each known from the day it was published.
//!
//! Must never guess in silence: a span that leaves the published years says so.

mod certainty;
mod edition;
mod explanation;
mod notice;
mod table;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono_tz::Tz;

pub use self::certainty::{Certainty, ESTIMATE_ASSUMES, ESTIMATE_OMITS};
pub use self::edition::{Due, Edition};
pub use self::explanation::{ExplainedDay, Explanation, Reason};
pub use self::notice::{Arrangement, Named, NamedDay, Notice, Year};
pub use self::within::{AMOUNT_MAX, Unit, Within};
use crate::document::{Fault, Faults, Position};
use crate::time::{Day, Instant, Zone};

/// The calendar of the State Council's notices: its id in schedules.
pub const CHINA: &str = "CN";

/// All notices, and one [`Edition`] for each day from which more was known.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: Arc<Zone>,
    years: Vec<Year>,
    /// The days on which something was published, ascending.
    published: Vec<Day>,
    /// What was known before the first publication, then one edition for each of `published`.
    editions: Vec<Edition>,
}

impl Calendar {
    /// From the years' files.
    ///
    /// # Errors
    /// Every fault between the files: a year twice, a notice's number twice, a day that one file
    /// makes off and another a working day.
    pub fn new(zone: Tz, mut years: Vec<Year>) -> Result<Self, Faults> {
        years.sort_by(|a, b| (a.year(), &a.file).cmp(&(b.year(), &b.file)));
        let mut faults = between_files(&years);
        if !faults.is_empty() {
            faults.sort();
            return Err(Faults(faults));
        }
        let zone = Arc::new(Zone::new(zone));
        let arrangements = years.iter().flat_map(Year::arrangements);
        let published: BTreeSet<Day> =
            arrangements.map(|arrangement| arrangement.notice.published).collect();
        let moments = std::iter::once(None).chain(published.iter().copied().map(Some));
        let editions =
            moments.map(|published| Edition::new(Arc::clone(&zone), published, &years)).collect();
        Ok(Self { zone, years, published: published.into_iter().collect(), editions })
    }

    /// A calendar in which every day is a working day and firm, whatever is known: for proofs
    /// about workflows that hold without holidays.
    #[must_use]
    pub fn every_day_works(zone: Tz) -> Self {
        let zone = Arc::new(Zone::new(zone));
        let editions = vec![Edition::every_day(Arc::clone(&zone))];
        Self { zone, years: Vec::new(), published: Vec::new(), editions }
    }

    /// The zone in which civil days are found.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The years with a notice, ascending.
    #[must_use]
    pub fn years(&self) -> &[Year] {
        &self.years
    }

    /// What was known on `day`: the notices published on or before it.
    #[must_use]
    #[inline]
    pub fn known_on(&self, day: Day) -> &Edition {
        // Counted without a branch: a few dozen publications cost less than one wrong guess.
        let known = self.published.iter().filter(|published| **published <= day).count();
        &self.editions[known]
    }

    /// What was known on the civil day of `at`.
    #[must_use]
    #[inline]
    pub fn known_at(&self, at: Instant) -> &Edition {
        self.known_on(self.zone.day_of(at))
    }

    /// The days on which something was published, ascending.
    pub fn publications(&self) -> impl Iterator<Item = Day> {
        self.published.iter().copied()
    }

    /// Whether what was published on a day says something about a span of days (both ends included)
    /// that was not known before: of any of its days, or of how sure they are.
    #[must_use]
    pub fn touches(&self, published: Day, from: Day, to: Day) -> bool {
        let (before, after) = (self.known_on(published.plus(-1)), self.known_on(published));
        let mut days = (from.number()..=to.number()).map(Day::from_number);
        before.certainty(from, to) != after.certainty(from, to)
            || days.any(|day| before.is_working(day) != after.is_working(day))
    }

    /// Everything in the files.
    #[must_use]
    pub fn latest(&self) -> &Edition {
        &self.editions[self.published.len()]
    }
}

fn between_files(years: &[Year]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen_years: BTreeMap<i32, &Year> = BTreeMap::new();
    let mut seen_numbers: BTreeMap<&str, &Year> = BTreeMap::new();
    let mut seen_days: BTreeMap<Day, (bool, &Year)> = BTreeMap::new();
    let fault = |file: &str, place: &Position, message: String| {
        let Position { line, key, .. } = place.clone();
        Fault { file: file.to_owned(), line, key, message }
    };
    for year in years {
        if let Some(other) = seen_years.insert(year.year(), year) {
            let message = format!("{} 年已在 {} 中列出", year.year(), other.file);
            faults.push(fault(&year.file, &year.position, message));
        }
        for arrangement in year.arrangements() {
            let number = &arrangement.notice.number;
            if let Some(other) = seen_numbers.insert(number, year) {
                let message = format!("文号“{number}”已在 {} 中出现", other.file);
                faults.push(fault(&year.file, &arrangement.position, message));
            }
            let off = arrangement.off_days.iter().map(|named| (named, true));
            for (named, off) in off.chain(arrangement.workdays.iter().map(|named| (named, false))) {
                let (other_off, other) = *seen_days.entry(named.day).or_insert((off, year));
                if other_off != off && other.file != year.file {
                    let said = if other_off { "放假" } else { "上班" };
                    let message = format!("{} 既放假又上班：{} 中为{said}", named.day, other.file);
                    faults.push(fault(&year.file, &named.position, message));
                }
            }
        }
    }
    faults
}
