//! What was uploaded to tickets, by the digest of its bytes. Must never hold the bytes, nor what a
//! file was called: names of files name people.

use std::collections::BTreeSet;

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
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

/// Whose attachments.
#[derive(Clone, Copy, Debug)]
pub enum Side<'s> {
    /// Everybody's.
    All,
    /// One agency's, or the house's where none is named.
    Of(Option<&'s Name>),
}

impl Side<'_> {
    fn condition(self) -> Condition {
        let own = match self {
            Self::All => None,
            Self::Of(agency) => Some(Column::Agency.eq(word(agency))),
        };
        Condition::all().add_option(own)
    }
}

impl Store {
    /// Adds an attachment; the one that is there where the same agency has uploaded the same file
    /// as the same type to the same ticket before.
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
        let mut once =
            OnConflict::columns([Column::Ticket, Column::Sm3, Column::Agency, Column::ContentType]);
        once.do_nothing();
        Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(&*self.writer().await?)
            .await?;
        let there = Entity::find()
            .filter(Column::Ticket.eq(new.ticket.0))
            .filter(Column::Sm3.eq(new.sm3.0.to_vec()))
            .filter(Column::Agency.eq(agency))
            .filter(Column::ContentType.eq(new.content_type.as_str()))
            .one(&self.write)
            .await?;
        there.map(known).transpose()?.ok_or(StoreError::Stale)
    }

    /// What one side, or everybody, has uploaded to a ticket, the oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn attachments(
        &self,
        ticket: TicketId,
        side: Side<'_>,
        limit: u64,
    ) -> Result<Vec<Attachment>, StoreError> {
        let query = Entity::find().filter(Column::Ticket.eq(ticket.0)).filter(side.condition());
        let query = query.order_by_asc(Column::UploadedAt).order_by_asc(Column::Id).limit(limit);
        query.all(&self.read).await?.into_iter().map(known).collect()
    }

    /// Attachments after one, in order of their identities, of all tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn attachments_after(
        &self,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Attachment>, StoreError> {
        let mut query = Entity::find().order_by_asc(Column::Id).limit(limit);
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after));
        }
        query.all(&self.read).await?.into_iter().map(known).collect()
    }

    /// Which of some digests are of files that one side, or anybody, has uploaded to a ticket.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn uploaded(
        &self,
        ticket: TicketId,
        side: Side<'_>,
        digests: &[Digest],
    ) -> Result<BTreeSet<Digest>, StoreError> {
        if digests.is_empty() {
            return Ok(BTreeSet::new());
        }
        let query = Entity::find()
            .filter(Column::Ticket.eq(ticket.0))
            .filter(Column::Sm3.is_in(digests.iter().map(|digest| digest.0.to_vec())))
            .filter(side.condition());
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
