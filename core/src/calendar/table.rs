//! Prefix counts over all days of [`YEARS`](crate::time::YEARS): the nth working day in
//! constant time. Must never grow with what is asked of it.

use crate::time::Day;

/// Day number of 2000-01-01.
pub(super) const FIRST: i32 = 10_957;
/// Days from 2000-01-01 to 2099-12-31. Less than 2^16, so an index fits a `u16`.
pub(super) const DAYS: usize = 36_525;

/// The working days of all years.
#[derive(Clone)]
pub(super) struct Table {
    /// Entry `i`: how many working days lie before day `i`; `DAYS + 1` entries.
    before: Box<[u16]>,
    /// Entry `k`: the index of working day `k`.
    nth: Box<[u16]>,
}

/// The index of a day in the table, if it lies in the years computed in.
#[inline]
pub(super) fn index_of(day: Day) -> Option<usize> {
    let index = usize::try_from(day.number().wrapping_sub(FIRST)).ok()?;
    (index < DAYS).then_some(index)
}

impl Table {
    /// From one flag a day, `true` for a working day. Flags past the last day are passed over.
    pub(super) fn new(working: &[bool]) -> Self {
        let mut before = Vec::with_capacity(DAYS + 1);
        let mut nth = Vec::with_capacity(DAYS);
        let mut count = 0;
        for (index, working) in (0_u16..).zip(working.iter().take(DAYS)) {
            before.push(count);
            if *working {
                nth.push(index);
                count += 1;
            }
        }
        before.push(count);
        Self { before: before.into(), nth: nth.into() }
    }

    #[inline]
    pub(super) fn is_working(&self, day: Day) -> bool {
        index_of(day).is_some_and(|index| self.before[index] != self.before[index + 1])
    }

    #[inline]
    pub(super) fn add(&self, day: Day, n: i32) -> Option<Day> {
        let index = index_of(day)?;
        if n == 0 {
            return Some(day);
        }
        let forwards = n > 0;
        let passed = i32::from(*self.before.get(index + usize::from(forwards))?);
        let ordinal = passed.saturating_add(n) - i32::from(forwards);
        let found = self.nth.get(usize::try_from(ordinal).ok()?)?;
        Some(Day::from_number(FIRST + i32::from(*found)))
    }

    /// Working days up to and including `day`; days out of the table count as not working.
    #[inline]
    pub(super) fn until(&self, day: Day) -> i32 {
        let next = i64::from(day.number()) - i64::from(FIRST) + 1;
        let index = usize::try_from(next.max(0)).unwrap_or(DAYS).min(DAYS);
        i32::from(self.before[index])
    }
}
