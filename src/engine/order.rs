//! The one order (DESIGN, "What happens when" 2): what is due at an instant is committed, and
//! whatever depends on it is answered, by nobody before that instant has settled. Commands,
//! refusals and the lane all ask here. Must never look at anything but its arguments.

use duban_core::time::Instant;

/// When something that depends on firings up to `fired_until` may be committed or answered: now, or
/// not before an instant.
pub(super) fn settles_at(
    fired_until: Option<Instant>,
    now: Instant,
    settle_ms: i64,
) -> Option<Instant> {
    fired_until.map(|fired| fired.plus_ms(settle_ms)).filter(|settled| *settled > now)
}

/// Up to which instant the lane may fire.
pub(super) const fn settled_until(now: Instant, settle_ms: i64) -> Instant {
    now.plus_ms(-settle_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_waits_until_it_has_settled() {
        let check = |fired: Option<i64>, now: i64, expected: Option<i64>| {
            let fired = fired.map(Instant::from_ms);
            let waits = settles_at(fired, Instant::from_ms(now), 6_000);
            assert_eq!(waits.map(Instant::ms), expected, "{fired:?} {now}");
        };
        check(None, 0, None);
        check(Some(10_000), 10_000, Some(16_000));
        check(Some(10_000), 15_999, Some(16_000));
        check(Some(10_000), 16_000, None);
        assert_eq!(settled_until(Instant::from_ms(16_000), 6_000).ms(), 10_000);
    }
}
