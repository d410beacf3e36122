//! What the program decided and what it shows of a ticket, in the words that the oracle uses as
//! well. Must never leave out anything that a rule decides; when
//! an event was recorded is watched by `apply` alone.

use duban_core::calendar::{Calendar, Certainty};
use duban_core::deadline::{Card, LedgerEntry, Light, Run, Schedule};
use duban_core::decide::Decision;
use duban_core::definition::{Definition, Finding, Outcome};
use duban_core::event::{Event, ExtensionChange, Fact, OutcomeChange, RunRef, TicketChange};
use duban_core::instance::Instance;
use duban_core::message::{About, Message};
use duban_core::name::Name;
use duban_core::reason::{EndReason, RevokeReason};
use duban_core::role::Party;
use duban_core::time::{Day, Instant};

use crate::view::{CardView, Commit, RunView, RungView, View};

/// A decision, a line for each event and message.
pub(crate) fn commit(decision: &Decision<'_>) -> Commit {
    Commit {
        events: decision.events.iter().map(event).collect(),
        messages: decision.messages.iter().map(message).collect(),
        fired_until: decision.fired_until.map(Instant::ms),
    }
}

fn or_none<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn listed<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn event(event: &Event) -> String {
    let arrived = event.arrived_at.map_or_else(String::new, |at| format!(" arrived {}", at.ms()));
    format!("{} {}{arrived} {}: {}", event.seq, event.at.ms(), event.actor, fact(&event.fact))
}

fn fact(fact: &Fact) -> String {
    let of = |run: &RunRef| format!("{} {}", run.deadline, run.run);
    match fact {
        Fact::Opened(one) => {
            let (class, step, flags) = (&one.class, &one.step, &one.flags);
            format!("opened {class} {step} reviewed {} {flags:?}", one.reviewed_at.ms())
        }
        Fact::Acted(one) => {
            let form = serde_json::to_value(&one.form).expect("JSON");
            format!(
                "acted {} {} {} {form} sealed {}; {}",
                one.action,
                one.role,
                or_none(one.agency.as_ref()),
                one.sealed.is_some(),
                change(&one.change)
            )
        }
        Fact::Moved(one) => format!("moved; {}", change(&one.change)),
        Fact::Reclassified(one) => format!("reclassified {} {}", one.class, one.definition.name),
        Fact::DeadlineStarted(one) => format!(
            "started {} {} {} {} {} {} from {} {}",
            one.deadline,
            one.run,
            one.kind,
            one.party,
            or_none(one.agency.as_ref()),
            one.within,
            one.starts_at.ms(),
            schedule(&one.schedule)
        ),
        Fact::DeadlineMet(one) => format!("met {} late {}", of(&one.run), one.late),
        Fact::DeadlineReopened(one) => {
            let over = listed(&one.passed_over);
            format!("reopened {} held {} over [{over}]", of(&one.run), one.held_from.ms())
        }
        Fact::DeadlineResumed(one) => {
            let over = listed(&one.passed_over);
            format!("resumed {} held {} over [{over}]", of(&one.run), one.held_from.ms())
        }
        Fact::DeadlineLapsed(one) => {
            format!("lapsed {} {}", of(&one.run), or_none(one.raised.as_ref()))
        }
        Fact::DeadlineCancelled(one) => format!("cancelled {} {}", of(&one.run), one.reason),
        Fact::DeadlineMoved(one) => format!(
            "changed {}.{} {} from {} within {} {}",
            of(&one.run),
            one.generation,
            one.reason,
            one.from_due_at.ms(),
            or_none(one.within.as_ref()),
            schedule(&one.schedule)
        ),
        Fact::RungFired(one) | Fact::RungWithheld(one) => format!(
            "{} {}.{} {} {} {}",
            if matches!(fact, Fact::RungFired(_)) { "rung" } else { "withheld" },
            of(&one.run),
            one.generation,
            one.rung,
            or_none(one.card.as_ref()),
            or_none(one.notice.as_ref())
        ),
        Fact::CardRevoked(one) => format!("revoked {} {}", one.card, one.reason),
        Fact::CardContested(one) => format!("contested {}", one.card),
        Fact::CardUpheld(one) => format!("upheld {}", one.card),
        Fact::Disclosed(one) => format!("disclosed {} {}", one.role, one.purpose),
    }
}

fn change(change: &TicketChange) -> String {
    let next = change.step.as_ref().map_or_else(
        || "-".to_owned(),
        |step| {
            let back = if step.back { " back" } else { "" };
            format!("{}>{} {}{back}", step.from, step.to, step.status)
        },
    );
    let marks = change.marks.iter().map(|mark| format!("{}@{}", mark.tally, mark.at.ms()));
    let extension = change.extension.as_ref().map_or("-".to_owned(), |one| match one {
        ExtensionChange::Requested { until, .. } => format!("until {until}"),
        ExtensionChange::Decided { granted: true, .. } => "granted".to_owned(),
        ExtensionChange::Decided { granted: false, .. } => "refused".to_owned(),
    });
    format!(
        "{:?} {next} assigned {} released {} finding {} outcome {} flags {:?} off {:?} reset {:?} marks [{}] extension {extension}",
        change.raised,
        or_none(change.assigned.as_ref()),
        or_none(change.released.as_ref()),
        or_none(change.finding.as_ref()),
        change.outcome.map_or("-", |one| match one {
            OutcomeChange::Named(outcome) => outcome.word(),
            OutcomeChange::Cleared => "cleared",
        }),
        change.flagged,
        change.unflagged,
        change.tallies_reset,
        marks.collect::<Vec<_>>().join(" "),
    )
}

fn schedule(schedule: &Schedule) -> String {
    let rungs = schedule.rungs.iter().map(|rung| {
        let guessed = if rung.estimated { "~" } else { "" };
        format!("{}@{}{guessed}", rung.rung, rung.at.ms())
    });
    format!(
        "due {} yellow {} {} {:?} known {:?} rungs [{}]",
        schedule.due_at.ms(),
        schedule.yellow_at.ms(),
        certainty(schedule.certainty),
        schedule.missing_years,
        schedule.known_on.map(Day::number),
        rungs.collect::<Vec<_>>().join(" ")
    )
}

fn message(message: &Message) -> String {
    let about = match &message.about {
        About::Event { event } => format!("event {event}"),
        About::Rung { run, generation, rung, card, notice } => format!(
            "rung {} {}.{generation} {rung} {} {}",
            run.deadline,
            run.run,
            or_none(card.as_ref()),
            or_none(notice.as_ref())
        ),
        About::Card { card, state } => format!("card {card} {state}"),
    };
    let Message { seq, nth, kind, to, agency, .. } = message;
    format!("{seq}.{nth} {kind} {to} {} {about}", or_none(agency.as_ref()))
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Firm => "firm",
        Certainty::Provisional => "provisional",
        Certainty::Estimated => "estimated",
    }
}

/// What can be seen of a ticket.
pub(crate) fn view<'i>(
    instance: &'i Instance,
    definition: &Definition,
    calendar: &Calendar,
    probes: &[i64],
) -> View<'i> {
    let probes: Vec<Instant> = probes.iter().map(|at| Instant::from_ms(*at)).collect();
    let mut tallies: Vec<String> = Vec::new();
    for (tally, marks) in &instance.tallies {
        let said = marks
            .iter()
            .map(|mark| format!("{tally} {} {}", or_none(mark.agency.as_ref()), mark.at.ms()));
        tallies.extend(said);
    }
    tallies.sort();
    View {
        class: instance.class.as_str(),
        workflow: instance.definition.name.as_str(),
        step: instance.step.as_str(),
        status: instance.status.word(),
        awaits: instance.awaits(definition).map(Party::word),
        agency: instance.agency.as_ref().map(Name::as_str),
        flags: instance.flags.iter().map(Name::as_str).collect(),
        finding: instance.finding.map(Finding::word),
        outcome: instance.outcome.map(Outcome::word),
        revision: instance.revision,
        tallies,
        next_wake: instance.next_wake().map(Instant::ms),
        lights: probes.iter().map(|at| instance.light_at(*at).map(Light::word)).collect(),
        hotline_lights: probes
            .iter()
            .map(|at| instance.hotline_light_at(*at).map(Light::word))
            .collect(),
        cards: instance.cards.iter().map(card).collect(),
        runs: instance.runs.iter().map(|one| run(one, calendar, &probes)).collect(),
    }
}

fn card(card: &Card) -> CardView<'_> {
    CardView {
        id: card.id.as_str(),
        kind: card.kind.word(),
        party: card.party.word(),
        agency: card.agency.as_ref().map(Name::as_str),
        state: card.state.word(),
        is_upheld: card.upheld,
        revoked: card.revoked.as_ref().map(RevokeReason::word),
        due_at: card.due_at.ms(),
        fired_at: card.fired_at.ms(),
    }
}

fn run<'r>(run: &'r Run, calendar: &Calendar, probes: &[Instant]) -> RunView<'r> {
    let mut rungs: Vec<RungView> = Vec::new();
    for rung in &run.rungs {
        let (name, at, state) = (rung.rung.to_string(), rung.at.ms(), rung.state.word());
        rungs.push(RungView { name, at, state });
    }
    rungs.sort_by(|a, b| a.name.cmp(&b.name));
    let left = |at: &Instant| {
        let today = calendar.zone().day_of(*at);
        let left = run.remaining_working_days(calendar.known_at(*at), today);
        left.map(|days| days as usize)
    };
    RunView {
        deadline: run.deadline.as_str(),
        run: run.run.into(),
        generation: run.generation.into(),
        order: run.order.into(),
        party: run.party.word(),
        agency: run.agency.as_ref().map(Name::as_str),
        within: run.within.to_string(),
        state: run.state.word(),
        cancelled: run.cancelled.as_ref().map(EndReason::word),
        starts_at: run.starts_at.ms(),
        due_at: run.due_at.ms(),
        original_due_at: run.original_due_at.ms(),
        yellow_at: run.yellow_at.ms(),
        certainty: certainty(run.certainty),
        missing_years: run.missing_years.iter().map(|year| i64::from(*year)).collect(),
        ended_at: run.ended_at.map(Instant::ms),
        left: probes.iter().map(left).collect(),
        ledger: run.ledger.iter().map(entry).collect(),
        rungs,
    }
}

fn entry(entry: &LedgerEntry) -> String {
    let held = entry.held_from.map(Instant::ms);
    let LedgerEntry { reason, at, from, to, .. } = entry;
    format!("{reason} {} {} {} held {held:?}", at.ms(), from.ms(), to.ms())
}
