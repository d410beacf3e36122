//! Who was told that a deadline was missed, and whether it reached him: warnings, urging, supervision
//! and cards, as rungs of the deadline's run. Must never show a message of a run that the caller is not
//! shown.

use std::collections::BTreeMap;

use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::{Posted, Store, StoreError};

/// A message about a rung.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    #[schema(example = "agency:SZ013")]
    destination: String,
    /// `waiting`, `delivered` or `dead`.
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Instant>,
}

/// The last rung of a run that somebody was told of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EscalationView {
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// `early_warning`, `urge`, `supervise`, `bulletin` …
    #[schema(example = "supervise")]
    notice: Option<String>,
    /// The card that came with it: `yellow_card` or `red_card`.
    card: Option<String>,
    /// Who was to be told of it, and whether he was.
    deliveries: Vec<DeliveryView>,
}

/// A run of a ticket: the deadline, and which run of it.
type Run = (Uuid, String, u64);

/// A rung with one of its messages.
struct Rung {
    generation: u64,
    at: String,
    notice: Option<String>,
    card: Option<String>,
    message: Posted,
}

/// What was told of the rungs of some tickets, the newest first.
pub(crate) struct Told(BTreeMap<Run, Vec<Rung>>);

impl Told {
    /// Of these tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn of(
        store: &Store,
        tickets: impl IntoIterator<Item = TicketId>,
    ) -> Result<Self, StoreError> {
        let mut tickets: Vec<TicketId> = tickets.into_iter().collect();
        tickets.sort_unstable();
        tickets.dedup();
        if tickets.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let mut all: BTreeMap<Run, Vec<Rung>> = BTreeMap::new();
        for message in store.told_of(&tickets).await? {
            if let Some((run, rung)) = read(message) {
                all.entry(run).or_default().push(rung);
            }
        }
        Ok(Self(all))
    }

    /// Who was told of a card, by what it is called: deadline, run, generation and rung.
    pub(crate) fn of_card(&self, ticket: Uuid, deadline: &str, card: &str) -> Vec<DeliveryView> {
        let runs = self.0.iter().filter(|((own, name, _), _)| *own == ticket && name == deadline);
        let rungs = runs.flat_map(|((.., run), rungs)| rungs.iter().map(move |rung| (run, rung)));
        let own = rungs.filter(|(run, rung)| {
            format!("{deadline}.{run}.{}.{}", rung.generation, rung.at) == card
        });
        own.map(|(_, rung)| DeliveryView::of(&rung.message)).collect()
    }

    /// The last rung of a run.
    pub(crate) fn last(&self, ticket: Uuid, deadline: &str, run: u64) -> Option<EscalationView> {
        let rungs = self.0.get(&(ticket, deadline.to_owned(), run))?;
        let last = rungs.iter().max_by_key(|rung| rung.message.id.seq)?;
        let same = rungs.iter().filter(|rung| rung.message.id.seq == last.message.id.seq);
        Some(EscalationView {
            at: last.message.created_at,
            notice: last.notice.clone(),
            card: last.card.clone(),
            deliveries: same.map(|rung| DeliveryView::of(&rung.message)).collect(),
        })
    }
}

impl DeliveryView {
    fn of(message: &Posted) -> Self {
        Self {
            destination: message.destination.clone(),
            state: message.state.word().to_owned(),
            done_at: message.done_at,
        }
    }
}

/// A message about a rung; nothing where it is about something else.
fn read(message: Posted) -> Option<(Run, Rung)> {
    let about: Value = serde_json::from_str(&message.about).ok()?;
    let rung = &about["rung"];
    let text = |name: &str| rung[name].as_str().map(str::to_owned);
    let run = &rung["run"];
    let run = (message.id.ticket.0, run["deadline"].as_str()?.to_owned(), run["run"].as_u64()?);
    let generation = rung["generation"].as_u64().unwrap_or_default();
    let (notice, card) = (text("notice"), text("card"));
    Some((run, Rung { generation, at: text("rung")?, notice, card, message }))
}
