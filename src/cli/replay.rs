//! `duban replay FILE`: a decision that was taken away, decided again. Must never need a database.

use std::path::PathBuf;

use super::{Ended, Failure, input, print};
use crate::replay::{Again, DecisionFile, Expected, decide_again};

/// The largest file read: a long history with its texts has a few megabytes.
const MIB_MAX: u64 = 64;

#[derive(clap::Args)]
pub(super) struct Replay {
    /// duban incident export 导出的文件
    #[arg(value_name = "文件")]
    file: PathBuf,
}

impl Replay {
    pub(super) fn run(self) -> Ended {
        let name = input::named(&self.file);
        let wrong = |what: String| Failure::Input(format!("{name}: {what}"));
        let bytes = input::bytes(&self.file, MIB_MAX)?;
        let file: DecisionFile = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            wrong(format!(
                "不是 duban incident export 导出的文件（第 {line} 行第 {column} 列有误）"
            ))
        })?;
        match decide_again(&file).map_err(|error| wrong(error.to_string()))? {
            Again::Same(events) => {
                print(&format!("重演一致：{events} 条记录逐字节相同（{}）\n", file.recorded_at))
            }
            Again::SameRefusal(why) => print(&format!("重演一致：同样不能办理（{why}）\n")),
            Again::Differs { .. } if is_refused_by_store(&file.expected) => {
                let say = "当时办理未成系数据库拒绝写入所致；以本程序重演可以办理";
                Err(Failure::Machine(say.to_owned()))
            }
            Again::Differs { .. } if matches!(file.expected, Expected::Rejected { .. }) => {
                let say = "重演不一致：文件记为不能办理，本程序可以办理，或因另外的原因不能办理";
                Err(Failure::Machine(say.to_owned()))
            }
            Again::Differs { place, expected, found } => {
                let none = || "（无）".to_owned();
                let (expected, found) = (expected.unwrap_or_else(none), found.unwrap_or_else(none));
                Err(Failure::Machine(format!(
                    "重演不一致，第 {place} 条：\n文件  {expected}\n重演  {found}"
                )))
            }
        }
    }
}

fn is_refused_by_store(expected: &Expected) -> bool {
    matches!(expected, Expected::Rejected { code } if code == "refused-by-store")
}
