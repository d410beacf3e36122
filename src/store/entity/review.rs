//! A review by its source's number. Must never know another table than that
//! of its personal data.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub review_id: String,
    pub ticket: Uuid,
    pub commitment: Vec<u8>,
    pub codes: String,
    pub reference: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::personal_data::Entity",
        from = "Column::Reference",
        to = "super::personal_data::Column::Reference"
    )]
    PersonalData,
}

impl Related<super::personal_data::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::PersonalData.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
