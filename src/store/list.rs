//! Lists of tickets, by what their rows can be found by. Must never return a row that a caller's
//! filter leaves out, or sort rows together with their snapshots: a page is picked first.

use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::time::Instant;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use sea_orm::{QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::entity::ticket;
use super::rows::word;
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
    /// Whether it is open, closed or archived.
    pub status: Option<Status>,
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
    /// Obligations of the agency, the earliest of which ends after.
    pub due_after: Option<Instant>,
    /// The same, at or before.
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

/// A ticket of a list.
#[derive(Debug)]
pub struct Listed {
    /// Its place in the order, whether or not it can be read: when it is due, and its identity.
    pub place: (i64, Uuid),
    /// The ticket.
    pub ticket: Readable,
}

impl Store {
    /// Lists tickets, in the state in which they are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<Listed>, StoreError> {
        let rows = page(filter).all(&self.read).await?;
        let due: Vec<i64> = rows.iter().map(|row| row.red_at.unwrap_or_default()).collect();
        let listed = self.readable(rows).await?.into_iter().zip(due);
        Ok(listed.map(|((id, ticket), due)| Listed { place: (due, id.0), ticket }).collect())
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
}

/// The statement of a page: its tickets are picked by what indexes hold, then read.
pub(super) fn page(filter: &TicketFilter) -> Select<ticket::Entity> {
    let picked = ticket::Entity::find().select_only().column(ticket::Column::Id);
    let picked = ordered(picked.filter(conditions(filter)), filter.order).limit(filter.limit);
    let page = ticket::Entity::find().filter(ticket::Column::Id.in_subquery(picked.into_query()));
    ordered(page, filter.order)
}

fn ordered(query: Select<ticket::Entity>, order: Order) -> Select<ticket::Entity> {
    match order {
        Order::Newest => query.order_by_desc(ticket::Column::Id),
        Order::Oldest => query.order_by_asc(ticket::Column::Id),
        Order::Due => query.order_by_asc(ticket::Column::RedAt).order_by_asc(ticket::Column::Id),
    }
}

fn conditions(filter: &TicketFilter) -> Condition {
    use ticket::Column;
    let equal = [
        (Column::Step, filter.step.as_deref()),
        (Column::Class, filter.class.as_deref()),
        (Column::Agency, filter.agency.as_deref()),
        (Column::District, filter.district.as_deref()),
        (Column::Source, filter.source.as_deref()),
    ];
    let mut all = Condition::all();
    for (column, value) in equal {
        all = all.add_option(value.map(|value| column.eq(value)));
    }
    let status = filter.status.map(|status| Expr::col(Column::Status).eq(word(status.word())));
    all = all.add_option(status);
    if let Some((light, at)) = filter.light {
        all = all.add(lit(light, at, Expr::col(Column::YellowAt), Expr::col(Column::RedAt)));
    }
    all = all.add_option(filter.due_after.map(|after| Column::RedAt.gt(after.ms())));
    all = all.add_option(filter.due_before.map(|before| Column::RedAt.lte(before.ms())));
    if let Some(flag) = &filter.flag {
        // The first says what the index of flagged tickets holds.
        let flagged =
            Expr::col(Column::Flags).ne(word("")).and(Column::Flags.contains(format!(" {flag} ")));
        all = all.add(flagged);
    }
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
                // Said twice, so that an index can begin there.
                let from = Condition::all().add(Column::RedAt.gte(due));
                from.add(Condition::any().add(Column::RedAt.gt(due)).add(Column::Id.gt(id)))
            }))
        }
    }
}

/// Whether a light is what it is at an instant.
pub(super) fn lit(light: Light, at: Instant, yellow: Expr, red: Expr) -> Condition {
    let at = at.ms();
    match light {
        Light::Red => Condition::all().add(red.lte(at)),
        Light::Yellow => Condition::all().add(yellow.lte(at)).add(red.gt(at)),
        Light::Green => Condition::all().add(yellow.gt(at)).add(red.gt(at)),
    }
}
