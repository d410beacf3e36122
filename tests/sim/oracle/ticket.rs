//! A ticket of the oracle, and what can be asked of it from outside.

use std::collections::BTreeSet;

use serde_json::Value;

use super::almanac::{Almanac, day_of};
use super::clock::Clock;
use super::law;
use crate::view::Commit;

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
    pub(crate) revision: Option<u32>,
}

/// What came of a deed, or the word of its refusal with the latest instant that it depends on.
pub(crate) type Answer = Result<Commit, (&'static str, Option<i64>)>;

/// A card.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) clock: usize,
    pub(super) party: &'static str,
    pub(super) agency: Option<String>,
    pub(super) state: &'static str,
    pub(super) is_upheld: bool,
    pub(super) why: Option<String>,
    pub(super) due_at: i64,
    pub(super) fired_at: i64,
}

/// A letter: to whom, about what, caused by which line of the book.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) seq: usize,
    pub(super) kind: &'static str,
    pub(super) to: String,
    pub(super) agency: Option<String>,
    pub(super) about: String,
    /// The clock whose rung it is about.
    pub(super) clock: Option<usize>,
}

/// A ticket: plain lists, and the instant up to which its life is told.
#[derive(Clone)]
pub(crate) struct Ticket<'w> {
    pub(super) world: &'w World,
    pub(super) is_staff: bool,
    pub(super) class: String,
    pub(super) step: &'static str,
    pub(super) step_since: i64,
    /// Step and the step from which it was last entered.
    pub(super) origins: Vec<(&'static str, &'static str)>,
    pub(super) agency: Option<String>,
    pub(super) agency_since: i64,
    pub(super) flags: BTreeSet<String>,
    pub(super) finding: Option<&'static str>,
    pub(super) outcome: Option<&'static str>,
    pub(super) concluded_by: Option<String>,
    /// What was counted: what, by which agency, when.
    pub(super) counts: Vec<(&'static str, Option<String>, i64)>,
    pub(super) fed_back_at: Option<i64>,
    /// The day asked for, and when.
    pub(super) request: Option<(i64, i64)>,
    pub(super) clocks: Vec<Clock>,
    pub(super) cards: Vec<Card>,
    /// When its last line took effect.
    pub(super) at: i64,
    /// When time last brought something about.
    pub(super) rang_at: Option<i64>,
    pub(super) revision: u32,
    pub(super) lines: usize,
    /// What is told in the present commit.
    pub(super) told: Vec<String>,
    pub(super) letters: Vec<Letter>,
    pub(super) rang_until: Option<i64>,
    /// Whoever is acting.
    pub(super) actor: String,
    /// The line of the deed that all else follows from.
    pub(super) lines_at_deed: usize,
}

impl<'w> Ticket<'w> {
    /// A bad review becomes a ticket.
    pub(crate) fn open(
        world: &'w World,
        class: &str,
        flags: &[String],
        reviewed_at: i64,
        received_at: i64,
    ) -> (Self, Commit) {
        let mut ticket = Self {
            world,
            is_staff: class == "staff",
            class: class.to_owned(),
            step: "pending_dispatch",
            step_since: received_at,
            origins: Vec::new(),
            agency: None,
            agency_since: received_at,
            flags: flags.iter().cloned().collect(),
            finding: None,
            outcome: None,
            concluded_by: None,
            counts: Vec::new(),
            fed_back_at: None,
            request: None,
            clocks: Vec::new(),
            cards: Vec::new(),
            at: received_at,
            rang_at: None,
            revision: 1,
            lines: 0,
            told: Vec::new(),
            letters: Vec::new(),
            rang_until: None,
            actor: "reviews".to_owned(),
            lines_at_deed: 1,
        };
        let opened = format!("opened {class} pending_dispatch reviewed {reviewed_at} {flags:?}");
        ticket.tell("reviews", received_at, None, &opened);
        ticket.start_from("followup_window", received_at, (reviewed_at, day_of(reviewed_at)));
        ticket.start("dispatch", received_at);
        ticket.ring(received_at);
        ticket.rang_until = None;
        let commit = ticket.commit();
        (ticket, commit)
    }

    /// Time passes until an instant, which is included.
    pub(crate) fn advance(&mut self, until: i64) -> Commit {
        "system".clone_into(&mut self.actor);
        self.ring(until.max(self.at));
        self.commit()
    }

    /// Somebody acts. A refusal leaves everything as it was, and gives its word and the latest
    /// instant that it depends on.
    pub(crate) fn act(&mut self, act: &Act<'_>, stamp: i64) -> Answer {
        if self.rang_at.is_some_and(|rang| stamp < rang) {
            return Err(("overtaken", None));
        }
        let before = self.clone();
        let at = stamp.max(self.at);
        self.ring(at);
        match self.do_it(act, stamp, at) {
            Ok(()) => Ok(self.commit()),
            Err(word) => {
                let rang_until = self.rang_until;
                *self = before;
                Err((word, rang_until))
            }
        }
    }

    /// A notice was published on a day; it is taken notice of at an instant. Says too whether a
    /// due day would have moved further forward, had it been allowed to.
    pub(crate) fn publish(&mut self, day: i64, at: i64) -> (Commit, bool) {
        let at = at.max(self.at);
        self.ring(at);
        "system".clone_into(&mut self.actor);
        let known = day.max(day_of(at));
        let mut is_held = false;
        for index in 0..self.clocks.len() {
            is_held |= self.reckon_anew(index, known, at);
        }
        (self.commit(), is_held)
    }

    /// The workflow that the class belongs to.
    pub(super) fn workflow(&self) -> &'static str {
        if self.is_staff { "staff" } else { "matter" }
    }

    pub(super) fn is_about_hotline(&self) -> bool {
        self.flags.contains("hotline_self")
    }

    /// Who is charged, or told, in the hotline's place where the ticket is about itself.
    pub(super) fn in_place_of<'p>(&self, who: &'p str) -> &'p str {
        let is_hotline = ["hotline", "supervisor"].contains(&who);
        if is_hotline && self.is_about_hotline() { "approver" } else { who }
    }

    /// Who must act now.
    pub(super) fn awaits(&self) -> Option<&'static str> {
        let party = law::party(self.step)?;
        let is_with_approver = self.step == "invalid_review" && self.is_running("finding_decision");
        let party = if is_with_approver { "approver" } else { party };
        Some(if party == "hotline" && self.is_about_hotline() { "approver" } else { party })
    }
}
