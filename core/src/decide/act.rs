//! An action: the checks in their fixed order (who, revision, step, guard, form), then what the
//! definition says follows. Must never let a refused action change anything.

use super::draft::Draft;
use super::guard::Asked;
use crate::command::Act;
use crate::deadline::CardState;
use crate::definition::{Action, CardStep, DateCheck, EffectKind, Extension, Finding, Form};
use crate::event::{Acted, CardChanged, ExtensionChange, Fact, Reclassified, TicketChange};
use crate::message::About;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::Audience;
use crate::time::Day;

/// The flag of a ticket about the hotline itself.
const HOTLINE_SELF: &str = "hotline_self";

impl<'c> Draft<'c> {
    pub(super) fn act(&mut self, act: &Act) -> Result<(), Rejection> {
        let definition = self.definition;
        let action = definition
            .action(act.action.as_str())
            .ok_or_else(|| Rejection::UnknownAction { action: act.action.clone() })?;
        let form = definition
            .form(action.form.as_str())
            .ok_or_else(|| Rejection::Definition(format!("没有表单 {}", action.form)))?;
        self.check_actor(action, act)?;
        self.check_revision(act)?;
        let asked = Asked { form: &act.form, actor: &act.actor };
        self.check_step(action)?;
        self.check_guards(action, asked)?;
        form.check(&act.form, self.at).map_err(Rejection::Form)?;
        for check in &action.checks {
            self.check_date(check, asked)?;
        }
        self.check_claims(action, asked)?;
        let change = self.change(action, asked)?;
        self.check_card(action, asked)?;
        let repin = self.repin(action, asked)?;
        // The record of the decision clears what was pending: it is taken before.
        let pending = self.instance.extension.clone();
        self.record_action(action, form, act, change.clone())?;
        if let Some(reclassified) = repin {
            self.reclassify(reclassified)?;
        }
        if let Some(Extension::Grant(deadline)) = &action.extension {
            self.extend(deadline, pending)?;
        }
        self.follow(&change)?;
        self.card(action, asked)?;
        self.settle(false)
    }

    fn check_actor(&self, action: &Action, act: &Act) -> Result<(), Rejection> {
        let allowed = action.roles(&self.instance.flags);
        if !allowed.contains(&act.actor.role) {
            return Err(Rejection::NotPermitted {
                action: action.name.clone(),
                title: action.title.clone(),
                role: act.actor.role,
                allowed: allowed.to_vec(),
            });
        }
        let foreign = act.actor.agency.is_none() || act.actor.agency != self.instance.agency;
        // A card belongs to the agency that it was issued to, also after the ticket has gone on.
        if act.actor.role.is_bound_to_agency() && foreign && action.card.is_none() {
            return Err(Rejection::NotYours);
        }
        Ok(())
    }

    fn check_revision(&self, act: &Act) -> Result<(), Rejection> {
        match act.revision {
            Some(expected) if expected != self.instance.revision => {
                Err(Rejection::StaleRevision { expected, actual: self.instance.revision })
            }
            _ => Ok(()),
        }
    }

    /// The step must permit the action; so may the one that time alone left after the action had
    /// arrived.
    fn check_step(&self, action: &Action) -> Result<(), Rejection> {
        let permits = |name: &Name| {
            let step = self.definition.step(name.as_str());
            step.is_some_and(|step| action.is_possible_in(step))
        };
        let instance = &self.instance;
        let overtaken = instance.step_by_time && instance.step_since > self.at;
        let before = instance.came_from.as_ref().filter(|_| overtaken);
        if permits(&instance.step) || before.is_some_and(permits) {
            return Ok(());
        }
        let step = self.definition.step(instance.step.as_str());
        Err(Rejection::WrongStep {
            action: action.name.clone(),
            title: action.title.clone(),
            step: instance.step.clone(),
            step_title: step.map(|step| step.title.clone()).unwrap_or_default(),
        })
    }

    fn check_guards(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        match action.guards.iter().find(|guard| !self.holds(&guard.predicate, Some(asked))) {
            None => Ok(()),
            Some(guard) => Err(Rejection::Guarded {
                action: action.name.clone(),
                title: action.title.clone(),
                say: guard.say.clone(),
            }),
        }
    }

    /// A date must be a working day so far after the deadline's original last day.
    fn check_date(&self, check: &DateCheck, asked: Asked<'_>) -> Result<(), Rejection> {
        let Some(run) = self.newest(&check.after) else { return Ok(()) };
        let Some(date) = asked.text(&check.field).and_then(|text| text.parse::<Day>().ok()) else {
            return Ok(());
        };
        let edition = self.context.calendar.known_at(self.at);
        let days = edition.working_days_between(run.original_due_day, date);
        if edition.is_working(date) && (check.least..=check.most).contains(&days) {
            return Ok(());
        }
        let bound = |days| edition.add_working_days(run.original_due_day, days);
        let say = match (bound(check.least), bound(check.most)) {
            (Some(least), Some(most)) => format!("应为 {least} 至 {most} 之间的工作日"),
            _ => "超出可计算的年份".to_owned(),
        };
        Err(Rejection::field(check.field.as_str(), say))
    }

    /// What is counted must have happened since the agency has had the ticket: a claim may come
    /// late, but not from before the duty.
    fn check_claims(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let since = self.instance.agency_since;
        let counted = action.cases.iter().flat_map(|case| &case.tally);
        let mut claims = counted.filter_map(|tallying| tallying.at.as_ref());
        match claims.find(|field| asked.instant(field).is_some_and(|at| at < since)) {
            None => Ok(()),
            Some(field) => {
                Err(Rejection::field(field.as_str(), format!("不能早于工单送达之时 {since}")))
            }
        }
    }

    /// What the action changes on the ticket, by the first case that holds.
    fn change(&self, action: &Action, asked: Asked<'_>) -> Result<TicketChange, Rejection> {
        let holds = |predicate| self.holds(predicate, Some(asked));
        let mut change = match action.cases.iter().find(|case| case.when.iter().all(holds)) {
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
        Ok(change)
    }

    fn record_action(
        &mut self,
        action: &Action,
        form: &Form,
        act: &Act,
        change: TicketChange,
    ) -> Result<(), Rejection> {
        let (public, private) = form.split(&act.form);
        if !private.is_null() && act.sealed.is_none() {
            let message = "表单中的自由文本尚未封存".to_owned();
            return Err(Rejection::Definition(message));
        }
        self.record(Fact::Acted(Box::new(Acted {
            action: action.name.clone(),
            role: act.actor.role,
            agency: act.actor.agency.clone(),
            form: public,
            sealed: act.sealed.clone().filter(|_| !private.is_null()),
            change,
        })))
    }

    fn repin(&self, action: &Action, asked: Asked<'_>) -> Result<Option<Reclassified>, Rejection> {
        let Some(field) = &action.repin else { return Ok(None) };
        let Some(class) = asked.text(field).map(Name::from) else { return Ok(None) };
        if class == self.instance.class {
            return Err(Rejection::field(field.as_str(), "工单已是这一类别"));
        }
        let definition = self
            .context
            .shelf
            .for_class(class.as_str())
            .ok_or_else(|| Rejection::ClassNotEnabled { class: class.clone() })?;
        if definition.step(self.instance.step.as_str()).is_none() {
            let message = format!("类别 {class} 的工作流没有环节 {}", self.instance.step);
            return Err(Rejection::Definition(message));
        }
        Ok(Some(Reclassified { class, definition: definition.pin.clone() }))
    }

    /// From here on the other definition rules, for what follows as well. Deadlines that both have
    /// keep running: changing the class wins no time.
    fn reclassify(&mut self, reclassified: Reclassified) -> Result<(), Rejection> {
        let shelf: &'c crate::definition::Shelf = self.context.shelf;
        let definition = shelf.pinned(&reclassified.definition);
        self.record(Fact::Reclassified(reclassified))?;
        if let Some(definition) = definition {
            self.definition = definition;
        }
        self.drop_unknown_deadlines()
    }

    fn check_card(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let (field, allowed): (&Name, &[CardState]) = match &action.card {
            None => return Ok(()),
            Some(CardStep::Contest(field)) => (field, &[CardState::Issued]),
            Some(CardStep::Revoke(field)) => (field, &[CardState::Issued, CardState::Contested]),
        };
        let id = asked.text(field).unwrap_or_default();
        let Some(card) = self.instance.cards.iter().find(|card| card.id == *id) else {
            return Err(Rejection::field(field.as_str(), "工单没有这块牌"));
        };
        if !allowed.contains(&card.state) {
            return Err(Rejection::field(field.as_str(), format!("这块牌{}", card.state.title())));
        }
        let foreign = asked.actor.agency.is_none() || asked.actor.agency != card.agency;
        if asked.actor.role.is_bound_to_agency() && foreign {
            return Err(Rejection::field(field.as_str(), "这块牌不是发给本单位的"));
        }
        Ok(())
    }

    fn card(&mut self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let (field, state) = match &action.card {
            None => return Ok(()),
            Some(CardStep::Contest(field)) => (field, CardState::Contested),
            Some(CardStep::Revoke(field)) => (field, CardState::Revoked),
        };
        let card: Name = asked.text(field).unwrap_or_default().into();
        let changed = CardChanged { card: card.clone(), reason: action.name.clone() };
        let (fact, to) = if state == CardState::Contested {
            (Fact::CardContested(changed), Audience::Supervisor)
        } else {
            (Fact::CardRevoked(changed), Audience::Agency)
        };
        self.record(fact)?;
        self.tell(EffectKind::Notify, to, About::Card { card, state });
        Ok(())
    }
}
