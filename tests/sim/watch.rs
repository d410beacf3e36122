//! Which cases a command reached, for the coverage. Must never judge.

use duban_core::deadline::{LedgerReason, Run, RungState, State};
use duban_core::decide::Decision;
use duban_core::definition::Status;
use duban_core::event::{DeadlineMoved, Event, Fact, RunRef};
use duban_core::instance::Instance;
use duban_core::message::About;
use duban_core::name::Name;
use duban_core::reason::RevokeReason;
use duban_core::rejection::Rejection;
use duban_core::time::Instant;

use crate::coverage::{Coverage, kinds_of};
use crate::life::Deed;
use crate::view::View;

fn run<'i>(instance: &'i Instance, of: &RunRef) -> Option<&'i Run> {
    instance.runs.iter().find(|run| run.deadline == of.deadline && run.run == of.run)
}

/// Before an action.
pub(crate) fn deed(instance: &Instance, deed: &Deed, now: i64, coverage: &mut Coverage) {
    if deed.at < now {
        coverage.special("a request stamped before what is committed");
    }
    for run in instance.runs.iter().filter(|run| run.state == State::Running) {
        if run.due_at.ms() == deed.at {
            coverage.special("an action at a due instant");
        } else if run.due_at.ms() == deed.at + 1 {
            coverage.special("an action a millisecond before a due instant");
        }
    }
}

/// After a refusal.
pub(crate) fn refusal(
    instance: &Instance,
    deed: &Deed,
    refusal: &Rejection,
    coverage: &mut Coverage,
) {
    let is_guarded = refusal.code() == "guarded";
    let flagged = |flag: &str| instance.flags.iter().any(|one| *one == *flag);
    if is_guarded && deed.action == "request_return" && flagged("ruled") {
        coverage.special("a return refused after ruling");
    }
    let claimed = ["attempted_at", "called_at"].iter().find_map(|field| deed.form.get(field));
    let claimed = claimed.and_then(serde_json::Value::as_str).and_then(|at| at.parse().ok());
    if refusal.code() == "form" && claimed.is_some_and(|at: Instant| at < instance.agency_since) {
        coverage.special("a claim from before the agency had the ticket");
    }
    let is_due = |run: &Run| run.deadline == *"completion" && run.due_at.ms() <= deed.at;
    if is_guarded && deed.action == "request_extension" && instance.runs.iter().any(is_due) {
        coverage.special("an extension asked for too late");
    }
}

/// After an action.
pub(crate) fn done(
    before: &Instance,
    deed: &Deed,
    decision: &Decision<'_>,
    coverage: &mut Coverage,
) {
    let after = &decision.instance;
    let form = |field: &str| deed.form.get(field).and_then(serde_json::Value::as_str);
    let was_reached = form("outcome") == Some("reached");
    let flagged = |flag: &str| after.flags.iter().any(|one| *one == *flag);
    match deed.action.as_str() {
        "record_contact" if flagged("unreachable") && !was_reached => {
            coverage.special(match form("channel") {
                Some("sms") => "unreachable by a short message",
                _ => "unreachable by an attempt",
            });
        }
        "rule_dispatch" => coverage.special("the third bounce, ruled"),
        "file_appeal" if before.step == *"contacting" => {
            coverage.special("an appeal filed in contacting");
        }
        "file_appeal" if before.step == *"appeal_open" => {
            coverage.special("an appeal filed in appeal_open");
        }
        "waive_appeal" => coverage.special("an appeal waived"),
        "conclude" if before.finding.is_some() => {
            coverage.special("a finding refused and concluded again");
        }
        "record_callback" if after.status == Status::Open && after.step == *"reworking" => {
            coverage.special("a rework asked for at the callback");
        }
        "record_callback" if form("rating") == Some("no_answer") && after.step == *"closed" => {
            coverage.special("three unanswered calls");
        }
        "record_callback" if after.outcome.is_some_and(|one| one.word() == "unresolved") => {
            coverage.special("unresolved");
        }
        "reopen" => coverage.special("reopened"),
        "uphold_card" => coverage.special("a card upheld"),
        "record_callback"
            if form("channel") == Some("sms") && form("rating") == Some("no_answer") =>
        {
            coverage.special("an unanswered short message");
        }
        "archive" if flagged("anonymous") => coverage.special("archived anonymous"),
        "reclassify" if after.class == *"staff" => coverage.special("reclassified to staff"),
        "reclassify" if before.class == *"staff" => coverage.special("reclassified to matter"),
        "request_extension" => {
            let asked = |(name, marks): (&duban_core::name::Name, &Vec<_>)| {
                *name == "extension_requested" && marks.len() > 1
            };
            if after.tallies.iter().any(asked) {
                coverage.special("a second extension asked for");
            }
        }
        _ => {}
    }
    if deed.role == "approver" && flagged("hotline_self") {
        coverage.special("the hotline judging itself");
    }
    if deed.action == "contest_card"
        && deed.agency.as_deref() != after.agency.as_ref().map(Name::as_str)
    {
        coverage.special("a card contested after the ticket had gone on");
    }
}

/// Before a publication.
pub(crate) fn publication(instance: &Instance, at: i64, coverage: &mut Coverage) {
    for run in instance.runs.iter().filter(|run| run.state == State::Running) {
        if run.due_at.ms() <= at && !run.rungs.is_empty() {
            coverage.special("a deadline overdue at a publication");
        }
        if run.rungs.iter().any(|rung| rung.state == RungState::Withheld) {
            coverage.special("a rung withheld at a publication");
        }
    }
}

/// After any decision.
pub(crate) fn decision(before: &Instance, decision: &Decision<'_>, coverage: &mut Coverage) {
    let mut fired: Vec<&RunRef> = Vec::new();
    for (index, event) in decision.events.iter().enumerate() {
        if let Fact::RungFired(rung) = &event.fact {
            if fired.contains(&&rung.run) {
                coverage.special("the lane catching up on two rungs of a deadline");
            }
            fired.push(&rung.run);
        }
        fact(before, event, coverage);
        if let (
            Fact::DeadlineMoved(moved),
            Some(Fact::DeadlineReopened(_) | Fact::DeadlineResumed(_)),
        ) = (&event.fact, index.checked_sub(1).map(|earlier| &decision.events[earlier].fact))
            && moved.reason == LedgerReason::Calendar
        {
            coverage.special("recomputed when owed again");
        }
    }
    let about_rungs = decision.messages.iter();
    let about_rungs = about_rungs.filter(|one| matches!(one.about, About::Rung { .. }));
    if !fired.is_empty() && about_rungs.count() < fired.len() {
        coverage.special("messages collapsed");
    }
}

fn fact(before: &Instance, event: &Event, coverage: &mut Coverage) {
    match &event.fact {
        Fact::CardRevoked(changed) if changed.reason == RevokeReason::ExtensionPending => {
            coverage.special("a card revoked by an extension");
        }
        Fact::Acted(_) if event.arrived_at.is_some() => {
            coverage.special("an action that takes effect after its stamp");
        }
        Fact::DeadlineCancelled(cancelled) => {
            coverage.note("cancelled", cancelled.reason.word());
        }
        Fact::DeadlineReopened(reopened) => {
            coverage.note("change", LedgerReason::Refused.word());
            if !reopened.passed_over.is_empty() {
                coverage.special("a rung passed over after a refusal");
            }
            let earlier = run(before, &reopened.run).map_or(0, |run| run.ledger.len());
            if earlier > 0 && reopened.run.deadline == *"completion" {
                coverage.special("two refusals of the feedback");
            }
        }
        Fact::DeadlineResumed(resumed) => {
            coverage.note("change", LedgerReason::Resumed.word());
            if before.status == Status::Closed {
                coverage.special("what was closed by mistake goes on");
                if !resumed.passed_over.is_empty() {
                    coverage.special("a rung passed over while closed by mistake");
                }
            } else {
                coverage.special("an agency that gets its ticket back");
                if !resumed.passed_over.is_empty() {
                    coverage.special("a rung passed over while another agency had the ticket");
                }
            }
        }
        Fact::DeadlineLapsed(lapsed) => {
            if lapsed.run.deadline == *"deemed_service" {
                coverage.special("deemed service");
            }
            if lapsed.run.deadline == *"appeal_window" {
                coverage.special("an appeal window lapsed");
                if before.step == *"return_requested" {
                    coverage.special("an appeal window lapsed while a return was asked for");
                }
            }
            let is_old =
                event.at == before.received_at && lapsed.run.deadline == *"followup_window";
            if is_old {
                coverage.special("a review window that was over at the opening");
            }
        }
        Fact::DeadlineStarted(one) if one.deadline == *"appeal_window" && one.run > 1 => {
            coverage.special("a second appeal window");
        }
        Fact::Moved(moved) if before.step == *"fed_back" && moved.change.outcome.is_some() => {
            coverage.special("an anonymous callback closed by itself");
        }
        Fact::DeadlineMoved(moved) => self::moved(before, event, moved, coverage),
        _ => {}
    }
}

fn moved(before: &Instance, event: &Event, moved: &DeadlineMoved, coverage: &mut Coverage) {
    coverage.note("change", moved.reason.word());
    let Some(run) = run(before, &moved.run) else { return };
    match moved.reason {
        LedgerReason::Extension => {
            if moved.from_due_at <= event.at {
                coverage.special("an extension granted after the due instant");
            }
            if run.met_at().is_some() {
                coverage.special("an extension granted after the feedback");
            }
            return;
        }
        LedgerReason::Reclassified => {
            return coverage.special("another length by another class");
        }
        _ => {}
    }
    let schedule = &moved.schedule;
    if schedule.due_at < moved.from_due_at {
        coverage.special("recomputed earlier");
    }
    if schedule.due_at > moved.from_due_at {
        coverage.special("recomputed later");
    }
    if run.extended_to.is_some() {
        coverage.special("recomputed while extended");
    }
    if schedule.certainty < run.certainty {
        coverage.special("surer after a publication");
    }
    let is_firm = |rung| schedule.rungs.iter().any(|one| one.rung == rung && !one.estimated);
    let mut withheld = run.rungs.iter().filter(|rung| rung.state == RungState::Withheld);
    if withheld.any(|rung| is_firm(rung.rung)) {
        coverage.special("a rung withheld and then armed");
    }
}

/// What can be seen of a ticket.
pub(crate) fn view(view: &View<'_>, workflow: &str, coverage: &mut Coverage) {
    let [_, step, deadline] = kinds_of(workflow);
    coverage.note(step, view.step);
    coverage.note("status", view.status);
    for (kind, word) in [("finding", view.finding), ("outcome", view.outcome)] {
        if let Some(word) = word {
            coverage.note(kind, word);
        }
    }
    for light in view.lights.iter().flatten() {
        coverage.note("light", light);
    }
    for card in &view.cards {
        coverage.note("card", card.kind);
        coverage.note("card state", card.state);
    }
    for run in &view.runs {
        coverage.note(deadline, run.deadline);
        coverage.note("state", run.state);
        coverage.note("certainty", run.certainty);
        for rung in &run.rungs {
            coverage.note("rung", rung.state);
        }
    }
}
