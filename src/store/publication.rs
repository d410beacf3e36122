//! How far the publication of a calendar notice has been worked into running deadlines, so that an
//! interrupted recomputation goes on where it was. Must never know what a notice says.

use duban_core::digest::Digest;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ActiveValue, EntityTrait, QueryResult};

use super::entity::publication;
use super::legible::in_table;
use super::rows::word;
use super::{Store, StoreError};

/// A publication, and how far it has been worked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The day.
    pub day: Day,
    /// A hash of what was known on that day.
    pub edition: Digest,
    /// The last ticket that was looked at.
    pub reached: Option<TicketId>,
    /// When it was done.
    pub done_at: Option<Instant>,
}

impl Store {
    /// All publications that have been, or are being, worked in.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn publications(&self) -> Result<Vec<Publication>, StoreError> {
        let rows = publication::Entity::find().all(&self.read).await.map_err(StoreError::from);
        let rows = rows.and_then(|rows| rows.iter().map(known).collect());
        rows.map_err(in_table("publication"))
    }

    /// Notes how far a publication has been worked in: never back from where another node is.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn note_publication(&self, noted: &Publication) -> Result<(), StoreError> {
        let row = publication::ActiveModel {
            day: ActiveValue::Set(noted.day.number()),
            edition: ActiveValue::Set(noted.edition.0.to_vec()),
            reached: ActiveValue::Set(noted.reached.map(|ticket| ticket.0)),
            done_at: ActiveValue::Set(noted.done_at.map(Instant::ms)),
        };
        let mut replace = OnConflict::column(publication::Column::Day);
        replace.update_columns([
            publication::Column::Edition,
            publication::Column::Reached,
            publication::Column::DoneAt,
        ]);
        let was = |column: &'static str| Expr::col(("publication", column));
        let is = |column: &'static str| Expr::col(("excluded", column));
        let further = is("reached").gt(was("reached")).or(was("reached").is_null());
        let further = further.or(is("done_at").is_not_null());
        replace.action_and_where(was("done_at").is_null().and(further));
        let insert = publication::Entity::insert(row).on_conflict(replace);
        insert.exec_without_returning(&*self.writer().await?).await?;
        Ok(())
    }

    /// Tickets after one that have running deadlines, in order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn running_after(
        &self,
        after: Option<TicketId>,
        limit: u64,
    ) -> Result<Vec<TicketId>, StoreError> {
        let page = |limit| {
            let mut query = Query::select();
            query.distinct().column("ticket").from("deadline").limit(limit);
            query.and_where(Expr::col("state").eq(word("running")));
            if let Some(after) = after {
                query.and_where(Expr::col("ticket").gt(after.0));
            }
            query.order_by("ticket", sea_orm::Order::Asc);
            query
        };
        let read = |row: &QueryResult| Ok(TicketId(row.try_get_by_index(0)?));
        self.read.legible("deadline", limit, page, read).await
    }
}

fn known(row: &publication::Model) -> Result<Publication, StoreError> {
    Ok(Publication {
        day: Day::from_number(row.day),
        edition: super::event::digest(&row.edition)?,
        reached: row.reached.map(TicketId),
        done_at: row.done_at.map(Instant::from_ms),
    })
}
