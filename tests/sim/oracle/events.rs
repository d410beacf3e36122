//! What events do to the clocks, one function an event, and what follows by itself.

use super::rules::Workflow;
use super::schedule::Start;
use super::ticket::Ticket;

impl Ticket<'_> {
    pub(super) fn delivered(&mut self) {
        self.meet("dispatch");
        self.start("return_window");
        self.start("contact");
        if self.workflow == Workflow::Staff {
            self.start("staff_notice");
        }
        self.start("completion");
        self.start("citizen");
    }

    pub(super) fn contacted_or_unreachable(&mut self) {
        self.meet("contact");
    }

    pub(super) fn notice_sent(&mut self) {
        self.meet("staff_notice");
        self.start("deemed_service");
    }

    pub(super) fn notice_served(&mut self) {
        self.meet("staff_notice");
        self.meet("deemed_service");
        self.start("appeal_window");
    }

    /// The notice counts as served at the very end of the day that is over now.
    pub(super) fn deemed_served(&mut self) {
        self.start_from("appeal_window", Start::at(self.now - 1));
    }

    pub(super) fn invalid_finding_submitted(&mut self) {
        self.meet("completion");
        self.cancel("extension_decision", "invalid_finding_submitted");
        self.start("finding_decision");
    }

    pub(super) fn finding_rejected(&mut self) {
        self.meet("finding_decision");
        self.take_back("completion");
    }

    pub(super) fn fed_back(&mut self) {
        self.unanswered = 0;
        self.meet("completion");
        self.meet("rework");
        self.meet("citizen");
        self.cancel("extension_decision", "fed_back");
        self.start("feedback_decision");
        self.start("callback_sms");
        self.start("callback_call");
    }

    pub(super) fn feedback_refused(&mut self) {
        self.meet("feedback_decision");
        self.take_back("completion");
        self.take_back("citizen");
        self.cancel("callback_sms", "feedback_refused");
        self.cancel("callback_call", "feedback_refused");
    }

    pub(super) fn called_back(&mut self) {
        self.meet("callback_sms");
        self.meet("callback_call");
    }

    /// From here to another step, with what starts or ends there.
    pub(super) fn go(&mut self, step: &'static str, is_by_time: bool) {
        self.came_from = Some(self.step);
        self.overtaken = is_by_time.then_some(self.step);
        self.step = step;
        self.step_since = self.now;
        match step {
            "pending_dispatch" => self.start("dispatch"),
            "return_requested" => self.start("return_decision"),
            "reworking" => self.start("rework"),
            "closed" | "archived" => self.stop_all(),
            _ => {}
        }
    }

    /// Closed under the name that its finding gives it.
    pub(super) fn close_by_finding(&mut self, is_by_time: bool) {
        self.outcome = match self.finding {
            Some("valid") | None => Some("rectified"),
            Some("unreasonable") => Some("explained"),
            same => same,
        };
        self.go("closed", is_by_time);
    }

    /// What happens by itself as soon as it can.
    pub(super) fn settle(&mut self, is_by_time: bool) {
        match (self.step, self.workflow) {
            ("contacting", Workflow::Matter) if self.is_anonymous() => {
                self.go("verifying", is_by_time);
            }
            ("contacting", Workflow::Staff)
                if self.is_over("contact") && self.is_over("staff_notice") =>
            {
                if self.is_running("appeal_window") {
                    self.go("appeal_open", is_by_time);
                } else if self.is_over("appeal_window") {
                    self.go("under_review", is_by_time);
                }
            }
            ("appeal_open", Workflow::Staff) if self.is_over("appeal_window") => {
                self.go("under_review", is_by_time);
            }
            ("callback", _) if self.is_anonymous() => self.close_by_finding(is_by_time),
            _ => {}
        }
    }
}
