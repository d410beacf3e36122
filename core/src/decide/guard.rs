//! Whether a predicate holds for the ticket as it is, at the instant of the draft. Must never
//! change anything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::draft::Draft;
use crate::deadline::{Run, State};
use crate::definition::Predicate;
use crate::name::Name;
use crate::role::Actor;
use crate::time::Instant;

/// An action's form and actor, for predicates that ask about them.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) form: &'a Value,
    pub(super) actor: &'a Actor,
}

impl Asked<'_> {
    pub(super) fn text(&self, field: &Name) -> Option<&str> {
        self.form.get(field.as_str()).and_then(Value::as_str)
    }

    /// Whether a field, or one item of a list, has one of these values.
    fn says(&self, field: &Name, is: &[Name]) -> bool {
        let one_of =
            |value: &Value| value.as_str().is_some_and(|text| is.iter().any(|one| *one == *text));
        match self.form.get(field.as_str()) {
            Some(Value::Array(items)) => items.iter().any(one_of),
            Some(value) => one_of(value),
            None => false,
        }
    }

    pub(super) fn instant(&self, field: &Name) -> Option<Instant> {
        self.text(field).and_then(|text| text.parse().ok())
    }
}

/// Half a day: noon parts forenoon from afternoon.
const HALF_DAY_MS: i64 = 12 * 3_600_000;

impl Draft<'_> {
    pub(super) fn holds(&self, predicate: &Predicate, asked: Option<Asked<'_>>) -> bool {
        let instance = &self.instance;
        match predicate {
            Predicate::Field { field, is } => asked.is_some_and(|asked| asked.says(field, is)),
            Predicate::Step(step) => instance.step == *step,
            Predicate::Flag(flag) => instance.flags.contains(flag),
            Predicate::NoFlag(flag) => !instance.flags.contains(flag),
            Predicate::Assigned(assigned) => {
                // Released tickets remember no agency; a closed one may still have had one.
                instance.agency.is_some() == *assigned
            }
            Predicate::FindingIs(findings) => {
                instance.finding.is_some_and(|finding| findings.contains(&finding))
            }
            Predicate::OutcomeIs(outcomes) => {
                instance.outcome.is_some_and(|outcome| outcomes.contains(&outcome))
            }
            Predicate::DeadlineRunning(name) => instance.is_running(name.as_str()),
            Predicate::DeadlineOver(name) => {
                self.newest(name).is_some_and(|run| run.state != State::Running)
            }
            Predicate::DeadlineIdle(name) => !instance.is_running(name.as_str()),
            Predicate::DeadlineUnstarted(name) => self.newest(name).is_none(),
            Predicate::BeforeDue(name) => self
                .newest(name)
                .is_some_and(|run| run.state == State::Running && !run.is_overdue_at(self.at)),
            Predicate::Count { tally, at_least, count, working_days, half_days, with } => {
                let mut marks = self.marks(tally);
                if let (Some(field), Some(asked)) = (with, asked) {
                    marks.extend(asked.instant(field));
                }
                let enough = marks.len() >= *count as usize
                    && self.working_days_of(&marks) >= *working_days as usize
                    && self.half_days_of(&marks) >= *half_days as usize;
                enough == *at_least
            }
            Predicate::ActorDiffersFrom(action) => {
                let doer = instance.doers.get(action);
                asked.is_some_and(|asked| doer != Some(&asked.actor.subject))
            }
        }
    }

    pub(super) fn newest(&self, deadline: &Name) -> Option<&Run> {
        self.instance.current_run(deadline.as_str()).map(|index| &self.instance.runs[index])
    }

    /// The instants of a tally: the present agency's where each agency has a count of its own.
    fn marks(&self, tally: &Name) -> Vec<Instant> {
        let per_agency =
            self.definition.tally(tally.as_str()).is_some_and(|tally| tally.per_agency);
        let marks = self.instance.tallies.get(tally).map(Vec::as_slice).unwrap_or_default();
        let counts = marks.iter().filter(|mark| !per_agency || mark.agency == self.instance.agency);
        counts.map(|mark| mark.at).collect()
    }

    fn working_days_of(&self, marks: &[Instant]) -> usize {
        let edition = self.context.calendar.known_at(self.at);
        let days = marks.iter().map(|at| self.context.calendar.zone().day_of(*at));
        days.filter(|day| edition.is_working(*day)).collect::<BTreeSet<_>>().len()
    }

    fn half_days_of(&self, marks: &[Instant]) -> usize {
        let zone = self.context.calendar.zone();
        let halves = marks.iter().map(|at| zone.ms_of_day(*at) < HALF_DAY_MS);
        halves.collect::<BTreeSet<_>>().len()
    }
}
