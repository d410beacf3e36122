//! The tickets of one batch while they are decided on, one request after another on the state that
//! the one before has left. Must never decide by itself: that is the core's.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use duban_core::command::{Act, Command, Moment};
use duban_core::decide::{Decision, decide, open};
use duban_core::definition::{FieldFault, Outcome};
use duban_core::digest::Digest;
use duban_core::event::{Fact, Sealed};
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::rejection::{Blame, Refusal, Rejection};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;

use super::batch::Tickets;
use super::keyed::{remembered, same_body};
use super::request::{Keyed, NewReview, Receipt, Task, Work};
use super::{Declined, Done, Inner, order};
use crate::crypto;
use crate::store::{Change, KnownRequest, KnownReview, NewIncident, PersonalRow, Remembered};

/// What was decided about a piece of work.
#[derive(Debug)]
pub(super) enum Decided {
    /// It stands on its ticket's change.
    Changed {
        ticket: TicketId,
        /// Of a ticket that was there.
        ticket_no: Option<String>,
        receipt: Option<Receipt>,
        replayed: bool,
        /// Whether somebody wants to see the ticket afterwards.
        shows: bool,
    },
    /// It had been carried out before.
    Before(Box<Done>),
    Declined(Declined),
    /// Something that has not settled before then stands in the way.
    Wait(Instant),
}

/// The tickets of one batch, and what else its decisions look at.
pub(super) struct Desk {
    pub(super) tickets: Tickets,
    pub(super) incidents: Vec<NewIncident>,
    reviews: BTreeMap<(Name, String), KnownReview>,
    requests: BTreeMap<usize, KnownRequest>,
    numbers: BTreeMap<TicketId, String>,
    done_before: BTreeMap<usize, Done>,
    /// Reviews that became tickets in this batch, with their content.
    opened: BTreeMap<(Name, String), (TicketId, Vec<u8>)>,
}

impl Desk {
    pub(super) fn new(
        tickets: Tickets,
        reviews: BTreeMap<(Name, String), KnownReview>,
        requests: BTreeMap<usize, KnownRequest>,
        numbers: BTreeMap<TicketId, String>,
        done_before: BTreeMap<usize, Done>,
    ) -> Self {
        let (incidents, opened) = (Vec::new(), BTreeMap::new());
        Self { tickets, incidents, reviews, requests, numbers, done_before, opened }
    }

    /// Decides about the next piece of work.
    pub(super) fn decide(
        &mut self,
        inner: &Inner,
        place: usize,
        work: &Work,
        at: Instant,
    ) -> Decided {
        if let Some(mut done) = self.done_before.remove(&place) {
            if let Some(number) = self.numbers.get(&done.ticket) {
                done.ticket_no.clone_from(number);
            }
            return Decided::Before(Box::new(done));
        }
        if let (Some(known), Some(keyed)) = (self.requests.get(&place), &work.request.key) {
            return self.repeated(known, keyed);
        }
        match &work.request.task {
            Task::Open(new) => self.open(inner, new, work, at),
            Task::Act { .. }
            | Task::Disclose { .. }
            | Task::Advance { .. }
            | Task::Recompute { .. } => self.command(inner, work, at),
        }
    }

    /// Another node has carried it out since it was asked.
    fn repeated(&self, known: &KnownRequest, keyed: &Keyed) -> Decided {
        if let Err(reused) = same_body(known, keyed) {
            return Decided::Declined(reused);
        }
        let Some(ticket) = known.about.map(TicketId) else {
            return Decided::Declined(Declined::KeyReused);
        };
        let done = Done { repeated: true, ..self.done(ticket) };
        Decided::Before(Box::new(done))
    }

    fn done(&self, ticket: TicketId) -> Done {
        let ticket_no = self.numbers.get(&ticket).cloned().unwrap_or_default();
        let (instance, receipt) = (None, None);
        Done { repeated: false, ticket, ticket_no, instance, receipt, replayed: true }
    }

    fn open(&mut self, inner: &Inner, new: &NewReview, work: &Work, at: Instant) -> Decided {
        let name = (new.review.source.clone(), new.review.review_id.clone());
        if let Some(known) = self.reviews.get(&name) {
            // Once its personal data is gone nobody can tell a difference any more.
            let is_same = |key| Digest::commitment(&key, &new.content) == known.commitment;
            return if known.key.is_none_or(is_same) {
                Decided::Before(Box::new(self.done(known.ticket)))
            } else {
                Decided::Declined(Declined::ReviewDiffers)
            };
        }
        if let Some((ticket, content)) = self.opened.get(&name) {
            if *content != new.content {
                return Decided::Declined(Declined::ReviewDiffers);
            }
            let (ticket, replayed) = (*ticket, true);
            let (ticket_no, receipt) = (None, None);
            return Decided::Changed { ticket, ticket_no, receipt, replayed, shows: true };
        }
        let moment = Moment { at: work.request.arrived_at, recorded_at: at };
        let opened = guarded(|| {
            open(inner.knowledge.context(), &new.opening, moment).map_err(Refusal::from)
        });
        let opened = match opened {
            Ok(opened) => opened,
            Err(refusal) if refusal.blame() == Blame::Caller => {
                return Decided::Declined(refusal.rejection.into());
            }
            Err(refusal) => {
                tracing::error!(
                    incident.code = refusal.rejection.code(),
                    "a review cannot be opened"
                );
                return Decided::Declined(Declined::Incident);
            }
        };
        let ticket = new.opening.ticket;
        let mut change = Change::opening(opened, new.review.clone());
        change.personal.push(new.personal.clone());
        let receipt = receipt(&change, 1, moment.at, None);
        remember(&mut change, work, 1);
        self.tickets.insert(ticket, Ok(change));
        self.opened.insert(name, (ticket, new.content.clone()));
        Decided::Changed { ticket, ticket_no: None, receipt, replayed: false, shows: true }
    }

    fn command(&mut self, inner: &Inner, work: &Work, at: Instant) -> Decided {
        let ticket = work.ticket();
        // Time works up to what has settled; whoever acts is taken when he came.
        let until = match work.request.task {
            Task::Advance { .. } => order::settled_until(at, inner.clock.settle_ms()),
            _ => work.request.arrived_at,
        };
        let moment = Moment { at: until, recorded_at: at };
        let fault = self.fault(work);
        let Some(found) = self.tickets.get_mut(&ticket) else {
            return Decided::Declined(Declined::NoSuchTicket);
        };
        let change = match found {
            Ok(change) => change,
            Err(error) => {
                let error = error.clone();
                self.incident(work, "unreadable", error.to_string(), moment);
                return Decided::Declined(Declined::Incident);
            }
        };
        let (command, personal) = match command(inner, &change.instance, work) {
            Ok(command) => command,
            Err(refusal) => return self.refused(refusal, work, moment),
        };
        let decided =
            guarded(|| decide(inner.knowledge.context(), &change.instance, &command, moment));
        let fired_until = match &decided {
            Ok(decision) => decision.fired_until,
            Err(refusal) => refusal.fired_until,
        };
        let settles = order::settles_at(fired_until, at, inner.clock.settle_ms());
        if let Some(settled) = settles {
            return Decided::Wait(settled);
        }
        let decision = match decided {
            Ok(decision) => decision.into_owned(),
            Err(refusal) => return self.refused(refusal, work, moment),
        };
        if let Some(fault) = fault {
            return Decided::Declined(Rejection::Form(vec![fault]).into());
        }
        let is_act = |fact: &Fact| matches!(fact, Fact::Acted(_) | Fact::Disclosed(_));
        let acted = decision.events.iter().rfind(|event| is_act(&event.fact));
        let acted = acted.map(|event| (event.seq, event.at, event.arrived_at));
        let had_events = !decision.events.is_empty();
        if had_events {
            change.absorb(decision);
        }
        change.personal.extend(personal);
        let receipt = acted.and_then(|(seq, at, arrived)| receipt(change, seq, at, arrived));
        if let Some((seq, _, _)) = acted {
            remember(change, work, seq);
        }
        let ticket_no = change.loaded().map(|loaded| loaded.ticket_no.clone());
        let shows = matches!(command, Command::Act(_) | Command::Disclose(_));
        Decided::Changed { ticket, ticket_no, receipt, replayed: false, shows }
    }

    /// What is known against a form beyond the core; of another ticket, as it is now.
    fn fault(&self, work: &Work) -> Option<FieldFault> {
        let Task::Act { fault, .. } = &work.request.task else { return None };
        let original = work.original().filter(|original| {
            let other = self.tickets.get(&original.ticket).and_then(|one| one.as_ref().ok());
            other.is_some_and(|other| other.instance.outcome == Some(Outcome::Duplicate))
        });
        fault.clone().or_else(|| original.map(|original| original.fault.clone()))
    }

    fn refused(&mut self, refusal: Refusal, work: &Work, moment: Moment) -> Decided {
        if let Rejection::Overtaken { arrived_at } = refusal.rejection {
            return Decided::Declined(Declined::Overtaken { arrived_at });
        }
        if refusal.blame() == Blame::Caller {
            return Decided::Declined(refusal.rejection.into());
        }
        let code = refusal.rejection.code();
        self.incident(work, code, refusal.rejection.to_string(), moment);
        Decided::Declined(Declined::Incident)
    }

    /// Once for each ticket and batch, and only where time is stopped: a person who asks is told.
    fn incident(&mut self, work: &Work, code: &str, message: String, moment: Moment) {
        let ticket = work.ticket();
        tracing::error!(ticket.id = %ticket, incident.code = code, "a ticket cannot be decided on");
        let is_noted = self.incidents.iter().any(|one| one.ticket == ticket);
        if !work.is_of_time() || is_noted {
            return;
        }
        let change = self.tickets.get(&ticket).and_then(|one| one.as_ref().ok());
        self.incidents.push(NewIncident {
            ticket,
            command: work.command().to_owned(),
            code: code.to_owned(),
            message,
            seq: change.map_or(0, |change| change.instance.seq),
            at: moment.recorded_at,
            arrived_at: moment.at,
            known_on: work.known_on(),
        });
    }
}

/// The command of a piece of work, with the private part of its form sealed under a fresh key.
fn command(
    inner: &Inner,
    instance: &Instance,
    work: &Work,
) -> Result<(Command, Option<PersonalRow>), Refusal> {
    let (action, actor, form, revision) = match &work.request.task {
        Task::Act { action, actor, form, revision, .. } => (action, actor, form, revision),
        Task::Disclose { disclose, .. } => {
            return Ok((Command::Disclose(disclose.clone()), None));
        }
        Task::Recompute { known_on, .. } => {
            return Ok((Command::Recompute { known_on: *known_on }, None));
        }
        Task::Advance { .. } | Task::Open(_) => return Ok((Command::Advance, None)),
    };
    let definition = inner.knowledge.context().definition(instance)?;
    let private = definition.split_form(action.as_str(), form).1;
    let personal = private.map(|private| PersonalRow {
        reference: crypto::identity().to_string().into(),
        key: crypto::key(),
        body: private.to_string().into_bytes(),
    });
    let sealed = personal.as_ref().map(|row| Sealed {
        reference: row.reference.clone(),
        commitment: Digest::commitment(&row.key, &row.body),
    });
    let act = Act {
        action: action.clone(),
        actor: actor.clone(),
        form: form.clone(),
        sealed,
        revision: *revision,
    };
    Ok((Command::Act(act), personal))
}

/// A fault of the program on one ticket is an incident of that ticket and no end of the service.
fn guarded<'d>(
    decide: impl FnOnce() -> Result<Decision<'d>, Refusal>,
) -> Result<Decision<'d>, Refusal> {
    let fault = Refusal { rejection: Rejection::Fault, fired_until: None, by_time: true };
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or(Err(fault))
}

fn receipt(change: &Change, seq: u64, at: Instant, arrived_at: Option<Instant>) -> Option<Receipt> {
    let event = change.events.iter().find(|event| event.seq == seq)?;
    Some(Receipt { seq, hash: event.hash, at, arrived_at })
}

fn remember(change: &mut Change, work: &Work, seq: u64) {
    let Some(keyed) = &work.request.key else { return };
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let row = remembered(keyed, Some(change.ticket().0), seq);
    change.remembered.push(Remembered { status: keyed.status, ..row });
}
