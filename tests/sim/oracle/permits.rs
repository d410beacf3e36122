//! Who may do what, where, and under which conditions.

use super::rules::Workflow;
use super::ticket::{Act, Done, Ticket};

const HOTLINE: &[&str] = &["hotline", "supervisor"];
const AGENCY: &[&str] = &["agency", "agency_lead"];

/// Whether the workflow knows the action at all.
pub(super) fn is_known(workflow: Workflow, action: &str) -> bool {
    match action {
        "record_rectification" | "request_extension" | "approve_extension" | "refuse_extension" => {
            workflow == Workflow::Matter
        }
        "serve_notice" | "file_appeal" | "waive_appeal" | "record_measures" => {
            workflow == Workflow::Staff
        }
        "dispatch" | "rule_dispatch" | "reclassify" | "cancel_duplicate" | "sign"
        | "request_return" | "approve_return" | "refuse_return" | "record_contact" | "conclude"
        | "feed_back" | "confirm_finding" | "approve_finding" | "reject_finding"
        | "accept_feedback" | "refuse_feedback" | "send_callback_sms" | "record_callback"
        | "reopen" | "archive" | "urge" | "supervise" | "add_note" | "attach" | "contest_card"
        | "revoke_card" => true,
        _ => false,
    }
}

/// The roles that may do it; on a ticket about the hotline itself, others decide.
fn roles(action: &str, is_about_hotline: bool) -> &'static [&'static str] {
    match action {
        "cancel_duplicate" | "approve_return" | "refuse_return" | "approve_extension"
        | "refuse_extension" | "accept_feedback" | "refuse_feedback"
            if is_about_hotline =>
        {
            &["approver"]
        }
        "rule_dispatch" | "reopen" => &["supervisor"],
        "approve_finding" | "reject_finding" => &["approver"],
        "confirm_finding" | "contest_card" => &["agency_lead"],
        "revoke_card" => &["supervisor", "auditor"],
        "archive" => &["system"],
        "add_note" => &["hotline", "supervisor", "agency", "agency_lead"],
        "sign"
        | "request_return"
        | "record_contact"
        | "serve_notice"
        | "file_appeal"
        | "waive_appeal"
        | "conclude"
        | "record_rectification"
        | "record_measures"
        | "request_extension"
        | "feed_back"
        | "attach" => AGENCY,
        _ => HOTLINE,
    }
}

/// How often an agency did something.
pub(super) fn count(done: &[Done], agency: Option<&str>) -> usize {
    done.iter().filter(|one| one.by.as_deref() == agency).count()
}

impl Ticket<'_> {
    /// The role, and whose ticket it is.
    pub(super) fn check_role(&self, act: &Act<'_>) -> Result<(), &'static str> {
        if !roles(act.action, self.flags.contains("hotline_self")).contains(&act.role) {
            return Err("not-permitted");
        }
        // A card is its agency's, whoever has the ticket.
        let is_about_card = ["contest_card", "revoke_card"].contains(&act.action);
        let is_bound = AGENCY.contains(&act.role) && !is_about_card;
        let is_own = act.agency.is_some() && act.agency == self.agency.as_deref();
        if is_bound && !is_own { Err("not-yours") } else { Ok(()) }
    }

    /// The step; or that which time alone left after the action had arrived.
    pub(super) fn check_step(&self, act: &Act<'_>) -> Result<(), &'static str> {
        let overtaken = self.overtaken.filter(|_| self.step_since > self.now);
        let fits = self.fits(act.action, self.step)
            || overtaken.is_some_and(|step| self.fits(act.action, step));
        if fits { Ok(()) } else { Err("wrong-step") }
    }

    fn fits(&self, action: &str, step: &str) -> bool {
        let is_open = !["closed", "archived"].contains(&step);
        let is_staff = self.workflow == Workflow::Staff;
        match action {
            "dispatch" | "rule_dispatch" | "reclassify" => step == "pending_dispatch",
            "sign" => step == "delivered",
            "request_return" | "record_contact" => ["delivered", "contacting"].contains(&step),
            "approve_return" | "refuse_return" => step == "return_requested",
            "serve_notice" => step == "contacting",
            "file_appeal" | "waive_appeal" => ["contacting", "appeal_open"].contains(&step),
            "conclude" => step == if is_staff { "under_review" } else { "verifying" },
            "record_rectification" => step == "rectifying",
            "record_measures" => step == "measures",
            "request_extension" => ["verifying", "rectifying"].contains(&step),
            "feed_back" => {
                let putting_right = if is_staff { "measures" } else { "rectifying" };
                [putting_right, "explaining", "reworking"].contains(&step)
            }
            "confirm_finding" | "approve_finding" | "reject_finding" => step == "invalid_review",
            "accept_feedback" | "refuse_feedback" => step == "fed_back",
            "send_callback_sms" => ["fed_back", "callback"].contains(&step),
            "record_callback" => step == "callback",
            "reopen" | "archive" => step == "closed",
            "contest_card" | "revoke_card" => step != "archived",
            // cancel_duplicate, approve_extension, refuse_extension, urge, supervise, add_note,
            // attach: as long as the ticket is open.
            _ => is_open,
        }
    }

    /// The conditions of an action.
    pub(super) fn check_guard(&self, act: &Act<'_>) -> Result<(), &'static str> {
        let agency = self.agency.as_deref();
        let holds = match act.action {
            "dispatch" => self.bounces < 3,
            "rule_dispatch" => self.bounces >= 3,
            "request_return" => {
                !self.flags.contains("ruled")
                    && count(&self.returns, agency) == 0
                    && self.is_running("return_window")
            }
            "record_contact" => self.is_running("contact"),
            "serve_notice" => self.current("appeal_window").is_none(),
            "file_appeal" | "waive_appeal" => self.is_running("appeal_window"),
            "conclude" if self.workflow == Workflow::Staff => self.is_over("appeal_window"),
            "request_extension" => {
                let is_in_time = self.current("completion").is_some_and(|index| {
                    let run = &self.runs[index];
                    run.state == super::clocks::State::Running && self.now < run.due_at
                });
                !self.is_running("extension_decision")
                    && count(&self.extensions_asked, agency) < 2
                    && count(&self.extensions_granted, agency) < 1
                    && is_in_time
            }
            "approve_extension" | "refuse_extension" => self.is_running("extension_decision"),
            "confirm_finding" => {
                self.concluded_by.as_deref() != Some(act.subject)
                    && !self.is_running("finding_decision")
            }
            "approve_finding" | "reject_finding" => self.is_running("finding_decision"),
            "send_callback_sms" => self.is_running("callback_sms"),
            "reopen" => agency.is_some(),
            "archive" => self.is_over("followup_window"),
            _ => true,
        };
        if holds { Ok(()) } else { Err("guarded") }
    }
}
