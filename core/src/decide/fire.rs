//! Time first: everything of a ticket that is due, each at its own instant, in order. Must never
//! fire a rung twice, and never depend on who comes first, the lane or a caller.

use super::deadlines::reference;
use super::draft::Draft;
use crate::deadline::Firing;
use crate::definition::{EffectKind, Notice};
use crate::event::{DeadlineLapsed, Fact, RungFired};
use crate::limits::FIRINGS_MAX;
use crate::message::About;
use crate::rejection::Rejection;
use crate::time::Instant;

impl Draft<'_> {
    /// Fires what is due at or before `until`, as much as one decision may. The next firing is worked
    /// out anew after each, because it may start or cancel others. Says whether that was all.
    pub(super) fn fire_due(&mut self, until: Instant) -> Result<bool, Rejection> {
        let command_at = self.at;
        let mut fired = 0;
        while let Some(firing) = self.instance.next_firing().filter(|firing| firing.at <= until) {
            fired += 1;
            if fired > FIRINGS_MAX {
                return Ok(false);
            }
            self.at = firing.at;
            self.counts_from = self.at;
            self.fired_until = Some(self.at);
            self.as_system(|draft| match firing.rung {
                Some(rung) => draft.fire_rung(firing, rung),
                None => draft.lapse(firing),
            })?;
        }
        self.at = command_at;
        self.counts_from = command_at;
        Ok(true)
    }

    fn fire_rung(&mut self, firing: Firing, place: usize) -> Result<(), Rejection> {
        let run = &self.instance.runs[firing.run];
        let (generation, rung, agency) = (run.generation, &run.rungs[place], run.agency.clone());
        let definition = self.definition;
        let rules = definition.deadline(run.deadline.as_str());
        let rule = rules.and_then(|rule| rule.rungs.iter().find(|one| one.at == rung.rung));
        let Some(rule) = rule else {
            let message = format!("时限 {} 没有梯级 {}", run.deadline, rung.rung);
            return Err(Rejection::Definition(message));
        };
        let card = rule.card;
        // No card rests on days that were guessed: people are urged until the notice comes.
        let withheld = card.is_some() && rung.estimated;
        let card = card.filter(|_| !withheld);
        let notice = if withheld { Some(Notice::Urge) } else { rule.notice };
        let (run, rung) = (reference(run), rung.rung);
        let about = About::Rung { run: run.clone(), generation, rung, card, notice };
        let fired = RungFired { run, generation, rung, card, notice };
        self.record(if withheld { Fact::RungWithheld(fired) } else { Fact::RungFired(fired) })?;
        let concerned = agency.or_else(|| self.instance.agency.clone());
        self.tell(self.instance.seq, EffectKind::Notify, &rule.tell, concerned.as_ref(), &about)
    }

    fn lapse(&mut self, firing: Firing) -> Result<(), Rejection> {
        let run = &self.instance.runs[firing.run];
        let rule = self.definition.deadline(run.deadline.as_str());
        let raised = rule.and_then(|rule| rule.raise.clone());
        let on_time = run.due_at == self.at;
        let concerned = run.agency.clone().or_else(|| self.instance.agency.clone());
        let lapsed = DeadlineLapsed { run: reference(run), raised: raised.clone() };
        self.record(Fact::DeadlineLapsed(lapsed))?;
        if on_time {
            self.counts_from = self.at.plus_ms(-1);
        }
        if let Some(event) = raised {
            self.raised(&event, self.instance.seq, concerned.as_ref())?;
        }
        self.settle()
    }
}
