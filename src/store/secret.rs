//! Keys of the house, drawn once and kept. Must never leave the process.

use duban_core::digest::Digest;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, EntityTrait};

use super::entity::secret;
use super::event::digest;
use super::legible::in_table;
use super::{Store, StoreError};
use crate::crypto;

impl Store {
    /// A name for this house, the same on all its nodes, that tells nothing about it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn house(&self) -> Result<String, StoreError> {
        let key = self.secret("house", crypto::key()).await?;
        let name = Digest::of(&[&key]).to_string();
        Ok(name.chars().take(16).collect())
    }

    /// The key of a name: the one that is kept, or from now on this one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let row = secret::ActiveModel {
            name: ActiveValue::Set(name.to_owned()),
            key: ActiveValue::Set(fresh.to_vec()),
        };
        let mut kept = OnConflict::column(secret::Column::Name);
        kept.do_nothing();
        let insert = secret::Entity::insert(row).on_conflict(kept);
        insert.exec_without_returning(&*self.writer().await?).await?;
        let kept = secret::Entity::find_by_id(name).one(&self.read).await.map_err(StoreError::from);
        let key = kept.and_then(|kept| {
            let kept = kept.ok_or_else(|| StoreError::unreadable("没有密钥"))?;
            Ok(digest(&kept.key)?.0)
        });
        key.map_err(in_table("secret"))
    }
}
