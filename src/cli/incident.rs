//! `duban incident …`: what could not be decided, and decisions taken away. Must never change a
//! database.

use std::fmt::Write;

use clap::ArgGroup;
use serde_json::json;
use uuid::Uuid;

use super::place::{LawFlags, Place, at_database, existing};
use super::text::padded;
use super::{Ended, Failure, pretty_json, print, remark, source};
use crate::replay::{self, Again, Expected, ExportError, House};
use crate::store::{ADVANCE, RECOMPUTE};

/// Incidents on one list.
const LISTED: u64 = 1_000;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 列出未处理的异常，最近的在前
    List(List),
    /// 导出一次办理：定义、日历、此前的记录和命令，不含个人信息；用 duban replay 重演
    Export(Export),
}

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// 包括已处理的
    #[arg(long)]
    all: bool,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
#[command(group(ArgGroup::new("which").required(true).args(["id", "ticket"])))]
pub(super) struct Export {
    #[command(flatten)]
    place: Place<LawFlags>,
    /// 异常的编号
    #[arg(value_name = "编号", value_parser = id)]
    id: Option<Uuid>,
    /// 工单编号：导出其中一次办理
    #[arg(long, value_name = "工单", requires = "seq")]
    ticket: Option<String>,
    /// 该次办理留下的任一条记录的序号
    #[arg(long, value_name = "序号", requires = "ticket")]
    seq: Option<u64>,
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::List(list) => list.run(),
            Self::Export(export) => export.run(),
        }
    }
}

fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "应为 duban incident list 所列的编号".to_owned())
}

impl List {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let text = at_database(async {
            let store = existing(&settings).await?;
            let found = store.incidents(!self.all, None, LISTED).await?;
            let tickets: Vec<_> = found.iter().map(|one| one.what.ticket).collect();
            let numbers = store.ticket_numbers(&tickets).await?;
            store.close().await;
            if tickets.len() as u64 == LISTED {
                remark(&format!("只列出最近 {LISTED} 条；其余见 GET /v1/incidents"));
            }
            let mut text = String::new();
            if !self.json && !found.is_empty() {
                text.push_str(&row(["编号", "工单", "时间", "事项", "说明"]));
            }
            for one in found {
                let number = numbers.get(&one.what.ticket).map_or("", String::as_str);
                let what = &one.what;
                // Writing to a string cannot fail.
                let _ = if self.json {
                    let shown = json!({
                        "id": one.id, "ticket_no": number, "command": what.command,
                        "code": what.code, "message": what.message, "seq": what.seq,
                        "at": what.at, "resolved_at": one.resolved_at,
                    });
                    writeln!(text, "{shown}")
                } else {
                    let (at, command) = (what.at.said(), title(&what.command));
                    let message = what.message.replace('\n', " ");
                    write!(text, "{}", row([&one.id.to_string(), number, &at, command, &message]))
                };
            }
            Ok::<_, Failure>(text)
        })?;
        if text.is_empty() && !self.json {
            let none = if self.all { "没有异常\n" } else { "没有未处理的异常\n" };
            return print(none);
        }
        print(&text)
    }
}

fn row(cells: [&str; 5]) -> String {
    const COLUMNS: [usize; 5] = [36, 22, 16, 14, 0];
    let padded = cells.iter().zip(COLUMNS).map(|(cell, columns)| padded(cell, columns));
    format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
}

/// What was being done: of an action its code, by which one asks for it again.
fn title(command: &str) -> &str {
    match command {
        ADVANCE => "到期自动办理",
        RECOMPUTE => "重算期限",
        action => action,
    }
}

impl Export {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let house = House {
            calendars: source(settings.calendars.clone()),
            workflows: source(settings.workflows.clone()),
            hotline_agencies: settings.hotline_agencies.iter().cloned().collect(),
        };
        let (file, again) = at_database(async {
            let store = existing(&settings).await?;
            let exported = match (self.id, &self.ticket, self.seq) {
                (Some(id), ..) => {
                    let nothing = || Failure::Input(format!("没有编号为 {id} 的异常，请核对编号"));
                    let incident = store.incident(id).await?.ok_or_else(nothing)?;
                    replay::of_incident(&store, &house, &incident.what).await?
                }
                (None, Some(number), Some(seq)) => {
                    let nothing = || Failure::Input("没有这件工单，请核对编号".to_owned());
                    let ticket = store.ticket_of(number).await?.ok_or_else(nothing)?;
                    replay::of_event(&store, &house, ticket, seq).await?
                }
                _ => return Err(Failure::Input("请写明异常编号，或 --ticket 和 --seq".to_owned())),
            };
            store.close().await;
            Ok(exported)
        })?;
        if let Again::Differs { place, .. } = again
            && matches!(file.expected, Expected::Events(_))
        {
            remark(&format!(
                "注意：以现有的程序、日历和法规文本重演，第 {place} 条与当时的记录不一致；\
                 可能是办理之后才收录的放假通知，或程序已升级，或记录被改动；\
                 请用 duban audit verify 核验"
            ));
        }
        print(&pretty_json(&file)?)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Catalog(error) => error.into(),
            ExportError::NoEvent(_) | ExportError::NoForm | ExportError::Unreadable => {
                Self::Input(error.to_string())
            }
            ExportError::NoCommit(_) | ExportError::Replay(_) => Self::Machine(error.to_string()),
        }
    }
}
