//! What does not fit together in a definition: names that lead nowhere, steps nobody reaches,
//! obligations that nothing meets. Must never change a definition, and must find everything.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Case, Extension, Finish, Next, Stage};
use super::basis::{Basis, BasisText};
use super::deadline::{Kind, Start};
use super::model::{Definition, DomainEvent, outcome_key};
use super::predicate::Predicate;
use super::vocabulary::{Finding, Status};
use crate::calendar::Unit;
use crate::document::Position;
use crate::echo::unknown;
use crate::name::Name;
use crate::reason::{EndReason, RevokeReason};

/// Flags that a ticket may carry from its opening or its agency: a review without identity (A40),
/// and the hotline's own staff rated badly (A41).
pub const FLAGS_FROM_OUTSIDE: &[&str] = &["anonymous", "hotline_self"];

/// Every fault of a definition that was read without one.
pub(super) fn faults_of(
    definition: &Definition,
    texts: &BTreeMap<Basis, BasisText>,
) -> Vec<(Position, String)> {
    let mut check = Check { definition, raised: raised(definition), faults: Vec::new() };
    check.steps();
    check.events();
    check.deadlines();
    for action in &definition.actions {
        check.action(action);
    }
    check.basis(texts);
    check.faults
}

/// All events that something in the definition can raise.
fn raised(definition: &Definition) -> BTreeSet<Name> {
    let by_actions = definition.actions.iter().flat_map(|action| &action.cases);
    let by_steps = definition.steps.iter().flat_map(|step| &step.auto);
    let mut raised: BTreeSet<Name> =
        by_actions.chain(by_steps).flat_map(|case| case.raise.iter().cloned()).collect();
    raised.extend(definition.deadlines.iter().filter_map(|deadline| deadline.raise.clone()));
    raised
}

struct Check<'d> {
    definition: &'d Definition,
    raised: BTreeSet<Name>,
    faults: Vec<(Position, String)>,
}

impl Check<'_> {
    fn fault(&mut self, position: &Position, key: &str, message: impl Into<String>) {
        self.faults.push((position.of(key), message.into()));
    }

    /// A name must be one of those known.
    fn known<'n>(
        &mut self,
        position: &Position,
        key: &str,
        what: &str,
        name: &Name,
        mut known: impl Iterator<Item = &'n Name> + Clone,
    ) -> bool {
        let all = known.clone();
        let found = known.any(|one| one == name);
        if !found {
            let names: Vec<&str> = all.map(Name::as_str).collect();
            self.fault(position, key, unknown(what, name.as_str(), &names.join("、")));
        }
        found
    }

    fn event(&mut self, position: &Position, key: &str, event: &Name) {
        let definition = self.definition;
        let declared = definition.events.iter().map(|event| &event.name);
        let known = self.known(position, key, "事件", event, declared);
        if known && !self.raised.contains(event) {
            let message = format!("事件 {event} 不会由任何动作、环节或期间引发，因此永远等不到");
            self.fault(position, key, message);
        }
    }

    fn deadline(&mut self, position: &Position, key: &str, deadline: &Name) {
        let definition = self.definition;
        self.known(
            position,
            key,
            "时限",
            deadline,
            definition.deadlines.iter().map(|one| &one.name),
        );
    }

    fn steps(&mut self) {
        let definition = self.definition;
        let root = definition.position.of("steps");
        let start = definition.position.of("starts_in");
        let names = definition.steps.iter().map(|step| &step.name);
        let is_known = self.known(&start, "", "环节", &definition.starts_in, names);
        if is_known
            && definition
                .step(definition.starts_in.as_str())
                .is_some_and(|step| step.status != Status::Open)
        {
            self.fault(&start, "", "工单应从办理中的环节开始");
        }
        if !definition.steps.iter().any(|step| step.status == Status::Closed) {
            self.fault(&root, "", "没有办结的环节（status = \"closed\"），工单将无法办结");
        }
        let reached = reached(definition);
        for step in &definition.steps {
            if is_known && !reached.contains(&step.name) {
                let message = format!("环节 {}（{}）任何办理路径均不能到达", step.name, step.title);
                self.fault(&step.position, "", message);
            }
            if step.status == Status::Open && step.party.is_none() {
                self.fault(&step.position, "", "办理中的环节须写明由谁办理（party）");
            }
            for (deadline, _) in &step.party_while {
                self.deadline(&step.position, "party_while", deadline);
            }
            for case in &step.auto {
                if case.when.is_empty() {
                    self.fault(&step.position, "auto", "自动流转须有条件（when）");
                }
                self.case(&step.position, "auto", case, None);
            }
        }
    }

    fn events(&mut self) {
        let definition = self.definition;
        for DomainEvent { name, title, position } in &definition.events {
            if !self.raised.contains(name) {
                let message = format!("事件 {name}（{title}）不会由任何动作、环节或期间引发");
                self.fault(position, "", message);
            }
            if EndReason::RESERVED.contains(&name.as_str()) {
                self.fault(position, "", format!("{name} 是保留的词，不能用作事件名"));
            }
        }
        for one in &definition.stand_ins {
            self.flag(&one.position, "flag", &one.flag);
        }
        for effect in &definition.effects {
            self.event(&effect.position, "on", &effect.on);
        }
        for tally in &definition.tallies {
            for event in &tally.reset_by {
                self.event(&tally.position, "reset_by", event);
            }
        }
    }

    fn deadlines(&mut self) {
        let definition = self.definition;
        for rule in &definition.deadlines {
            for (key, events) in [
                ("met_by", &rule.met_by),
                ("unmet_by", &rule.unmet_by),
                ("cancelled_by", &rule.cancelled_by),
            ] {
                for event in events {
                    self.event(&rule.position, key, event);
                }
            }
            for start in &rule.from {
                match start {
                    Start::Event(event) => self.event(&rule.position, "from", event),
                    Start::Step(step) => {
                        let steps = definition.steps.iter().map(|step| &step.name);
                        self.known(&rule.position, "from", "环节", step, steps);
                    }
                    Start::Review => {}
                }
            }
            if rule.kind == Kind::Obligation
                && !rule.met_by.iter().any(|event| self.raised.contains(event))
            {
                let message = format!("没有任何动作能完成时限 {}（{}）", rule.name, rule.title);
                self.fault(&rule.position, "met_by", message);
            }
            for event in rule.met_by.iter().filter(|event| rule.unmet_by.contains(event)) {
                let message = format!("事件 {event} 既完成时限又恢复时限");
                self.fault(&rule.position, "unmet_by", message);
            }
            if let Some(flag) = &rule.not_for {
                self.flag(&rule.position, "not_for", flag);
            }
            if let Some(event) = &rule.raise {
                self.event(&rule.position, "raise", event);
            }
        }
    }

    fn action(&mut self, action: &Action) {
        let definition = self.definition;
        let position = &action.position;
        for stage in &action.stages {
            if let Stage::Step(step) = stage {
                let steps = definition.steps.iter().map(|step| &step.name);
                self.known(position, "in", "环节", step, steps);
            }
        }
        if RevokeReason::RESERVED.contains(&action.name.as_str()) {
            self.fault(position, "", format!("{} 是保留的词，不能用作动作名", action.name));
        }
        for guard in &action.guards {
            self.predicate(position, "guard", &guard.predicate, Some(action));
            for step in &guard.steps {
                let steps = definition.steps.iter().map(|step| &step.name);
                self.known(position, "guard", "环节", step, steps);
            }
            if let Some(flag) = &guard.unless {
                self.flag(position, "guard", flag);
            }
        }
        for check in &action.checks {
            self.field(position, "check", action, &check.field, Some("date"));
            self.deadline(position, "check", &check.after);
        }
        for (key, field) in
            [("assign", &action.assign), ("finding", &action.finding), ("repin", &action.repin)]
        {
            if let Some(field) = field {
                self.field(position, key, action, field, None);
            }
        }
        if let Some(field) = &action.finding {
            self.findings(position, action, field);
        }
        if let Some(card) = &action.card {
            self.field(position, "card", action, card.field(), None);
        }
        self.extension(action);
        for (index, case) in action.cases.iter().enumerate() {
            if case.when.is_empty() && index + 1 < action.cases.len() {
                self.fault(
                    position,
                    "case",
                    format!("第 {} 种情形没有条件，其后的情形永远轮不到", index + 1),
                );
            }
            self.case(position, "case", case, Some(action));
        }
    }

    fn findings(&mut self, position: &Position, action: &Action, field: &Name) {
        let form = self.definition.form(action.form.as_str());
        for choice in form.and_then(|form| form.choices(field.as_str())).unwrap_or_default() {
            if let Err(message) = choice.parse::<Finding>() {
                self.fault(position, "finding", message);
            }
        }
    }

    fn extension(&mut self, action: &Action) {
        let position = &action.position;
        let deadline = match &action.extension {
            None => return,
            Some(Extension::Request { deadline, until }) => {
                self.field(position, "extension", action, until, Some("date"));
                deadline
            }
            Some(Extension::Grant(deadline) | Extension::Refuse(deadline)) => deadline,
        };
        self.deadline(position, "extension", deadline);
        if self.definition.deadline(deadline.as_str()).is_some_and(|rule| {
            rule.kind != Kind::Obligation || rule.within.unit != Unit::WorkingDays
        }) {
            self.fault(position, "extension", "只有以工作日计的办理时限才能延期");
        }
    }

    fn case(&mut self, position: &Position, key: &str, case: &Case, action: Option<&Action>) {
        let definition = self.definition;
        for predicate in &case.when {
            self.predicate(position, key, predicate, action);
        }
        for flag in &case.unflags {
            self.flag(position, "unflag", flag);
        }
        for tallying in &case.tally {
            let tallies = definition.tallies.iter().map(|tally| &tally.name);
            self.known(position, "tally", "计数", &tallying.tally, tallies);
            if let (Some(action), Some(at)) = (action, &tallying.at) {
                self.field(position, "tally_at", action, at, Some("date-time"));
            }
        }
        let declared = definition.events.iter().map(|event| &event.name);
        for event in &case.raise {
            self.known(position, "raise", "事件", event, declared.clone());
        }
        if let Some(Next::Step(step)) = &case.next {
            let steps = definition.steps.iter().map(|step| &step.name);
            self.known(position, "next", "环节", step, steps);
        }
        if case.outcome == Some(Finish::ByFinding) {
            for finding in Finding::ALL.iter().copied().map(Some).chain([None]) {
                if definition.outcome_of(finding).is_none() {
                    let missing = outcome_key(finding);
                    self.fault(position, key, format!("[outcomes] 没有写明 {missing} 的办结结果"));
                }
            }
        }
    }

    fn predicate(
        &mut self,
        position: &Position,
        key: &str,
        predicate: &Predicate,
        action: Option<&Action>,
    ) {
        let definition = self.definition;
        match predicate {
            Predicate::Field { field, is } => match action {
                Some(action) => self.choices(position, key, action, field, is),
                None => self.fault(position, key, "自动流转没有表单，不能用 field"),
            },
            Predicate::Step(step) => {
                self.known(
                    position,
                    key,
                    "环节",
                    step,
                    definition.steps.iter().map(|step| &step.name),
                );
            }
            Predicate::Flag(flag) | Predicate::NoFlag(flag) => self.flag(position, key, flag),
            Predicate::DeadlineRunning(name)
            | Predicate::DeadlineOver(name)
            | Predicate::DeadlineIdle(name)
            | Predicate::DeadlineUnstarted(name)
            | Predicate::BeforeDue(name) => self.deadline(position, key, name),
            Predicate::Count { tally, with, .. } => {
                let tallies = definition.tallies.iter().map(|tally| &tally.name);
                self.known(position, key, "计数", tally, tallies);
                match (with, action) {
                    (Some(field), Some(action)) => {
                        self.field(position, key, action, field, Some("date-time"));
                    }
                    (Some(_), None) => self.fault(position, key, "自动流转没有表单，不能用 with"),
                    (None, _) => {}
                }
            }
            Predicate::ActorDiffersFrom(other) => {
                let actions = definition.actions.iter().map(|action| &action.name);
                self.known(position, key, "动作", other, actions);
            }
            Predicate::Assigned(_) | Predicate::FindingIs(_) | Predicate::OutcomeIs(_) => {}
        }
    }

    fn choices(
        &mut self,
        position: &Position,
        key: &str,
        action: &Action,
        field: &Name,
        is: &[Name],
    ) {
        self.field(position, key, action, field, None);
        let form = self.definition.form(action.form.as_str());
        let choices = form.and_then(|form| form.choices(field.as_str()));
        for value in is {
            if choices.as_ref().is_some_and(|choices| !choices.contains(&value.as_str())) {
                let known = choices.as_deref().unwrap_or_default().join("、");
                let message =
                    format!("表单 {} 的 {field} 没有取值 {value}；可用：{known}", action.form);
                self.fault(position, key, message);
            }
        }
    }

    fn field(
        &mut self,
        position: &Position,
        key: &str,
        action: &Action,
        field: &Name,
        format: Option<&str>,
    ) {
        let Some(form) = self.definition.form(action.form.as_str()) else { return };
        let (name, is_code) = (&form.name, form.is_code(field.as_str()));
        let into_history = ["assign", "finding", "repin", "card", "check", "extension", "tally_at"];
        let message = if !form.has_field(field.as_str()) {
            format!("表单 {name} 没有字段 {field}")
        } else if let Some(format) = format
            && !form.is_format(field.as_str(), format)
        {
            format!("表单 {name} 的 {field} 应为 {format}")
        } else if into_history.contains(&key) && !is_code {
            format!("表单 {name} 的 {field} 会写入历史，须是代码而非私密内容")
        } else if ["finding", "repin"].contains(&key) && form.choices(field.as_str()).is_none() {
            format!("表单 {name} 的 {field} 须列出取值（enum）")
        } else {
            return;
        };
        self.fault(position, key, message);
    }

    fn flag(&mut self, position: &Position, key: &str, flag: &Name) {
        let definition = self.definition;
        let mut set = definition.flags_set();
        if EndReason::RESERVED.contains(&flag.as_str()) {
            self.fault(position, key, format!("{flag} 是保留的词，不能用作标记"));
        }
        if !FLAGS_FROM_OUTSIDE.contains(&flag.as_str()) && !set.any(|one| one == flag) {
            self.fault(position, key, format!("没有任何动作会设置标记 {flag}"));
        }
    }

    fn basis(&mut self, texts: &BTreeMap<Basis, BasisText>) {
        let definition = self.definition;
        let root = &definition.position;
        let of_deadlines = definition.deadlines.iter().map(|one| (&one.position, &one.basis));
        let of_actions = definition.actions.iter().map(|one| (&one.position, &one.basis));
        let of_stand_ins = definition.stand_ins.iter().map(|one| (&one.position, &one.basis));
        let all = of_deadlines.chain(of_actions).chain(of_stand_ins);
        let all = all.chain([(root, &definition.basis)]);
        let mut faults = Vec::new();
        for (position, citations) in all {
            for citation in citations.iter().filter(|citation| !texts.contains_key(citation)) {
                faults
                    .push((position.clone(), format!("依据 {citation} 在 basis.toml 中没有条文")));
            }
        }
        for rule in definition.deadlines.iter().filter(|rule| rule.basis.is_empty()) {
            faults.push((rule.position.clone(), "时限须写明依据（basis）".to_owned()));
        }
        for (position, message) in faults {
            self.fault(&position, "basis", message);
        }
    }
}

/// The steps that some course of actions and transitions leads to.
fn reached(definition: &Definition) -> BTreeSet<Name> {
    let mut reached = BTreeSet::from([definition.starts_in.clone()]);
    loop {
        let before = reached.len();
        for step in &definition.steps {
            if !reached.contains(&step.name) {
                continue;
            }
            let possible = definition.possible_in(step).flat_map(|action| &action.cases);
            let cases: Vec<&Case> = possible.chain(&step.auto).collect();
            for case in cases {
                if let Some(Next::Step(next)) = &case.next {
                    reached.insert(next.clone());
                }
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}
