//! What was uploaded to tickets, by the digest of its bytes. Must never hold the bytes, nor what a
//! file was called: names of files name people.

use std::collections::BTreeSet;

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::attachment::{ActiveModel, Column, Entity, Model};
use super::event::digest;
use super::rows::number;
use super::{Store, StoreError};

/// A file that was uploaded to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its identity.
    pub id: Uuid,
    /// The ticket.
    pub ticket: TicketId,
    /// SM3 of its bytes.
    pub sm3: Digest,
    /// How many there are.
    pub bytes: u64,
    /// Its media type.
    pub content_type: String,
    /// The agency that uploaded it; none where it was the hotline or a supervisor.
    pub agency: Option<Name>,
    /// Who did.
    pub uploaded_by: Name,
    /// When.
    pub uploaded_at: Instant,
}

impl Store {
    /// Adds an attachment; the one that is there where the same agency has uploaded the same file
    /// to the same ticket before.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_attachment(&self, new: &Attachment) -> Result<Attachment, StoreError> {
        let agency = word(new.agency.as_ref());
        let row = ActiveModel {
            id: ActiveValue::Set(new.id),
            ticket: ActiveValue::Set(new.ticket.0),
            sm3: ActiveValue::Set(new.sm3.0.to_vec()),
            bytes: ActiveValue::Set(number(new.bytes)),
            content_type: ActiveValue::Set(new.content_type.clone()),
            agency: ActiveValue::Set(agency.clone()),
            uploaded_by: ActiveValue::Set(new.uploaded_by.to_string()),
            uploaded_at: ActiveValue::Set(new.uploaded_at.ms()),
        };
        let mut once = OnConflict::columns([Column::Ticket, Column::Sm3, Column::Agency]);
        once.do_nothing();
        Entity::insert(row).on_conflict(once).exec_without_returning(&self.write).await?;
        let there = Entity::find()
            .filter(Column::Ticket.eq(new.ticket.0))
            .filter(Column::Sm3.eq(new.sm3.0.to_vec()))
            .filter(Column::Agency.eq(agency))
            .one(&self.write)
            .await?;
        there.map(known).transpose()?.ok_or(StoreError::Stale)
    }

    /// What was uploaded to a ticket, the oldest first; of one agency alone, if one is named.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn attachments(
        &self,
        ticket: TicketId,
        agency: Option<&Name>,
        limit: u64,
    ) -> Result<Vec<Attachment>, StoreError> {
        let mut query = Entity::find().filter(Column::Ticket.eq(ticket.0));
        if agency.is_some() {
            query = query.filter(Column::Agency.eq(word(agency)));
        }
        let query = query.order_by_asc(Column::UploadedAt).order_by_asc(Column::Id).limit(limit);
        query.all(&self.read).await?.into_iter().map(known).collect()
    }

    /// Which of some digests are of files that were uploaded to a ticket, by one agency if one is
    /// named.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn uploaded(
        &self,
        ticket: TicketId,
        agency: Option<&Name>,
        digests: &[Digest],
    ) -> Result<BTreeSet<Digest>, StoreError> {
        if digests.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut query = Entity::find()
            .filter(Column::Ticket.eq(ticket.0))
            .filter(Column::Sm3.is_in(digests.iter().map(|digest| digest.0.to_vec())));
        if agency.is_some() {
            query = query.filter(Column::Agency.eq(word(agency)));
        }
        let rows = query.all(&self.read).await?;
        rows.iter().map(|row| digest(&row.sm3)).collect()
    }
}

fn word(agency: Option<&Name>) -> String {
    agency.map(ToString::to_string).unwrap_or_default()
}

fn known(row: Model) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        id: row.id,
        ticket: TicketId(row.ticket),
        sm3: digest(&row.sm3)?,
        bytes: row.bytes.try_into().map_err(|_| StoreError::unreadable("附件的大小"))?,
        content_type: row.content_type,
        agency: Some(row.agency).filter(|agency| !agency.is_empty()).map(Name::from),
        uploaded_by: row.uploaded_by.into(),
        uploaded_at: Instant::from_ms(row.uploaded_at),
    })
}
