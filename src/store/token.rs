//! Bearer tokens, as hashes: who somebody is and in which role. Must never hold a token itself.

use std::collections::{BTreeMap, BTreeSet};

use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait,
};
use sea_orm::{QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::dialect::Transaction;
use super::entity::token;
use super::legible::legible;
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

impl Token {
    /// Whether it counts: neither revoked nor expired.
    #[must_use]
    pub fn counts_at(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at > now
    }
}

/// Why a token was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddTokenError {
    /// Its subject holds a role that nobody may hold beside it.
    #[error("该使用者持有互斥的角色“{}”；三员（系统、安全、审计管理员）不得由一人兼任", .held.title())]
    Excluded {
        /// The role.
        held: Role,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Adds a token, unless its subject holds one of a role that excludes it.
    ///
    /// # Errors
    /// [`AddTokenError`]; nothing is added then.
    pub async fn add_token(&self, new: &Token) -> Result<(), AddTokenError> {
        let tx = self.begin().await?;
        let written = add(&tx.tx, new).await;
        let held = tx.end(written).await?;
        held.map_or(Ok(()), |held| Err(AddTokenError::Excluded { held }))
    }

    /// The token of a hash, whatever its state.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn token(&self, hash: Digest) -> Result<Option<Token>, StoreError> {
        self.tokens.ask(hash, |hashes| self.tokens_of(hashes)).await
    }

    async fn tokens_of(
        &self,
        hashes: BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, Token>, StoreError> {
        let mut hashes: Vec<Vec<u8>> = hashes.into_iter().map(|hash| hash.0.to_vec()).collect();
        // In a few sizes only: each is another statement to prepare. Without a limit: see
        // [`Store::ticket_of`].
        let last = hashes.last().cloned().unwrap_or_default();
        hashes.resize(hashes.len().next_power_of_two(), last);
        let query = token::Entity::find().filter(token::Column::Hash.is_in(hashes));
        let rows = self.read.query_all(query.as_query()).await?;
        let tokens =
            legible("token", &rows, |row| known(token::Model::from_query_result(row, "")?))?;
        Ok(tokens.into_iter().map(|token| (token.hash, token)).collect())
    }

    /// A token by its identity, whatever its state.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn token_by_id(&self, id: Uuid) -> Result<Option<Token>, StoreError> {
        token::Entity::find_by_id(id).one(&self.read).await?.map(known).transpose()
    }

    /// Tokens before one, the newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tokens(&self, before: Option<Uuid>, limit: u64) -> Result<Vec<Token>, StoreError> {
        let page = |limit| {
            let mut query = token::Entity::find().order_by_desc(token::Column::Id).limit(limit);
            if let Some(before) = before {
                query = query.filter(token::Column::Id.lt(before));
            }
            query.into_query()
        };
        let read = |row: &QueryResult| known(token::Model::from_query_result(row, "")?);
        self.lists.legible("token", limit, page, read).await
    }

    /// How many tokens there are, also those that cannot be read.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn token_count(&self) -> Result<u64, StoreError> {
        Ok(token::Entity::find().count(&self.lists).await?)
    }

    /// Revokes a token; false if there is none that still counts.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn revoke_token(&self, id: Uuid, at: Instant) -> Result<bool, StoreError> {
        let update = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, sea_orm::sea_query::Expr::value(at.ms()))
            .filter(token::Column::Id.eq(id))
            .filter(token::Column::RevokedAt.is_null())
            .filter(token::Column::ExpiresAt.gt(at.ms()));
        Ok(update.exec(&*self.writer().await?).await?.rows_affected > 0)
    }
}

/// Adds a row; or says which role its subject holds instead.
async fn add(tx: &Transaction, new: &Token) -> Result<Option<Role>, StoreError> {
    // Whoever adds one waits for whoever else does: both would see nothing of each other.
    let mut alone = Query::update();
    alone.table("ledger").value("commits", Expr::col("commits"));
    alone.and_where(Expr::col("id").eq(1));
    tx.execute(&alone).await?;
    let counts = token::Entity::find()
        .filter(token::Column::Subject.eq(new.subject.as_str()))
        .filter(token::Column::RevokedAt.is_null())
        .filter(token::Column::ExpiresAt.gt(new.created_at.ms()));
    for row in counts.all(tx).await? {
        let other = known(row)?.role;
        if new.role.excludes(other) {
            return Ok(Some(other));
        }
    }
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
    token::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(None)
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
