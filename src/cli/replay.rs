//! `duban replay FILE`: a decision that was taken away, decided again. Must never need a database.

use std::collections::BTreeSet;
use std::path::PathBuf;

use duban_core::rejection;
use serde_json::Value;

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
            let (line, column) = (error.line().max(1), error.column().max(1));
            wrong(format!(
                "不是 duban incident export 导出的文件（第 {line} 行第 {column} 列有误）"
            ))
        })?;
        match decide_again(&file).map_err(|error| wrong(error.to_string()))? {
            Again::Same(events) => print(&format!(
                "重演一致：{events} 条记录逐字节相同（{} 办理）\n",
                file.recorded_at.said()
            )),
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
                let which = difference(expected.as_deref(), found.as_deref());
                let which = which.map(|which| format!("，{which}")).unwrap_or_default();
                let (expected, found) = (told(expected.as_deref()), told(found.as_deref()));
                Err(Failure::Machine(format!(
                    "重演不一致，第 {place} 条{which}：\n文件  {expected}\n重演  {found}"
                )))
            }
        }
    }
}

/// A record as it stands there, or why there is none.
fn told(record: Option<&str>) -> String {
    match record {
        None => "（无）".to_owned(),
        Some(record) if record.starts_with('{') => record.to_owned(),
        Some(code) => format!("（不能办理：{}）", rejection::title_of(code)),
    }
}

/// Where two records differ first, as a JSON pointer.
fn difference(expected: Option<&str>, found: Option<&str>) -> Option<String> {
    let read = |record: Option<&str>| serde_json::from_str::<Value>(record?).ok();
    let (expected, found) = (read(expected)?, read(found)?);
    let mut place = String::new();
    let (mut expected, mut found) = (&expected, &found);
    while let (Some(ours), Some(theirs)) = (expected.as_object(), found.as_object()) {
        let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let name = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name))?;
        place = format!("{place}/{name}");
        let (Some(ours), Some(theirs)) = (ours.get(name), theirs.get(name)) else { break };
        (expected, found) = (ours, theirs);
    }
    Some(format!("{place} 不同"))
}

fn is_refused_by_store(expected: &Expected) -> bool {
    matches!(expected, Expected::Rejected { code } if code == "refused-by-store")
}
