//! Lists of tickets, by what their rows can be found by. Must never return a row that a caller's
//! filter leaves out, or sort rows together with their snapshots: a page is picked first.

use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::time::Instant;
use sea_orm::Order::{Asc, Desc};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use sea_orm::{QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::entity::ticket;
use super::rows::word;
use super::{Readable, Store, StoreError, board, stored};

/// In which order tickets are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By the agency's earliest due instant; tickets without one come last, oldest first.
    Due,
    /// Oldest first, those alone of which the agency owes nothing that ends: the last of [`Order::Due`].
    Endless,
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
    /// No agency has it.
    pub is_undispatched: bool,
    /// It is from no district.
    pub is_from_nowhere: bool,
    /// The window of this name is running.
    pub window: Option<String>,
    /// An obligation of an agency is estimated.
    pub is_estimated: bool,
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

impl TicketFilter {
    /// Whether nothing narrows it but instants: what has one is open.
    fn is_wide(&self) -> bool {
        let codes = [&self.step, &self.class, &self.agency, &self.district, &self.source];
        let words = codes.into_iter().chain([&self.flag, &self.window]);
        let others = [self.is_undispatched, self.is_from_nowhere, self.is_estimated];
        !others.contains(&true)
            && self.order != Order::Endless
            && words.into_iter().all(Option::is_none)
            && self.search.is_none()
            && self.status.is_none_or(|status| status == Status::Open)
            && (self.is_by_time() || self.order == Order::Due)
    }

    fn is_by_time(&self) -> bool {
        self.light.is_some() || self.due_after.is_some() || self.due_before.is_some()
    }
}

/// The place in the order of what has no end.
const ENDLESS: i64 = i64::MAX;

/// How the tickets of a page are picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// By what narrows them most, and then sorted.
    Narrowest,
    /// In the order of the page until it is full: where so many match that sorting them all would
    /// take longer.
    InOrder,
}

/// From how many on: to sort so many takes as long as to walk past a hundred thousand.
const MANY: u64 = 10_000;

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
        if filter.order != Order::Due {
            return Ok(self.listed(filter).await?.0);
        }
        let endless = filter.after.filter(|(due, _)| *due == ENDLESS);
        let (mut listed, left) = match endless {
            Some(_) => (Vec::new(), filter.limit),
            None => self.listed(filter).await?,
        };
        if left > 0 && !filter.is_by_time() {
            let of = TicketFilter { order: Order::Endless, ..filter.clone() };
            let rest = TicketFilter { after: endless, limit: left, ..of };
            listed.extend(self.listed(&rest).await?.0);
        }
        Ok(listed)
    }

    /// A page, and how many of it are left for others.
    async fn listed(&self, filter: &TicketFilter) -> Result<(Vec<Listed>, u64), StoreError> {
        let mut listed = Vec::new();
        let pick = self.pick(filter).await?;
        let page = |limit| page(&TicketFilter { limit, ..filter.clone() }, pick);
        let rows = self.lists.rows(filter.limit, page).await?;
        let left = filter.limit.saturating_sub(rows.len() as u64);
        for (id, row) in rows {
            let due = match &row {
                Ok(row) => row.red_at,
                Err(_) => self.instant(("ticket", "id"), id, "red_at").await?,
            };
            // What has no place in an order cannot be gone on from: other orders show it.
            if due.is_none() && filter.order == Order::Due {
                continue;
            }
            let place = (due.unwrap_or(ENDLESS), id);
            listed.push(Listed { place, ticket: self.loaded(id, row).await });
        }
        Ok((listed, left))
    }

    pub(super) async fn pick(&self, filter: &TicketFilter) -> Result<Pick, StoreError> {
        if !filter.is_wide() {
            return Ok(Pick::Narrowest);
        }
        if !filter.is_by_time() {
            return Ok(Pick::InOrder);
        }
        let last_of_many = many(filter).into_tuple::<Uuid>().one(&self.lists).await?;
        Ok(if last_of_many.is_some() { Pick::InOrder } else { Pick::Narrowest })
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
        let row = self.lists.query_one(&query).await?;
        let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

/// The statement of a page: its tickets are picked by what indexes hold, then read.
pub(super) fn page(filter: &TicketFilter, pick: Pick) -> SelectStatement {
    let mut page = stored::of_tickets();
    page.and_where(ticket::Column::Id.in_subquery(picked(filter, pick).into_query()));
    let id = ("ticket", "id");
    match filter.order {
        Order::Newest => page.order_by(id, Desc),
        Order::Oldest | Order::Endless => page.order_by(id, Asc),
        Order::Due => page.order_by(("ticket", "red_at"), Asc).order_by(id, Asc),
    };
    page
}

pub(super) fn picked(filter: &TicketFilter, pick: Pick) -> Select<ticket::Entity> {
    let picked = ticket::Entity::find().select_only().column(ticket::Column::Id);
    let picked = picked.filter(conditions(filter, pick));
    let picked = match (pick, filter.order) {
        // In no index's order, so that none is walked for it.
        (Pick::Narrowest, Order::Due) => {
            picked.order_by_asc(computed(ticket::Column::RedAt)).order_by_asc(ticket::Column::Id)
        }
        _ => ordered(picked, filter.order),
    };
    picked.limit(filter.limit)
}

/// The statement of the last of many, on whatever page.
pub(super) fn many(filter: &TicketFilter) -> Select<ticket::Entity> {
    let all = TicketFilter { after: None, ..filter.clone() };
    let found = ticket::Entity::find().select_only().column(ticket::Column::Id);
    found.filter(conditions(&all, Pick::Narrowest)).offset(MANY - 1).limit(1)
}

fn ordered(query: Select<ticket::Entity>, order: Order) -> Select<ticket::Entity> {
    match order {
        Order::Newest => query.order_by_desc(ticket::Column::Id),
        Order::Oldest | Order::Endless => query.order_by_asc(ticket::Column::Id),
        Order::Due => query.order_by_asc(ticket::Column::RedAt).order_by_asc(ticket::Column::Id),
    }
}

fn conditions(filter: &TicketFilter, pick: Pick) -> Condition {
    use ticket::Column;
    // What is computed of a column is looked up in no index: that of the order is to be taken.
    let instant = |column| match (pick, filter.order) {
        (Pick::InOrder, Order::Newest | Order::Oldest) => computed(column),
        _ => Expr::col(column),
    };
    let status = if filter.is_wide() {
        Func::lower(Expr::col(Column::Status)).into()
    } else {
        Expr::col(Column::Status)
    };
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
    all = all.add_option(filter.status.map(|one| status.eq(word(one.word()))));
    if let Some((light, at)) = filter.light {
        all = all.add(lit(light, at, instant(Column::YellowAt), instant(Column::RedAt)));
    }
    let red = || instant(Column::RedAt);
    all = all.add_option(filter.due_after.map(|after| red().gt(after.ms())));
    all = all.add_option(filter.due_before.map(|before| red().lte(before.ms())));
    // What the index of the order holds, in its words.
    all = match (pick, filter.order) {
        (_, Order::Due) => all.add(Column::RedAt.is_not_null()),
        (_, Order::Endless) => all.add(Column::RedAt.is_null()),
        (Pick::InOrder, _) => all.add(Expr::cust("red_at > 0")),
        (Pick::Narrowest, _) => all,
    };
    all = marked(filter, all);
    let after = filter.after;
    let is_few = filter.is_wide() && pick == Pick::Narrowest;
    match filter.order {
        // Turned round, what narrows more is looked up before it.
        Order::Newest if is_few => all.add_option(after.map(|(_, id)| Column::Id.gte(id).not())),
        Order::Oldest if is_few => all.add_option(after.map(|(_, id)| Column::Id.lte(id).not())),
        Order::Newest => all.add_option(after.map(|(_, id)| Column::Id.lt(id))),
        Order::Oldest | Order::Endless => all.add_option(after.map(|(_, id)| Column::Id.gt(id))),
        Order::Due => all.add_option(after.map(|(due, id)| {
            // Said twice, so that an index can begin there.
            let from = Condition::all().add(Column::RedAt.gte(due));
            from.add(Condition::any().add(Column::RedAt.gt(due)).add(Column::Id.gt(id)))
        })),
    }
}

/// What tells more than codes and instants do.
fn marked(filter: &TicketFilter, mut all: Condition) -> Condition {
    use ticket::Column;
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
    all = all.add_option(filter.is_undispatched.then(|| Column::Agency.is_null()));
    all = all.add_option(filter.is_from_nowhere.then(|| Column::District.is_null()));
    let runs =
        [filter.window.as_deref().map(board::appealed), filter.is_estimated.then(board::guessed)];
    for run in runs.into_iter().flatten() {
        let tickets = Query::select().column("ticket").from("deadline").cond_where(run).take();
        all = all.add(Column::Id.in_subquery(tickets));
    }
    all
}

fn computed(instant: ticket::Column) -> Expr {
    Expr::col(instant).add(0_i64)
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
