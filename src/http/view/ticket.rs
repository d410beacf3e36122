//! A ticket as a caller sees it: whole, or, for an agency that no longer has it, its own part as it
//! was when it last gave the ticket back. Whoever has a ticket sees all of its life, that with other
//! agencies too: the chain is one. Must never show an agency a ticket that it never had.

use std::sync::Arc;

use duban_core::definition::Definition;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::deadline::{CardView, DeadlineView};
use crate::engine::Receipt;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::document::ReviewCodes;
use crate::http::policy::Mask;
use crate::http::problem::Problem;
use crate::http::sight::{Seen, Sight};
use crate::masking;
use crate::store::{Loaded, StoreError, relived};

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketView {
    #[schema(example = "HCP20260304000127-5")]
    ticket_no: String,
    /// Grows with step, agency, finding and due dates; the `ETag`.
    revision: u32,
    workflow: WorkflowRef,
    class: String,
    step: String,
    step_title: String,
    /// `open`, `closed` or `archived`.
    status: String,
    /// The worst of the agency's running obligations.
    light: Option<String>,
    /// The worst of those of hotline and approver.
    hotline_light: Option<String>,
    agency: Option<String>,
    agency_name: Option<String>,
    district: Option<String>,
    flags: Vec<String>,
    finding: Option<String>,
    outcome: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Instant,
    deadlines: Vec<DeadlineView>,
    cards: Vec<CardView>,
    /// The review's codes, and its comment without what names somebody.
    #[schema(value_type = Option<ReviewCodes>)]
    review: Option<Value>,
    /// Masked; none where nobody gave a name, or the caller may not know.
    reviewer: Option<ReviewerView>,
    /// False while something that is due has not settled yet.
    settled: bool,
    /// Whether an incident keeps time from moving it on.
    incident: bool,
    /// Of the action that this answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptView>,
}

/// The workflow that rules a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkflowRef {
    name: String,
    version: u32,
}

/// Who rated, masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewerView {
    #[schema(example = "张*三")]
    name: Option<String>,
    #[schema(example = "199****0001")]
    phone: Option<String>,
    #[schema(example = "440***********1234")]
    id_no: Option<String>,
}

/// Shows when and how an action was taken into history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptView {
    seq: u64,
    hash: String,
    /// When it took effect.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// When the request arrived, where that was before it took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Instant>,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        let Receipt { seq, hash, at, arrived_at } = receipt;
        Self { seq, hash: hash.to_string(), at, arrived_at }
    }
}

impl Api {
    /// A ticket as a caller sees it.
    pub(crate) async fn view(&self, caller: &Caller, seen: Seen) -> Result<TicketView, Problem> {
        let Seen { id, loaded, sight } = seen;
        let shown = match sight {
            Sight::Whole => Arc::clone(&loaded.instance),
            Sight::Former { until } => {
                let events = self.engine.store().events_until(id, until).await?;
                Arc::new(own_part(caller, &events, until, &loaded.instance)?)
            }
        };
        let at = self.engine.clock().now();
        let mut view = self.of_instance(caller, &loaded.ticket_no, &shown, at)?;
        view.incident = loaded.is_held();
        if sight == Sight::Whole {
            (view.review, view.reviewer) = self.review(caller.mask(), id).await?;
        }
        Ok(view)
    }

    /// The same as it stood at an instant of the past: what had taken effect by then, in the lights
    /// of that instant, and no further than the caller sees now.
    ///
    /// # Errors
    /// An instant that has not come yet, or at which there was no such ticket.
    pub(crate) async fn view_as_of(
        &self,
        caller: &Caller,
        seen: Seen,
        at: Instant,
    ) -> Result<TicketView, Problem> {
        let (now, settle_ms) = (self.engine.clock().now(), self.engine.clock().settle_ms());
        let was = self.was(caller, &seen, at).await?;
        let Seen { id, loaded, sight } = seen;
        let mut view = self.of_instance(caller, &loaded.ticket_no, &was, at)?;
        view.settled &= at.plus_ms(settle_ms) <= now;
        if sight == Sight::Whole {
            (view.review, view.reviewer) = self.review(caller.mask(), id).await?;
        }
        Ok(view)
    }

    /// A ticket as it stood at an instant of the past, no further than the caller sees now.
    ///
    /// # Errors
    /// An instant that has not come yet, or at which there was no such ticket.
    pub(crate) async fn was(
        &self,
        caller: &Caller,
        seen: &Seen,
        at: Instant,
    ) -> Result<Instance, Problem> {
        if at > self.engine.clock().now() {
            return Err(Problem::field("as_of", "不能晚于现在"));
        }
        let events = self.engine.store().events_until(seen.id, seen.loaded.instance.seq).await?;
        let before = events.partition_point(|event| event.at <= at);
        if before == 0 {
            return Err(Problem::field("as_of", "工单当时尚未收到"));
        }
        let then = relived(&events[..before])?;
        match seen.sight {
            Sight::Whole => Ok(then),
            Sight::Former { until } => Ok(own_part(caller, &events[..before], until, &then)?),
        }
    }

    /// The same of a ticket on which something was just done: that it was is told, even where the
    /// database can't be asked for the rest.
    pub(crate) async fn view_of_done(
        &self,
        caller: &Caller,
        seen: Seen,
    ) -> Result<TicketView, Problem> {
        let (number, instance) = (seen.loaded.ticket_no.clone(), seen.loaded.instance.clone());
        match self.view(caller, seen).await {
            Ok(view) => Ok(view),
            Err(_) => self.of_instance(caller, &number, &instance, self.engine.clock().now()),
        }
    }

    /// As a list shows it: without review and reviewer.
    pub(crate) fn listed(
        &self,
        caller: &Caller,
        loaded: &Loaded,
        at: Instant,
    ) -> Result<TicketView, Problem> {
        let mut view = self.of_instance(caller, &loaded.ticket_no, &loaded.instance, at)?;
        view.incident = loaded.is_held();
        Ok(view)
    }

    /// The same without review and reviewer.
    fn of_instance(
        &self,
        caller: &Caller,
        ticket_no: &str,
        shown: &Instance,
        at: Instant,
    ) -> Result<TicketView, Problem> {
        let context = self.engine.knowledge().context();
        let definition: &Definition = context.definition(shown)?;
        let hides = |deadline: &str| definition.hides(deadline, caller.role);
        let runs = shown.runs.iter().filter(|run| !hides(run.deadline.as_str()));
        let deadlines =
            runs.map(|run| DeadlineView::new(run, definition, context.calendar, at)).collect();
        let cards = shown.cards.iter().map(|card| CardView::new(card, definition)).collect();
        let step = definition.step(shown.step.as_str());
        let agency_name =
            shown.agency.as_ref().and_then(|code| self.register.agency(code.as_str()));
        let is_agency = matches!(caller.role, Role::Agency | Role::AgencyLead);
        let hotline_light = shown.hotline_light_at(at).filter(|_| !is_agency);
        Ok(TicketView {
            ticket_no: ticket_no.to_owned(),
            revision: shown.revision,
            workflow: WorkflowRef {
                name: definition.pin.name.to_string(),
                version: definition.pin.version,
            },
            class: shown.class.to_string(),
            step: shown.step.to_string(),
            step_title: step.map(|step| step.title.clone()).unwrap_or_default(),
            status: shown.status.word().to_owned(),
            light: shown.light_at(at).map(|light| light.word().to_owned()),
            hotline_light: hotline_light.map(|light| light.word().to_owned()),
            agency: shown.agency.as_ref().map(ToString::to_string),
            agency_name: agency_name.map(str::to_owned),
            district: shown.district.as_ref().map(ToString::to_string),
            flags: shown.flags.iter().map(ToString::to_string).collect(),
            finding: shown.finding.map(|finding| finding.word().to_owned()),
            outcome: shown.outcome.map(|outcome| outcome.word().to_owned()),
            received_at: shown.received_at,
            deadlines,
            cards,
            review: None,
            reviewer: None,
            settled: shown.next_wake().is_none_or(|due| due > at),
            incident: false,
            receipt: None,
        })
    }

    /// The review's codes with its comment, and the reviewer; both without what names somebody.
    async fn review(
        &self,
        mask: Mask,
        id: TicketId,
    ) -> Result<(Option<Value>, Option<ReviewerView>), Problem> {
        let store = self.engine.store();
        let Some(known) = store.review_of(id).await? else { return Ok((None, None)) };
        let mut codes: Value = serde_json::from_str(&known.codes).unwrap_or_default();
        let body = store.personal(&known.reference).await?;
        let body: Value =
            body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        if let Some(comment) = body["comment"].as_str() {
            codes["comment"] = mask.text(comment, &people(&body)).into();
        }
        if let Some(name) = body["matter"]["name"].as_str() {
            codes["matter"]["name"] = mask.text(name, &people(&body)).into();
        }
        let person = &body["reviewer"];
        if !person.is_object() {
            return Ok((Some(codes), None));
        }
        let shown = |field: &str, cover: fn(&str) -> String| person[field].as_str().map(cover);
        let name = person["name"].as_str().map(|name| mask.name(name));
        let reviewer = match mask {
            Mask::Hidden => return Ok((Some(codes), None)),
            Mask::Public => ReviewerView { name, phone: None, id_no: None },
            Mask::Partial => ReviewerView {
                name,
                phone: shown("phone", masking::phone),
                id_no: shown("id_no", masking::id_no),
            },
        };
        Ok((Some(codes), Some(reviewer)))
    }
}

/// The people whom a review names: who has written it, and who is rated.
pub(crate) fn people(private: &Value) -> Vec<&str> {
    ["/reviewer/name", "/staff/name"]
        .into_iter()
        .filter_map(|place| private.pointer(place)?.as_str())
        .collect()
}

/// An agency's part of a ticket at the event by which it gave it back; its runs and cards as they
/// are in the ticket that it no longer has, because it may still object.
fn own_part(
    caller: &Caller,
    events: &[Event],
    until: u64,
    ticket: &Instance,
) -> Result<Instance, StoreError> {
    let end = events.partition_point(|event| event.seq <= until);
    let mut was = relived(&events[..end])?;
    let own = |agency: &Option<Name>| is_own(caller, agency.as_ref());
    was.runs = ticket.runs.iter().filter(|run| own(&run.agency)).cloned().collect();
    was.cards = ticket.cards.iter().filter(|card| own(&card.agency)).cloned().collect();
    Ok(was)
}

/// Whether something is charged to the caller's own agency.
fn is_own(caller: &Caller, agency: Option<&Name>) -> bool {
    agency.is_some() && agency == caller.agency.as_ref()
}

impl TicketView {
    pub(crate) const fn revision(&self) -> u32 {
        self.revision
    }

    pub(crate) fn with_receipt(mut self, receipt: Option<Receipt>) -> Self {
        self.receipt = receipt.map(ReceiptView::from);
        self
    }
}
