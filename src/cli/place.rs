//! Which house a command is about: the settings of its server, and flags before them. Must never
//! make a database where a command only looks at one.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;

use clap::Args;
use serde::Serialize;

use super::{Failure, block_on, input, remark};
use crate::config::Settings;
use crate::store::Store;

/// The settings that a server in this folder would have, with the flags that this command takes.
/// Flags win over `DUBAN_…`, which wins over the file, which wins over the defaults.
#[derive(Args, Serialize)]
pub(super) struct Place<F: Args + Serialize = NoMore> {
    /// 服务的配置文件（TOML）；不写则用当前目录的 duban.toml（如有）
    #[arg(long, value_name = "文件", env = "DUBAN_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// 数据库 [默认：sqlite://duban.db?mode=rwc；环境变量 DUBAN_DATABASE_URL]
    #[arg(long, value_name = "网址")]
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    more: F,
}

/// The database is all that a command needs to know of a house.
#[derive(Args, Serialize)]
pub(super) struct NoMore {}

impl<F: Args + Serialize> Place<F> {
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let read = || Settings::read(self.config.as_deref(), self);
        Ok(input::patiently("正在等待并读取配置文件", read)?)
    }
}

/// Does something with a database, and says so where it keeps somebody waiting.
pub(super) fn at_database<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    block_on(patiently(work))
}

/// The same for a part of it.
pub(super) async fn patiently<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(input::SILENCE_MAX, &mut work).await {
        return done;
    }
    remark("正在等待数据库……（按 Ctrl-C 停止）");
    work.await
}

/// The database of a house that is there.
pub(super) async fn existing(settings: &Settings) -> Result<Store, Failure> {
    Ok(Store::open(&settings.database_url.replace("mode=rwc", "mode=rw")).await?)
}

#[derive(Args, Serialize)]
pub(super) struct AttachmentsFlag {
    /// 附件目录；各节点须用同一个 [默认：数据库文件名加 .attachments；环境变量 DUBAN_ATTACHMENTS]
    #[arg(long, value_name = "目录")]
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<PathBuf>,
}

#[derive(Args, Serialize)]
pub(super) struct LawFlags {
    /// 服务所用的日历目录；不写则用内置的 [环境变量 DUBAN_CALENDARS]
    #[arg(long, value_name = "目录")]
    #[serde(skip_serializing_if = "Option::is_none")]
    calendars: Option<PathBuf>,
    /// 服务所用的工作流目录；不写则用内置的 [环境变量 DUBAN_WORKFLOWS]
    #[arg(long, value_name = "目录")]
    #[serde(skip_serializing_if = "Option::is_none")]
    workflows: Option<PathBuf>,
}

#[derive(Args, Serialize)]
pub(super) struct RegisterFlag {
    /// 服务所用的单位、区划、标签名册目录；不写则用内置的 [环境变量 DUBAN_REGISTER]
    #[arg(long, value_name = "目录")]
    #[serde(skip_serializing_if = "Option::is_none")]
    register: Option<PathBuf>,
}
