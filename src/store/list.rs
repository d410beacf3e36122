//! Lists of tickets and running deadlines, by what their rows can be found by. Must never return a
//! row that a caller's filter leaves out.

use duban_core::deadline::Light;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use sea_orm::{ConnectionTrait, QuerySelect};
use uuid::Uuid;

use super::entity::{deadline, ticket};
use super::{Readable, Store, StoreError};

/// In which order tickets are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By the agency's earliest due instant; tickets without one are left out.
    Due,
}

/// Which tickets are listed. Every field that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// The step.
    pub step: Option<String>,
    /// `open`, `closed` or `archived`.
    pub status: Option<String>,
    /// The class.
    pub class: Option<String>,
    /// The agency that has it.
    pub agency: Option<String>,
    /// The district.
    pub district: Option<String>,
    /// Where its review came from.
    pub source: Option<String>,
    /// The agency's light at an instant.
    pub light: Option<(Light, Instant)>,
    /// An obligation of the agency due before.
    pub due_before: Option<Instant>,
    /// A flag.
    pub flag: Option<String>,
    /// Any of: the beginning of the number, agencies.
    pub search: Option<Search>,
    /// The order.
    pub order: Order,
    /// After this place of the order: the sorting value and the identity.
    pub after: Option<(i64, Uuid)>,
    /// At most so many.
    pub limit: u64,
}

/// What a search looks for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The beginning of a ticket's number.
    pub number: String,
    /// Agencies by code.
    pub agencies: Vec<String>,
}

/// Which running deadlines are listed.
#[derive(Clone, Debug, Default)]
pub struct DeadlineFilter {
    /// The agency that owes it.
    pub agency: Option<String>,
    /// The district of the ticket.
    pub district: Option<String>,
    /// The light at an instant; of obligations only.
    pub light: Option<(Light, Instant)>,
    /// Due before.
    pub due_before: Option<Instant>,
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

impl Store {
    /// Lists tickets, in the state in which they are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tickets(
        &self,
        filter: &TicketFilter,
    ) -> Result<Vec<(TicketId, Readable)>, StoreError> {
        let query = ticket::Entity::find().filter(conditions(filter)).limit(filter.limit);
        let query = match filter.order {
            Order::Newest => query.order_by_desc(ticket::Column::Id),
            Order::Oldest => query.order_by_asc(ticket::Column::Id),
            Order::Due => {
                query.order_by_asc(ticket::Column::RedAt).order_by_asc(ticket::Column::Id)
            }
        };
        self.readable(query.all(&self.read).await?).await
    }

    /// How many cards there are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn count_cards(&self) -> Result<u64, StoreError> {
        self.count("card").await
    }

    /// How many messages there are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn count_messages(&self) -> Result<u64, StoreError> {
        self.count("outbox").await
    }

    async fn count(&self, table: &'static str) -> Result<u64, StoreError> {
        let mut query = Query::select();
        query.expr(Expr::col(Asterisk).count()).from(table);
        let row = self.read.query_one(&query).await?;
        let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Lists running deadlines, the earliest due first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn running_deadlines(
        &self,
        filter: &DeadlineFilter,
    ) -> Result<Vec<RunningDeadline>, StoreError> {
        let query = deadline::Entity::find()
            .find_also_related(ticket::Entity)
            .filter(running(filter))
            .order_by_asc(deadline::Column::DueAt)
            .order_by_asc(deadline::Column::Ticket)
            .order_by_asc(deadline::Column::Place)
            .limit(filter.limit);
        let rows = query.all(&self.read).await?;
        Ok(rows.into_iter().map(|(row, ticket)| shown(row, ticket)).collect())
    }
}

fn conditions(filter: &TicketFilter) -> Condition {
    use ticket::Column;
    let equal = [
        (Column::Step, &filter.step),
        (Column::Status, &filter.status),
        (Column::Class, &filter.class),
        (Column::Agency, &filter.agency),
        (Column::District, &filter.district),
        (Column::Source, &filter.source),
    ];
    let mut all = Condition::all();
    for (column, value) in equal {
        all = all.add_option(value.as_ref().map(|value| column.eq(value.as_str())));
    }
    if let Some((light, at)) = filter.light {
        all = all.add(lit(light, at, Expr::col(Column::YellowAt), Expr::col(Column::RedAt)));
    }
    all = all.add_option(filter.due_before.map(|before| Column::RedAt.lt(before.ms())));
    all = all
        .add_option(filter.flag.as_ref().map(|flag| Column::Flags.contains(format!(" {flag} "))));
    if let Some(search) = &filter.search {
        let end = format!("{}\u{10FFFF}", search.number);
        let number = Column::TicketNo.gte(search.number.as_str()).and(Column::TicketNo.lt(end));
        let any = Condition::any().add(number);
        all = all.add(any.add(Column::Agency.is_in(&search.agencies)));
    }
    let after = filter.after;
    match filter.order {
        Order::Newest => all.add_option(after.map(|(_, id)| Column::Id.lt(id))),
        Order::Oldest => all.add_option(after.map(|(_, id)| Column::Id.gt(id))),
        Order::Due => {
            let all = all.add(Column::RedAt.is_not_null());
            all.add_option(after.map(|(due, id)| {
                let later = Column::RedAt.eq(due).and(Column::Id.gt(id));
                Condition::any().add(Column::RedAt.gt(due)).add(later)
            }))
        }
    }
}

fn running(filter: &DeadlineFilter) -> Condition {
    use deadline::Column;
    let mut all = Condition::all().add(Column::State.eq("running"));
    all = all.add_option(filter.agency.as_ref().map(|agency| Column::Agency.eq(agency.as_str())));
    let district = filter.district.as_ref();
    all = all.add_option(district.map(|one| ticket::Column::District.eq(one.as_str())));
    if let Some((light, at)) = filter.light {
        let yellow = Expr::col((deadline::Entity, Column::YellowAt));
        let due = Expr::col((deadline::Entity, Column::DueAt));
        all = all.add(Column::Kind.eq("obligation")).add(lit(light, at, yellow, due));
    }
    all = all.add_option(filter.due_before.map(|before| Column::DueAt.lt(before.ms())));
    all.add_option(filter.after.map(|(due, ticket, place)| {
        let same = Column::DueAt.eq(due);
        let later = Column::Ticket.gt(ticket);
        let last = Column::Ticket.eq(ticket).and(Column::Place.gt(place));
        Condition::any().add(Column::DueAt.gt(due)).add(same.and(later.or(last)))
    }))
}

fn lit(light: Light, at: Instant, yellow: Expr, red: Expr) -> Condition {
    let at = at.ms();
    match light {
        Light::Red => Condition::all().add(red.lte(at)),
        Light::Yellow => Condition::all().add(yellow.lte(at)).add(red.gt(at)),
        Light::Green => Condition::all().add(yellow.gt(at)).add(red.gt(at)),
    }
}

fn shown(row: deadline::Model, ticket: Option<ticket::Model>) -> RunningDeadline {
    let (ticket_no, workflow) =
        ticket.map(|ticket| (ticket.ticket_no, ticket.workflow)).unwrap_or_default();
    RunningDeadline {
        ticket: TicketId(row.ticket),
        place: row.place,
        ticket_no,
        workflow,
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
