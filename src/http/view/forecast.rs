//! What is to come, as callers see it. Must never show a role what the definition hides from it.

use duban_core::definition::Definition;
use duban_core::event::{Event, Fact};
use duban_core::instance::Instance;
use duban_core::message::Message;
use duban_core::role::Role;
use duban_core::simulate::{Coming, describe};
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

/// What will happen on a ticket if nobody acts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ForecastView {
    #[schema(example = "HCP20260304000127-5")]
    pub(crate) ticket_no: String,
    /// When it was worked out.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Instant,
    /// In the order in which it will happen.
    pub(crate) coming: Vec<ComingView>,
    /// False where more would follow than one forecast tells.
    pub(crate) complete: bool,
}

/// Something that will happen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComingView {
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// The kind of the event that it will be.
    #[schema(example = "rung_fired")]
    kind: String,
    #[schema(example = "contact")]
    deadline: Option<String>,
    /// Counts the starts of this deadline.
    run: Option<u16>,
    #[schema(example = "-1wd")]
    rung: Option<String>,
    /// The card that will be issued: `yellow_card` or `red_card`.
    card: Option<String>,
    /// The step that the ticket will be in.
    step: Option<String>,
    /// The same as a sentence.
    text: String,
    /// Who will be told.
    told: Vec<ToldView>,
}

/// Somebody who will be told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToldView {
    #[schema(example = "agency")]
    to: String,
    #[schema(example = "承办单位")]
    title: String,
    /// Which agency it concerns.
    agency: Option<String>,
}

impl ComingView {
    /// What a role sees of an instant to come; the ticket is as it was just before.
    pub(crate) fn of(
        coming: &Coming,
        before: &Instance,
        definition: &Definition,
        role: Role,
    ) -> Vec<Self> {
        let hides = |event: &&Event| {
            let deadline = event.fact.deadline();
            deadline.is_some_and(|(name, _)| definition.hides(name.as_str(), role))
        };
        let shown = coming.events.iter().filter(|event| !hides(event));
        shown.map(|event| Self::new(event, before, definition, &coming.messages)).collect()
    }

    fn new(
        event: &Event,
        before: &Instance,
        definition: &Definition,
        messages: &[Message],
    ) -> Self {
        let (rung, card) = match &event.fact {
            Fact::RungFired(fired) => (Some(fired.rung), fired.card),
            Fact::RungWithheld(fired) => (Some(fired.rung), None),
            _ => (None, None),
        };
        let step = match &event.fact {
            Fact::Moved(moved) => moved.change.step.as_ref(),
            _ => None,
        };
        let told = messages.iter().filter(|one| one.seq == event.seq).map(|message| ToldView {
            to: message.to.word().to_owned(),
            title: message.to.title().to_owned(),
            agency: message.agency.as_ref().map(ToString::to_string),
        });
        Self {
            at: event.at,
            kind: event.fact.kind().0.to_owned(),
            deadline: event.fact.deadline().map(|(name, _)| name.to_string()),
            run: event.fact.deadline().map(|(_, run)| run),
            rung: rung.map(|rung| rung.to_string()),
            card: card.map(|card| card.word().to_owned()),
            step: step.map(|step| step.to.to_string()),
            text: describe(definition, &before.flags, event),
            told: told.collect(),
        }
    }
}
