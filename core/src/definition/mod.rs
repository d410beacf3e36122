//! A workflow as data: steps, actions, deadlines, ladders and effects, read from TOML and checked
//! as a whole. Must never hold a rule that a customer could want otherwise.

mod action;
mod basis;
mod check;
mod deadline;
mod form;
mod library;
mod predicate;
mod read;
mod shelf;

pub use action::{
    Action, CardStep, Case, DateCheck, Extension, Finish, Next, Permission, Tallying,
};
pub use basis::{Basis, BasisText, read_basis_texts};
pub use deadline::{DeadlineRule, Kind, Rung, RungAt, Start};
pub use form::{FieldFault, Form};
pub use library::{Library, LibraryError, Text};
pub use predicate::{Guard, Predicate};
pub use read::read_definition;
pub use shelf::{Shelf, ShelfError};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::document::Place;
use super::name::Name;
use super::role::{Audience, Party};
use super::words::words;

/// The newest generation of definitions that this engine can run. A definition that asks for more
/// is left to nodes that are newer.
pub const ENGINE_LEVEL: u32 = 1;

words! {
    /// Whether a step is part of the work.
    Status, "状态" {
        /// Somebody must act.
        Open = "open", "办理中";
        /// Done.
        Closed = "closed", "已办结";
        /// Put away.
        Archived = "archived", "已归档";
    }
}

words! {
    /// An issued record about an obligation.
    CardKind, "牌" {
        /// 预警
        EarlyWarning = "early_warning", "预警";
        /// 黄牌
        YellowCard = "yellow_card", "黄牌";
        /// 红牌
        RedCard = "red_card", "红牌";
    }
}

words! {
    /// What a rung says besides its card.
    Notice, "督促方式" {
        /// 催办
        Urge = "urge", "催办";
        /// 督办
        Supervise = "supervise", "督办";
        /// 通报
        Bulletin = "bulletin", "通报";
    }
}

words! {
    /// What a verification found.
    Finding, "核实结论" {
        /// 有效差评
        Valid = "valid", "有效差评";
        /// 诉求不合理
        Unreasonable = "unreasonable", "诉求不合理";
        /// 误评
        Mistaken = "mistaken", "误评";
        /// 恶意评价
        Malicious = "malicious", "恶意评价";
    }
}

words! {
    /// How a ticket was closed.
    Outcome, "办结结果" {
        /// 已整改
        Rectified = "rectified", "已整改";
        /// 已解释
        Explained = "explained", "已解释说明";
        /// 误评
        Mistaken = "mistaken", "误评";
        /// 恶意评价
        Malicious = "malicious", "恶意评价";
        /// 重办后仍不满意
        Unresolved = "unresolved", "重办后仍不满意";
        /// 重复
        Duplicate = "duplicate", "重复工单";
    }
}

words! {
    /// What an effect does outside the ticket.
    EffectKind, "动作" {
        /// Hands the ticket to the agency's own system.
        Push = "push", "推送工单";
        /// Tells somebody.
        Notify = "notify", "通知";
        /// Returns the result to the system that the review came from.
        ReturnResult = "return_result", "返回结果";
        /// Recounts the valid findings about a staff member; the result is an advisory for people.
        CountFindings = "count_findings", "重新统计有效差评";
    }
}

/// Name, version and hash of a definition: what a ticket is pinned to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pin {
    /// The workflow's name.
    pub name: Name,
    /// Its version, from 1.
    pub version: u32,
    /// SM3 over the text and the forms, hexadecimal.
    pub hash: Name,
}

/// A workflow, whole and checked.
#[derive(Debug)]
pub struct Definition {
    /// Name, version and hash.
    pub pin: Pin,
    /// Chinese title.
    pub title: String,
    /// The least engine level that can run it.
    pub engine_level: u32,
    /// The classes of review that start it.
    pub classes: Vec<Name>,
    /// The step in which a ticket starts.
    pub starts_in: Name,
    /// The articles and local rules that the workflow as a whole stands on.
    pub basis: Vec<Basis>,
    /// What a closed ticket is called, by its finding, if it has one.
    pub outcomes: Vec<(Option<Finding>, Outcome)>,
    /// In the order of the text.
    pub steps: Vec<Step>,
    /// Names and titles of the domain events.
    pub events: Vec<(Name, String)>,
    /// Things that are counted.
    pub tallies: Vec<Tally>,
    /// In the order of the text, which is the order of work at one instant.
    pub deadlines: Vec<DeadlineRule>,
    /// In the order of the text.
    pub actions: Vec<Action>,
    /// What happens outside the ticket.
    pub effects: Vec<Effect>,
    /// The forms, by name.
    pub forms: Vec<Arc<Form>>,
    /// The file, for messages.
    pub file: String,
    /// The text itself, stored on first use.
    pub text: String,
}

/// A place in the course of a ticket.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
    /// Open, closed or archived.
    pub status: Status,
    /// Who must act here; none where nobody must.
    pub party: Option<Party>,
    /// Transitions that happen by themselves as soon as their conditions hold.
    pub auto: Vec<Case>,
    /// Where it stands in the text.
    pub place: Place,
}

/// Something that is counted: attempts, returns, reworks.
#[derive(Debug)]
pub struct Tally {
    /// Its name.
    pub name: Name,
    /// Chinese title.
    pub title: String,
    /// Whether each agency has a count of its own.
    pub per_agency: bool,
    /// Events that set it back to nothing.
    pub reset_by: Vec<Name>,
    /// Where it stands in the text.
    pub place: Place,
}

/// Something outside the ticket that an event brings about, through the outbox.
#[derive(Debug)]
pub struct Effect {
    /// The domain event.
    pub on: Name,
    /// What is done.
    pub kind: EffectKind,
    /// To whom.
    pub to: Audience,
    /// Where it stands in the text.
    pub place: Place,
}

impl Definition {
    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == *name)
    }

    /// The action of that name.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == *name)
    }

    /// The deadline of that name.
    #[must_use]
    pub fn deadline(&self, name: &str) -> Option<&DeadlineRule> {
        self.deadlines.iter().find(|deadline| deadline.name == *name)
    }

    /// The tally of that name.
    #[must_use]
    pub fn tally(&self, name: &str) -> Option<&Tally> {
        self.tallies.iter().find(|tally| tally.name == *name)
    }

    /// The form of that name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Form> {
        self.forms.iter().map(Arc::as_ref).find(|form| form.name == *name)
    }

    /// The title of a domain event, or its name if it has none.
    #[must_use]
    pub fn event_title<'a>(&'a self, name: &'a str) -> &'a str {
        let found = self.events.iter().find(|(event, _)| *event == *name);
        found.map_or(name, |(_, title)| title)
    }

    /// What a ticket with this finding is called when it closes.
    #[must_use]
    pub fn outcome_of(&self, finding: Option<Finding>) -> Option<Outcome> {
        self.outcomes.iter().find(|(one, _)| *one == finding).map(|(_, outcome)| *outcome)
    }
}
