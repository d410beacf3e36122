//! A ticket of the oracle, and what is done to it from outside: opening, time, actions, notices.

use std::collections::BTreeSet;

use serde_json::Value;

use super::almanac::{Almanac, Certainty, day_of};
use super::clocks::{Card, CardState, Run, RungState, State};
use super::rules::{Kind, Workflow};
use crate::view::{CardView, RunView, RungView, View};

/// What all tickets share.
pub(crate) struct World {
    pub(crate) almanac: Almanac,
    /// The agencies that are the hotline itself.
    pub(crate) hotline_agencies: BTreeSet<String>,
}

/// Who does what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    pub(crate) action: &'a str,
    pub(crate) role: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) agency: Option<&'a str>,
    pub(crate) form: &'a Value,
}

/// Something that an agency did.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) by: Option<String>,
    pub(super) at: i64,
}

/// A ticket.
#[derive(Clone)]
pub(crate) struct Ticket<'w> {
    pub(super) world: &'w World,
    pub(super) workflow: Workflow,
    pub(super) class: String,
    pub(super) step: &'static str,
    pub(super) step_since: i64,
    /// Where it was, if time alone took it from there.
    pub(super) overtaken: Option<&'static str>,
    pub(super) came_from: Option<&'static str>,
    pub(super) agency: Option<String>,
    /// When the agency got it that has it or had it last; at first, when it was received.
    pub(super) agency_since: i64,
    pub(super) flags: BTreeSet<String>,
    pub(super) finding: Option<&'static str>,
    pub(super) outcome: Option<&'static str>,
    pub(super) received_at: i64,
    pub(super) concluded_by: Option<String>,
    pub(super) contact_attempts: Vec<Done>,
    pub(super) contact_sms: Vec<Done>,
    pub(super) returns: Vec<Done>,
    pub(super) bounces: usize,
    pub(super) extensions_asked: Vec<Done>,
    pub(super) extensions_granted: Vec<Done>,
    pub(super) reworks: usize,
    pub(super) unanswered: usize,
    /// The day asked for, and when.
    pub(super) extension: Option<(i64, i64)>,
    pub(super) runs: Vec<Run>,
    pub(super) cards: Vec<Card>,
    /// The instant of what is being done.
    pub(super) now: i64,
}

impl<'w> Ticket<'w> {
    /// A bad review becomes a ticket.
    pub(crate) fn open(
        world: &'w World,
        class: &str,
        flags: &[String],
        reviewed_at: i64,
        received_at: i64,
    ) -> Self {
        let mut ticket = Self {
            world,
            workflow: Workflow::of_class(class),
            class: class.to_owned(),
            step: "pending_dispatch",
            step_since: received_at,
            overtaken: None,
            came_from: None,
            agency: None,
            agency_since: received_at,
            flags: flags.iter().cloned().collect(),
            finding: None,
            outcome: None,
            received_at,
            concluded_by: None,
            contact_attempts: Vec::new(),
            contact_sms: Vec::new(),
            returns: Vec::new(),
            bounces: 0,
            extensions_asked: Vec::new(),
            extensions_granted: Vec::new(),
            reworks: 0,
            unanswered: 0,
            extension: None,
            runs: Vec::new(),
            cards: Vec::new(),
            now: received_at,
        };
        ticket.start_from("followup_window", super::schedule::Start::at(reviewed_at));
        ticket.start("dispatch");
        ticket
    }

    /// Nobody acts until an instant, which is included.
    pub(crate) fn advance(&mut self, until: i64) {
        self.pass_time(until);
        self.now = until;
    }

    /// Somebody acts. A refusal leaves everything as it was, and gives its word.
    pub(crate) fn act(&mut self, act: &Act<'_>, at: i64) -> Result<(), &'static str> {
        if at < self.received_at {
            return Err("too-early");
        }
        let before = self.clone();
        self.advance(at);
        let done = self.try_act(act);
        if done.is_err() {
            *self = before;
        }
        done
    }

    /// A notice was published on a day; it is taken notice of at an instant. Says whether a due
    /// day would have moved further, had it been allowed to.
    pub(crate) fn publish(&mut self, day: i64, at: i64) -> bool {
        self.advance(at);
        let mut is_held = false;
        for index in 0..self.runs.len() {
            is_held |= self.recompute(index, day);
        }
        is_held
    }

    pub(super) fn known(&self) -> i64 {
        day_of(self.now)
    }

    pub(super) fn is_anonymous(&self) -> bool {
        self.flags.contains("anonymous")
    }

    fn status(&self) -> &'static str {
        match self.step {
            "closed" => "closed",
            "archived" => "archived",
            _ => "open",
        }
    }

    /// The worst light of all obligations.
    fn light(&self, at: i64) -> Option<&'static str> {
        let mut worst = None;
        for run in self.runs.iter().filter(|run| run.state == State::Running) {
            if run.kind != Kind::Obligation {
                continue;
            }
            let light = if at >= run.due_at {
                (2, "red")
            } else if at >= run.yellow_at {
                (1, "yellow")
            } else {
                (0, "green")
            };
            worst = worst.max(Some(light));
        }
        worst.map(|(_, light)| light)
    }

    /// What can be seen of it.
    pub(crate) fn view(&self, probes: &[i64]) -> View<'_> {
        View {
            class: &self.class,
            step: self.step,
            status: self.status(),
            agency: self.agency.as_deref(),
            flags: self.flags.iter().map(String::as_str).collect(),
            finding: self.finding,
            outcome: self.outcome,
            next_wake: self.next_due().map(|due| due.at),
            lights: probes.iter().map(|at| self.light(*at)).collect(),
            cards: self.cards.iter().map(view_of_card).collect(),
            runs: self.runs.iter().map(view_of_run).collect(),
        }
    }
}

fn view_of_card(card: &Card) -> CardView<'_> {
    CardView {
        id: &card.id,
        kind: card.kind,
        agency: card.agency.as_deref(),
        state: match card.state {
            CardState::Issued => "issued",
            CardState::Contested => "contested",
            CardState::Revoked(_) => "revoked",
        },
        revoked: match card.state {
            CardState::Revoked(reason) => Some(reason),
            CardState::Issued | CardState::Contested => None,
        },
        due_at: card.due_at,
        fired_at: card.fired_at,
    }
}

fn view_of_run(run: &Run) -> RunView<'_> {
    let mut rungs: Vec<RungView<'_>> = Vec::new();
    for rung in &run.rungs {
        let state = match rung.state {
            RungState::Armed => "armed",
            RungState::Fired => "fired",
            RungState::Withheld => "withheld",
            RungState::PassedOver => "passed_over",
        };
        rungs.push(RungView { name: rung.rung.1, at: rung.at, state });
    }
    rungs.sort_by_key(|rung| rung.name);
    RunView {
        deadline: run.deadline,
        run: run.number,
        generation: run.generation,
        agency: run.agency.as_deref(),
        state: match run.state {
            State::Running => "running",
            State::Met => "met",
            State::MetLate => "met_late",
            State::Lapsed => "lapsed",
            State::Cancelled(_) => "cancelled",
        },
        cancelled: match run.state {
            State::Cancelled(reason) => Some(reason),
            _ => None,
        },
        starts_at: run.start.at,
        due_at: run.due_at,
        original_due_at: run.original_due_at,
        yellow_at: run.yellow_at,
        certainty: match run.certainty {
            Certainty::Firm => "firm",
            Certainty::Provisional => "provisional",
            Certainty::Estimated => "estimated",
        },
        missing_years: run.missing_years.clone(),
        ended_at: run.ended_at,
        rungs,
    }
}
