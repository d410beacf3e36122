//! The program's ticket in the words that the oracle fills in as well.

use duban_core::calendar::Certainty;
use duban_core::deadline::{Card, Light, Run};
use duban_core::definition::{Finding, Outcome};
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::time::Instant;

use crate::view::{CardView, RunView, RungView, View};

/// What can be seen of a ticket.
pub(crate) fn view<'i>(instance: &'i Instance, probes: &[i64]) -> View<'i> {
    let light = |at: &i64| instance.light_at(Instant::from_ms(*at)).map(Light::word);
    View {
        class: instance.class.as_str(),
        step: instance.step.as_str(),
        status: instance.status.word(),
        agency: instance.agency.as_ref().map(Name::as_str),
        flags: instance.flags.iter().map(Name::as_str).collect(),
        finding: instance.finding.map(Finding::word),
        outcome: instance.outcome.map(Outcome::word),
        next_wake: instance.next_wake().map(Instant::ms),
        lights: probes.iter().map(light).collect(),
        cards: instance.cards.iter().map(card).collect(),
        runs: instance.runs.iter().map(run).collect(),
    }
}

fn card(card: &Card) -> CardView<'_> {
    CardView {
        id: card.id.as_str(),
        kind: card.kind.word(),
        agency: card.agency.as_ref().map(Name::as_str),
        state: card.state.word(),
        revoked: card.revoked.as_ref().map(Name::as_str),
        due_at: card.due_at.ms(),
        fired_at: card.fired_at.ms(),
    }
}

fn run(run: &Run) -> RunView<'_> {
    let mut rungs: Vec<RungView<'_>> = Vec::new();
    for rung in &run.rungs {
        let (name, at, state) = (rung.name.as_str(), rung.at.ms(), rung.state.word());
        rungs.push(RungView { name, at, state });
    }
    rungs.sort_by_key(|rung| rung.name);
    RunView {
        deadline: run.deadline.as_str(),
        run: run.run,
        generation: run.generation,
        agency: run.agency.as_ref().map(Name::as_str),
        state: run.state.word(),
        cancelled: run.cancelled.as_ref().map(Name::as_str),
        starts_at: run.starts_at.ms(),
        due_at: run.due_at.ms(),
        original_due_at: run.original_due_at.ms(),
        yellow_at: run.yellow_at.ms(),
        certainty: match run.certainty {
            Certainty::Firm => "firm",
            Certainty::Provisional => "provisional",
            Certainty::Estimated => "estimated",
        },
        missing_years: run.missing_years.iter().map(|year| i64::from(*year)).collect(),
        ended_at: run.ended_at.map(Instant::ms),
        rungs,
    }
}
