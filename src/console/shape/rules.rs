//! Workflows and the register: what codes are called. Must never be kept from one visit to the next.

use serde::Deserialize;

use crate::console::ask::{Ask, Told};

/// Agencies and districts by their codes, and how workflows call what tickets only name.
pub(in crate::console) struct Rules {
    pub(in crate::console) register: Register,
    pub(in crate::console) workflows: Vec<Workflow>,
}

#[derive(Deserialize)]
pub(in crate::console) struct Register {
    pub(in crate::console) agencies: Vec<Coded>,
    pub(in crate::console) districts: Vec<Coded>,
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

impl Register {
    pub(in crate::console) fn agencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.agencies.iter().map(|one| (one.code.as_str(), one.name.as_str()))
    }

    pub(in crate::console) fn districts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.districts.iter().map(|one| (one.code.as_str(), one.name.as_str()))
    }
}
