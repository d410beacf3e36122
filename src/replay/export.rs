//! A decision out of a database: which events came of one command, and what it looked at. Must never
//! take anything of the personal data along.

use std::collections::{BTreeMap, BTreeSet};

use duban_core::deadline::LedgerReason;
use duban_core::definition::Pin;
use duban_core::event::{Event, Fact};
use duban_core::limits::EVENTS_MAX;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};

use super::again::{Again, ReplayError, decide_again};
use super::{Asked, DecisionFile, DefinitionText, Expected, FORMAT};
use crate::catalog::{CatalogError, Source, calendars, workflows};
use crate::store::{
    ADVANCE, NewIncident, RECOMPUTE, Recorded, Store, StoreError, StoredDefinition,
};

/// What a house decides with, besides what stands in its database.
#[derive(Clone, Debug)]
pub struct House {
    /// Its calendars.
    pub calendars: Source,
    /// Its workflows, for their legal texts.
    pub workflows: Source,
    /// The agencies that are the hotline itself.
    pub hotline_agencies: BTreeSet<Name>,
}

/// Why a decision cannot be taken away.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Calendars or legal texts.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The ticket has no such event.
    #[error("这件工单没有第 {0} 号记录")]
    NoEvent(u64),
    /// The order of commits does not know of it.
    #[error("第 {0} 号记录不在任何一次提交之中；请以 duban audit verify 查明")]
    NoCommit(u64),
    /// What was tried is not known: its form was never stored.
    #[error(
        "这个异常是办理动作时发生的，表单不保存，无法导出；请以 --ticket、--seq 导出其前的办理"
    )]
    NoForm,
    /// There is no history to decide on.
    #[error("这个异常是记录本身无法读取，没有可以重演的办理；请以 duban audit verify 查明")]
    Unreadable,
    /// Cannot be decided at all.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// The decision by which an event came into a ticket's history, and what deciding again comes to
/// here and now: what was not installed yet at that time may make a difference.
///
/// # Errors
/// [`ExportError`].
pub async fn of_event(
    store: &Store,
    house: &House,
    ticket: TicketId,
    seq: u64,
) -> Result<(DecisionFile, Again), ExportError> {
    let recorded = store.history(ticket, 0, EVENTS_MAX).await?;
    let events: Vec<Event> =
        recorded.iter().map(Recorded::event).collect::<Result<_, StoreError>>()?;
    let place = events.iter().position(|event| event.seq == seq);
    let place = place.ok_or(ExportError::NoEvent(seq))?;
    let definitions = store.definitions().await?;
    // A commit may hold several decisions on one ticket: where one of them ends is known by deciding.
    let commit = store.commit_at(recorded[place].position).await?;
    let commit = commit.ok_or(ExportError::NoCommit(seq))?;
    let is_within =
        |one: &&Recorded| (commit.first_position..=commit.last_position).contains(&one.position);
    let first = recorded.iter().take(place).rev().take_while(is_within).count();
    let last = place + recorded[place..].iter().take_while(is_within).count();
    let mut from = place - first;
    loop {
        let part = &events[from..last];
        let (command, arrived_at) = asked(part);
        let mut file = whole(house, &recorded[..from], command)?;
        file.definitions = needed(&definitions, &events[..from], part);
        (file.arrived_at, file.recorded_at) = (arrived_at, events[place].recorded_at);
        file.expected = Expected::Events(recorded[from..last].iter().map(text).collect());
        let again = decide_again(&file)?;
        let (end, again) = match again {
            // Only what somebody did can be another decision.
            Again::Differs { place: other, expected: Some(_), found: None }
                if other > 1
                    && events[from + other - 1..last]
                        .iter()
                        .any(|one| by_somebody(one).is_some()) =>
            {
                (from + other - 1, Again::Same(other - 1))
            }
            again => (last, again),
        };
        if place < end {
            file.expected = Expected::Events(recorded[from..end].iter().map(text).collect());
            return Ok((file, again));
        }
        from = end;
    }
}

/// What could not be decided.
///
/// # Errors
/// [`ExportError`].
pub async fn of_incident(
    store: &Store,
    house: &House,
    incident: &NewIncident,
) -> Result<(DecisionFile, Again), ExportError> {
    if incident.code == "unreadable" {
        return Err(ExportError::Unreadable);
    }
    let recorded = store.history(incident.ticket, 0, incident.seq).await?;
    let command = match incident.command.as_str() {
        ADVANCE => Asked::Advance,
        RECOMPUTE => {
            let calendar = calendars::calendar(&house.calendars)?;
            let today = calendar.zone().day_of(incident.at);
            Asked::Recompute { known_on: incident.known_on.unwrap_or(today) }
        }
        _ => return Err(ExportError::NoForm),
    };
    let mut file = whole(house, &recorded, command)?;
    let events: Vec<Event> =
        recorded.iter().map(Recorded::event).collect::<Result<_, StoreError>>()?;
    file.definitions = needed(&store.definitions().await?, &events, &[]);
    (file.arrived_at, file.recorded_at) = (incident.arrived_at, incident.at);
    file.expected = Expected::Rejected { code: incident.code.clone() };
    let again = decide_again(&file)?;
    Ok((file, again))
}

/// A file with what is the same for every decision.
fn whole(house: &House, before: &[Recorded], command: Asked) -> Result<DecisionFile, ExportError> {
    let never = Instant::from_ms(0);
    Ok(DecisionFile {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        arrived_at: never,
        recorded_at: never,
        expected: Expected::Events(Vec::new()),
        history: before.iter().map(text).collect(),
        hotline_agencies: house.hotline_agencies.clone(),
        definitions: Vec::new(),
        basis: workflows::basis_files(&house.workflows)?,
        calendar: calendars::files(&house.calendars)?,
    })
}

fn text(event: &Recorded) -> String {
    String::from_utf8_lossy(&event.bytes).into_owned()
}

/// What was asked for, by what came of it, and when: what somebody did, or a recomputation, or else
/// time, up to when it was worked off.
fn asked(events: &[Event]) -> (Asked, Instant) {
    let stamp = |event: &Event| event.arrived_at.unwrap_or(event.at);
    if let Some((command, event)) = events.iter().find_map(|one| Some((by_somebody(one)?, one))) {
        return (command, stamp(event));
    }
    if let Some((known_on, event)) = events.iter().find_map(|one| Some((published(one)?, one))) {
        return (Asked::Recompute { known_on }, stamp(event));
    }
    let last = events.iter().map(|event| event.at).max();
    (Asked::Advance, last.unwrap_or_else(|| Instant::from_ms(0)))
}

fn by_somebody(event: &Event) -> Option<Asked> {
    let subject = event.actor.clone();
    match &event.fact {
        Fact::Opened(opened) => Some(Asked::Open { subject, opened: opened.clone() }),
        Fact::Acted(acted) => {
            let acted = acted.as_ref().clone();
            let (role, agency, action) = (acted.role, acted.agency, acted.action);
            let (form, sealed) = (acted.form, acted.sealed);
            Some(Asked::Act { subject, role, agency, action, form, sealed })
        }
        Fact::Disclosed(one) => {
            let (role, agency, purpose) = (one.role, one.agency.clone(), one.purpose);
            Some(Asked::Disclose { subject, role, agency, purpose })
        }
        _ => None,
    }
}

/// The day of the publication by which a due date was computed anew.
fn published(event: &Event) -> Option<Day> {
    match &event.fact {
        Fact::DeadlineMoved(moved) if moved.reason == LedgerReason::Calendar => {
            moved.schedule.known_on
        }
        _ => None,
    }
}

/// The definitions that a decision looks at: the one that the ticket is pinned to, and those that
/// come into its events.
fn needed(all: &[StoredDefinition], before: &[Event], events: &[Event]) -> Vec<DefinitionText> {
    let pin = |event: &Event| match &event.fact {
        Fact::Opened(opened) => Some(opened.definition.clone()),
        Fact::Reclassified(one) => Some(one.definition.clone()),
        _ => None,
    };
    let pinned = before.iter().rev().find_map(pin);
    let pins: Vec<Pin> = pinned.into_iter().chain(events.iter().filter_map(pin)).collect();
    let is_needed = |one: &&StoredDefinition| pins.iter().any(|pin| pin.hash == one.hash);
    let texts = all.iter().filter(is_needed).map(|one| DefinitionText {
        name: one.name.clone(),
        version: one.version,
        text: one.text.clone(),
        forms: one.forms.iter().cloned().collect::<BTreeMap<_, _>>(),
    });
    texts.collect()
}
