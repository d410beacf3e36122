//! The definitions that tickets are pinned to, as they were first used. Must never change one.

use duban_core::digest::Digest;
use sea_orm::EntityTrait;

use super::entity::definition;
use super::event::digest;
use super::legible::in_table;
use super::{Store, StoreError};

/// A definition as it was first used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDefinition {
    /// The workflow.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// SM3 over the text and the forms.
    pub hash: Digest,
    /// The text.
    pub text: String,
    /// The forms: name and text.
    pub forms: Vec<(String, String)>,
}

impl Store {
    /// All definitions that were ever used.
    ///
    /// # Errors
    /// The database does not answer, or holds something else.
    pub async fn definitions(&self) -> Result<Vec<StoredDefinition>, StoreError> {
        let rows = definition::Entity::find().all(&self.read).await.map_err(StoreError::from);
        let stored = rows.and_then(|rows| rows.into_iter().map(stored).collect());
        stored.map_err(in_table("definition"))
    }
}

fn stored(row: definition::Model) -> Result<StoredDefinition, StoreError> {
    let forms: std::collections::BTreeMap<String, String> = serde_json::from_str(&row.forms)
        .map_err(|_| StoreError::unreadable(format!("工作流 {} 的表单", row.name)))?;
    Ok(StoredDefinition {
        version: u32::try_from(row.version).unwrap_or_default(),
        hash: digest(&row.hash)?,
        text: row.text,
        forms: forms.into_iter().collect(),
        name: row.name,
    })
}
