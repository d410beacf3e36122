//! From which step to which a ticket can go, and by what. Must never show a way that the definition
//! lacks.

use std::collections::BTreeMap;

use super::action::{Action, Next, Stage};
use super::model::Definition;

/// What leads where, by the steps that it leads from and to.
pub type Ways<'d> = BTreeMap<(&'d str, &'d str), Vec<String>>;

/// What happens without anybody.
const AUTOMATIC: &str = "自动";

impl Definition {
    /// Every way with the titles of what leads there. Ways that are open from every step (such as
    /// 认定重复) would hide all others: they lead from the first step only.
    #[must_use]
    pub fn ways(&self) -> Ways<'_> {
        let mut ways = Ways::new();
        let mut add = |from, to, label: &str| {
            let labels: &mut Vec<String> = ways.entry((from, to)).or_default();
            if !labels.iter().any(|one| one == label) {
                labels.push(label.to_owned());
            }
        };
        for action in &self.actions {
            for next in action.cases.iter().filter_map(|case| case.next.as_ref()) {
                for from in self.froms(action) {
                    match next {
                        Next::Step(to) => add(from, to.as_str(), &action.title),
                        Next::Back => {
                            for to in self.origins(from) {
                                add(from, to, &action.title);
                            }
                        }
                    }
                }
            }
        }
        for step in &self.steps {
            for next in step.auto.iter().filter_map(|case| case.next.as_ref()) {
                if let Next::Step(to) = next {
                    add(step.name.as_str(), to.as_str(), AUTOMATIC);
                }
            }
        }
        ways
    }

    fn froms<'d>(&'d self, action: &'d Action) -> Vec<&'d str> {
        let of_stage = |stage: &Stage| {
            let mut steps = self.steps.iter();
            let found = steps.find(|step| stage.holds(&step.name, step.status));
            found.map(|step| step.name.as_str())
        };
        action.stages.iter().filter_map(of_stage).collect()
    }

    /// The steps from which an action leads to this one.
    fn origins<'d>(&'d self, to: &str) -> Vec<&'d str> {
        let leads = |action: &&'d Action| {
            let mut nexts = action.cases.iter().filter_map(|case| case.next.as_ref());
            nexts.any(|next| matches!(next, Next::Step(step) if *step == *to))
        };
        self.actions.iter().filter(leads).flat_map(|action| self.froms(action)).collect()
    }
}
