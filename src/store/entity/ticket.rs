//! A ticket: what lists filter by. Must never know another table.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ticket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub root: Uuid,
    pub ticket_no: String,
    pub revision: i32,
    pub class: String,
    pub workflow: String,
    pub workflow_version: i32,
    pub step: String,
    pub step_since: i64,
    pub status: String,
    pub agency: Option<String>,
    pub district: Option<String>,
    pub flags: String,
    pub finding: Option<String>,
    pub outcome: Option<String>,
    pub source: String,
    pub matter: String,
    pub received_at: i64,
    pub yellow_at: Option<i64>,
    pub red_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
