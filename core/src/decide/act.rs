//! An action: the checks in their fixed order (who, revision, step, guard, form), then what the
//! definition says follows. Must never let a refused action change anything.

use super::deadlines::Closing;
use serde_json::Value;

use super::draft::Draft;
use super::guard::Asked;
use crate::command::Act;
use crate::definition::{Action, DateCheck, Extension, Finding, Form, Guard};
use crate::event::{Acted, ExtensionChange, Fact, Reclassified, TicketChange};
use crate::limits::{EVENTS_OF_ACTIONS_MAX, EVENTS_OF_NOTES_MAX};
use crate::name::Name;
use crate::rejection::Rejection;
use crate::time::{Day, Instant};

/// The flag of a ticket about the hotline itself.
const HOTLINE_SELF: &str = "hotline_self";

impl Draft<'_> {
    /// `committed` is the revision that people can have seen.
    pub(super) fn act(&mut self, act: &Act, committed: u32) -> Result<(), Rejection> {
        let definition = self.definition;
        let action = definition
            .action(act.action.as_str())
            .ok_or_else(|| Rejection::UnknownAction { action: act.action.clone() })?;
        let form = definition
            .form(action.form.as_str())
            .ok_or_else(|| Rejection::Definition(format!("没有表单 {}", action.form)))?;
        let carried_out = self.carry_out(act, action, form, committed);
        carried_out.map_err(|rejection| rejection.titled(|field| form.title_of(field)))
    }

    fn carry_out(
        &mut self,
        act: &Act,
        action: &Action,
        form: &Form,
        committed: u32,
    ) -> Result<(), Rejection> {
        self.check_actor(action, act)?;
        if act.revision.is_some_and(|expected| expected != self.instance.revision) {
            let expected = act.revision.unwrap_or_default();
            return Err(Rejection::StaleRevision { expected, committed });
        }
        self.check_step(action)?;
        self.check_guards(action, Asked { form: &act.form, actor: &act.actor })?;
        form.check(&act.form, self.at).map_err(Rejection::Form)?;
        let taken = form.taken_at(&act.form, self.at);
        let asked = Asked { form: &taken, actor: &act.actor };
        for check in &action.checks {
            self.check_date(check, asked)?;
        }
        self.check_claims(action, asked)?;
        self.check_card(action, asked)?;
        self.check_room()?;
        let reclassified = self.reclassification(action, asked)?;
        let (change, resumes) = self.change(action, asked)?;
        if change == TicketChange::default() && self.instance.seq >= EVENTS_OF_NOTES_MAX {
            return Err(limit("备注和材料", EVENTS_OF_NOTES_MAX));
        }
        // The record of the decision clears what was pending, and moves the ticket on.
        let pending = self.instance.extension.clone();
        let closing = Closing { at: self.instance.step_since, outcome: self.instance.outcome };
        self.record_action(act, asked, &change)?;
        let seq = self.instance.seq;
        if let Some(reclassified) = reclassified {
            self.reclassify(reclassified)?;
        }
        if let Some(Extension::Grant(deadline)) = &action.extension {
            self.extend(deadline, pending)?;
        }
        if resumes {
            self.resume_closed(&closing)?;
        }
        self.follow(&change, seq)?;
        self.card(action, asked)?;
        self.settle()
    }

    fn check_actor(&self, action: &Action, act: &Act) -> Result<(), Rejection> {
        let allowed = self.definition.roles(action, &self.instance.flags);
        if !allowed.contains(&act.actor.role) {
            return Err(Rejection::NotPermitted {
                action: action.name.clone(),
                title: action.title.clone(),
                role: act.actor.role,
                allowed,
            });
        }
        let foreign = act.actor.agency.is_none() || act.actor.agency != self.instance.agency;
        if act.actor.role.is_bound_to_agency() && foreign && !self.holds_card(action, act) {
            return Err(Rejection::NotYours);
        }
        Ok(())
    }

    /// A card belongs to the agency that it was issued to, also after the ticket has gone on.
    fn holds_card(&self, action: &Action, act: &Act) -> bool {
        let named = action.card.as_ref().and_then(|step| act.form.get(step.field().as_str()));
        let id = named.and_then(Value::as_str).unwrap_or_default();
        let mut cards = self.instance.cards.iter().filter(|card| card.id == *id);
        act.actor.agency.is_some() && cards.any(|card| card.agency == act.actor.agency)
    }

    fn check_step(&self, action: &Action) -> Result<(), Rejection> {
        let step = self.definition.step(self.instance.step.as_str());
        if step.is_some_and(|step| action.is_possible_in(step)) {
            return Ok(());
        }
        Err(Rejection::WrongStep {
            action: action.name.clone(),
            title: action.title.clone(),
            step: self.instance.step.clone(),
            step_title: step.map(|step| step.title.clone()).unwrap_or_default(),
        })
    }

    fn check_guards(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let instance = &self.instance;
        let is_asked = |guard: &&Guard| {
            let here = guard.steps.is_empty() || guard.steps.contains(&instance.step);
            here && !guard.unless.as_ref().is_some_and(|flag| instance.flags.contains(flag))
        };
        let mut guards = action.guards.iter().filter(is_asked);
        match guards.find(|guard| !self.holds(&guard.predicate, Some(asked))) {
            None => Ok(()),
            Some(guard) => Err(Rejection::Guarded {
                action: action.name.clone(),
                title: action.title.clone(),
                say: guard.say.clone(),
            }),
        }
    }

    /// A date must be a working day so far after the deadline's last day: the one that it was first
    /// given, or that notices have moved it to since.
    fn check_date(&self, check: &DateCheck, asked: Asked<'_>) -> Result<(), Rejection> {
        let Some(run) = self.newest(&check.after) else { return Ok(()) };
        let Some(date) = asked.text(&check.field).and_then(|text| text.parse::<Day>().ok()) else {
            return Ok(());
        };
        let edition = self.context.calendar.known_at(self.at);
        let last = if run.extended_to.is_none() { run.due_day } else { run.original_due_day };
        let days = edition.working_days_between(last, date);
        if edition.is_working(date) && (check.least..=check.most).contains(&days) {
            return Ok(());
        }
        let bound = |days| edition.add_working_days(last, days);
        let say = match (bound(check.least), bound(check.most)) {
            (Some(least), Some(most)) => format!("应为 {least} 至 {most} 之间的工作日"),
            _ => "超出可计算的年份".to_owned(),
        };
        Err(Rejection::field(check.field.as_str(), say))
    }

    /// What is counted must have happened since the agency has had the ticket, and since its count
    /// was last set back: a claim may come late, but not from before the duty.
    fn check_claims(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        for tallying in action.cases.iter().flat_map(|case| &case.tally) {
            let Some(field) = &tallying.at else { continue };
            let reset = self.instance.tally_since.get(&tallying.tally);
            let since = self.instance.agency_since.max(reset.copied().unwrap_or(Instant::MIN));
            // People tell a time by its minute.
            let minute = since.minute();
            if asked.instant(field).is_some_and(|at| at < minute) {
                let message = format!("不得早于进入本环节的时间 {}", since.said());
                return Err(Rejection::field(field.as_str(), message));
            }
        }
        Ok(())
    }

    /// Actions leave room for what time will bring about.
    fn check_room(&self) -> Result<(), Rejection> {
        if self.instance.seq < EVENTS_OF_ACTIONS_MAX {
            return Ok(());
        }
        Err(limit("历史记录", EVENTS_OF_ACTIONS_MAX))
    }

    /// What the action changes on the ticket, by the first case that holds; and whether what the
    /// ticket's closing cancelled goes on.
    fn change(&self, action: &Action, asked: Asked<'_>) -> Result<(TicketChange, bool), Rejection> {
        let holds = |predicate| self.holds(predicate, Some(asked));
        let case = action.cases.iter().find(|case| case.when.iter().all(holds));
        let mut change = match case {
            Some(case) => self.change_of(case, |field| asked.instant(field))?,
            None => TicketChange::default(),
        };
        if let Some(field) = &action.assign {
            let agency = asked.text(field).map(Name::from);
            let of_hotline = agency
                .as_ref()
                .is_some_and(|agency| self.context.hotline_agencies.contains(agency));
            if of_hotline && !self.instance.flags.contains(HOTLINE_SELF) {
                change.flagged.push(HOTLINE_SELF.into());
            }
            change.assigned = agency;
        }
        if action.release {
            change.released.clone_from(&self.instance.agency);
        }
        if let Some(field) = &action.finding {
            change.finding = asked.text(field).and_then(|text| text.parse::<Finding>().ok());
        }
        change.extension = match &action.extension {
            None => None,
            Some(Extension::Request { deadline, until }) => {
                let until = asked.text(until).and_then(|text| text.parse().ok());
                let deadline = deadline.clone();
                until.map(|until| ExtensionChange::Requested { deadline, until })
            }
            Some(Extension::Grant(deadline) | Extension::Refuse(deadline)) => {
                let granted = matches!(action.extension, Some(Extension::Grant(_)));
                Some(ExtensionChange::Decided { deadline: deadline.clone(), granted })
            }
        };
        Ok((change, case.is_some_and(|case| case.resume)))
    }

    fn record_action(
        &mut self,
        act: &Act,
        asked: Asked<'_>,
        change: &TicketChange,
    ) -> Result<(), Rejection> {
        let (form, private) = self.definition.split_form(act.action.as_str(), asked.form);
        if private.is_some() && act.sealed.is_none() {
            return Err(Rejection::Unsealed);
        }
        let acted = Acted {
            action: act.action.clone(),
            role: act.actor.role,
            agency: act.actor.agency.clone(),
            form,
            sealed: act.sealed.clone().filter(|_| private.is_some()),
            change: change.clone(),
        };
        self.record_arrived(Fact::Acted(Box::new(acted)), self.arrived_at)
    }

    fn reclassification(
        &self,
        action: &Action,
        asked: Asked<'_>,
    ) -> Result<Option<Reclassified>, Rejection> {
        let Some(field) = &action.repin else { return Ok(None) };
        let Some(class) = asked.text(field).map(Name::from) else { return Ok(None) };
        if class == self.instance.class {
            return Err(Rejection::field(field.as_str(), "有误：工单已属于该类别"));
        }
        let definition = self.context.definition_for(&class, self.instance.received_at)?;
        if definition.step(self.instance.step.as_str()).is_none() {
            let message = format!("类别 {class} 的工作流没有环节 {}", self.instance.step);
            return Err(Rejection::Definition(message));
        }
        let orders = self.instance.runs.iter().filter_map(|run| {
            let rule = definition.deadline(run.deadline.as_str())?;
            Some((run.deadline.clone(), rule.order))
        });
        let (orders, definition) = (orders.collect(), definition.pin.clone());
        Ok(Some(Reclassified { class, definition, orders }))
    }

    /// From here on the other definition rules, for what follows as well. Deadlines that both have
    /// keep their starts, not their lengths: changing the class wins no time.
    fn reclassify(&mut self, reclassified: Reclassified) -> Result<(), Rejection> {
        self.record(Fact::Reclassified(reclassified))?;
        self.definition = self.context.definition(&self.instance)?;
        self.drop_unknown_deadlines()?;
        self.adopt_lengths()
    }
}

pub(super) fn limit(what: &'static str, most: u64) -> Rejection {
    Rejection::Limit { what, most: usize::try_from(most).unwrap_or(usize::MAX) }
}
