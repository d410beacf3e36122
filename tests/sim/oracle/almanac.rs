//! The calendar of the oracle: statements of notices about days, and stepping one day at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const DAY_MS: i64 = 86_400_000;
/// China has one zone and no summer time in the years that matter.
const ZONE_MS: i64 = 8 * 3_600_000;

/// The civil day of an instant, counted from 1970-01-01.
pub(crate) fn day_of(ms: i64) -> i64 {
    (ms + ZONE_MS).div_euclid(DAY_MS)
}

/// The first instant of a civil day.
pub(crate) fn start_of(day: i64) -> i64 {
    day * DAY_MS - ZONE_MS
}

/// Whether an instant lies before noon.
pub(crate) fn is_forenoon(ms: i64) -> bool {
    ms - start_of(day_of(ms)) < DAY_MS / 2
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

/// The number of a civil date, by adding up years and months.
pub(crate) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(days_of_year).sum();
    years + months.iter().zip(1..month).map(|(days, _)| days).sum::<i64>() + day - 1
}

/// The civil year of a day.
pub(crate) fn year_of(day: i64) -> i64 {
    let mut year = 1970;
    let mut first = 0;
    while first + days_of_year(year) <= day {
        first += days_of_year(year);
        year += 1;
    }
    year
}

/// What one notice says of one day.
struct Statement {
    published: i64,
    /// A working day, a day off, or no longer either.
    says: Option<bool>,
}

/// How sure a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    Firm,
    Provisional,
    Estimated,
}

/// All notices.
pub(crate) struct Almanac {
    /// Year → the day on which its notice was published.
    arranged: BTreeMap<i64, i64>,
    /// Day → what was said of it, in order of publication.
    said: BTreeMap<i64, Vec<Statement>>,
    /// Day → year, of the holidays that are off in every year.
    fixed: BTreeMap<i64, i64>,
    publications: BTreeSet<i64>,
}

impl Almanac {
    /// Reads the files of a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut almanac = Self {
            arranged: BTreeMap::new(),
            said: BTreeMap::new(),
            fixed: BTreeMap::new(),
            publications: BTreeSet::new(),
        };
        for year in 2000..2100 {
            for (month, day) in [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)] {
                almanac.fixed.insert(day_number(year, month, day), year);
            }
        }
        let entries = std::fs::read_dir(folder).expect("the folder of calendars is there");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a calendar can be read");
            almanac.take(&text.parse().expect("a calendar is TOML"));
        }
        almanac
    }

    fn take(&mut self, file: &toml::Table) {
        let year = file["year"].as_integer().expect("a year");
        let published = date(&file["published"]);
        self.arranged.insert(year, published);
        self.publications.insert(published);
        self.say(file.get("off_days"), published, false);
        self.say(file.get("workdays"), published, true);
        let amendments = file.get("amendments").and_then(toml::Value::as_array);
        for amendment in amendments.into_iter().flatten() {
            let published = date(&amendment["published"]);
            self.publications.insert(published);
            for key in ["off_days_removed", "workdays_removed"] {
                let days = amendment.get(key).and_then(toml::Value::as_array);
                for day in days.into_iter().flatten() {
                    self.add(date(day), published, None);
                }
            }
            self.say(amendment.get("off_days_added"), published, false);
            self.say(amendment.get("workdays_added"), published, true);
        }
    }

    fn say(&mut self, groups: Option<&toml::Value>, published: i64, works: bool) {
        for group in groups.and_then(toml::Value::as_array).into_iter().flatten() {
            for day in group["days"].as_array().expect("a list of days") {
                self.add(date(day), published, Some(works));
            }
        }
    }

    fn add(&mut self, day: i64, published: i64, says: Option<bool>) {
        self.said.entry(day).or_default().push(Statement { published, says });
    }

    /// The days on which something was published.
    pub(crate) fn publications(&self) -> impl DoubleEndedIterator<Item = i64> {
        self.publications.iter().copied()
    }

    /// Whether a year's notice is known on a day.
    fn is_arranged(&self, known: i64, year: i64) -> bool {
        self.arranged.get(&year).is_some_and(|published| *published <= known)
    }

    /// Whether a day is a working day, as far as is known on another.
    pub(crate) fn is_working(&self, known: i64, day: i64) -> bool {
        let statements = self.said.get(&day).map(Vec::as_slice).unwrap_or_default();
        let last = statements.iter().rfind(|one| one.published <= known);
        if let Some(works) = last.and_then(|one| one.says) {
            return works;
        }
        // 1970-01-01 was a Thursday.
        let is_weekend = [2, 3].contains(&day.rem_euclid(7));
        let is_assumed_off =
            self.fixed.get(&day).is_some_and(|year| !self.is_arranged(known, *year));
        !is_weekend && !is_assumed_off
    }

    /// The nth working day after a day, or before it; the day itself for zero.
    pub(crate) fn walk(&self, known: i64, from: i64, working_days: i64) -> i64 {
        let step = working_days.signum();
        let mut left = working_days.abs();
        let mut day = from;
        while left > 0 {
            day += step;
            if self.is_working(known, day) {
                left -= 1;
            }
        }
        day
    }

    /// How many working days lie after one day, up to and including another; none backwards.
    pub(crate) fn count(&self, known: i64, after: i64, until: i64) -> usize {
        (after + 1..=until).filter(|day| self.is_working(known, *day)).count()
    }

    /// How sure a span of days is, and its years without a notice.
    pub(crate) fn certainty(&self, known: i64, from: i64, to: i64) -> (Certainty, Vec<i64>) {
        let (first, last) = (from.min(to), from.max(to));
        let years = year_of(first)..=year_of(last);
        let missing: Vec<i64> = years.filter(|year| !self.is_arranged(known, *year)).collect();
        let year = year_of(last);
        let unsettled = last >= day_number(year, 12, 26) && !self.is_arranged(known, year + 1);
        let certainty = match (missing.is_empty(), unsettled) {
            (false, _) => Certainty::Estimated,
            (true, true) => Certainty::Provisional,
            (true, false) => Certainty::Firm,
        };
        (certainty, missing)
    }
}

fn date(value: &toml::Value) -> i64 {
    let date = value.as_datetime().and_then(|value| value.date).expect("a date");
    day_number(i64::from(date.year), i64::from(date.month), i64::from(date.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_from_1970() {
        assert_eq!(day_number(1970, 1, 1), 0);
        assert_eq!(day_number(2000, 3, 1), 11_017);
        assert_eq!((year_of(10_956), year_of(10_957)), (1999, 2000));
        assert_eq!(day_of(start_of(20_000)), 20_000);
        assert_eq!(day_of(start_of(20_000) - 1), 19_999);
    }
}
