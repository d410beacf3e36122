//! A notice counts from its publication: when its day comes, or when it is new to this server, the
//! running deadlines that it touches are computed anew, in batches, and go on where they were
//! after an interruption. Must never move a deadline itself: that is the core's.

use duban_core::calendar::{Arrangement, Calendar, NamedDay, Year};
use duban_core::deadline::State;
use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::time::{Day, Instant};

use super::request::{Outcome, Request, Task, Work};
use super::{Declined, Engine, order};
use crate::store::{Publication, StoreError};

/// What one batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recomputed {
    /// Tickets that were looked at.
    pub looked_at: usize,
    /// Those whose deadlines were computed anew.
    pub recomputed: usize,
    /// Whether there is nothing left to do.
    pub finished: bool,
}

impl Engine {
    /// Works the earliest publication that is not done into up to `batch` tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn recompute_published(&self, batch: u64) -> Result<Recomputed, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        // As with everything that is due: what came before midnight is recorded first.
        let settled = order::settled_until(now, inner.clock.settle_ms());
        let Some(mut publication) = self.pending_publication(settled).await? else {
            return Ok(Recomputed { finished: true, ..Recomputed::default() });
        };
        let calendar = inner.knowledge.context().calendar;
        let tickets = inner.store.running_after(publication.reached, batch).await?;
        let Some(last) = tickets.last().copied() else {
            publication.done_at = Some(now);
            inner.store.note_publication(&publication).await?;
            return Ok(Recomputed::default());
        };
        let looked_at = tickets.len();
        let mut loaded = inner.store.load(&tickets).await?;
        // One that cannot be read stays, to become an incident: nobody knows what touches it.
        loaded.retain(|(_, one)| {
            one.as_ref().map_or(true, |one| touches(calendar, publication.day, &one.instance))
        });
        let known_on = publication.day;
        let arrived_at = settled;
        let task = |ticket| Task::Recompute { ticket, known_on };
        let works: Vec<Work> = loaded
            .iter()
            .map(|(ticket, _)| Request { arrived_at, task: task(*ticket), key: None })
            .map(Work::new)
            .collect();
        let mut recomputed = 0;
        if !works.is_empty() {
            for outcome in inner.carry_out(works, loaded).await {
                match outcome {
                    Outcome::Done(_) => recomputed += 1,
                    // Set aside, for people to look into.
                    Outcome::Declined(Declined::Incident | Declined::NoSuchTicket) => {}
                    // The same batch again, when it has settled.
                    Outcome::Wait(until, _) => {
                        inner.clock.sleep_until(until).await;
                        return Ok(Recomputed::default());
                    }
                    Outcome::Declined(Declined::Store(error)) => return Err(error),
                    Outcome::Declined(_) => return Err(StoreError::Busy),
                }
            }
        }
        publication.reached = Some(last);
        inner.store.note_publication(&publication).await?;
        Ok(Recomputed { looked_at, recomputed, finished: false })
    }

    /// From when the next publication that is known and not out yet can be worked in.
    #[must_use]
    pub fn next_publication(&self) -> Option<Instant> {
        let now = self.inner.clock.now();
        let calendar = self.inner.knowledge.context().calendar;
        let settle_ms = self.inner.clock.settle_ms();
        let start = |day| calendar.zone().start_of(day).plus_ms(settle_ms);
        let all = calendar.publications().map(start);
        all.filter(|at| *at > now).min()
    }

    /// Days whose publications were worked in with another text than the files have now: running
    /// deadlines keep what they were computed with. A correction has a publication day of its own.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn altered_publications(&self) -> Result<Vec<Day>, StoreError> {
        let calendar = self.inner.knowledge.context().calendar;
        let noted = self.inner.store.publications().await?;
        let altered = noted.iter().filter(|one| one.edition != edition(calendar, one.day));
        Ok(altered.map(|one| one.day).collect())
    }

    /// The earliest publication that counts by now and is not worked in. One that was out before
    /// the first ticket has nothing to be worked into, and is done at once.
    async fn pending_publication(&self, now: Instant) -> Result<Option<Publication>, StoreError> {
        let calendar = self.inner.knowledge.context().calendar;
        let noted = self.inner.store.publications().await?;
        let today = calendar.zone().day_of(now);
        let mut days: Vec<Day> = calendar.publications().filter(|day| *day <= today).collect();
        days.sort_unstable();
        for day in days {
            let edition = edition(calendar, day);
            let known = noted.iter().find(|one| one.day == day);
            match known {
                Some(one) if one.done_at.is_some() => {}
                Some(one) => return Ok(Some(one.clone())),
                None => {
                    return Ok(Some(Publication { day, edition, reached: None, done_at: None }));
                }
            }
        }
        Ok(None)
    }
}

/// A hash of what was published on a day.
fn edition(calendar: &Calendar, day: Day) -> Digest {
    let arrangements = calendar.years().iter().flat_map(Year::arrangements);
    let published = arrangements.filter(|one| one.notice.published == day);
    let says = |one: &Arrangement| {
        let named = |days: &[NamedDay]| days.iter().map(|one| one.day).collect::<Vec<_>>();
        let (off, work) = (named(&one.off_days), named(&one.workdays));
        let (on_again, off_again) = (&one.off_days_removed, &one.workdays_removed);
        format!("{} {off:?} {on_again:?} {work:?} {off_again:?}", one.notice.number)
    };
    let says: Vec<String> = published.map(says).collect();
    Digest::of(&says.iter().map(String::as_bytes).collect::<Vec<_>>())
}

/// Whether a publication can change a running deadline of a ticket.
fn touches(calendar: &Calendar, day: Day, instance: &Instance) -> bool {
    let running = instance.runs.iter().filter(|run| run.state == State::Running);
    let counting = running.filter(|run| run.counts_on_calendar());
    let mut spans = counting.map(|run| {
        let first = calendar.zone().day_of(run.starts_at);
        let rungs = run.rungs.iter().map(|rung| calendar.zone().day_of(rung.at));
        (first, rungs.fold(run.due_day, Ord::max))
    });
    spans.any(|(first, last)| calendar.touches(day, first, last))
}
