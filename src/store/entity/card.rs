//! A card, by its place in the ticket. Must never know another table than its ticket's.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    pub name: String,
    pub kind: String,
    pub deadline: String,
    pub party: String,
    pub agency: Option<String>,
    pub state: String,
    pub due_at: i64,
    pub fired_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::ticket::Entity",
        from = "Column::Ticket",
        to = "super::ticket::Column::Id"
    )]
    Ticket,
}

impl ActiveModelBehavior for ActiveModel {}
