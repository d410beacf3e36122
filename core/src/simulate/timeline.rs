//! A life as a table that a person reads, and as JSON for programs. Must never show what the
//! history does not hold.

use std::fmt::Write;

use serde_json::{Value, json};

use super::describe::{describe, end, person};
use super::{Life, Scenario, Turn};
use crate::calendar::Calendar;
use crate::deadline::State;
use crate::definition::Kind;
use crate::event::{Event, Fact};
use crate::rejection::Rejection;
use crate::time::Instant;

/// A life as a table: instant, day in the working calendar, events, and the clocks afterwards.
#[must_use]
pub fn timeline(life: &Life, scenario: &Scenario, calendar: &Calendar) -> String {
    let mut text = String::new();
    let pin = &life.definition.pin;
    let _ = writeln!(text, "{}", scenario.title);
    let _ =
        writeln!(text, "工作流 {} 第 {} 版（{}）", life.definition.title, pin.version, pin.name);
    // Each event is told in the words of the definition that ruled when it happened.
    let mut definition = life.turns.first().map_or(&life.definition, |turn| &turn.definition);
    for turn in &life.turns {
        let _ = writeln!(text, "\n{}", heading(turn, calendar));
        match &turn.result {
            Ok(events) => {
                for event in events.iter().filter(|event| !never_ran(event, events)) {
                    if matches!(event.fact, Fact::Reclassified(_)) {
                        definition = &turn.definition;
                    }
                    let shown = describe(definition, &turn.instance.flags, event);
                    let then = if event.at == turn.moment.at {
                        String::new()
                    } else {
                        format!("{} ", clock(event.at))
                    };
                    let _ = writeln!(text, "  {then}{shown}");
                }
            }
            Err(rejection) => {
                let step = turn.step.map(|place| &scenario.steps[place]);
                let by = step.map(|step| format!("{}：", person(step.by, step.subject.as_str())));
                let _ = writeln!(text, "  ✗ {}{rejection}", by.unwrap_or_default());
            }
        }
        let clocks = clocks(turn, calendar);
        if !clocks.is_empty() {
            let _ = writeln!(text, "  ◷ {clocks}");
        }
    }
    let ticket = &life.instance;
    let step =
        life.definition.step(ticket.step.as_str()).map_or(ticket.step.as_str(), |step| &step.title);
    let outcome = ticket.outcome.map(|outcome| format!("，结果：{}", outcome.title()));
    let cards = ticket.cards.iter().filter(|card| card.revoked.is_none()).count();
    let _ = writeln!(
        text,
        "\n最后处于“{step}”{}，有效黄牌、红牌共 {cards} 张",
        outcome.unwrap_or_default()
    );
    text
}

/// Whether a deadline was started only to be taken away in the same breath, because it is not for
/// such a ticket.
fn never_ran(event: &Event, events: &[Event]) -> bool {
    let Fact::DeadlineStarted(started) = &event.fact else { return false };
    events.iter().any(|other| match &other.fact {
        Fact::DeadlineCancelled(cancelled) => {
            let run = &cancelled.run;
            run.deadline == started.deadline && run.run == started.run && other.at == event.at
        }
        _ => false,
    })
}

fn heading(turn: &Turn, calendar: &Calendar) -> String {
    let at = turn.moment.at;
    let edition = calendar.known_at(at);
    let day = calendar.zone().day_of(at);
    let weekday =
        ["一", "二", "三", "四", "五", "六", "日"][day.weekday().num_days_from_monday() as usize];
    let named = edition.named(day).map(|named| named.name.as_str().to_owned());
    let kind = match (edition.is_working(day), named) {
        (true, Some(name)) => format!("{name}调休上班"),
        (true, None) => "工作日".to_owned(),
        (false, Some(name)) => format!("{name}放假"),
        (false, None) => "休息日".to_owned(),
    };
    let recorded = turn.moment.recorded_at;
    let recorded =
        if recorded == at { String::new() } else { format!("  记录于 {}", clock(recorded)) };
    format!("{} 周{weekday} {kind}{recorded}", clock(at))
}

fn clock(at: Instant) -> String {
    let text = at.to_string();
    text.split_once('+').map_or(text.clone(), |(local, _)| local.replace('T', " "))
}

/// The clocks that run after a turn: light, working days left, end.
fn clocks(turn: &Turn, calendar: &Calendar) -> String {
    let at = turn.moment.at;
    let edition = calendar.known_at(at);
    let today = calendar.zone().day_of(at);
    let running = turn.instance.runs.iter().filter(|run| run.state == State::Running);
    let shown = running.map(|run| {
        let over = run.overdue_working_days(edition, at);
        // Today counts: whoever is one day late is in the second.
        let over = over.map(|days| match days {
            0 => "已超期".to_owned(),
            days => format!("超期第 {days} 个工作日"),
        });
        let left = run.remaining_working_days(edition, today);
        let left = left.map(|days| format!("余 {days} 个工作日"));
        let days = over.or(left);
        let left = match run.light_at(at) {
            Some(light) => {
                let days = days.map(|days| format!("，{days}")).unwrap_or_default();
                format!("{}{days}", light.title())
            }
            None if run.kind == Kind::Window => format!("至 {}", end(run.due_at)),
            None => days.unwrap_or_default(),
        };
        let rule = turn.definition.deadline(run.deadline.as_str());
        let title = rule.map_or(run.deadline.as_str(), |rule| &rule.title);
        format!("{title} {left}")
    });
    shown.collect::<Vec<_>>().join(" · ")
}

/// A life as JSON: every turn with its events as stored, and the ticket at the end.
#[must_use]
pub fn json(life: &Life, scenario: &Scenario) -> Value {
    let stored = |event: &crate::event::Event| {
        serde_json::from_slice::<Value>(&event.to_bytes()).unwrap_or(Value::Null)
    };
    let turns: Vec<Value> = life
        .turns
        .iter()
        .map(|turn| {
            let action = turn.step.map(|place| scenario.steps[place].action.clone());
            let (events, refused) = match &turn.result {
                Ok(events) => (events.iter().map(stored).collect(), Value::Null),
                Err(rejection) => {
                    let (code, message) = (rejection.code(), rejection.to_string());
                    let errors = match rejection {
                        Rejection::Form(faults) => json!(faults),
                        _ => json!([]),
                    };
                    (Vec::new(), json!({ "code": code, "message": message, "errors": errors }))
                }
            };
            json!({
                "at": turn.moment.at,
                "recorded_at": turn.moment.recorded_at,
                "action": action,
                "refused": refused,
                "events": events,
                "messages": turn.messages,
            })
        })
        .collect();
    json!({
        "title": scenario.title,
        "workflow": life.definition.pin,
        "turns": turns,
        "ticket": life.instance,
    })
}
