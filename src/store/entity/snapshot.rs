//! A ticket as its last event left it. Must never know another table.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "snapshot")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket: Uuid,
    pub version: i64,
    pub seq: i64,
    pub head: Vec<u8>,
    pub recorded_at: i64,
    pub wake_at: Option<i64>,
    pub bytes: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
