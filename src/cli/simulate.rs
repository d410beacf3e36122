//! `duban simulate`: the whole course of a ticket in simulated time. Must never touch a database
//! or the clock.

use std::fs;
use std::path::PathBuf;

use super::{CalendarFlags, Ended, Failure, WorkflowFlags, pretty_json, print};
use crate::catalog;
use duban_core::definition::FieldFault;
use duban_core::rejection::Rejection;
use duban_core::simulate::{Life, Scenario, json, simulate, timeline};
use duban_core::time::Instant;

/// The largest scenario file read: ten thousand steps have about two megabytes.
const SCENARIO_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(clap::Args)]
pub(super) struct Simulate {
    /// 工作流名称，例如 matter、staff；不写则用情景文件中的
    #[arg(long, value_name = "名称", required_unless_present = "scenario")]
    workflow: Option<String>,
    /// 收到差评的时刻（RFC 3339，带时区）；不写则用情景文件中的
    #[arg(long, value_name = "时刻", value_parser = str::parse::<Instant>, required_unless_present = "scenario")]
    received: Option<Instant>,
    /// 情景文件（TOML）：谁在何时办了什么；不写则收到即转办，此后无人办理
    #[arg(long, value_name = "文件")]
    scenario: Option<PathBuf>,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    calendars: CalendarFlags,
    #[command(flatten)]
    workflows: WorkflowFlags,
}

impl Simulate {
    pub(super) fn run(self) -> Ended {
        let calendar = self.calendars.calendar()?;
        let shelf = self.workflows.shelf()?;
        let scenario = scenario(self.scenario, self.workflow, self.received)?;
        let life = simulate(&shelf, &calendar, &scenario)
            .map_err(|error| Failure::Input(error.to_string()))?;
        if self.json {
            print(&pretty_json(&json(&life, &scenario))?)?;
        } else {
            print(&timeline(&life, &scenario, &calendar))?;
        }
        check_refusals(&life, &scenario)
    }
}

fn scenario(
    file: Option<PathBuf>,
    workflow: Option<String>,
    received: Option<Instant>,
) -> Result<Scenario, Failure> {
    let mut scenario = match file {
        Some(file) => {
            let name = file.display().to_string();
            let unreadable =
                |error| Failure::Input(format!("{name}: 无法读取：{}", catalog::reason(&error)));
            let size = fs::metadata(&file).map_err(unreadable)?.len();
            if size > SCENARIO_BYTES_MAX {
                let most = SCENARIO_BYTES_MAX / 1024 / 1024;
                return Err(Failure::Input(format!("{name}: 文件过大：不应超过 {most} MiB")));
            }
            let text = fs::read(&file).map_err(unreadable)?;
            let text = String::from_utf8(text)
                .map_err(|_| Failure::Input(format!("{name}: 不是 UTF-8 编码的文本")))?;
            Scenario::read(&name, &text).map_err(|faults| Failure::Input(faults.to_string()))?
        }
        // Unwrap safety: clap asks for both flags when there is no file; an empty name is refused
        // by the shelf.
        None => Scenario::left_alone(
            workflow.clone().unwrap_or_default().into(),
            received.unwrap_or(Instant::from_ms(0)),
        ),
    };
    if let Some(workflow) = workflow {
        scenario.workflow = workflow.into();
    }
    if let Some(received) = received {
        scenario = scenario.starting(received).map_err(Failure::Input)?;
    }
    Ok(scenario)
}

/// A scenario says which steps it expects to be refused; anything else is a failure, so that a
/// scenario can stand as a test.
fn check_refusals(life: &Life, scenario: &Scenario) -> Ended {
    let mut wrong = Vec::new();
    for turn in &life.turns {
        let Some(step) = turn.step.map(|place| &scenario.steps[place]) else { continue };
        let found = turn.result.as_ref().err();
        let code = found.map(Rejection::code);
        if code != step.refused.as_deref() {
            let expected = step.refused.as_deref().unwrap_or("办成");
            let why = found.map_or("办成了".to_owned(), say);
            wrong.push(format!("第 {} 行 {}：预期 {expected}，实际{why}", step.line, step.action));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Input(wrong.join("\n"))) }
}

fn say(rejection: &Rejection) -> String {
    let fields = match rejection {
        Rejection::Form(faults) => {
            faults.iter().map(|FieldFault { field, .. }| field.as_str()).collect()
        }
        _ => Vec::new(),
    };
    let fields =
        if fields.is_empty() { String::new() } else { format!("（{}）", fields.join("、")) };
    format!("被拒绝 {}{fields}：{rejection}", rejection.code())
}
