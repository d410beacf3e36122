//! Time first: everything of a ticket that is due, each at its own instant, in order. Must never
//! fire a rung twice, and never depend on who comes first, the lane or a caller.

use super::deadlines::reference;
use super::draft::Draft;
use crate::deadline::Firing;
use crate::definition::{CardKind, EffectKind, Notice};
use crate::event::{DeadlineLapsed, Fact, RungFired};
use crate::message::About;
use crate::rejection::Rejection;
use crate::time::Instant;

impl Draft<'_> {
    /// Fires what is due at or before `until`. The next firing is worked out anew after each,
    /// because it may start or cancel others.
    pub(super) fn fire_due(&mut self, until: Instant) -> Result<(), Rejection> {
        let command_at = self.at;
        while let Some(firing) = self.instance.next_firing().filter(|firing| firing.at <= until) {
            self.at = firing.at.max(self.instance.received_at);
            self.counts_from = self.at;
            self.as_system(|draft| match firing.rung {
                Some(rung) => draft.fire_rung(firing, rung),
                None => draft.lapse(firing),
            })?;
        }
        self.at = command_at;
        self.counts_from = command_at;
        Ok(())
    }

    fn fire_rung(&mut self, firing: Firing, place: usize) -> Result<(), Rejection> {
        let run = &self.instance.runs[firing.run];
        let rung = &run.rungs[place];
        let definition = self.definition;
        let rules = definition.deadline(run.deadline.as_str());
        let rule = rules.and_then(|rule| rule.rungs.iter().find(|one| one.name == rung.name));
        let card = rule.and_then(|rule| rule.card);
        let withheld = card.is_some() && rung.estimated;
        let fired = RungFired {
            run: reference(run),
            generation: run.generation,
            rung: rung.name.clone(),
            card: card.filter(|_| !withheld),
        };
        let notice = if withheld { Some(Notice::Urge) } else { rule.and_then(|rule| rule.notice) };
        let about = about(&fired, notice);
        let fact = if withheld { Fact::RungWithheld(fired) } else { Fact::RungFired(fired) };
        self.record(fact)?;
        for audience in rule.map(|rule| rule.tell.as_slice()).unwrap_or_default() {
            self.tell(EffectKind::Notify, *audience, about.clone());
        }
        Ok(())
    }

    fn lapse(&mut self, firing: Firing) -> Result<(), Rejection> {
        let run = &self.instance.runs[firing.run];
        let definition = self.definition;
        let rule = definition.deadline(run.deadline.as_str());
        let raised = rule.and_then(|rule| rule.raise.clone());
        let lapsed = DeadlineLapsed { run: reference(run), raised: raised.clone() };
        self.record(Fact::DeadlineLapsed(lapsed))?;
        self.counts_from = self.at.plus_ms(-1);
        if let Some(event) = raised {
            self.raised(&event)?;
        }
        self.settle(true)
    }
}

fn about(fired: &RungFired, notice: Option<Notice>) -> About {
    let card: Option<CardKind> = fired.card;
    About::Rung {
        run: fired.run.clone(),
        generation: fired.generation,
        rung: fired.rung.clone(),
        card,
        notice,
    }
}
