//! Requests that came before: reviews by their source's number, keys of repeated requests. Must
//! never hold a form or an answer.

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::entity::{idempotency, personal_data, review};
use super::event::digest;
use super::{Store, StoreError};

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
    /// The status of its answer.
    pub status: u16,
    /// The ticket that it was about.
    pub ticket: Option<TicketId>,
    /// The event that its answer is rendered from.
    pub seq: Option<u64>,
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
        let rows = query.all(&self.read).await?;
        rows.into_iter().map(|(row, personal)| known(row, personal)).collect()
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

    /// A request that came before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_request(
        &self,
        key: &RequestKey,
    ) -> Result<Option<KnownRequest>, StoreError> {
        let key = (key.subject.to_string(), key.operation.clone(), key.key.clone());
        let Some(row) = idempotency::Entity::find_by_id(key).one(&self.read).await? else {
            return Ok(None);
        };
        Ok(Some(KnownRequest {
            secret: digest(&row.secret)?.0,
            commitment: digest(&row.commitment)?,
            status: u16::try_from(row.status).unwrap_or_default(),
            ticket: row.ticket.map(TicketId),
            seq: row.seq.map(|seq| u64::try_from(seq).unwrap_or_default()),
        }))
    }

    /// Forgets requests from before an instant; how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_requests(&self, before: Instant) -> Result<u64, StoreError> {
        let query = idempotency::Entity::delete_many()
            .filter(Expr::col(idempotency::Column::CreatedAt).lt(before.ms()));
        Ok(query.exec(&self.write).await?.rows_affected)
    }
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
