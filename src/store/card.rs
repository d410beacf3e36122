//! The register of cards, the newest first, with how they were delivered. Must never return a card that
//! a caller's filter leaves out.

use duban_core::definition::CardKind;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter};
use sea_orm::{QueryOrder, QueryResult, QuerySelect, QueryTrait, RelationTrait, Select};
use uuid::Uuid;

use super::entity::{card, ticket};
use super::{Store, StoreError};

/// Which cards are listed.
#[derive(Clone, Debug, Default)]
pub struct CardFilter {
    /// The agency that is charged.
    pub agency: Option<String>,
    /// The district of the ticket.
    pub district: Option<String>,
    /// Yellow or red.
    pub kind: Option<CardKind>,
    /// Whether it stands.
    pub state: Option<String>,
    /// Fired at or after.
    pub from: Option<Instant>,
    /// Fired before.
    pub until: Option<Instant>,
    /// Not of these deadlines: names that whoever asks may not see.
    pub hidden: Vec<String>,
    /// After this place: when it was fired, ticket, place in the ticket.
    pub after: Option<(i64, Uuid, i32)>,
    /// At most so many.
    pub limit: u64,
}

/// A card with its ticket.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RegisteredCard {
    /// The ticket.
    pub ticket: Uuid,
    /// Its place among the ticket's cards.
    pub place: i32,
    /// The ticket's number.
    pub ticket_no: String,
    /// The workflow that gives its deadline a title.
    pub workflow: String,
    /// What it is called: deadline, run, generation, rung.
    pub name: String,
    /// Yellow or red.
    pub kind: String,
    /// The deadline.
    pub deadline: String,
    /// Who is charged.
    pub party: String,
    /// The agency.
    pub agency: Option<String>,
    /// Whether it stands.
    pub state: String,
    /// The exclusive end that was missed.
    pub due_at: i64,
    /// When it was issued.
    pub fired_at: i64,
}

impl Store {
    /// Lists cards, the newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn cards(&self, filter: &CardFilter) -> Result<Vec<RegisteredCard>, StoreError> {
        let page = |limit| listed(&CardFilter { limit, ..filter.clone() }).into_query();
        let read = |row: &QueryResult| Ok(RegisteredCard::from_query_result(row, "")?);
        self.lists.legible("card", filter.limit, page, read).await
    }
}

pub(super) fn listed(filter: &CardFilter) -> Select<card::Entity> {
    card::Entity::find()
        .join(JoinType::InnerJoin, card::Relation::Ticket.def())
        .column(ticket::Column::TicketNo)
        .column(ticket::Column::Workflow)
        .filter(conditions(filter))
        .order_by_desc(card::Column::FiredAt)
        .order_by_desc(card::Column::Ticket)
        .order_by_desc(card::Column::Place)
        .apply_if(Some(filter.limit), QuerySelect::limit)
}

fn conditions(filter: &CardFilter) -> Condition {
    use card::Column;
    let mut all = Condition::all();
    all = all.add_option(filter.agency.as_ref().map(|agency| Column::Agency.eq(agency.as_str())));
    let district = filter.district.as_ref();
    all = all.add_option(district.map(|one| ticket::Column::District.eq(one.as_str())));
    all = all.add_option(filter.kind.map(|kind| Column::Kind.eq(kind.word())));
    all = all.add_option(filter.state.as_ref().map(|state| Column::State.eq(state.as_str())));
    all = all.add_option(filter.from.map(|from| Column::FiredAt.gte(from.ms())));
    all = all.add_option(filter.until.map(|until| Column::FiredAt.lt(until.ms())));
    if !filter.hidden.is_empty() {
        all = all.add(Column::Deadline.is_not_in(&filter.hidden));
    }
    all.add_option(filter.after.map(|(fired, ticket, place)| {
        let same = Column::Ticket.eq(ticket).and(Column::Place.lt(place));
        let earlier = Column::Ticket.lt(ticket).or(same);
        // Said twice, so that an index can begin there.
        let from = Condition::all().add(Column::FiredAt.lte(fired));
        from.add(
            Condition::any().add(Expr::col((card::Entity, Column::FiredAt)).lt(fired)).add(earlier),
        )
    }))
}
