//! Something that could not be decided and that people must look into. Must never know another table.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub ticket: Uuid,
    pub command: String,
    pub code: String,
    pub message: String,
    pub seq: i64,
    pub at: i64,
    pub resolved_at: Option<i64>,
    pub arrived_at: Option<i64>,
    pub known_on: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
