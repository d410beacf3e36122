//! Requests that came before: reviews by their source's number, keys of repeated requests. Must
//! never hold a form or an answer.

use std::collections::BTreeMap;

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::entity::{idempotency, personal_data, review};
use super::event::digest;
use super::rows::Kind::{Big, Blob, Id, Int, Text};
use super::rows::{Cell, Table};
use super::{Remembered, Store, StoreError};

/// A review that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownReview {
    /// The ticket that it became.
    pub ticket: TicketId,
    /// The commitment to its content.
    pub commitment: Digest,
    /// Codes only, as JSON.
    pub codes: String,
    /// The row of its personal data.
    pub reference: String,
    /// The key of the commitment; none once its personal data has been erased.
    pub key: Option<[u8; 32]>,
}

/// Whose request, of which operation, under which key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// The token's subject.
    pub subject: Name,
    /// Method and path.
    pub operation: String,
    /// The `Idempotency-Key`.
    pub key: String,
}

/// A request that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRequest {
    /// The key of the commitment.
    pub secret: [u8; 32],
    /// The commitment to its body.
    pub commitment: Digest,
    /// The status of its answer; 0 while there is none.
    pub status: u16,
    /// What it was about: a ticket, or whatever the operation makes.
    pub about: Option<Uuid>,
    /// The event that its answer is rendered from, or another number that it depends on.
    pub number: Option<i64>,
}

pub(super) static REQUEST: Table<9> = Table {
    name: "idempotency",
    columns: [
        ("subject", Text),
        ("operation", Text),
        ("key", Text),
        ("secret", Blob),
        ("commitment", Blob),
        ("status", Int),
        ("about", Id),
        ("number", Big),
        ("created_at", Big),
    ],
};

pub(super) fn row(request: &Remembered, at: Instant) -> [Cell<'_>; 9] {
    let RequestKey { subject, operation, key } = &request.key;
    [
        subject.as_str().into(),
        operation.as_str().into(),
        key.as_str().into(),
        request.secret[..].into(),
        request.commitment.0[..].into(),
        i32::from(request.status).into(),
        request.about.into(),
        request.number.into(),
        at.ms().into(),
    ]
}

impl Store {
    /// The reviews among these that came before, by source and number.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_reviews(
        &self,
        asked: &[(Name, String)],
    ) -> Result<Vec<((Name, String), KnownReview)>, StoreError> {
        let mut any = Condition::any();
        for (source, review_id) in asked {
            let this = review::Column::Source.eq(source.as_str());
            any = any.add(this.and(review::Column::ReviewId.eq(review_id.as_str())));
        }
        let query = review::Entity::find().filter(any).find_also_related(personal_data::Entity);
        let mut all = Vec::new();
        for (row, personal) in query.all(&self.read).await? {
            match known(row, personal) {
                Ok(one) => all.push(one),
                // Whoever says it again finds its place taken; the others of his batch do not.
                Err(StoreError::Unreadable(why)) if asked.len() > 1 => {
                    tracing::error!(why, "a review cannot be read and is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The review that a ticket was opened by.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn review_of(&self, ticket: TicketId) -> Result<Option<KnownReview>, StoreError> {
        let row = review::Entity::find()
            .filter(review::Column::Ticket.eq(ticket.0))
            .one(&self.read)
            .await?;
        row.map(|row| known(row, None).map(|(_, review)| review)).transpose()
    }

    /// A row of personal data.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn personal(&self, reference: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = personal_data::Entity::find_by_id(reference).one(&self.read).await?;
        Ok(row.map(|row| row.body))
    }

    /// Those rows of personal data that are there, by reference.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn personal_of(
        &self,
        references: &[&str],
    ) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let wanted = personal_data::Column::Reference.is_in(references.iter().copied());
        let rows = personal_data::Entity::find().filter(wanted).all(&self.read).await?;
        Ok(rows.into_iter().map(|row| (row.reference, row.body)).collect())
    }

    /// A request that came before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_request(
        &self,
        key: &RequestKey,
    ) -> Result<Option<KnownRequest>, StoreError> {
        Ok(self.known_requests(&[key]).await?.remove(key))
    }

    /// Those of these requests that came before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_requests(
        &self,
        keys: &[&RequestKey],
    ) -> Result<BTreeMap<RequestKey, KnownRequest>, StoreError> {
        use idempotency::Column;
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let any = keys.iter().fold(Condition::any(), |any, key| {
            let whose = Column::Subject.eq(key.subject.as_str());
            let this = whose.and(Column::Operation.eq(key.operation.as_str()));
            any.add(this.and(Column::Key.eq(key.key.as_str())))
        });
        // Not `one`: see [`Store::ticket_of`].
        let rows = idempotency::Entity::find().filter(any).all(&self.read).await?;
        let known = |row: idempotency::Model| {
            let known = KnownRequest {
                secret: digest(&row.secret)?.0,
                commitment: digest(&row.commitment)?,
                status: u16::try_from(row.status).unwrap_or_default(),
                about: row.about,
                number: row.number,
            };
            let subject = row.subject.as_str().into();
            Ok((RequestKey { subject, operation: row.operation, key: row.key }, known))
        };
        rows.into_iter().map(known).collect()
    }

    /// Sets a request down, unless one of the same key is there.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn reserve_request(
        &self,
        request: &Remembered,
        at: Instant,
    ) -> Result<(), StoreError> {
        let once = [row(request, at)].into_iter();
        let insert = REQUEST.insert(once, &["subject", "operation", "key"]);
        self.writer().await?.execute(&insert).await?;
        Ok(())
    }

    /// A request has been carried out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn finish_request(&self, key: &RequestKey, status: u16) -> Result<(), StoreError> {
        let mut update = Query::update();
        update.table("idempotency").value("status", i32::from(status)).cond_where(is(key));
        self.writer().await?.execute(&update).await?;
        Ok(())
    }

    /// A request that was refused is as if it had not come.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn drop_request(&self, key: &RequestKey) -> Result<(), StoreError> {
        let mut delete = Query::delete();
        delete.from_table("idempotency").cond_where(is(key));
        delete.and_where(Expr::col("status").eq(0));
        self.writer().await?.execute(&delete).await?;
        Ok(())
    }

    /// Forgets up to `limit` requests from before an instant; how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_requests(&self, before: Instant, limit: u64) -> Result<u64, StoreError> {
        let key = ["subject", "operation", "key"];
        let mut old = Query::select();
        old.columns(key).from("idempotency").and_where(Expr::col("created_at").lt(before.ms()));
        old.order_by("created_at", sea_orm::Order::Asc).limit(limit);
        let mut delete = Query::delete();
        let is_old = Expr::tuple(key.map(Expr::col)).in_subquery(old);
        delete.from_table("idempotency").and_where(is_old);
        Ok(self.writer().await?.execute(&delete).await?.rows_affected())
    }
}

fn is(key: &RequestKey) -> Condition {
    let columns = [("subject", key.subject.as_str()), ("operation", &key.operation)];
    let all = columns.into_iter().chain([("key", key.key.as_str())]);
    all.fold(Condition::all(), |all, (column, value)| all.add(Expr::col(column).eq(value)))
}

fn known(
    row: review::Model,
    personal: Option<personal_data::Model>,
) -> Result<((Name, String), KnownReview), StoreError> {
    let key = personal.map(|row| digest(&row.key).map(|key| key.0)).transpose()?;
    let known = KnownReview {
        ticket: TicketId(row.ticket),
        commitment: digest(&row.commitment)?,
        codes: row.codes,
        reference: row.reference,
        key,
    };
    Ok(((row.source.into(), row.review_id), known))
}
