//! What each action does, once it may be done.

use serde_json::Value;

use super::almanac::{day_of, is_forenoon};
use super::clocks::CardState;
use super::forms;
use super::permits::{count, is_known};
use super::rules::Workflow;
use super::ticket::{Act, Done, Ticket};

const FINDINGS: [&str; 4] = ["valid", "unreasonable", "mistaken", "malicious"];

fn word<'a>(act: &Act<'a>, field: &str) -> &'a str {
    act.form.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl Ticket<'_> {
    /// The checks in their order, then the deed.
    pub(super) fn try_act(&mut self, act: &Act<'_>) -> Result<(), &'static str> {
        if !is_known(self.workflow, act.action) {
            return Err("unknown-action");
        }
        self.check_role(act)?;
        self.check_step(act)?;
        self.check_guard(act)?;
        let is_sound = forms::is_sound(act.action, act.form, self.now);
        if !is_sound || !self.is_sensible(act) {
            return Err("form");
        }
        match act.action {
            "dispatch" | "rule_dispatch" => self.dispatch(act),
            "reclassify" => self.reclassify(word(act, "class")),
            "cancel_duplicate" => {
                self.outcome = Some("duplicate");
                self.go("closed", false);
            }
            "sign" => self.go("contacting", false),
            "request_return" => {
                self.returns.push(self.done(self.now));
                self.meet("return_window");
                self.go("return_requested", false);
            }
            "approve_return" => {
                self.bounces += 1;
                self.release();
                self.meet("return_decision");
                self.go("pending_dispatch", false);
            }
            "refuse_return" => {
                self.meet("return_decision");
                self.go(self.came_from.expect("it came from somewhere"), false);
            }
            "record_contact" => self.record_contact(act),
            "serve_notice" if word(act, "proof") == "none" => self.notice_sent(),
            "serve_notice" => self.notice_served(),
            "file_appeal" | "waive_appeal" => self.meet("appeal_window"),
            "send_callback_sms" => self.meet("callback_sms"),
            "record_callback" => self.record_callback(word(act, "rating")),
            "reopen" => {
                self.outcome = None;
                self.go("reworking", false);
            }
            "archive" => self.go("archived", false),
            "supervise" => {
                self.flags.insert("supervised".to_owned());
            }
            "contest_card" => self.mark_card(word(act, "card"), CardState::Contested),
            "revoke_card" => self.mark_card(word(act, "card"), CardState::Revoked("revoke_card")),
            _ => self.handle(act),
        }
        self.settle(false);
        Ok(())
    }

    /// From the verification to the feedback.
    fn handle(&mut self, act: &Act<'_>) {
        match act.action {
            "conclude" => self.conclude(act),
            "request_extension" => {
                self.extensions_asked.push(self.done(self.now));
                let until = forms::date(word(act, "new_due_date")).expect("checked");
                self.extension = Some((until, self.now));
                self.start("extension_decision");
            }
            "approve_extension" => {
                self.extensions_granted.push(self.done(self.now));
                self.extend();
                self.meet("extension_decision");
            }
            "refuse_extension" => {
                self.extension = None;
                self.meet("extension_decision");
            }
            "confirm_finding" => self.invalid_finding_submitted(),
            "approve_finding" => {
                self.meet("finding_decision");
                self.fed_back();
                self.go("fed_back", false);
            }
            "reject_finding" => {
                self.finding_rejected();
                let is_staff = self.workflow == Workflow::Staff;
                self.go(if is_staff { "under_review" } else { "verifying" }, false);
            }
            "feed_back" => {
                self.fed_back();
                self.go("fed_back", false);
            }
            "accept_feedback" => {
                self.meet("feedback_decision");
                self.go("callback", false);
            }
            "refuse_feedback" => {
                self.feedback_refused();
                self.go("reworking", false);
            }
            // urge, add_note, attach, record_rectification, record_measures: only remembered.
            _ => {}
        }
    }

    fn done(&self, at: i64) -> Done {
        Done { by: self.agency.clone(), at }
    }

    /// What a form says must also fit the ticket.
    fn is_sensible(&self, act: &Act<'_>) -> bool {
        match act.action {
            "reclassify" => word(act, "class") != self.class,
            "record_contact" => self.is_since(word(act, "attempted_at")),
            "record_callback" => self.is_since(word(act, "called_at")),
            "request_extension" => {
                let Some(date) = forms::date(word(act, "new_due_date")) else { return false };
                let Some(index) = self.current("completion") else { return false };
                let (almanac, known) = (&self.world.almanac, self.known());
                let days = almanac.count(known, self.runs[index].original_last_day, date);
                almanac.is_working(known, date) && (1..=10).contains(&days)
            }
            "contest_card" | "revoke_card" => {
                let Some(card) = self.cards.iter().find(|card| card.id == word(act, "card")) else {
                    return false;
                };
                match (act.action, card.state) {
                    ("contest_card", CardState::Issued) => {
                        act.agency.is_some() && card.agency.as_deref() == act.agency
                    }
                    ("revoke_card", CardState::Issued | CardState::Contested) => true,
                    _ => false,
                }
            }
            _ => true,
        }
    }

    /// What is counted happened while the agency had the ticket.
    fn is_since(&self, claimed: &str) -> bool {
        forms::instant(claimed).is_some_and(|at| at >= self.agency_since)
    }

    fn dispatch(&mut self, act: &Act<'_>) {
        let agency = word(act, "agency");
        if self.world.hotline_agencies.contains(agency) {
            self.flags.insert("hotline_self".to_owned());
        }
        if act.action == "rule_dispatch" {
            self.flags.insert("ruled".to_owned());
        }
        self.agency = Some(agency.to_owned());
        self.agency_since = self.now;
        self.resume();
        self.delivered();
        self.go("delivered", false);
    }

    fn reclassify(&mut self, class: &str) {
        class.clone_into(&mut self.class);
        self.workflow = Workflow::of_class(class);
        self.stop_unknown();
    }

    /// Whether these attempts suffice to call somebody unreachable.
    fn suffice(&self, attempts: &[i64]) -> bool {
        let (almanac, known) = (&self.world.almanac, self.known());
        let mut days: Vec<i64> = attempts.iter().map(|at| day_of(*at)).collect();
        days.retain(|day| almanac.is_working(known, *day));
        days.sort_unstable();
        days.dedup();
        let forenoons = attempts.iter().filter(|at| is_forenoon(**at)).count();
        attempts.len() >= 3 && days.len() >= 2 && (1..attempts.len()).contains(&forenoons)
    }

    fn record_contact(&mut self, act: &Act<'_>) {
        let next = if self.workflow == Workflow::Staff { "contacting" } else { "verifying" };
        let attempted_at = forms::instant(word(act, "attempted_at")).expect("checked");
        let agency = self.agency.as_deref();
        let own = self.contact_attempts.iter().filter(|one| one.by.as_deref() == agency);
        let mut attempts: Vec<i64> = own.map(|one| one.at).collect();
        let was_reached = word(act, "outcome") == "reached";
        let is_unreachable = if was_reached {
            false
        } else if word(act, "channel") == "sms" {
            self.contact_sms.push(self.done(self.now));
            self.suffice(&attempts)
        } else {
            attempts.push(attempted_at);
            let is_told = count(&self.contact_sms, agency) > 0;
            self.contact_attempts.push(self.done(attempted_at));
            is_told && self.suffice(&attempts)
        };
        if is_unreachable {
            self.flags.insert("unreachable".to_owned());
        }
        let is_over = was_reached || is_unreachable;
        if is_over {
            self.contacted_or_unreachable();
        }
        let next = if is_over { next } else { "contacting" };
        if self.step != next {
            self.go(next, false);
        }
    }

    fn conclude(&mut self, act: &Act<'_>) {
        self.concluded_by = Some(act.subject.to_owned());
        let finding = word(act, "finding");
        self.finding = FINDINGS.into_iter().find(|one| *one == finding);
        let is_staff = self.workflow == Workflow::Staff;
        self.go(
            match finding {
                "valid" if is_staff => "measures",
                "valid" => "rectifying",
                "unreasonable" => "explaining",
                _ => "invalid_review",
            },
            false,
        );
    }

    fn record_callback(&mut self, rating: &str) {
        match rating {
            "no_answer" if self.unanswered < 2 => self.unanswered += 1,
            "dissatisfied" | "very_dissatisfied" if self.reworks == 0 => {
                self.reworks += 1;
                self.called_back();
                self.go("reworking", false);
            }
            "dissatisfied" | "very_dissatisfied" => {
                self.called_back();
                self.outcome = Some("unresolved");
                self.go("closed", false);
            }
            _ => {
                self.called_back();
                self.close_by_finding(false);
            }
        }
    }

    fn mark_card(&mut self, id: &str, state: CardState) {
        if let Some(card) = self.cards.iter_mut().find(|card| card.id == id) {
            card.state = state;
        }
    }
}
