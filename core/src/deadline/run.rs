//! One run of a deadline. A deadline that starts again is a new run; an extension opens a new
//! generation of the same run. Must never lose a change: the ledger only grows.

use serde::{Deserialize, Serialize};

use crate::calendar::{Certainty, Edition, Unit, Within};
use crate::definition::{Kind, RungAt};
use crate::name::Name;
use crate::reason::EndReason;
use crate::role::Party;
use crate::time::{Day, Instant};
use crate::words::words;

words! {
    /// Where a run stands.
    State, "时限状态" {
        /// Not met; overdue or not is computed.
        Running = "running", "进行中";
        /// Met in time.
        Met = "met", "按期完成";
        /// Met after the due instant.
        MetLate = "met_late", "超期完成";
        /// A window that ended unused.
        Lapsed = "lapsed", "届满";
        /// No longer owed.
        Cancelled = "cancelled", "停止计时";
    }
}

words! {
    /// The colour that a running obligation shows.
    Light, "灯" {
        /// In time.
        Green = "green", "绿灯";
        /// Only the last working day is left.
        Yellow = "yellow", "黄灯";
        /// Overdue.
        Red = "red", "红灯";
    }
}

words! {
    /// Where a rung stands.
    RungState, "梯级状态" {
        /// Will fire.
        Armed = "armed", "待触发";
        /// Has fired, once and for ever.
        Fired = "fired", "已触发";
        /// Its instant was estimated: urged without a card, waits for the notice.
        Withheld = "withheld", "暂缓发牌";
        /// Its instant passed while the deadline was met or away: never fires.
        PassedOver = "passed_over", "已越过";
    }
}

words! {
    /// Why a deadline changed.
    LedgerReason, "变更原因" {
        /// Granted by whoever decides.
        Extension = "extension", "延期";
        /// A calendar notice was published.
        Calendar = "calendar", "日历更新";
        /// The feedback or finding was refused; the time it was held stays on record.
        Refused = "refused", "反馈退回";
        /// The agency got the ticket back, or it was closed by mistake: the deadline goes on.
        Resumed = "resumed", "恢复计时";
        /// The ticket's class changed: another length from the same start.
        Reclassified = "reclassified", "变更类别";
    }
}

/// A rung of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungRun {
    /// Which: `-1wd`, `end`, `+3wd`.
    pub rung: RungAt,
    /// When it fires.
    pub at: Instant,
    /// Whether that instant rests on assumed days.
    pub estimated: bool,
    /// Where it stands.
    pub state: RungState,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Why.
    pub reason: LedgerReason,
    /// When it took effect.
    pub at: Instant,
    /// The due instant before.
    pub from: Instant,
    /// The due instant after.
    pub to: Instant,
    /// For `refused` and `resumed`: since when the deadline had not been running.
    pub held_from: Option<Instant>,
}

/// One run of a deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The deadline's name.
    pub deadline: Name,
    /// The run, from 1, counted over the whole ticket.
    pub run: u16,
    /// Rises with each extension, from 0.
    pub generation: u16,
    /// The deadline's place in the definition.
    pub order: u16,
    /// Obligation, window or indicator.
    pub kind: Kind,
    /// Who is charged.
    pub party: Party,
    /// The agency that is charged or may act, where it is one.
    pub agency: Option<Name>,
    /// How long.
    pub within: Within,
    /// Where it stands.
    pub state: State,
    /// Why it was cancelled.
    pub cancelled: Option<EndReason>,
    /// The instant from which it counts.
    pub starts_at: Instant,
    /// Its last day.
    pub due_day: Day,
    /// Its exclusive end.
    pub due_at: Instant,
    /// Its last day as first computed.
    pub original_due_day: Day,
    /// Its exclusive end as first computed.
    pub original_due_at: Instant,
    /// From when it is yellow: the end of the working day before its last one.
    pub yellow_at: Instant,
    /// How sure the due instant is.
    pub certainty: Certainty,
    /// The years without a notice in its span.
    pub missing_years: Vec<i32>,
    /// The calendar by which it counts; shown, since one process knows one calendar.
    pub calendar: Name,
    /// The newest publication that the computation knew.
    pub known_on: Option<Day>,
    /// The day to which it was extended.
    pub extended_to: Option<Day>,
    /// When it was met, lapsed or cancelled.
    pub ended_at: Option<Instant>,
    /// Its ladder in order of time.
    pub rungs: Vec<RungRun>,
    /// Every change, oldest first.
    pub ledger: Vec<LedgerEntry>,
}

impl Run {
    /// Whether it is running and its end has come: an action at that very instant is late.
    #[must_use]
    pub fn is_overdue_at(&self, at: Instant) -> bool {
        self.state == State::Running && at >= self.due_at
    }

    /// The light at an instant; none unless it is a running obligation.
    #[must_use]
    pub fn light_at(&self, at: Instant) -> Option<Light> {
        if self.state != State::Running || self.kind != Kind::Obligation {
            return None;
        }
        Some(if at >= self.due_at {
            Light::Red
        } else if at >= self.yellow_at {
            Light::Yellow
        } else {
            Light::Green
        })
    }

    /// When it was met; none unless it was.
    #[must_use]
    pub fn met_at(&self) -> Option<Instant> {
        let met = matches!(self.state, State::Met | State::MetLate);
        self.ended_at.filter(|_| met)
    }

    /// Working days that are left, today and the last day included: N on the day of receipt of an
    /// N-day deadline, whose day never counts, 1 on its last day, 0 after it. None for periods that
    /// are not in working days.
    #[must_use]
    pub fn remaining_working_days(&self, edition: &Edition, today: Day) -> Option<u32> {
        if self.within.unit != Unit::WorkingDays {
            return None;
        }
        let received = edition.zone().day_of(self.starts_at);
        let after = received.max(today.plus(-1));
        Some(u32::try_from(edition.working_days_between(after, self.due_day)).unwrap_or(0))
    }

    /// The working days that have passed since its end, if it runs on beyond it.
    #[must_use]
    pub fn overdue_working_days(&self, edition: &Edition, at: Instant) -> Option<u32> {
        let is_over = self.state == State::Running && self.due_at <= at;
        let today = edition.zone().day_of(at);
        is_over
            .then(|| u32::try_from(edition.working_days_between(self.due_day, today)).unwrap_or(0))
    }

    /// The next rung that will fire.
    #[must_use]
    pub fn next_rung(&self) -> Option<&RungRun> {
        let armed = self.rungs.iter().filter(|rung| rung.state == RungState::Armed);
        if self.state == State::Running { armed.min_by_key(|rung| rung.at) } else { None }
    }
}
