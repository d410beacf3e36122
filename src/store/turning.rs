//! Open tickets whose light will turn yellow or red if nobody acts, by the instants that their rows
//! hold. Must never say who should act: that is the ticket's.

use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::legible::legible;
use super::rows::{count_where, word};
use super::{Store, StoreError};

/// Which tickets turn.
#[derive(Clone, Debug)]
pub struct TurningFilter {
    /// Of one agency only.
    pub agency: Option<String>,
    /// Of one district only.
    pub district: Option<String>,
    /// To this light only.
    pub light: Option<Light>,
    /// After.
    pub from: Instant,
    /// At or before.
    pub until: Instant,
    /// After this place of the order.
    pub after: Option<Turning>,
    /// At most so many.
    pub limit: u64,
}

impl TurningFilter {
    /// Whether to red, each that is asked for.
    fn wanted(&self) -> impl Iterator<Item = bool> + use<> {
        let light = self.light;
        let is_wanted = move |is_red: &bool| match light {
            Some(Light::Red) => *is_red,
            Some(Light::Yellow | Light::Green) => !*is_red,
            None => true,
        };
        [false, true].into_iter().filter(is_wanted)
    }
}

/// A ticket that turns, in the order in which they do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Turning {
    /// When.
    pub at: Instant,
    /// The ticket.
    pub ticket: TicketId,
    /// To red; else to yellow.
    pub is_red: bool,
}

/// How many tickets of an agency turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurningCount {
    /// The agency.
    pub agency: Option<String>,
    /// To yellow.
    pub yellow: u64,
    /// To red.
    pub red: u64,
}

impl Store {
    /// How many tickets turn, by agency; an agency of which none does is left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn count_turning(
        &self,
        filter: &TurningFilter,
    ) -> Result<Vec<TurningCount>, StoreError> {
        let rows = self.lists.query_all(&counted(filter)).await?;
        let mut counts = legible("ticket", &rows, |row| {
            let count = |place: usize| -> Result<u64, StoreError> {
                let count: i64 = row.try_get_by_index(place)?;
                Ok(u64::try_from(count).unwrap_or_default())
            };
            let (agency, yellow, red) = (row.try_get_by_index(0)?, count(1)?, count(2)?);
            Ok(TurningCount { agency, yellow, red })
        })?;
        counts.retain(|one| one.yellow + one.red > 0);
        Ok(counts)
    }

    /// Tickets that turn, the earliest first; one that turns twice stands there twice.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn turning(&self, filter: &TurningFilter) -> Result<Vec<Turning>, StoreError> {
        let mut all = Vec::new();
        for is_red in filter.wanted() {
            let page = |limit| listed(&TurningFilter { limit, ..filter.clone() }, is_red);
            let read = |row: &QueryResult| {
                let ticket: Uuid = row.try_get_by_index(0)?;
                let at = Instant::from_ms(row.try_get_by_index(1)?);
                Ok(Turning { at, ticket: TicketId(ticket), is_red })
            };
            all.extend(self.lists.legible("ticket", filter.limit, page, read).await?);
        }
        all.retain(|one| filter.after.is_none_or(|after| *one > after));
        all.sort_unstable();
        all.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        Ok(all)
    }
}

/// Within the time that is looked at.
fn turns(filter: &TurningFilter, is_red: bool) -> Cond {
    let column = if is_red { "red_at" } else { "yellow_at" };
    let at = || Expr::col(column);
    let within = at().gt(filter.from.ms()).and(at().lte(filter.until.ms()));
    let all = Cond::all().add(within);
    // What turns red at once does not turn yellow.
    if is_red { all } else { all.add(Expr::col("yellow_at").lt(Expr::col("red_at"))) }
}

pub(super) fn counted(filter: &TurningFilter) -> SelectStatement {
    let mut query = Query::select();
    query.column("agency").from("ticket").group_by_col("agency");
    for is_red in [false, true] {
        query.expr(count_where(turns(filter, is_red)));
    }
    bound(&mut query, filter);
    query
}

pub(super) fn listed(filter: &TurningFilter, is_red: bool) -> SelectStatement {
    let column = if is_red { "red_at" } else { "yellow_at" };
    let mut query = Query::select();
    query.columns(["id", column]).from("ticket").cond_where(turns(filter, is_red));
    bound(&mut query, filter);
    if let Some(Turning { at, ticket, is_red: was_red }) = filter.after {
        // Said twice, so that an index can begin there. Yellow stands before red.
        query.and_where(Expr::col(column).gte(at.ms()));
        let is_later = Expr::col("id").gt(ticket.0);
        let is_same = Expr::col("id").eq(ticket.0);
        let later = if is_red && !was_red { is_later.or(is_same) } else { is_later };
        query.and_where(Expr::col(column).gt(at.ms()).or(later));
    }
    query.order_by(column, sea_orm::Order::Asc).order_by("id", sea_orm::Order::Asc);
    query.limit(filter.limit);
    query
}

fn bound(query: &mut SelectStatement, filter: &TurningFilter) {
    query.and_where(Expr::col("status").eq(word(Status::Open.word())));
    for (column, one) in [("agency", &filter.agency), ("district", &filter.district)] {
        if let Some(one) = one {
            query.and_where(Expr::col(column).eq(one.as_str()));
        }
    }
}
