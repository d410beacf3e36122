//! A database of a benchmark's own: a file in a folder, or a database on a server; gone afterwards.
//! Must never touch another one.

use std::fs;
use std::path::{Path, PathBuf};

use duban_core::system;
use serde::Serialize;
use serde_json::json;

use crate::cli::service::stopped;
use crate::cli::{Ended, Failure, block_on, print};
use crate::crypto;
use crate::store::Store;

/// Where a benchmark takes place.
#[derive(clap::Args)]
pub(super) struct Where {
    /// 在此目录中建立临时数据库（应在真实磁盘上）；不写则用系统临时目录
    #[arg(long, value_name = "目录")]
    folder: Option<PathBuf>,
    /// 在此 PostgreSQL 服务器上建立临时数据库（postgres://…，须有建库权限），测完即删
    #[arg(long, value_name = "网址", conflicts_with = "folder")]
    database_url: Option<String>,
}

/// The database, and a folder that is gone when this is dropped.
pub(super) struct Scratch {
    folder: Folder,
    server: Option<String>,
    pub(super) url: String,
}

impl Where {
    /// Measures on a database that is gone afterwards; one line of JSON.
    pub(super) fn measured<M: Serialize>(
        &self,
        measure: impl AsyncFnOnce(&Scratch) -> Result<M, Failure>,
    ) -> Ended {
        let measured = block_on(async {
            let stop = stopped();
            let scratch = self.scratch().await?;
            let measured = tokio::select! {
                measured = measure(&scratch) => measured,
                () = stop => Err(Failure::Machine("已中断".to_owned())),
            };
            match (measured, scratch.gone().await) {
                (Err(failure), Err(left)) => Err(failure.and(&left)),
                (measured, gone) => measured.and_then(|measured| gone.map(|()| measured)),
            }
        })?;
        print(&format!("{}\n", json!(measured)))
    }

    async fn scratch(&self) -> Result<Scratch, Failure> {
        let folder = Folder::new(self.folder.as_deref())?;
        let server = self.database_url.clone();
        let url = match &server {
            Some(server) if server.starts_with("sqlite:") => {
                let say = "测速自建 SQLite 数据库：请用 --folder 指明目录";
                return Err(Failure::Input(say.to_owned()));
            }
            Some(server) => Store::create_scratch(server).await?,
            None => format!("sqlite://{}?mode=rwc", folder.file("bench.db").display()),
        };
        Ok(Scratch { folder, server, url })
    }
}

impl Scratch {
    /// What kind of database it is.
    pub(super) const fn kind(&self) -> &'static str {
        if self.server.is_some() { "postgres" } else { "sqlite" }
    }

    /// A file beside it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    /// Drops the database; one that cannot be dropped is named.
    pub(super) async fn gone(self) -> Result<(), Failure> {
        let Some(server) = &self.server else { return Ok(()) };
        Store::drop_scratch(server, &self.url).await.map_err(|error| {
            let url = self.url.split('?').next().unwrap_or_default();
            let name = url.rsplit('/').next().unwrap_or_default();
            Failure::Machine(format!("临时数据库 {name} 未能删除，请自行删除：{error}"))
        })
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(within: Option<&Path>) -> Result<Self, Failure> {
        let within = within.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let folder = within.join(format!("duban-bench-{}", crypto::identity().simple()));
        // In full, since other processes may be somewhere else.
        let made = fs::create_dir(&folder).and_then(|()| folder.canonicalize());
        made.map(Self).map_err(|error| {
            let why = system::reason(&error);
            Failure::Machine(format!("无法建立目录 {}：{why}", folder.display()))
        })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_dir_all(&self.0);
    }
}
