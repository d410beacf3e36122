//! Workflows and the register: what codes are called. Must never be kept from one visit to the next.

use serde::Deserialize;

use crate::catalog::register::named;
use crate::console::ask::Ask;
use crate::console::told::Told;

/// Agencies and districts by their codes, and how workflows call what tickets only name.
pub(in crate::console) struct Rules {
    pub(in crate::console) register: Register,
    pub(in crate::console) workflows: Vec<Workflow>,
}

#[derive(Deserialize)]
pub(in crate::console) struct Register {
    pub(in crate::console) agencies: Vec<Coded>,
    pub(in crate::console) districts: Vec<Coded>,
    tags: Vec<Coded>,
}

/// A code with what it stands for.
#[derive(Deserialize)]
pub(in crate::console) struct Coded {
    pub(in crate::console) code: String,
    pub(in crate::console) name: String,
}

#[derive(Deserialize)]
pub(in crate::console) struct Workflow {
    pub(in crate::console) steps: Vec<Titled>,
}

/// A name with its title.
#[derive(Deserialize)]
pub(in crate::console) struct Titled {
    pub(in crate::console) name: String,
    pub(in crate::console) title: String,
}

#[derive(Deserialize)]
struct Workflows {
    workflows: Vec<Workflow>,
}

impl Rules {
    /// What everybody may read.
    ///
    /// # Errors
    /// What the API tells instead.
    pub(in crate::console) async fn of(ask: &Ask) -> Result<Self, Told> {
        let register = ask.get::<Register>("/v1/register");
        let workflows = ask.get::<Workflows>("/v1/workflows");
        let (register, workflows) = tokio::join!(register, workflows);
        Ok(Self { register: register?, workflows: workflows?.workflows })
    }

    /// Every step with its title, once.
    pub(in crate::console) fn steps(&self) -> Vec<(&str, &str)> {
        let mut steps: Vec<(&str, &str)> = Vec::new();
        for step in self.workflows.iter().flat_map(|one| &one.steps) {
            if steps.iter().all(|(name, _)| *name != step.name) {
                steps.push((&step.name, &step.title));
            }
        }
        steps
    }
}

impl Rules {
    /// An agency's name, else its code.
    pub(in crate::console) fn agency<'r>(&'r self, code: &'r str) -> &'r str {
        self.register.agencies().find(|(own, _)| *own == code).map_or(code, |(_, name)| name)
    }

    /// A district's name, else its code.
    pub(in crate::console) fn district<'r>(&'r self, code: &'r str) -> &'r str {
        self.register.districts().find(|(own, _)| *own == code).map_or(code, |(_, name)| name)
    }

    /// What a tag of a review says.
    pub(in crate::console) fn tag<'r>(&'r self, code: &'r str) -> &'r str {
        let found = self.register.tags.iter().find(|one| one.code == code);
        found.map_or(code, |one| &one.name)
    }

    /// A sentence with the names of agencies in place of their codes.
    pub(in crate::console) fn named(&self, sentence: &str) -> String {
        named(sentence, |code| self.agency(code))
    }
}

impl Register {
    pub(in crate::console) fn agencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.agencies.iter().map(|one| (one.code.as_str(), one.name.as_str()))
    }

    pub(in crate::console) fn districts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.districts.iter().map(|one| (one.code.as_str(), one.name.as_str()))
    }
}
