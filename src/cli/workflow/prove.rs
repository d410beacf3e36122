//! `duban workflow prove`: every reachable state of the named workflows. Must never say that
//! something holds which was not explored.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::text::padded;
use super::super::{Ended, Failure, WorkflowFlags, pretty_json, print};
use super::named;
use duban_core::definition::{Definition, ENGINE_LEVEL};
use duban_core::name::Name;
use duban_core::prove::{Course, Proof, Rounds, Route, prove_telling};

#[derive(clap::Args)]
pub(in crate::cli) struct Prove {
    /// 工作流名称，可写多个；不写则证明全部
    #[arg(value_name = "名称")]
    names: Vec<String>,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    workflows: WorkflowFlags,
}

impl Prove {
    pub(in crate::cli) fn run(self) -> Ended {
        let shelf = self.workflows.shelf()?;
        let definitions: Vec<Arc<Definition>> = if self.names.is_empty() {
            shelf.newest().map(Arc::clone).collect()
        } else {
            self.names.iter().map(|name| named(&shelf, name)).collect::<Result<_, _>>()?
        };
        if let Some(definition) = definitions.iter().find(|one| one.engine_level > ENGINE_LEVEL) {
            let says = super::newer(definition.engine_level);
            return Err(Failure::Input(format!("{}：{says}", definition.title)));
        }
        let mut proofs = Vec::new();
        for definition in &definitions {
            let progress = Progress::new(&definition.title);
            let proof =
                prove_telling(&shelf, definition, Rounds::LeftOut, &|found| progress.tell(found));
            proofs.push(proof.map_err(|error| Failure::Input(error.to_string()))?);
        }
        if self.json {
            print(&pretty_json(&proofs.iter().map(json).collect::<Vec<_>>())?)?;
        } else {
            let told = definitions.iter().zip(&proofs);
            print(&told.map(|(definition, proof)| text(definition, proof)).collect::<String>())?;
        }
        let faults: Vec<String> = proofs.iter().flat_map(|proof| proof.faults.clone()).collect();
        if faults.is_empty() { Ok(()) } else { Err(Failure::Input(faults.join("\n"))) }
    }
}

/// How often whoever waits is told how far it is.
const TELL: Duration = Duration::from_secs(3);

/// How far a proof is, for whoever waits for it.
struct Progress<'p> {
    title: &'p str,
    begun: Instant,
    told: Mutex<Instant>,
}

impl<'p> Progress<'p> {
    fn new(title: &'p str) -> Self {
        let now = Instant::now();
        Self { title, begun: now, told: Mutex::new(now) }
    }

    /// One of the parts that are explored side by side has come to so many situations: those of the
    /// proof, or those by which courses are measured.
    fn tell(&self, found: usize) {
        let Ok(mut told) = self.told.lock() else { return };
        if told.elapsed() >= TELL {
            *told = Instant::now();
            let (title, seconds) = (self.title, self.begun.elapsed().as_secs());
            // Progress that nobody can read is no reason to stop.
            let _ = writeln!(
                std::io::stderr(),
                "正在证明{title}：已用 {seconds} 秒，本轮已验证 {found} 种情形……"
            );
        }
    }
}

/// The columns of a day.
const DAY_COLUMNS: usize = 8;

fn text(definition: &Definition, proof: &Proof) -> String {
    let pin = &definition.pin;
    let mut out = format!(
        "{} 第 {} 版（{}）：已逐一验证 {} 种情形、{} 条办理路径\n",
        definition.title, pin.version, pin.name, proof.states, proof.ways
    );
    if proof.faults.is_empty() {
        out.push_str("  ✓ 每种情形均可办结\n");
        out.push_str("  ✓ 办理中的每种情形均有办理时限在计，且责任方有可办的动作\n");
        out.push_str("  ✓ 每个环节均可到达，每个动作均可办理，每个办理时限均可按期完成\n");
    } else {
        let _ = writeln!(out, "  ✗ 有 {} 处不成立", proof.faults.len());
    }
    for (kind, course) in &proof.courses {
        let _ = writeln!(out, "  {kind}工单按规定办理：{}", said(definition, course));
    }
    out
}

fn said(definition: &Definition, course: &Course) -> String {
    let title = |action: &Name| {
        definition.action(action.as_str()).map_or(action.to_string(), |one| one.title.clone())
    };
    let one = |name: &str, route: &Option<Route>| match route {
        Some(route) => {
            let days = days(route, &title);
            format!("{name} {} 个工作日：\n{days}", route.working_days)
        }
        None => format!("{name}不存在"),
    };
    let longest = if course.endless.is_empty() {
        one("最长", &course.longest)
    } else {
        let titles: Vec<String> = course.endless.iter().map(title).collect();
        format!("最长没有上限（可反复：{}）", titles.join("、"))
    };
    format!("\n    {}\n    {longest}", one("最短", &course.shortest))
}

/// A course, a line for each day on which something is done: 第1日 转办、签收
fn days(route: &Route, title: &impl Fn(&Name) -> String) -> String {
    let mut days: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for (day, action) in &route.actions {
        days.entry(*day).or_default().push(title(action));
    }
    let told = days.iter().map(|(day, actions)| {
        let day = if *day == 0 { "当日".to_owned() } else { format!("第 {day} 日") };
        format!("      {} {}", padded(&day, DAY_COLUMNS), counted(actions).join("、"))
    });
    told.collect::<Vec<_>>().join("\n")
}

/// Titles, those that follow one another as one: 登记联系情况（4 次）
fn counted(actions: &[String]) -> Vec<String> {
    let runs = actions.chunk_by(|one, next| one == next);
    let said = runs.filter_map(|run| match (run.first()?, run.len()) {
        (title, 1) => Some(title.clone()),
        (title, count) => Some(format!("{title}（{count} 次）")),
    });
    said.collect()
}

fn json(proof: &Proof) -> serde_json::Value {
    let action = |(day, action): &(i32, Name)| serde_json::json!({ "day": day, "action": action });
    let one = |found: &Option<Route>| {
        found.as_ref().map(|route| {
            let actions: Vec<_> = route.actions.iter().map(action).collect();
            serde_json::json!({ "working_days": route.working_days, "actions": actions })
        })
    };
    let courses: Vec<_> = proof
        .courses
        .iter()
        .map(|(kind, course)| {
            serde_json::json!({
                "kind": kind,
                "shortest": one(&course.shortest),
                "longest": one(&course.longest),
                "endless": course.endless,
            })
        })
        .collect();
    serde_json::json!({
        "workflow": proof.workflow,
        "states": proof.states,
        "ways": proof.ways,
        "holds": proof.faults.is_empty(),
        "faults": proof.faults,
        "courses": courses,
    })
}
