//! Deadlines and cards as callers see them. Must never show a role what the definition hides from
//! it.

use duban_core::calendar::Calendar;
use duban_core::deadline::{Card, Run};
use duban_core::definition::{Definition, Kind};
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

/// A deadline of a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadlineView {
    #[schema(example = "completion")]
    name: String,
    #[schema(example = "办结反馈")]
    title: String,
    /// `obligation`, `window` or `indicator`.
    kind: String,
    /// Who is charged.
    party: String,
    /// The agency that is charged, where it is one.
    agency: Option<String>,
    /// Articles and local rules.
    basis: Vec<String>,
    /// Counts the starts of this deadline.
    run: u16,
    /// `running`, `met`, `met_late`, `lapsed` or `cancelled`.
    state: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    /// The exclusive end: an action at this instant is late.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    original_due_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    met_at: Option<Instant>,
    /// `firm`, `provisional` or `estimated`.
    certainty: String,
    /// Years without a notice.
    missing_years: Vec<i32>,
    /// `green`, `yellow` or `red`; of running obligations only.
    light: Option<String>,
    /// Of deadlines in working days only: how many it has, extensions included.
    working_days: Option<u32>,
    /// Of these, how many are left.
    remaining_working_days: Option<u32>,
    /// Of one that runs on after its end: the working days since, today included.
    overdue_working_days: Option<u32>,
    next_rung: Option<RungView>,
}

/// What comes next on a ladder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RungView {
    #[schema(example = "-1wd")]
    rung: String,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

/// A card.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CardView {
    #[schema(example = "contact.1.0.end")]
    id: String,
    /// `yellow_card` or `red_card`.
    kind: String,
    deadline: String,
    run: u16,
    rung: String,
    party: String,
    agency: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    fired_at: Instant,
    basis: Vec<String>,
    /// `issued`, `contested` or `revoked`.
    state: String,
}

impl DeadlineView {
    pub(crate) fn new(
        run: &Run,
        definition: &Definition,
        calendar: &Calendar,
        at: Instant,
    ) -> Self {
        let rule = definition.deadline(run.deadline.as_str());
        let edition = calendar.known_at(at);
        let (today, first) = (calendar.zone().day_of(at), calendar.zone().day_of(run.starts_at));
        let is_owed = run.kind == Kind::Obligation;
        Self {
            name: run.deadline.to_string(),
            title: rule.map(|rule| rule.title.clone()).unwrap_or_default(),
            kind: run.kind.word().to_owned(),
            party: run.party.word().to_owned(),
            agency: run.agency.as_ref().map(ToString::to_string),
            basis: basis(definition, run.deadline.as_str()),
            run: run.run,
            state: run.state.word().to_owned(),
            starts_at: run.starts_at,
            due_at: run.due_at,
            original_due_at: run.original_due_at,
            met_at: run.met_at(),
            certainty: run.certainty.word().to_owned(),
            missing_years: run.missing_years.clone(),
            light: run.light_at(at).filter(|_| is_owed).map(|light| light.word().to_owned()),
            working_days: run.remaining_working_days(edition, first),
            remaining_working_days: run.remaining_working_days(edition, today),
            overdue_working_days: run.overdue_working_days(edition, at),
            next_rung: run
                .next_rung()
                .map(|rung| RungView { rung: rung.rung.to_string(), at: rung.at }),
        }
    }
}

impl CardView {
    pub(crate) fn new(card: &Card, definition: &Definition) -> Self {
        Self {
            id: card.id.to_string(),
            kind: card.kind.word().to_owned(),
            deadline: card.deadline.to_string(),
            run: card.run,
            rung: card.rung.to_string(),
            party: card.party.word().to_owned(),
            agency: card.agency.as_ref().map(ToString::to_string),
            due_at: card.due_at,
            fired_at: card.fired_at,
            basis: basis(definition, card.deadline.as_str()),
            state: card.state.word().to_owned(),
        }
    }
}

fn basis(definition: &Definition, deadline: &str) -> Vec<String> {
    let rule = definition.deadline(deadline);
    rule.map(|rule| rule.basis.iter().map(ToString::to_string).collect()).unwrap_or_default()
}
