//! `duban simulate`: the whole course of a ticket in simulated time. Must never touch a database
//! or the clock.

use std::path::PathBuf;

use serde_json::json;

use super::{CalendarFlags, Ended, Failure, WorkflowFlags, input, pretty_json, print};
use crate::catalog::{Register, Source};
use duban_core::definition::{Action, Definition};
use duban_core::echo::unknown;
use duban_core::name::Name;
use duban_core::rejection::{self, Rejection};
use duban_core::role::Role;
use duban_core::simulate::{Life, Scenario, Step, json as as_json, simulate, timeline};
use duban_core::time::Instant;

/// The largest scenario file read: ten thousand steps have about two megabytes.
const SCENARIO_MIB_MAX: u64 = 4;

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
        let file = self.scenario.as_deref().map(input::named).unwrap_or_default();
        let scenario = scenario(self.scenario, self.workflow, self.received)?;
        let place = if file.is_empty() { String::new() } else { format!("{file}: ") };
        let life = simulate(&shelf, &calendar, &scenario)
            .map_err(|error| Failure::Input(format!("{place}{error}")))?;
        if self.json {
            print(&pretty_json(&as_json(&life, &scenario))?)?;
        } else {
            let register = Register::read(&Source::Embedded)?;
            // What is to be typed stays a code.
            let told = |line: &str| {
                if line.trim_start().starts_with('✗') {
                    format!("{line}\n")
                } else {
                    format!("{}\n", register.named(line))
                }
            };
            let table = timeline(&life, &scenario, &calendar);
            print(&table.lines().map(told).collect::<String>())?;
        }
        check_refusals(&file, &life, &scenario)
    }
}

fn scenario(
    file: Option<PathBuf>,
    workflow: Option<String>,
    received: Option<Instant>,
) -> Result<Scenario, Failure> {
    let mut scenario = match file {
        Some(file) => {
            let (name, text) = (input::named(&file), input::text(&file, SCENARIO_MIB_MAX)?);
            Scenario::read(&name, &text)?
        }
        // Unwrap safety: clap asks for both flags when there is no file; an empty name is refused
        // by the shelf.
        None => left_alone(
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

/// An agency of the register that is shipped, for tickets of which nobody says more.
const AGENCY: &str = "SZ013";

/// A ticket that is dispatched as it arrives, and then left alone.
fn left_alone(workflow: Name, received: Instant) -> Scenario {
    let dispatch = Step {
        at: received,
        recorded_at: received,
        action: "dispatch".into(),
        by: Role::Hotline,
        subject: "hotline".into(),
        agency: None,
        form: json!({ "agency": AGENCY }),
        revision: None,
        refused: None,
        line: 0,
    };
    Scenario {
        title: "收到即转办，此后无人办理".to_owned(),
        workflow,
        class: None,
        received,
        reviewed: received,
        flags: Vec::new(),
        hotline_agencies: Vec::new(),
        until: None,
        steps: vec![dispatch],
        outages: Vec::new(),
    }
}

/// Which action was meant, where its title was written; or which there are.
fn unknown_action(definition: &Definition, written: &str) -> String {
    let said = |action: &Action| format!("{}（{}）", action.name, action.title);
    let meant = definition.actions.iter().find(|action| action.title == written);
    let known = definition.actions.iter().map(said).collect::<Vec<_>>().join("、");
    unknown("动作", written, &meant.map_or(known, said))
}

/// A scenario says which steps it expects to be refused; anything else is a failure, so that a
/// scenario can stand as a test.
fn check_refusals(file: &str, life: &Life, scenario: &Scenario) -> Ended {
    let mut wrong = Vec::new();
    for turn in &life.turns {
        let Some(step) = turn.step.map(|place| &scenario.steps[place]) else { continue };
        let found = turn.result.as_ref().err();
        let code = found.map(Rejection::code);
        if code != step.refused.as_deref() {
            let action = turn.definition.action(step.action.as_str());
            let title = action.map_or(step.action.as_str(), |action| &action.title);
            let expected = step.refused.as_deref();
            let expected = expected.map_or("办成".to_owned(), |code| {
                format!("不能办理（{}）", rejection::title_of(code))
            });
            let why = match found {
                Some(Rejection::UnknownAction { .. }) => {
                    format!("不能办理：{}", unknown_action(&turn.definition, step.action.as_str()))
                }
                Some(why) => format!("不能办理：{why}"),
                None => "办成了".to_owned(),
            };
            let place =
                if file.is_empty() { String::new() } else { format!("{file}:{}: ", step.line) };
            wrong.push(format!("{place}{title}：预期{expected}，实际{why}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Failure::Input(wrong.join("\n"))) }
}
