//! What was reached in a run, and what has to be.

use std::collections::{BTreeMap, BTreeSet};

use duban_core::deadline::{CardState, LedgerReason, Light, RungState, State};
use duban_core::definition::{CardKind, Definition, Finding, Outcome, Status};
use duban_core::event::Fact;

/// Cases that the words of definitions and histories do not name.
const SPECIAL: &[&str] = &[
    "a request stamped before what is committed",
    "an action that takes effect after its stamp",
    "an answer that waits until all has settled",
    "an extension granted after the feedback",
    "another length by another class",
    "what was closed by mistake goes on",
    "a rung passed over while closed by mistake",
    "a second appeal window",
    "a card upheld",
    "an unanswered short message",
    "an extension granted after the due instant",
    "a card revoked by an extension",
    "a second extension asked for",
    "an extension asked for too late",
    "a rung passed over after a refusal",
    "a rung passed over while another agency had the ticket",
    "an agency that gets its ticket back",
    "a rung withheld and then armed",
    "a rung withheld at a publication",
    "recomputed earlier",
    "recomputed later",
    "a due day kept by the next working day",
    "recomputed while extended",
    "recomputed when owed again",
    "surer after a publication",
    "a deadline overdue at a publication",
    "a review window that was over at the opening",
    "unreachable by an attempt",
    "unreachable by a short message",
    "the third bounce, ruled",
    "a return refused after ruling",
    "deemed service",
    "an appeal window lapsed",
    "an appeal window lapsed while a return was asked for",
    "an appeal filed in contacting",
    "an appeal filed in appeal_open",
    "an appeal waived",
    "a finding refused and concluded again",
    "two refusals of the feedback",
    "a rework asked for at the callback",
    "unresolved",
    "three unanswered calls",
    "reopened",
    "archived anonymous",
    "reclassified to staff",
    "reclassified to matter",
    "the hotline judging itself",
    "an action at a due instant",
    "an action a millisecond before a due instant",
    "the lane catching up on two rungs of a deadline",
    "messages collapsed",
    "an anonymous callback closed by itself",
    "a card contested after the ticket had gone on",
    "a claim from before the agency had the ticket",
];

/// The reasons for which a command is refused in these lives.
const REFUSALS: &[&str] = &[
    "unknown-action",
    "not-permitted",
    "not-yours",
    "stale-revision",
    "wrong-step",
    "guarded",
    "form",
    "overtaken",
];

/// What was reached: kind and word.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<&'static str, BTreeSet<String>>);

impl Coverage {
    pub(crate) fn note(&mut self, kind: &'static str, word: &str) {
        let words = self.0.entry(kind).or_default();
        if !words.contains(word) {
            words.insert(word.to_owned());
        }
    }

    pub(crate) fn special(&mut self, case: &'static str) {
        assert!(SPECIAL.contains(&case), "no special case is called {case}");
        self.note("case", case);
    }

    /// Adds what another run reached.
    pub(crate) fn join(&mut self, other: Self) {
        for (kind, words) in other.0 {
            self.0.entry(kind).or_default().extend(words);
        }
    }

    /// Everything that was not reached, a line each.
    pub(crate) fn missing<'d>(&self, definitions: impl Iterator<Item = &'d Definition>) -> String {
        let mut missing = Vec::new();
        let mut need = |kind: &'static str, words: &mut dyn Iterator<Item = &str>| {
            let reached = self.0.get(kind);
            for word in words.filter(|word| reached.is_none_or(|words| !words.contains(*word))) {
                missing.push(format!("{kind}: {word}"));
            }
        };
        for definition in definitions {
            let kinds = kinds_of(definition.pin.name.as_str());
            need(kinds[0], &mut definition.actions.iter().map(|one| one.name.as_str()));
            need(kinds[1], &mut definition.steps.iter().map(|one| one.name.as_str()));
            need(kinds[2], &mut definition.deadlines.iter().map(|one| one.name.as_str()));
            for (_, outcome) in &definition.outcomes {
                need("outcome", &mut std::iter::once(outcome.word()));
            }
            need("class", &mut definition.classes.iter().map(duban_core::name::Name::as_str));
        }
        // A look at the reviewer changes nothing: `decide` shows that, not a life.
        let changing = Fact::KINDS.iter().map(|(kind, _)| *kind).filter(|one| *one != "disclosed");
        need("event", &mut changing.into_iter());
        need("refusal", &mut REFUSALS.iter().copied());
        need("status", &mut Status::ALL.iter().map(|one| one.word()));
        need("state", &mut State::ALL.iter().map(|one| one.word()));
        need("rung", &mut RungState::ALL.iter().map(|one| one.word()));
        need("card", &mut CardKind::ALL.iter().map(|one| one.word()));
        need("card state", &mut CardState::ALL.iter().map(|one| one.word()));
        need("light", &mut Light::ALL.iter().map(|one| one.word()));
        need("finding", &mut Finding::ALL.iter().map(|one| one.word()));
        need("outcome", &mut Outcome::ALL.iter().map(|one| one.word()));
        need("change", &mut LedgerReason::ALL.iter().map(|one| one.word()));
        need("certainty", &mut ["firm", "provisional", "estimated"].into_iter());
        let reasons = ["anonymous", "released", "closed", "feedback_refused"];
        need("cancelled", &mut reasons.into_iter());
        need("case", &mut SPECIAL.iter().copied());
        missing.join("\n")
    }
}

/// What actions, steps and deadlines of a workflow are noted as.
pub(crate) fn kinds_of(workflow: &str) -> [&'static str; 3] {
    match workflow {
        "staff" => ["action of staff", "step of staff", "deadline of staff"],
        _ => ["action of matter", "step of matter", "deadline of matter"],
    }
}
