//! How sure a computed date is, given the years whose notice is known. Must never call a date
//! firm that a notice still to come could move.

use crate::time::{Day, YEARS};
use crate::words::words;

/// From this day of December on, a year may still be changed by the notice of the next year:
/// the earliest such day so far was 29 December 2018.
const UNSETTLED_FROM: (u32, u32) = (12, 26);

words! {
    /// How sure a computed date is, surest first.
    Certainty, "确定程度" {
        /// Every day of the span is settled by a notice, or the calendar has no say in the date.
        Firm = "firm", "确定";
        /// Every day is covered, but the next year's notice may still rename its last days of
        /// December.
        Provisional = "provisional", "暂定";
        /// The span enters a year without a notice: its days off were assumed.
        Estimated = "estimated", "推定";
    }
}

/// What an estimate assumes: Monday to Friday, but for the holidays on fixed dates.
pub const ESTIMATE_ASSUMES: &str = "按周一至周五上班、1月1日、5月1日至2日、10月1日至3日放假推算";

/// What an estimate leaves out, because nobody can know it before the notice.
pub const ESTIMATE_OMITS: &str = "未计春节、清明节、端午节、中秋节假期和调休上班日";

/// Which years have a notice.
#[derive(Clone, Debug)]
pub(super) struct Coverage {
    /// Bit 0 stands for the first of [`YEARS`]; one bit more than there are years, because the
    /// year after the last one settles its December.
    known: u128,
    /// Spans (first day, last day) in which everything is firm, ascending.
    firm: Vec<(Day, Day)>,
}

impl Coverage {
    /// Of these years; others than [`YEARS`] and the year after are passed over.
    pub(super) fn new(years: impl IntoIterator<Item = i32>) -> Self {
        let known = years.into_iter().filter_map(bit).fold(0, |known, bit| known | bit);
        let mut coverage = Self { known, firm: Vec::new() };
        let mut first = None;
        for year in *YEARS.start()..=*YEARS.end() + 1 {
            if !coverage.has(year) {
                continue;
            }
            let from = *first.get_or_insert(year);
            if !coverage.has(year + 1) {
                let (month, day) = UNSETTLED_FROM;
                let span = (Day::from_ymd(from, 1, 1), Day::from_ymd(year, month, day));
                if let (Some(from), Some(unsettled)) = span {
                    coverage.firm.push((from, unsettled.plus(-1)));
                }
                first = None;
            }
        }
        coverage
    }

    /// Of all years and the one after them.
    pub(super) fn everything() -> Self {
        Self::new(*YEARS.start()..=*YEARS.end() + 1)
    }

    pub(super) fn has(&self, year: i32) -> bool {
        bit(year).is_some_and(|bit| self.known & bit != 0)
    }

    /// How sure the span is, both ends included, in either order, and its years without a
    /// notice, ascending.
    #[inline]
    pub(super) fn of(&self, from: Day, to: Day) -> (Certainty, Vec<i32>) {
        let (first, last) = if from <= to { (from, to) } else { (to, from) };
        if self.firm.iter().any(|(from, to)| *from <= first && last <= *to) {
            return (Certainty::Firm, Vec::new());
        }
        self.of_unsettled(first, last)
    }

    #[cold]
    fn of_unsettled(&self, first: Day, last: Day) -> (Certainty, Vec<i32>) {
        let years = (*YEARS.start() - 1, *YEARS.end() + 1);
        let (from, to) =
            (first.year().clamp(years.0, years.1), last.year().clamp(years.0, years.1));
        let missing: Vec<i32> = (from..=to).filter(|year| !self.has(*year)).collect();
        let (month, day) = UNSETTLED_FROM;
        let settled =
            self.has(to + 1) || Day::from_ymd(to, month, day).is_some_and(|from| last < from);
        match (missing.is_empty(), settled) {
            (false, _) => (Certainty::Estimated, missing),
            (true, false) => (Certainty::Provisional, missing),
            (true, true) => (Certainty::Firm, missing),
        }
    }
}

fn bit(year: i32) -> Option<u128> {
    let shift = u32::try_from(year - YEARS.start()).ok()?;
    (year <= *YEARS.end() + 1).then(|| 1_u128.checked_shl(shift)).flatten()
}
