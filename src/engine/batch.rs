//! The one way in which tickets change: load, decide, commit, for a batch of requests at once.
//! Commands and the lanes all come here.
//!
//! Must never hold a lock or a transaction while something settles, answer before the commit is
//! durable, or let one ticket hold up the rest of its batch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use super::desk::{Decided, Desk};
use super::request::{Outcome, Task, Work};
use super::{Declined, Done, Inner, incident};
use crate::crypto;
use crate::store::{Change, Claim, Commit, KnownRequest, KnownReview, Readable, StoreError, aside};

/// How often a batch is decided anew because somebody else had changed a ticket.
const ATTEMPTS_MAX: usize = 8;

/// How often a batch is tried again because others held what it needed, and when.
const BUSY_MAX: usize = 2;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// A ticket on the desk, or why it cannot be decided on.
pub(super) type Tickets = BTreeMap<TicketId, Result<Change, StoreError>>;

impl Inner {
    /// Carries out a batch; an outcome for each piece of work, in order. The tickets may come
    /// along, if they have just been loaded.
    pub(super) async fn carry_out(
        &self,
        works: Vec<Work>,
        loaded: Vec<(TicketId, Readable)>,
    ) -> Vec<Outcome> {
        self.carry_out_claimed(works, loaded, Claim::default()).await
    }

    /// The same with tickets that are claimed: they are until the first commit ends.
    pub(super) async fn carry_out_claimed(
        &self,
        mut works: Vec<Work>,
        mut loaded: Vec<(TicketId, Readable)>,
        mut claim: Claim,
    ) -> Vec<Outcome> {
        let mut versions = Vec::new();
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 || loaded.is_empty() {
                loaded = match self.load(&works).await {
                    Ok(loaded) => loaded,
                    Err(error) => return all(&works, &Declined::Store(error)),
                };
            }
            let at = self.clock.now();
            // What was waiting when somebody set the clock is not decided by a wrong time.
            if self.stands_aside() {
                return all(&works, &Declined::Aside);
            }
            let mut desk = match self.desk(&works, std::mem::take(&mut loaded), attempt).await {
                Ok(desk) => desk,
                Err(error) => return all(&works, &Declined::Store(error)),
            };
            let decided = self.decide(&mut desk, &works, at);
            let Desk { tickets, incidents, .. } = desk;
            let seen = seen(&works, &tickets);
            let changes = changes(tickets);
            let mut looked_at = seen.clone();
            let made = Made { decided: &decided, changes: &changes, seen, at };
            match self.commit(&mut works, made, std::mem::take(&mut claim)).await {
                Ok(numbers) => {
                    let noted = incident::note(&self.store, incidents).await;
                    self.wake_for(&changes);
                    let outcomes = outcomes(works, decided, &changes, &numbers).into_iter();
                    return outcomes.map(|one| incident::unless_noted(&noted, one)).collect();
                }
                // What somebody else changes has another version the next time. One that has not,
                // and still is not as it was seen, must not hold up the others, nor time for ever.
                Err(error @ StoreError::Stale) => {
                    let version = |one: &Change| one.loaded().map_or(0, |loaded| loaded.version);
                    looked_at.extend(changes.iter().map(|one| (one.ticket(), version(one))));
                    if looked_at == versions {
                        return self.halves(works, &changes, error, at).await;
                    }
                    versions = looked_at;
                }
                // Others hold a row, or this node was too slow for its claim: without it, then.
                Err(StoreError::Busy) if attempt < BUSY_MAX && !self.store.is_embedded() => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                // Whoever waits asks again by its commit.
                Err(StoreError::Unknown) => {
                    versions.clear();
                    self.clock.sleep_until(at.plus_ms(200)).await;
                }
                Err(error) if error.blames_rows() => {
                    return self.halves(works, &changes, error, at).await;
                }
                Err(error) => return all(&works, &Declined::Store(error)),
            }
        }
        all(&works, &Declined::Busy)
    }

    /// Decides about one after another.
    fn decide(&self, desk: &mut Desk, works: &[Work], at: Instant) -> Vec<Decided> {
        let places = works.iter().enumerate();
        let decide = || places.map(|(place, work)| desk.decide(self, place, work, at)).collect();
        aside(works.len(), decide)
    }

    pub(super) async fn load(
        &self,
        works: &[Work],
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let there = works.iter().filter(|work| !matches!(work.request.task, Task::Open(_)));
        let mut ids: BTreeSet<TicketId> = there.map(Work::ticket).collect();
        ids.extend(works.iter().filter_map(Work::original).map(|original| original.ticket));
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.store.load(&ids.into_iter().collect::<Vec<_>>()).await
    }

    /// Everything that the decisions of a batch look at.
    pub(super) async fn desk(
        &self,
        works: &[Work],
        loaded: Vec<(TicketId, Readable)>,
        attempt: usize,
    ) -> Result<Desk, StoreError> {
        let review = |work: &Work| match &work.request.task {
            Task::Open(new) => Some((new.review.source.clone(), new.review.review_id.clone())),
            _ => None,
        };
        let reviews: Vec<_> = works.iter().filter_map(review).collect();
        let done_before = self.done_before(works).await?;
        // Another node may have carried one out since it was asked.
        let requests = if attempt > 0 { self.requests(works).await? } else { BTreeMap::new() };
        let reviews = if reviews.is_empty() {
            BTreeMap::new()
        } else {
            self.store.known_reviews(&reviews).await?.into_iter().collect()
        };
        let opened = reviews.values().map(|known: &KnownReview| known.ticket);
        let repeated =
            requests.values().filter_map(|known: &KnownRequest| known.about.map(TicketId));
        let before = done_before.values().map(|done: &Done| done.ticket);
        let asked: Vec<TicketId> = opened.chain(repeated).chain(before).collect();
        let numbers = self.store.ticket_numbers(&asked).await?;
        let tickets = loaded.into_iter().map(|(id, one)| (id, one.map(Change::of))).collect();
        Ok(Desk::new(tickets, reviews, requests, numbers, done_before))
    }

    /// What was committed by an attempt whose end was not heard of, by its place.
    async fn done_before(&self, works: &[Work]) -> Result<BTreeMap<usize, Done>, StoreError> {
        let mut is_there: BTreeMap<Uuid, bool> = BTreeMap::new();
        let mut done_before = BTreeMap::new();
        for (place, work) in works.iter().enumerate() {
            for (commit, done) in &work.unknown {
                let is_committed = match is_there.get(commit) {
                    Some(known) => *known,
                    None => self.store.is_committed(*commit).await?,
                };
                is_there.insert(*commit, is_committed);
                if is_committed {
                    done_before.insert(place, done.clone());
                }
            }
        }
        Ok(done_before)
    }

    /// The requests that came before, by their place.
    async fn requests(&self, works: &[Work]) -> Result<BTreeMap<usize, KnownRequest>, StoreError> {
        let keys: Vec<_> =
            works.iter().filter_map(|work| Some(&work.request.key.as_ref()?.key)).collect();
        let known = self.store.known_requests(&keys).await?;
        let of = |(place, work): (usize, &Work)| {
            let key = &work.request.key.as_ref()?.key;
            Some((place, known.get(key)?.clone()))
        };
        Ok(works.iter().enumerate().filter_map(of).collect())
    }

    /// Commits what was decided; the numbers of new tickets.
    async fn commit(
        &self,
        works: &mut [Work],
        made: Made<'_>,
        claim: Claim,
    ) -> Result<BTreeMap<TicketId, String>, StoreError> {
        let Made { decided, changes, seen, at } = made;
        if changes.is_empty() {
            return Ok(BTreeMap::new());
        }
        let id = crypto::identity();
        let zone = self.knowledge.context().calendar.zone();
        let days: Vec<_> =
            changes.iter().map(|one| zone.day_of(one.instance.received_at)).collect();
        let pins = || changes.iter().map(|change| &change.instance.definition);
        let definitions = self.knowledge.unstored(pins());
        let commit = Commit { id, at, changes, days: &days, definitions, seen };
        let begun = std::time::Instant::now();
        let span = tracing::info_span!("commit", tickets = changes.len(), otel.status_code = Empty);
        let committed = self.store.commit(&commit, claim).instrument(span.clone()).await;
        if committed.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        let outcome = committed.as_ref().map_or_else(StoreError::word, |_| "committed");
        metrics::counter!("duban_commits_total", "outcome" => outcome).increment(1);
        match committed {
            Ok(committed) => {
                self.wake.committed();
                #[expect(clippy::cast_precision_loss, reason = "a few hundred tickets")]
                metrics::histogram!("duban_commit_tickets").record(changes.len() as f64);
                metrics::histogram!("duban_commit_seconds").record(begun.elapsed().as_secs_f64());
                self.knowledge.note_stored(pins());
                Ok(committed.ticket_numbers)
            }
            Err(StoreError::Unknown) => {
                note_unknown(works, decided, changes, id);
                Err(StoreError::Unknown)
            }
            Err(error) => Err(error),
        }
    }

    /// A batch that the database refuses, or that is never as it was seen, is halved until the culprit
    /// stands alone.
    async fn halves(
        &self,
        works: Vec<Work>,
        changes: &[Change],
        error: StoreError,
        at: Instant,
    ) -> Vec<Outcome> {
        if let [change] = changes {
            return self.without(works, change, error, at).await;
        }
        let middle = changes[changes.len() / 2].ticket();
        let is_low: Vec<bool> = works.iter().map(|work| work.ticket() < middle).collect();
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for (work, is_low) in works.into_iter().zip(&is_low) {
            if *is_low { low.push(work) } else { high.push(work) }
        }
        let mut low = Box::pin(self.carry_out(low, Vec::new())).await.into_iter();
        let mut high = Box::pin(self.carry_out(high, Vec::new())).await.into_iter();
        let missing = || Outcome::Declined(Declined::Incident);
        let outcome = |is_low: bool| if is_low { low.next() } else { high.next() };
        is_low.into_iter().map(outcome).map(|one| one.unwrap_or_else(missing)).collect()
    }

    /// The one change that the database refuses is set aside; the rest of the batch goes through.
    async fn without(
        &self,
        works: Vec<Work>,
        change: &Change,
        error: StoreError,
        at: Instant,
    ) -> Vec<Outcome> {
        let culprit = change.ticket();
        tracing::error!(ticket.id = %culprit, store.error = %error, "a change cannot be committed");
        let is_of_it = |work: &Work| work.ticket() == culprit;
        let mut noted = Ok(());
        if change.loaded().is_some() {
            let its: Vec<&Work> = works.iter().filter(|work| is_of_it(work)).collect();
            let what = incident::refused_by_store(change, &its, &error, at);
            noted = incident::note(&self.store, vec![what]).await;
        }
        // Nobody hears “nothing happened” whose commit may have gone through.
        let answer = |work: &Work| {
            let declined = match &error {
                _ if !work.unknown.is_empty() => Declined::OutcomeUnknown,
                // This node's fault, not the ticket's.
                StoreError::OtherDefinition { .. } => Declined::Store(error.clone()),
                _ => Declined::Incident,
            };
            is_of_it(work).then_some(incident::unless_noted(&noted, Outcome::Declined(declined)))
        };
        let guilty: Vec<Option<Outcome>> = works.iter().map(answer).collect();
        if !works.iter().any(is_of_it) {
            // A change of nobody's work: whoever tried again would only come here again.
            return all(&works, &Declined::Incident);
        }
        let rest: Vec<Work> = works.into_iter().filter(|work| !is_of_it(work)).collect();
        let mut rest = if rest.is_empty() {
            Vec::new().into_iter()
        } else {
            Box::pin(self.carry_out(rest, Vec::new())).await.into_iter()
        };
        let missing = || Outcome::Declined(Declined::Incident);
        guilty.into_iter().map(|one| one.or_else(|| rest.next()).unwrap_or_else(missing)).collect()
    }

    fn wake_for(&self, changes: &[Change]) {
        if let Some(at) = changes.iter().filter_map(|one| one.instance.next_wake()).min() {
            self.wake.due_at(at);
        }
        if changes.iter().any(Change::has_messages) {
            self.wake.messages_waiting();
        }
    }
}

/// The same answer for all; but nobody hears “nothing happened” whose commit may have gone through.
fn all(works: &[Work], declined: &Declined) -> Vec<Outcome> {
    let one = |work: &Work| {
        let known = work.unknown.is_empty();
        Outcome::Declined(if known { declined.clone() } else { Declined::OutcomeUnknown })
    };
    works.iter().map(one).collect()
}

/// What was decided about a batch.
struct Made<'m> {
    decided: &'m [Decided],
    changes: &'m [Change],
    seen: Vec<(TicketId, i64)>,
    at: Instant,
}

/// Tickets that were looked at and are not changed themselves, with the versions that were seen.
fn seen(works: &[Work], tickets: &Tickets) -> Vec<(TicketId, i64)> {
    let originals = works.iter().filter_map(Work::original).map(|original| original.ticket);
    let of = |ticket| tickets.get(&ticket).and_then(|one| one.as_ref().ok());
    let looked_at = originals.collect::<BTreeSet<_>>().into_iter().filter_map(of);
    let looked_at = looked_at.filter(|change| change.is_empty());
    looked_at.filter_map(|one| Some((one.ticket(), one.loaded()?.version))).collect()
}

/// In order of the tickets.
fn changes(tickets: Tickets) -> Vec<Change> {
    tickets.into_values().filter_map(Result::ok).filter(|change| !change.is_empty()).collect()
}

/// The commit may have happened: each piece of work remembers what it would have done.
fn note_unknown(works: &mut [Work], decided: &[Decided], changes: &[Change], id: Uuid) {
    for (work, decided) in works.iter_mut().zip(decided) {
        if let Some(done) = done(decided, changes, &BTreeMap::new()) {
            work.unknown.push((id, done));
        }
    }
}

fn outcomes(
    works: Vec<Work>,
    decided: Vec<Decided>,
    changes: &[Change],
    numbers: &BTreeMap<TicketId, String>,
) -> Vec<Outcome> {
    let outcome = |(work, one): (Work, Decided)| match done(&one, changes, numbers) {
        Some(done) => Outcome::Done(Box::new(done)),
        None => match one {
            Decided::Declined(declined) => Outcome::Declined(declined),
            Decided::Wait(until) => Outcome::Wait(until, Box::new(work.request)),
            Decided::Before(done) => Outcome::Done(done),
            Decided::Changed { .. } => Outcome::Declined(Declined::NoSuchTicket),
        },
    };
    works.into_iter().zip(decided).map(outcome).collect()
}

/// What a decision comes to once its changes are committed.
fn done(
    decided: &Decided,
    changes: &[Change],
    numbers: &BTreeMap<TicketId, String>,
) -> Option<Done> {
    let Decided::Changed { ticket, ticket_no, receipt, replayed, shows } = decided else {
        return None;
    };
    let place = changes.binary_search_by_key(ticket, Change::ticket).ok();
    let change = place.map(|place| &changes[place]).filter(|_| *shows);
    let number = ticket_no.clone().or_else(|| numbers.get(ticket).cloned());
    Some(Done {
        repeated: false,
        ticket: *ticket,
        ticket_no: number.unwrap_or_default(),
        instance: change.map(|change| Arc::clone(&change.instance)),
        receipt: receipt.clone(),
        replayed: *replayed,
    })
}
