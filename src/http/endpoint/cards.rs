//! `GET /v1/cards`: the register of warning, yellow and red cards, the newest first, with how far those
//! who are told have been told.

use axum::Json;
use axum::extract::State;
use duban_core::definition::CardKind;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::Query;
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::view::told::{DeliveryView, Told};
use super::super::{Api, cursor};
use super::deadlines::{hidden, title};
use super::tickets::{bind, one_of};
use crate::store::{CardFilter, RegisteredCard};

/// The states of a card.
const STATES: &[&str] = &["issued", "contested", "revoked"];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// yellow_card、red_card
    kind: Option<String>,
    /// issued、contested、revoked
    state: Option<String>,
    /// 单位代码
    agency: Option<String>,
    /// 区划代码
    district: Option<String>,
    /// 不早于此刻发牌
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Instant>,
    /// 早于此刻发牌
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几张（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A page of cards.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CardsView {
    cards: Vec<RegisteredView>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// A card with its ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredView {
    ticket_no: String,
    #[schema(example = "contact.1.0.end")]
    id: String,
    /// `yellow_card` or `red_card`.
    kind: String,
    deadline: String,
    #[schema(example = "联系评价人时限")]
    title: String,
    party: String,
    agency: Option<String>,
    agency_name: Option<String>,
    /// The exclusive end that was missed.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    fired_at: Instant,
    /// `issued`, `contested` or `revoked`.
    state: String,
    /// Who was to be told of it, and whether he was.
    deliveries: Vec<DeliveryView>,
}

/// 牌登记册：已发的黄牌、红牌
#[utoipa::path(
    get, path = "/v1/cards", tag = "tickets", params(Filter),
    responses(
        (status = 200, description = "一页牌，新发的在前", body = CardsView),
        (status = 422, description = "条件有误", body = Problem),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<CardsView>, Problem> {
    let reach = caller.may(Endpoint::ReadTickets)?;
    let limit = cursor::limit(&api, filter.limit)?;
    let after: Option<(i64, Uuid, i32)> = cursor::read(filter.cursor.as_deref())?;
    let (mut agency, mut district) = (filter.agency, filter.district);
    bind(&api.register, &mut agency, &mut district, &reach)?;
    let kind = filter.kind.as_deref().map(|word| one_of("kind", CardKind::ALL, word));
    let state = filter.state.as_deref().map(|word| one_of("state", STATES, word));
    let shelf = api.engine.knowledge().context().shelf;
    let wanted = CardFilter {
        agency,
        district,
        kind: kind.transpose()?,
        state: state.transpose()?.map(str::to_owned),
        from: filter.from,
        until: filter.until,
        hidden: hidden(shelf, caller.role),
        after,
        limit: limit + 1,
    };
    let store = api.engine.store();
    let mut found = store.cards(&wanted).await?;
    let more = cursor::cut(&mut found, limit);
    let next = found.last().filter(|_| more);
    let next = next.map(|one| cursor::written(&(one.fired_at, one.ticket, one.place)));
    let told = Told::of(store, found.iter().map(|one| TicketId(one.ticket))).await?;
    let shown = |card: RegisteredCard| api.registered(card, &told);
    Ok(Json(CardsView { cards: found.into_iter().map(shown).collect(), next }))
}

impl Api {
    fn registered(&self, card: RegisteredCard, told: &Told) -> RegisteredView {
        let shelf = self.engine.knowledge().context().shelf;
        let title = title(shelf, &card.workflow, &card.deadline);
        let agency_name = card.agency.as_deref().and_then(|code| self.register.agency(code));
        RegisteredView {
            agency_name: agency_name.map(str::to_owned),
            deliveries: told.of_card(card.ticket, &card.deadline, &card.name),
            title,
            ticket_no: card.ticket_no,
            id: card.name,
            kind: card.kind,
            deadline: card.deadline,
            party: card.party,
            agency: card.agency,
            due_at: Instant::from_ms(card.due_at),
            fired_at: Instant::from_ms(card.fired_at),
            state: card.state,
        }
    }
}
