//! One year's notice and its amendments, read from a TOML text. Must never give a year that
//! contradicts itself, at any moment of its publications.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Weekday;

use crate::document::{self, Faults, Position, Table};
use crate::name::Name;
use crate::time::{Day, YEARS};

/// A notice as published, without what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The year it arranges.
    pub year: i32,
    /// Whether it amends an earlier notice of the year.
    pub amends: bool,
    /// Its title in full.
    pub title: String,
    /// Its number (文号).
    pub number: String,
    /// The day it bears.
    pub dated: Day,
    /// The day the public could know it: from then on it counts.
    pub published: Day,
    /// Where it was published.
    pub url: String,
    /// What it says, a line an item.
    pub text: Vec<String>,
}

/// A day that a notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDay {
    /// The day.
    pub day: Day,
    /// The holiday it belongs to.
    pub name: Name,
    /// Where in the file it stands.
    pub position: Position,
}

/// What one notice arranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// The notice.
    pub notice: Arc<Notice>,
    /// Days off, or more of them.
    pub off_days: Vec<NamedDay>,
    /// Days no longer off.
    pub off_days_removed: Vec<Day>,
    /// Saturdays and Sundays that are working days, or more of them.
    pub workdays: Vec<NamedDay>,
    /// Saturdays and Sundays no longer working days.
    pub workdays_removed: Vec<Day>,
    /// Where its number stands.
    pub position: Position,
}

/// What is in force for a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Off, or a make-up working day.
    pub off: bool,
    /// The holiday.
    pub name: Name,
    /// The notice that says so.
    pub notice: Arc<Notice>,
}

/// One year's file. It may name days of the December before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Year {
    pub(super) file: String,
    pub(super) position: Position,
    pub(super) base: Arrangement,
    pub(super) amendments: Vec<Arrangement>,
}

impl Year {
    /// Reads a year's file; `file` is its name in faults.
    ///
    /// # Errors
    /// Every fault: of the syntax, unknown and missing keys, a day outside the year and the
    /// December before, a day named twice or both off and working, a make-up day on a weekday, a
    /// removal of what is not there, a notice published before it was signed, an amendment
    /// published before its notice or out of order.
    pub fn read(file: &str, text: &str) -> Result<Self, Faults> {
        document::read(file, text, |table| {
            let years = i64::from(*YEARS.start())..=i64::from(*YEARS.end());
            let year =
                table.required_integer("year", years).and_then(|year| i32::try_from(year).ok());
            let mut reading = Reading { year, days: BTreeMap::new() };
            let base = reading.base(table);
            let mut amendments = Vec::new();
            let mut before = base.as_ref().map(|base| base.notice.published);
            for amendment in table.several("amendments") {
                let arrangement = reading.amendment(&amendment, before);
                amendment.close();
                before =
                    arrangement.as_ref().map(|arrangement| arrangement.notice.published).or(before);
                amendments.extend(arrangement);
            }
            let (file, position) = (file.to_owned(), table.position_of("year"));
            Some(Self { file, position, base: base?, amendments })
        })
    }

    /// The year that the notice arranges.
    #[must_use]
    pub fn year(&self) -> i32 {
        self.base.notice.year
    }

    /// The file's name as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The notice of the year.
    #[must_use]
    pub fn base(&self) -> &Arrangement {
        &self.base
    }

    /// Its amendments in the order of publication.
    #[must_use]
    pub fn amendments(&self) -> &[Arrangement] {
        &self.amendments
    }

    /// The notice, then its amendments.
    pub fn arrangements(&self) -> impl Iterator<Item = &Arrangement> {
        std::iter::once(&self.base).chain(&self.amendments)
    }

    /// The days named, as in force with everything published up to `published`.
    #[must_use]
    pub fn in_force(&self, published: Option<Day>) -> BTreeMap<Day, Named> {
        let mut days = BTreeMap::new();
        for arrangement in self
            .arrangements()
            .filter(|arrangement| Some(arrangement.notice.published) <= published)
        {
            for day in arrangement.off_days_removed.iter().chain(&arrangement.workdays_removed) {
                days.remove(day);
            }
            let off = arrangement.off_days.iter().map(|named| (named, true));
            for (named, off) in off.chain(arrangement.workdays.iter().map(|named| (named, false))) {
                let (name, notice) = (named.name.clone(), Arc::clone(&arrangement.notice));
                days.insert(named.day, Named { off, name, notice });
            }
        }
        days
    }
}

/// The reading of one file: what its notices so far say of each day, `true` for off.
struct Reading {
    year: Option<i32>,
    days: BTreeMap<Day, bool>,
}

impl Reading {
    fn base(&mut self, table: &Table<'_>) -> Option<Arrangement> {
        let notice = self.notice(table, false);
        let off_days = self.named(table, "off_days", true);
        let workdays = self.named(table, "workdays", false);
        if off_days.is_empty() {
            table.fault("off_days", "放假日不能为空");
        }
        Some(Arrangement {
            notice: Arc::new(notice?),
            off_days,
            off_days_removed: Vec::new(),
            workdays,
            workdays_removed: Vec::new(),
            position: table.position_of("number"),
        })
    }

    fn amendment(&mut self, table: &Table<'_>, before: Option<Day>) -> Option<Arrangement> {
        let notice = self.notice(table, true);
        if let (Some(notice), Some(before)) = (&notice, before)
            && notice.published < before
        {
            let message =
                format!("后续通知的公布日期不能早于此前的通知（{before}），并须按公布先后排列");
            table.fault("published", message);
        }
        let off_days_removed = self.removed(table, "off_days_removed", true);
        let workdays_removed = self.removed(table, "workdays_removed", false);
        let off_days = self.named(table, "off_days_added", true);
        let workdays = self.named(table, "workdays_added", false);
        if off_days_removed.len() + workdays_removed.len() + off_days.len() + workdays.len() == 0 {
            table.fault("", "后续通知没有改变任何一天的安排");
        }
        let position = table.position_of("number");
        let notice = Arc::new(notice?);
        Some(Arrangement {
            notice,
            off_days,
            off_days_removed,
            workdays,
            workdays_removed,
            position,
        })
    }

    fn notice(&self, table: &Table<'_>, amends: bool) -> Option<Notice> {
        let title = table.text("notice");
        let number = table.text("number");
        let dated = table.parsed("dated", str::parse::<Day>);
        let published = table.parsed("published", str::parse::<Day>);
        let url = table.parsed("url", |url| {
            let known = url.starts_with("https://") || url.starts_with("http://");
            known.then(|| url.to_owned()).ok_or_else(|| "应为 http:// 或 https:// 网址".to_owned())
        });
        let text = table.list("text", |line| Ok(line.to_owned()));
        if text.iter().all(|line| line.trim().is_empty()) {
            table.fault("text", "缺少通知正文");
        }
        if let (Some(dated), Some(published)) = (dated, published)
            && published < dated
        {
            table.fault("published", format!("公布日期不能早于成文日期（{dated}）"));
        }
        Some(Notice {
            year: self.year?,
            amends,
            title: title?,
            number: number?,
            dated: dated?,
            published: published?,
            url: url?,
            text,
        })
    }

    /// Reads the groups (`name`, `days`) below `key`.
    fn named(&mut self, table: &Table<'_>, key: &str, off: bool) -> Vec<NamedDay> {
        let mut named = Vec::new();
        for group in table.several(key) {
            let name = group.text("name").map(Name::from);
            let days = group.list("days", str::parse::<Day>);
            if days.is_empty() {
                group.fault("days", "缺少日期");
            }
            for day in days {
                if let Some(message) = self.objection(day, off) {
                    group.fault("days", message);
                }
                self.days.insert(day, off);
                let position = group.position_of("days");
                named.extend(name.clone().map(|name| NamedDay { day, name, position }));
            }
            group.close();
        }
        named
    }

    fn objection(&self, day: Day, off: bool) -> Option<String> {
        if let Some(year) = self.year {
            let first = Day::from_ymd(year - 1, 12, 1);
            let last = Day::from_ymd(year, 12, 31);
            if Some(day) < first || Some(day) > last {
                let message = format!("{day} 不在 {year} 年内，也不在上年 12 月内");
                return Some(message);
            }
        }
        match self.days.get(&day) {
            Some(already) if *already == off => Some(format!("{day} 重复")),
            Some(_) => Some(format!("{day} 既放假又上班")),
            None if !off && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) => {
                Some(format!("{day} 不是周六或周日，本就上班，不能列为调休上班日"))
            }
            None => None,
        }
    }

    fn removed(&mut self, table: &Table<'_>, key: &str, off: bool) -> Vec<Day> {
        let days = table.list(key, str::parse::<Day>);
        for day in &days {
            if self.days.get(day) == Some(&off) {
                self.days.remove(day);
            } else {
                let what = if off { "放假日" } else { "调休上班日" };
                table.fault(key, format!("{day} 此前不是{what}，无从取消"));
            }
        }
        days
    }
}
