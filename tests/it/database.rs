//! A database for one test: a file of SQLite, or a database of the PostgreSQL that `tests/run`
//! starts. Gone with the test.

use duban::store::Store;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

/// Which database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// An empty database with all tables.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) store: Store,
    _folder: TempDir,
}

impl TestDatabase {
    pub(crate) async fn new(kind: Kind) -> Self {
        let folder = TempDir::new().expect("a folder");
        let url = match kind {
            Kind::Sqlite => {
                format!("sqlite://{}?mode=rwc", folder.path().join("duban.db").display())
            }
            Kind::Postgres => crate::served::postgres().await,
        };
        let (store, _) = Store::migrate(&url).await.expect("tables");
        Self { url, store, _folder: folder }
    }

    /// Past the store: to look at rows, or to harm them.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.expect("a connection")
    }

    /// Past the store: harms it.
    pub(crate) async fn execute(&self, sql: &str) {
        self.raw().await.execute_unprepared(sql).await.expect("harmed");
    }

    /// The one number that a query answers with.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let raw = self.raw().await;
        let statement = raw.get_database_backend();
        let statement = sea_orm::Statement::from_string(statement, query);
        let row = raw.query_one_raw(statement).await.expect("an answer").expect("a row");
        row.try_get_by_index(0).expect("a number")
    }
}

/// Makes a test of each database out of functions that take one.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::database::TestDatabase::new($crate::database::Kind::Sqlite).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL: tests/run starts one"]
            async fn $name() {
                super::$name($crate::database::TestDatabase::new($crate::database::Kind::Postgres).await).await;
            })+
        }
    };
}
pub(crate) use on_both;
