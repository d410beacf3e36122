//! Events as a person reads them, in Chinese, with the titles of the definition. Must never leave
//! out an event that it does not find worth telling.

use std::collections::BTreeSet;

use crate::calendar::{Certainty, ESTIMATE_OMITS};
use crate::deadline::CardId;
use crate::definition::{Definition, Kind, RungAt, class_title};
use crate::event::{
    Acted, DeadlineCancelled, DeadlineMet, DeadlineMoved, DeadlineStarted, Event, ExtensionChange,
    Fact, Opened, OutcomeChange, RunRef, RungFired, TicketChange,
};
use crate::name::Name;
use crate::role::Role;
use crate::time::Instant;

/// An event in one line; the ticket's flags say who stands in for those who would be told.
#[must_use]
pub fn describe(definition: &Definition, flags: &BTreeSet<Name>, event: &Event) -> String {
    let of = |run: &RunRef| of(definition, run);
    match &event.fact {
        Fact::Opened(fact) => opened(definition, fact),
        Fact::Acted(fact) => acted(definition, event, fact),
        Fact::Moved(moved) => format!("自动流转{}", change(definition, "", &moved.change)),
        Fact::Reclassified(to) => {
            format!("改为{}", class_title(to.class.as_str()))
        }
        Fact::DeadlineStarted(fact) => started(definition, fact),
        Fact::DeadlineMet(fact) => met(definition, fact),
        Fact::DeadlineReopened(again) | Fact::DeadlineResumed(again) => {
            format!("恢复计时 {}{}", of(&again.run), passed(&again.passed_over))
        }
        Fact::DeadlineLapsed(lapsed) => {
            let raised = lapsed.raised.as_ref().map(|event| definition.event_title(event.as_str()));
            let raised = raised.map(|title| format!("：{title}")).unwrap_or_default();
            format!("届满 {}{raised}", of(&lapsed.run))
        }
        Fact::DeadlineCancelled(cancelled) if is_not_for(definition, cancelled) => {
            let flag = flag_title(cancelled.reason.word());
            format!("不适用 {}（{flag}）", of(&cancelled.run))
        }
        Fact::DeadlineCancelled(cancelled) => {
            let reason = cancelled.reason.title();
            let reason = reason.unwrap_or_else(|| word(definition, cancelled.reason.word()));
            format!("停止计时 {}（{reason}）", of(&cancelled.run))
        }
        Fact::DeadlineMoved(fact) => moved(definition, fact),
        Fact::RungFired(fact) => fired(definition, flags, fact),
        Fact::RungWithheld(fired) => {
            let at = rung_title(fired.rung);
            format!("{}：日期为推定，暂不发牌，先行催办", beside(&of(&fired.run), &at))
        }
        Fact::CardRevoked(card) => {
            let card_title = card_title(definition, &card.card);
            match card.reason.title() {
                Some(reason) => format!("撤销{card_title}（{reason}）"),
                None => format!("撤销{card_title}"),
            }
        }
        Fact::CardContested(card) => {
            format!("对{}提出异议", card_title(definition, &card.card))
        }
        Fact::Disclosed(look) => {
            let by = person(look.role, event.actor.as_str());
            format!("{by} 查看评价人完整信息（{}）", look.purpose.title())
        }
        Fact::CardUpheld(card) => format!("维持{}", card_title(definition, &card.card)),
    }
}

fn opened(definition: &Definition, opened: &Opened) -> String {
    let flags: Vec<&str> = opened.flags.iter().map(|flag| flag_title(flag.as_str())).collect();
    let flags =
        if flags.is_empty() { String::new() } else { format!("（{}）", flags.join("、")) };
    format!("收到差评，生成工单{flags}，进入“{}”", step(definition, opened.step.as_str()))
}

fn acted(definition: &Definition, event: &Event, acted: &Acted) -> String {
    let action = definition.action(acted.action.as_str());
    let title = action.map_or(acted.action.as_str(), |action| &action.title);
    let by = match (acted.agency.as_ref(), event.actor.as_str()) {
        (None, actor) => person(acted.role, actor),
        (Some(agency), actor) if actor == acted.role.word() => {
            format!("{} {agency}", acted.role.title())
        }
        (Some(agency), actor) => format!("{} {agency} {actor}", acted.role.title()),
    };
    format!("{title}（{by}）{}", change(definition, title, &acted.change))
}

fn started(definition: &Definition, started: &DeadlineStarted) -> String {
    let days = &started.schedule;
    let certainty = certainty(days.certainty, &days.missing_years);
    let title = deadline(definition, started.deadline.as_str());
    let run =
        if started.run > 1 { format!("（第 {} 次）", started.run) } else { String::new() };
    format!("起算 {title}{run}：{}，{} 止{certainty}", started.within.said(), end(days.due_at))
}

/// Nobody completes a window, nor what is only watched.
fn met(definition: &Definition, met: &DeadlineMet) -> String {
    let of = of(definition, &met.run);
    let kind = definition.deadline(met.run.deadline.as_str()).map(|rule| rule.kind);
    match (kind, met.late) {
        (Some(Kind::Window), _) => format!("提前结束 {of}"),
        (Some(Kind::Indicator), false) => format!("停止计时 {of}（未超期）"),
        (Some(Kind::Indicator), true) => format!("停止计时 {of}（已超期）"),
        (_, false) => format!("按期完成 {of}"),
        (_, true) => format!("超期完成 {of}"),
    }
}

/// Whether a deadline ended because it is not for tickets with such a flag.
fn is_not_for(definition: &Definition, cancelled: &DeadlineCancelled) -> bool {
    let rule = definition.deadline(cancelled.run.deadline.as_str());
    let not_for = rule.and_then(|rule| rule.not_for.as_ref());
    not_for.is_some_and(|flag| flag.as_str() == cancelled.reason.word())
}

/// A person in a role; who bears the name of his role is nobody in particular.
pub(super) fn person(role: Role, subject: &str) -> String {
    let title = role.title();
    if subject == role.word() { title.to_owned() } else { format!("{title} {subject}") }
}

fn moved(definition: &Definition, moved: &DeadlineMoved) -> String {
    let (from, to) = (end(moved.from_due_at), end(moved.schedule.due_at));
    let sure = certainty(moved.schedule.certainty, &moved.schedule.missing_years);
    let why = moved.reason.title();
    let of = of(definition, &moved.run);
    if moved.from_due_at == moved.schedule.due_at {
        format!("重新计算 {of}（{why}），仍为 {to} 止{sure}")
    } else {
        format!("变更 {of}（{why}），由 {from} 止改为 {to} 止{sure}")
    }
}

fn fired(definition: &Definition, flags: &BTreeSet<Name>, fired: &RungFired) -> String {
    let rules = definition.deadline(fired.run.deadline.as_str());
    let rung = rules.and_then(|rule| rule.rungs.iter().find(|one| one.at == fired.rung));
    let card = fired.card.map(|card| card.title().to_owned());
    let notice = fired.notice.map(|notice| notice.title().to_owned());
    let says: Vec<String> = card.into_iter().chain(notice).collect();
    let told = rung.map(|rung| definition.told(&rung.tell, flags)).unwrap_or_default();
    let tell = told.iter().map(|one| one.title()).collect::<Vec<_>>().join("、");
    let at = rung_title(fired.rung);
    {
        let at = beside(&of(definition, &fired.run), &at);
        format!("{at}：{}，告知{tell}", says.join("、"))
    }
}

/// A due instant as officials say it: `2月25日24:00`.
pub(super) fn end(due_at: Instant) -> String {
    let text = due_at.plus_ms(-1).to_string();
    if due_at.to_string().contains("T00:00:00+") {
        format!("{} 24:00", &text[..10])
    } else {
        due_at.to_string()[..16].replace('T', " ")
    }
}

/// What came of it, but for an event that is called like the action.
fn change(definition: &Definition, action: &str, change: &TicketChange) -> String {
    let mut says = Vec::new();
    if let Some(agency) = &change.assigned {
        says.push(format!("承办单位 {agency}"));
    }
    if let Some(agency) = &change.released {
        says.push(format!("{agency}不再承办"));
    }
    if let Some(finding) = change.finding {
        says.push(format!("结论：{}", finding.title()));
    }
    let raised = change.raised.iter().map(|event| definition.event_title(event.as_str()));
    says.extend(raised.filter(|title| *title != action).map(str::to_owned));
    match &change.extension {
        Some(ExtensionChange::Requested { until, .. }) => says.push(format!("拟延至 {until}")),
        Some(ExtensionChange::Decided { .. }) | None => {}
    }
    match change.outcome {
        Some(OutcomeChange::Named(outcome)) => says.push(format!("办结结果：{}", outcome.title())),
        Some(OutcomeChange::Cleared) => says.push("撤销办结结果".to_owned()),
        None => {}
    }
    if let Some(to) = &change.step {
        says.push(format!(
            "“{}”→“{}”",
            step(definition, to.from.as_str()),
            step(definition, to.to.as_str())
        ));
    }
    if says.is_empty() { String::new() } else { format!("：{}", says.join("，")) }
}

fn step<'a>(definition: &'a Definition, name: &'a str) -> &'a str {
    definition.step(name).map_or(name, |step| &step.title)
}

fn deadline<'a>(definition: &'a Definition, name: &'a str) -> &'a str {
    definition.deadline(name).map_or(name, |rule| &rule.title)
}

fn of(definition: &Definition, run: &RunRef) -> String {
    let title = deadline(definition, run.deadline.as_str());
    if run.run > 1 { format!("{title}（第 {} 次）", run.run) } else { title.to_owned() }
}

/// A deadline and what is said of it: a full-width bracket has its own space.
fn beside(title: &str, said: &str) -> String {
    if title.ends_with('）') { format!("{title}{said}") } else { format!("{title} {said}") }
}

/// A card as people know it: what it was issued for, and which it is.
fn card_title(definition: &Definition, id: &Name) -> String {
    let Some(id) = CardId::read(id.as_str()) else { return format!("牌 {id}") };
    let rules = definition.deadline(id.deadline);
    let rung = rules.and_then(|rule| rule.rungs.iter().find(|one| one.at == id.rung));
    let card = rung.and_then(|rung| rung.card).map_or("牌", |card| card.title());
    let title = deadline(definition, id.deadline);
    let run = if id.run > 1 { format!("（第 {} 次）", id.run) } else { String::new() };
    format!(" {}的{card}", beside(&format!("{title}{run}"), &rung_title(id.rung)))
}

/// What a flag that comes from outside says.
fn flag_title(flag: &str) -> &str {
    match flag {
        "anonymous" => "匿名评价",
        "hotline_self" => "涉热线",
        other => other,
    }
}

/// A reason out of the definition, or a flag.
fn word<'a>(definition: &'a Definition, word: &'a str) -> &'a str {
    match definition.action(word) {
        Some(action) => &action.title,
        None => definition.event_title(flag_title(word)),
    }
}

fn rung_title(rung: RungAt) -> String {
    match rung.0 {
        0 => "到期".to_owned(),
        days if days < 0 => format!("到期前 {} 个工作日", -days),
        days => format!("超期满 {days} 个工作日"),
    }
}

fn passed(rungs: &[RungAt]) -> String {
    if rungs.is_empty() {
        return String::new();
    }
    let rungs: Vec<String> = rungs.iter().map(|rung| rung_title(*rung)).collect();
    format!("；其间已过的提醒不再补发：{}", rungs.join("、"))
}

fn certainty(certainty: Certainty, missing: &[i32]) -> String {
    match certainty {
        Certainty::Firm => String::new(),
        Certainty::Provisional => "（暂定）".to_owned(),
        Certainty::Estimated => {
            let years: Vec<String> = missing.iter().map(ToString::to_string).collect();
            format!("（推定：缺 {} 年放假通知，{ESTIMATE_OMITS}）", years.join("、"))
        }
    }
}
