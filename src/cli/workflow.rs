//! `duban workflow list|check|graph|prove`: the definitions as people read and trust them. Must
//! never call a definition good that a server would refuse.

mod graph;
mod prove;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::{Ended, Failure, WorkflowFlags, listed, pretty_json, print, source, text};
use crate::catalog::workflows;
use duban_core::definition::{
    Basis, DeadlineRule, Definition, ENGINE_LEVEL, Kind, Shelf, class_title,
};
use duban_core::echo::unknown;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 列出工作流：名称、版本、适用类别、环节和时限
    List(List),
    /// 检查工作流文件：一次列出全部错误，指明文件、行和键
    Check(Check),
    /// 输出工作流的流程图（Mermaid）
    Graph(Graph),
    /// 穷尽工作流的每种情形，证明都能办结、时时有人负责，并给出按规定办理的最短和最长天数
    Prove(prove::Prove),
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::List(list) => list.run(),
            Self::Check(check) => check.run(),
            Self::Graph(graph) => graph.run(),
            Self::Prove(prove) => prove.run(),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct List {
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workflows: WorkflowFlags,
}

impl List {
    fn run(self) -> Ended {
        let shelf = self.workflows.shelf()?;
        if self.json {
            let list: Vec<_> = shelf.newest().map(|one| summary(one)).collect();
            return print(&pretty_json(&list)?);
        }
        let mut out = String::new();
        for definition in shelf.newest() {
            let pin = &definition.pin;
            let classes = definition.classes.iter().map(|class| class_title(class.as_str()));
            let classes: Vec<&str> = classes.collect();
            let _ = writeln!(out, "{} 第 {} 版（{}）", definition.title, pin.version, pin.name);
            let _ = writeln!(out, "  类别：{}", classes.join("、"));
            let _ = writeln!(out, "  文本摘要（SM3）：{}", pin.hash);
            let _ = writeln!(
                out,
                "  环节 {} 个，动作 {} 个，时限 {} 个：",
                definition.steps.len(),
                definition.actions.len(),
                definition.deadlines.len()
            );
            for rule in &definition.deadlines {
                let basis: Vec<String> = rule.basis.iter().map(Basis::title).collect();
                let _ = writeln!(
                    out,
                    "    {}{}{}{}",
                    text::padded(&rule.title, 24),
                    text::padded(&rule.within.said(), 18),
                    text::padded(&charged(rule), 30),
                    basis.join("、"),
                );
            }
        }
        out.push_str("“第…条”均指《深圳市政务服务“好差评”实施办法》（修订稿）（征求意见稿）；“本系统规则”是条文未规定或有歧义之处的处理规则，见 basis.toml。\n");
        print(&out)
    }
}

/// What kind of deadline it is, and who is charged; nobody is charged for what is only watched.
fn charged(rule: &DeadlineRule) -> String {
    match rule.kind {
        Kind::Indicator => rule.kind.title().to_owned(),
        kind => format!("{}·{}", kind.title(), rule.party.title()),
    }
}

fn summary(definition: &Definition) -> serde_json::Value {
    let deadlines: Vec<_> = definition
        .deadlines
        .iter()
        .map(|rule| {
            json!({
                "name": rule.name,
                "title": rule.title,
                "kind": rule.kind,
                "party": rule.party,
                "within": rule.within,
                "basis": rule.basis,
            })
        })
        .collect();
    json!({
        "name": definition.pin.name,
        "version": definition.pin.version,
        "hash": definition.pin.hash,
        "title": definition.title,
        "engine_level": definition.engine_level,
        "classes": definition.classes,
        "steps": definition.steps.iter().map(|step| &step.name).collect::<Vec<_>>(),
        "actions": definition.actions.iter().map(|action| &action.name).collect::<Vec<_>>(),
        "deadlines": deadlines,
    })
}

#[derive(clap::Args)]
pub(super) struct Check {
    /// 工作流目录；不写则检查内置的
    #[arg(value_name = "目录")]
    folder: Option<PathBuf>,
}

impl Check {
    fn run(self) -> Ended {
        let reading = workflows::read(&source(self.folder))?;
        let mut shelf = Shelf::new(reading.texts);
        let mut out = String::new();
        let mut contradictions = Vec::new();
        for definition in reading.definitions {
            let (file, pin) = (definition.file.clone(), definition.pin.clone());
            let (title, level) = (definition.title.clone(), definition.engine_level);
            match shelf.add(definition) {
                Ok(()) => {
                    let found =
                        if level > ENGINE_LEVEL { newer(level) } else { "无误".to_owned() };
                    let _ = writeln!(
                        out,
                        "{file}：{title} 第 {} 版（{}），{found}",
                        pin.version, pin.name
                    );
                }
                Err(error) => contradictions.push(error.to_string()),
            }
        }
        if reading.faults.is_empty() && contradictions.is_empty() {
            return print(&out);
        }
        Err(listed::faults(&reading.faults, &contradictions))
    }
}

#[derive(clap::Args)]
pub(super) struct Graph {
    /// 工作流名称
    #[arg(value_name = "名称")]
    name: String,
    #[command(flatten)]
    workflows: WorkflowFlags,
}

impl Graph {
    fn run(self) -> Ended {
        let shelf = self.workflows.shelf()?;
        let definition = named(&shelf, &self.name)?;
        print(&graph::mermaid(&definition))
    }
}

/// Of a definition that this program can read, but not carry out.
fn newer(level: u32) -> String {
    format!("须由更新版本的程序办理（要求引擎级别 {level}，本程序为 {ENGINE_LEVEL}），请升级程序")
}

/// A workflow by its name, or what there is.
fn named(shelf: &Shelf, name: &str) -> Result<Arc<Definition>, Failure> {
    shelf.by_name(name).map(Arc::clone).ok_or_else(|| {
        let known: Vec<&str> = shelf.newest().map(|one| one.pin.name.as_str()).collect();
        Failure::Input(unknown("工作流", name, &known.join("、")))
    })
}
