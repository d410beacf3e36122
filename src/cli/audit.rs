//! `duban audit verify`: whether a database still says what happened. Must never change it, nor call
//! good what was not looked at.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use serde_json::json;

use super::place::{AttachmentsFlag, Place, existing, patiently};
use super::{Ended, Failure, block_on, print, remark};
use crate::audit::{AuditError, Checked, verify};
use crate::config::Settings;
use crate::store::Store;
use crate::vault::Vault;
use duban_core::echo::echo_path;
use duban_core::system;

/// How often somebody at a terminal is told how far it is.
const TELL: Duration = Duration::from_secs(1);

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 核验整个数据库：逐件核对记录链、重演历史、比对快照和各表，指出第一处不符
    ///
    /// 核验工单、记录、时限、牌、私密内容、评价的归属、附件文件和提交总序。不在历史之中的不在核验之列：工单编号、行的版本号、评价和事项的
    /// 代码、工作流文本、消息、令牌、幂等键，以及附件的登记（归属、类型、时间；历史所引的文件须有登记）。同一毫秒的两次提交不能区分。服务运行中也可核验，
    /// 但应在其空闲时：核验期间的新提交可能被误报。从某条记录起整段重写、或整齐截去末尾，只凭数据库自身无法发现，
    /// 须与库外保存的回执或检查点比对。
    Verify(Verify),
}

#[derive(clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    place: Place<AttachmentsFlag>,
    /// 不核对附件文件
    #[arg(long, conflicts_with = "attachments")]
    without_files: bool,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::Verify(verify) => verify.run(),
        }
    }
}

impl Verify {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let vault = self.vault(&settings)?;
        let begun = Instant::now();
        let mut told = begun;
        let tell = |checked: Checked| {
            if told.elapsed() >= TELL && std::io::stderr().is_terminal() {
                told = Instant::now();
                let files =
                    checked.files.map_or(String::new(), |files| format!("、{files} 个附件"));
                let Checked { tickets, events, .. } = checked;
                remark(&format!("已核 {tickets} 件工单、{events} 条记录{files}……"));
            }
        };
        let verified = block_on(async {
            let store = patiently(existing(&settings)).await?;
            let verified = verify(&store, vault.as_ref(), tell).await;
            store.close().await;
            Ok(verified)
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        match verified {
            Ok(checked) => self.good(checked, seconds),
            Err(AuditError::Wrong(wrong)) => {
                if self.json {
                    let wrong = wrong.to_string();
                    print(&format!("{}\n", json!({"verified": false, "wrong": wrong})))?;
                }
                Err(Failure::Machine(format!("{wrong}（核验到此为止，其后未核）")))
            }
            Err(AuditError::Store(error)) => Err(error.into()),
            Err(AuditError::Files(error)) => {
                let why = system::reason(&error);
                Err(Failure::Machine(format!("附件目录不能读取：{why}")))
            }
        }
    }

    /// Where the files are: beside an embedded database, or where it is said.
    fn vault(&self, settings: &Settings) -> Result<Option<Vault>, Failure> {
        if self.without_files {
            return Ok(None);
        }
        let url = &settings.database_url;
        match &settings.attachments {
            Some(folder) if folder.is_dir() => Ok(Some(Vault::of(folder))),
            Some(folder) => Err(Failure::Input(format!("附件目录 {} 不存在", echo_path(folder)))),
            None if url.starts_with("sqlite:") => {
                Ok(Some(Vault::of(&Store::attachments_folder(url)?)))
            }
            None => {
                let say = "请以 --attachments 指明附件目录；不核对附件文件的，加 --without-files";
                Err(Failure::Input(say.to_owned()))
            }
        }
    }

    fn good(&self, checked: Checked, seconds: f64) -> Ended {
        let Checked { tickets, events, commits, files, held, erased } = checked;
        if self.json {
            let all = json!({
                "verified": true, "tickets": tickets, "events": events, "commits": commits,
                "files": files, "held": held, "erased": erased,
                "seconds": (seconds * 1_000.0).round() / 1_000.0,
            });
            return print(&format!("{all}\n"));
        }
        let looked = match files {
            Some(files) => format!("{files} 个附件"),
            None => "未核对附件文件".to_owned(),
        };
        let rest = if held == 0 && erased == 0 {
            String::new()
        } else {
            format!(
                "因异常停住的工单 {held} 件，已不在库中的私密内容 {erased} 处：\
                 如与运维记录不一致，应查明\n"
            )
        };
        print(&format!(
            "全部相符：{tickets} 件工单、{events} 条记录、{commits} 次提交、{looked}（{seconds:.1} 秒）\n{rest}"
        ))
    }
}
