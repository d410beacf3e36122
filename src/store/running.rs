//! Lists of running deadlines, the earliest due first. Must never return a row that a caller's filter
//! leaves out, or look at tickets to find one.

use duban_core::deadline::Light;
use duban_core::role::Party;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, JoinType, QueryFilter};
use sea_orm::{QueryOrder, QueryResult, QuerySelect, QueryTrait, RelationTrait, Select};
use uuid::Uuid;

use super::entity::{deadline, ticket};
use super::list::lit;
use super::rows::word;
use super::{Store, StoreError};

/// Which running deadlines are listed.
#[derive(Clone, Debug, Default)]
pub struct DeadlineFilter {
    /// The agency that owes it.
    pub agency: Option<String>,
    /// The district of the ticket.
    pub district: Option<String>,
    /// The light at an instant; of obligations only.
    pub light: Option<(Light, Instant)>,
    /// Obligations of this party only.
    pub party: Option<Party>,
    /// With an exclusive end at or before.
    pub due_before: Option<Instant>,
    /// Not these: names that whoever asks may not see.
    pub hidden: Vec<String>,
    /// After this place: due instant, ticket, place in the ticket.
    pub after: Option<(i64, Uuid, i32)>,
    /// At most so many.
    pub limit: u64,
}

/// A running deadline with its ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningDeadline {
    /// The ticket.
    pub ticket: TicketId,
    /// Its place among the ticket's runs.
    pub place: i32,
    /// The ticket's number.
    pub ticket_no: String,
    /// The workflow that gives it its title.
    pub workflow: String,
    /// Its name.
    pub name: String,
    /// Its run.
    pub run: i32,
    /// Obligation, window or indicator.
    pub kind: String,
    /// Who is charged.
    pub party: String,
    /// The agency.
    pub agency: Option<String>,
    /// Since when.
    pub starts_at: Instant,
    /// From when it is yellow.
    pub yellow_at: Instant,
    /// Its exclusive end.
    pub due_at: Instant,
    /// How sure that is.
    pub certainty: String,
}

#[derive(FromQueryResult)]
struct Row {
    ticket: Uuid,
    place: i32,
    ticket_no: String,
    workflow: String,
    name: String,
    run: i32,
    kind: String,
    party: String,
    agency: Option<String>,
    starts_at: i64,
    yellow_at: i64,
    due_at: i64,
    certainty: String,
}

impl Store {
    /// Lists running deadlines, the earliest due first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn running_deadlines(
        &self,
        filter: &DeadlineFilter,
    ) -> Result<Vec<RunningDeadline>, StoreError> {
        let page = |limit| listed(&DeadlineFilter { limit, ..filter.clone() }).into_query();
        let read = |row: &QueryResult| Ok(Row::from_query_result(row, "")?.into());
        self.lists.legible("deadline", filter.limit, page, read).await
    }
}

/// The statement of a list.
pub(super) fn listed(filter: &DeadlineFilter) -> Select<deadline::Entity> {
    deadline::Entity::find()
        .join(JoinType::InnerJoin, deadline::Relation::Ticket.def())
        .column(ticket::Column::TicketNo)
        .column(ticket::Column::Workflow)
        .filter(conditions(filter))
        .order_by_asc(deadline::Column::DueAt)
        .order_by_asc(deadline::Column::Ticket)
        .order_by_asc(deadline::Column::Place)
        .apply_if(Some(filter.limit), QuerySelect::limit)
}

fn conditions(filter: &DeadlineFilter) -> Condition {
    use deadline::Column;
    let mut all =
        Condition::all().add(Expr::col((deadline::Entity, Column::State)).eq(word("running")));
    all = all.add_option(filter.agency.as_ref().map(|agency| Column::Agency.eq(agency.as_str())));
    let district = filter.district.as_ref();
    all = all.add_option(district.map(|one| Column::District.eq(one.as_str())));
    if let Some((light, at)) = filter.light {
        let yellow = Expr::col((deadline::Entity, Column::YellowAt));
        let due = Expr::col((deadline::Entity, Column::DueAt));
        all = all.add(Column::Kind.eq("obligation")).add(lit(light, at, yellow, due));
    }
    if let Some(party) = filter.party {
        let kind = Expr::col((deadline::Entity, Column::Kind));
        let owner = || Expr::col((deadline::Entity, Column::Party));
        all = all.add(kind.eq(word("obligation"))).add(owner().eq(word(party.word())));
        // What the index of the others holds, in its words.
        all = all.add_option((party != Party::Agency).then(|| owner().ne(word("agency"))));
    }
    all = all.add_option(filter.due_before.map(|before| Column::DueAt.lte(before.ms())));
    if !filter.hidden.is_empty() {
        all = all.add(Column::Name.is_not_in(&filter.hidden));
    }
    all.add_option(filter.after.map(|(due, ticket, place)| {
        let later = Column::Ticket.gt(ticket);
        let last = Column::Ticket.eq(ticket).and(Column::Place.gt(place));
        // Said twice, so that an index can begin there.
        let from = Condition::all().add(Column::DueAt.gte(due));
        from.add(Condition::any().add(Column::DueAt.gt(due)).add(later.or(last)))
    }))
}

impl From<Row> for RunningDeadline {
    fn from(row: Row) -> Self {
        Self {
            ticket: TicketId(row.ticket),
            place: row.place,
            ticket_no: row.ticket_no,
            workflow: row.workflow,
            name: row.name,
            run: row.run,
            kind: row.kind,
            party: row.party,
            agency: row.agency,
            starts_at: Instant::from_ms(row.starts_at),
            yellow_at: Instant::from_ms(row.yellow_at),
            due_at: Instant::from_ms(row.due_at),
            certainty: row.certainty,
        }
    }
}
