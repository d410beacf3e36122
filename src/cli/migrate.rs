//! `duban migrate`: the tables of a database as this program needs them. Must never take a table
//! back.

use super::place::{Place, at_database};
use super::{Ended, print};
use crate::store::Store;

#[derive(clap::Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(super) fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let steps = at_database(async {
            let (store, steps) = Store::migrate(&settings.database_url).await?;
            store.close().await;
            Ok(steps)
        })?;
        print(&match steps {
            0 => "数据库的表已是最新\n".to_owned(),
            steps => format!("已完成 {steps} 步升级，数据库的表已是最新\n"),
        })
    }
}
