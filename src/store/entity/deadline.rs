//! A run of a deadline, by its place in the ticket. Must never know another table than its ticket's.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    pub name: String,
    pub run: i32,
    pub kind: String,
    pub party: String,
    pub agency: Option<String>,
    pub district: Option<String>,
    pub state: String,
    pub starts_at: i64,
    pub yellow_at: i64,
    pub due_at: i64,
    pub certainty: String,
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

impl Related<super::ticket::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Ticket.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
