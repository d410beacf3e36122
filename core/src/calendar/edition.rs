//! What is known of the calendar from one publication on. Must never use a notice published
//! later, and must never compute in a year it was not given without saying so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::Weekday;
use serde::Serialize;

use super::certainty::{Certainty, Coverage};
use super::notice::{Named, Notice, Year};
use super::table::{DAYS, FIRST, Table, index_of};
use super::within::{Unit, Within};
use crate::name::Name;
use crate::time::{Day, Instant, YEARS, Zone};

const HOUR_MS: i64 = 3_600_000;

/// The statutory holidays on fixed dates of the solar calendar (month, day, name), assumed in a
/// year without a notice: 全国年节及纪念日放假办法 as amended in 2024, article 2.
const FIXED_HOLIDAYS: [(u32, u32, &str); 6] = [
    (1, 1, "元旦"),
    (5, 1, "劳动节"),
    (5, 2, "劳动节"),
    (10, 1, "国庆节"),
    (10, 2, "国庆节"),
    (10, 3, "国庆节"),
];

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The last civil day. Counted backwards in days: the day found. Hours: the day in which the
    /// last millisecond lies (backwards: the day of the instant itself).
    pub day: Day,
    /// The exclusive end: the start of the day after `day`. Counted backwards in days: the start
    /// of `day`. Hours: the instant moved by them.
    pub at: Instant,
    /// How sure the date is.
    pub certainty: Certainty,
    /// The years of the span without a notice, ascending.
    pub missing_years: Vec<i32>,
}

/// The calendar as it was known from one publication on.
#[derive(Clone)]
pub struct Edition {
    pub(super) zone: Arc<Zone>,
    calendar: Name,
    published: Option<Day>,
    table: Table,
    coverage: Coverage,
    notices: Vec<Arc<Notice>>,
    named: BTreeMap<Day, Named>,
}

impl Edition {
    /// Everything published on or before `published`; nothing if that is `None`.
    pub(super) fn new(zone: Arc<Zone>, published: Option<Day>, years: &[Year]) -> Self {
        let mut notices = Vec::new();
        let mut named = BTreeMap::new();
        let mut covered = Vec::new();
        for year in years {
            let known = year
                .arrangements()
                .filter(|arrangement| Some(arrangement.notice.published) <= published);
            notices.extend(known.map(|arrangement| Arc::clone(&arrangement.notice)));
            if Some(year.base.notice.published) <= published {
                covered.push(year.year());
                named.append(&mut year.in_force(published));
            }
        }
        notices.sort_by_key(|notice| (notice.published, notice.year));
        let coverage = Coverage::new(covered);
        let table = Table::new(&working_days(&coverage, &named));
        let calendar = super::CHINA.into();
        Self { zone, calendar, published, table, coverage, notices, named }
    }

    /// A calendar in which every day is a working day and firm.
    #[must_use]
    pub fn every_day(zone: Arc<Zone>) -> Self {
        Self {
            zone,
            calendar: super::CHINA.into(),
            published: None,
            table: Table::new(&vec![true; DAYS]),
            coverage: Coverage::everything(),
            notices: Vec::new(),
            named: BTreeMap::new(),
        }
    }

    /// The newest publication known; `None` when nothing is.
    #[must_use]
    pub fn published(&self) -> Option<Day> {
        self.published
    }

    /// The zone in which civil days are found.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The id of the calendar.
    #[must_use]
    pub fn calendar(&self) -> &Name {
        &self.calendar
    }

    /// The notices known, by publication.
    #[must_use]
    pub fn notices(&self) -> &[Arc<Notice>] {
        &self.notices
    }

    /// The notice that arranged a year, amendments aside.
    #[must_use]
    pub fn base_notice(&self, year: i32) -> Option<&Notice> {
        let mut notices = self.notices.iter();
        notices.find(|notice| notice.year == year && !notice.amends).map(AsRef::as_ref)
    }

    /// What a notice says of a day by name, if one does.
    #[must_use]
    pub fn named(&self, day: Day) -> Option<&Named> {
        self.named.get(&day)
    }

    /// The holiday of a day that had to be assumed to be off, if it is one.
    #[must_use]
    pub fn assumed_holiday(&self, day: Day) -> Option<Name> {
        let year = day.year();
        let fixed = FIXED_HOLIDAYS.iter();
        let mut fixed =
            fixed.filter(|(month, of, _)| Day::from_ymd(year, *month, *of) == Some(day));
        let found = fixed.next()?;
        (!self.covers(year) && !self.named.contains_key(&day)).then(|| found.2.into())
    }

    /// Whether the year has a notice.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.coverage.has(year)
    }

    /// Whether the day is a working day. No day outside the years computed in is one.
    #[must_use]
    #[inline]
    pub fn is_working(&self, day: Day) -> bool {
        self.table.is_working(day)
    }

    /// The nth working day strictly after `day` (before it if `n` is below zero), in constant
    /// time; `n` of zero gives the day itself, working or not. `None` if either day lies outside
    /// the years computed in.
    #[must_use]
    #[inline]
    pub fn add_working_days(&self, day: Day, n: i32) -> Option<Day> {
        self.table.add(day, n)
    }

    /// The working days in (`after`, `until`]; below zero if `until` comes before `after`. Days
    /// outside the years computed in count as not working.
    #[must_use]
    #[inline]
    pub fn working_days_between(&self, after: Day, until: Day) -> i32 {
        self.table.until(until) - self.table.until(after)
    }

    /// When a period that starts at `start` ends. The civil day of `start` never counts. `None`
    /// if the start or the end lies outside the years computed in.
    #[must_use]
    #[inline]
    pub fn due(&self, start: Instant, within: Within) -> Option<Due> {
        let received = self.zone.day_of(start);
        index_of(received)?;
        let Within { amount, unit } = within;
        if unit == Unit::Hours {
            return self.due_in_hours(start, amount);
        }
        let day = match unit {
            Unit::WorkingDays => self.table.add(received, amount)?,
            Unit::NaturalDays | Unit::NaturalDaysRolled | Unit::Hours => received.plus(amount),
        };
        let day = match unit {
            Unit::NaturalDaysRolled if !self.is_working(day) => self.table.add(day, 1)?,
            _ => day,
        };
        index_of(day)?;
        let (certainty, missing_years) = match unit {
            Unit::NaturalDays => (Certainty::Firm, Vec::new()),
            _ => self.coverage.of(received, day),
        };
        let at = self.zone.start_of(if amount < 0 { day } else { day.plus(1) });
        Some(Due { day, at, certainty, missing_years })
    }

    fn due_in_hours(&self, start: Instant, hours: i32) -> Option<Due> {
        let at = start.plus_ms(i64::from(hours) * HOUR_MS);
        let day = self.zone.day_of(if hours > 0 { at.plus_ms(-1) } else { at });
        index_of(day)?;
        Some(Due { day, at, certainty: Certainty::Firm, missing_years: Vec::new() })
    }

    /// A rung of a ladder: the last day moved by `k` working days, and the end (24:00) of that
    /// day as an exclusive instant. `None` outside the years computed in.
    #[must_use]
    pub fn shift(&self, last: Day, k: i32) -> Option<(Day, Instant)> {
        let day = self.table.add(last, k)?;
        Some((day, self.zone.start_of(day.plus(1))))
    }

    /// How sure the days of a span are (both ends included, in either order), and its years
    /// without a notice, ascending.
    #[must_use]
    pub fn certainty(&self, from: Day, to: Day) -> (Certainty, Vec<i32>) {
        self.coverage.of(from, to)
    }
}

impl fmt::Debug for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut edition = f.debug_struct("Edition");
        edition.field("published", &self.published).finish_non_exhaustive()
    }
}

/// One flag a day: by the weekday, less the assumed holidays of years without a notice, and then
/// as the notices say.
fn working_days(coverage: &Coverage, named: &BTreeMap<Day, Named>) -> Vec<bool> {
    // 2000-01-01 was a Saturday: the first two of every seven days from there are the weekend.
    debug_assert_eq!(Day::from_number(FIRST).weekday(), Weekday::Sat);
    let mut working: Vec<bool> = (0..DAYS).map(|index| index % 7 >= 2).collect();
    let mut set = |day: Day, works: bool| {
        if let Some(flag) = index_of(day).and_then(|index| working.get_mut(index)) {
            *flag = works;
        }
    };
    for year in YEARS.filter(|year| !coverage.has(*year)) {
        for (month, day, _) in FIXED_HOLIDAYS {
            if let Some(day) = Day::from_ymd(year, month, day) {
                set(day, false);
            }
        }
    }
    for (day, named) in named {
        set(*day, !named.off);
    }
    working
}
