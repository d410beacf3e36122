//! Bearer tokens, as hashes: who somebody is and in which role. Must never hold a token itself.

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::time::Instant;
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::entity::token;
use super::{Store, StoreError};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identity, by which it is revoked.
    pub id: Uuid,
    /// SM3 of the token.
    pub hash: Digest,
    /// The person or system.
    pub subject: Name,
    /// The role.
    pub role: Role,
    /// The agency, for roles that are bound to one.
    pub agency: Option<Name>,
    /// The district, where the role is bound to one.
    pub district: Option<Name>,
    /// When it was issued.
    pub created_at: Instant,
    /// From when it no longer counts.
    pub expires_at: Instant,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

impl Store {
    /// Adds a token.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_token(&self, new: &Token) -> Result<(), StoreError> {
        let row = token::ActiveModel {
            id: ActiveValue::Set(new.id),
            hash: ActiveValue::Set(new.hash.0.to_vec()),
            subject: ActiveValue::Set(new.subject.to_string()),
            role: ActiveValue::Set(new.role.word().to_owned()),
            agency: ActiveValue::Set(new.agency.as_ref().map(ToString::to_string)),
            district: ActiveValue::Set(new.district.as_ref().map(ToString::to_string)),
            created_at: ActiveValue::Set(new.created_at.ms()),
            expires_at: ActiveValue::Set(new.expires_at.ms()),
            revoked_at: ActiveValue::Set(None),
        };
        token::Entity::insert(row).exec_without_returning(&self.write).await?;
        Ok(())
    }

    /// The token of a hash, whatever its state.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn token(&self, hash: Digest) -> Result<Option<Token>, StoreError> {
        let query = token::Entity::find().filter(token::Column::Hash.eq(hash.0.to_vec()));
        query.one(&self.read).await?.map(known).transpose()
    }

    /// All tokens, the oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let query = token::Entity::find().order_by_asc(token::Column::CreatedAt);
        query.all(&self.read).await?.into_iter().map(known).collect()
    }

    /// Revokes a token; false if there is none that still counts.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn revoke_token(&self, id: Uuid, at: Instant) -> Result<bool, StoreError> {
        let update = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, sea_orm::sea_query::Expr::value(at.ms()))
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::RevokedAt.is_null());
        Ok(update.exec(&self.write).await?.rows_affected > 0)
    }
}

fn known(row: token::Model) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.id,
        hash: super::event::digest(&row.hash)?,
        subject: row.subject.into(),
        role: row.role.parse().map_err(|_| StoreError::unreadable("令牌的角色"))?,
        agency: row.agency.map(Name::from),
        district: row.district.map(Name::from),
        created_at: Instant::from_ms(row.created_at),
        expires_at: Instant::from_ms(row.expires_at),
        revoked_at: row.revoked_at.map(Instant::from_ms),
    })
}
