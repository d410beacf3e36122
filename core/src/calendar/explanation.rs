//! A due date walked day by day: which days counted, which did not, by which notice. Must never
//! come to another date than the computation it explains.

use serde::Serialize;

use super::edition::{Due, Edition};
use super::within::{Unit, Within};
use crate::name::Name;
use crate::time::{Day, Instant};

/// Why a day counts or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// The civil day of the start, which never counts.
    Received,
    /// An ordinary working day, Monday to Friday.
    Weekday,
    /// A Saturday or Sunday that a notice made a working day for this holiday.
    MakeUp {
        /// The holiday.
        name: Name,
    },
    /// An ordinary Saturday or Sunday.
    Weekend,
    /// A day off of this holiday.
    OffDay {
        /// The holiday.
        name: Name,
    },
    /// A day like any other: natural days all count.
    NaturalDay,
    /// A day that the hours run through.
    Elapsed,
}

impl Reason {
    /// The Chinese word for it.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Received => "起算当日，不计".to_owned(),
            Self::Weekday => "工作日".to_owned(),
            Self::MakeUp { name } => format!("{name}调休上班"),
            Self::Weekend => "休息日".to_owned(),
            Self::OffDay { name } => format!("{name}放假"),
            Self::NaturalDay => "自然日".to_owned(),
            Self::Elapsed => "按小时连续计算".to_owned(),
        }
    }
}

/// One day of the walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedDay {
    /// The day.
    pub day: Day,
    /// Its number from 1 if it counted.
    pub counted: Option<i32>,
    /// Why.
    pub reason: Reason,
    /// The number of the notice that says so, if the calendar has a say and a notice is known.
    pub notice: Option<String>,
    /// Whether it was assumed for want of a notice.
    pub assumed: bool,
}

/// A due date with the walk that leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The start.
    pub start: Instant,
    /// The period.
    pub within: Within,
    /// The newest publication known to the computation.
    pub published: Option<Day>,
    /// From the day of the start to the due day, both included, in the direction of counting.
    pub days: Vec<ExplainedDay>,
    /// The result, the same as of [`Edition::due`].
    pub due: Due,
}

impl Edition {
    /// The computation of [`Edition::due`], day by day; `None` where that is `None`.
    #[must_use]
    pub fn explain(&self, start: Instant, within: Within) -> Option<Explanation> {
        let due = self.due(start, within)?;
        let received = self.zone.day_of(start);
        let forwards = due.day >= received;
        let length = (i64::from(due.day.number()) - i64::from(received.number())).unsigned_abs();
        let mut counted = 0;
        let mut day = received;
        let mut days = Vec::new();
        for _ in 0..=length {
            days.push(self.explained(day, received, within, &mut counted));
            day = day.plus(if forwards { 1 } else { -1 });
        }
        Some(Explanation { start, within, published: self.published(), days, due })
    }

    fn explained(
        &self,
        day: Day,
        received: Day,
        within: Within,
        counted: &mut i32,
    ) -> ExplainedDay {
        let without_notice =
            |counted, reason| ExplainedDay { day, counted, reason, notice: None, assumed: false };
        let target = within.amount.saturating_abs();
        match within.unit {
            Unit::Hours => without_notice(None, Reason::Elapsed),
            _ if day == received => without_notice(None, Reason::Received),
            Unit::NaturalDays => {
                *counted += 1;
                without_notice(Some(*counted), Reason::NaturalDay)
            }
            Unit::NaturalDaysRolled if *counted + 1 < target => {
                *counted += 1;
                without_notice(Some(*counted), Reason::NaturalDay)
            }
            // The last natural day, and those it rolls over: here the calendar has a say.
            Unit::NaturalDaysRolled => {
                let number = (*counted < target).then_some(target);
                *counted = target;
                self.by_calendar(day, number)
            }
            Unit::WorkingDays if self.is_working(day) => {
                *counted += 1;
                self.by_calendar(day, Some(*counted))
            }
            Unit::WorkingDays => self.by_calendar(day, None),
        }
    }

    fn by_calendar(&self, day: Day, counted: Option<i32>) -> ExplainedDay {
        if let Some(named) = self.named(day) {
            let name = named.name.clone();
            let reason = if named.off { Reason::OffDay { name } } else { Reason::MakeUp { name } };
            let notice = Some(named.notice.number.clone());
            return ExplainedDay { day, counted, reason, notice, assumed: false };
        }
        let reason = match self.assumed_holiday(day) {
            Some(name) => Reason::OffDay { name },
            None if self.is_working(day) => Reason::Weekday,
            None => Reason::Weekend,
        };
        let year = day.year();
        let notice = self.base_notice(year).map(|notice| notice.number.clone());
        ExplainedDay { day, counted, reason, notice, assumed: !self.covers(year) }
    }
}
