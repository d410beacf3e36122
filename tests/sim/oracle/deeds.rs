//! What people do: the checks in their order, and what each deed is.

use serde_json::Value;

use super::almanac::{day_of, is_forenoon};
use super::follows::{Deed, only, to};
use super::law;
use super::paper;
use super::ticket::{Act, Ticket};

const FINDINGS: [&str; 4] = ["valid", "unreasonable", "mistaken", "malicious"];

fn word<'a>(act: &Act<'a>, field: &str) -> &'a str {
    act.form.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl Ticket<'_> {
    /// The checks in their order, then the deed.
    pub(super) fn do_it(&mut self, act: &Act<'_>, stamp: i64, at: i64) -> Result<(), &'static str> {
        let Some(is_here) = law::is_at(act.action, self.step, self.is_staff) else {
            return Err("unknown-action");
        };
        let is_about_card = act.action.ends_with("_card");
        if !law::may(act.role, act.action, self.is_about_hotline()) {
            return Err("not-permitted");
        }
        let is_own = act.agency.is_some() && act.agency == self.agency.as_deref();
        let has_card = |id: &str| {
            let mut cards = self.cards.iter().filter(|card| card.id == id);
            act.agency.is_some() && cards.any(|card| card.agency.as_deref() == act.agency)
        };
        let is_his_card = is_about_card && has_card(word(act, "card"));
        if act.role.starts_with("agency") && !is_his_card && !is_own {
            return Err("not-yours");
        }
        if act.revision.is_some_and(|seen| seen != self.revision) {
            return Err("stale-revision");
        }
        if !is_here {
            return Err("wrong-step");
        }
        if !self.is_fit(act, at) {
            return Err("guarded");
        }
        let is_sound = paper::is_sound(act.action, self.is_staff, act.form, at);
        if !is_sound || !self.is_sensible(act, at) {
            return Err("form");
        }
        self.bring_about(act, stamp, at);
        Ok(())
    }

    fn bring_about(&mut self, act: &Act<'_>, stamp: i64, at: i64) {
        act.subject.clone_into(&mut self.actor);
        let (pending, closed_at, was_duplicate) =
            (self.request, self.step_since, self.outcome == Some("duplicate"));
        let deed = self.deed(act, at);
        let seen = paper::seen(act.action, act.form, at);
        let (agency, is_sealed) = (act.agency.unwrap_or("-"), paper::is_private(act.form, &seen));
        let told = format!(
            "acted {} {} {agency} {seen} sealed {is_sealed}; {}",
            act.action,
            act.role,
            self.text_of(&deed)
        );
        self.tell(act.subject, at, Some(stamp).filter(|stamp| *stamp < at), &told);
        self.lines_at_deed = self.lines;
        if act.action == "conclude" {
            self.concluded_by = Some(act.subject.to_owned());
        }
        self.take_in(&deed, at);
        match act.action {
            "request_extension" => {
                let until = paper::date(word(act, "new_due_date")).expect("checked");
                self.request = Some((until, at));
            }
            "approve_extension" | "refuse_extension" => self.request = None,
            _ => {}
        }
        if act.action == "reclassify" {
            self.reclassify(word(act, "class"), at);
        }
        if let ("approve_extension", Some(pending)) = (act.action, pending) {
            self.extend(pending, at);
        }
        if act.action == "reopen" && was_duplicate {
            self.go_on_where_it_was(closed_at, at);
        }
        self.follow(&deed, at);
        self.do_with_card(act, at);
        self.settle(at);
    }

    /// Writes a line in the name of whoever is acting.
    pub(super) fn tell_as_before(&mut self, at: i64, told: &str) {
        let actor = self.actor.clone();
        self.tell(&actor, at, None, told);
    }

    /// The conditions of a deed.
    fn is_fit(&self, act: &Act<'_>, at: i64) -> bool {
        let own = |what: &str| {
            let mine = self.counts.iter().filter(|(one, by, _)| *one == what && *by == self.agency);
            mine.count()
        };
        let bounces = self.counts.iter().filter(|(what, ..)| *what == "bounce").count();
        let has = |flag: &str| self.flags.contains(flag);
        match act.action {
            "dispatch" => bounces < 3,
            "rule_dispatch" => bounces >= 3,
            "request_return" => {
                !has("ruled") && own("return") == 0 && self.is_running("return_window")
            }
            "record_contact" => self.is_running("contact"),
            "serve_notice" => self.current("appeal_window").is_none(),
            "file_appeal" | "waive_appeal" => self.is_running("appeal_window"),
            "conclude" if self.is_staff => self.is_over("appeal_window"),
            "record_measures" => {
                let says = |measure: &str| paper::lists(act.form, "measures", measure);
                has("ordered_to_correct") || says("correction") || says("written_self_criticism")
            }
            "feed_back" if self.step == "measures" => {
                has("ordered_to_correct") && has("self_criticised")
            }
            "request_extension" => {
                let is_before_the_end = self.current("completion").is_some_and(|index| {
                    let clock = &self.clocks[index];
                    clock.is_running() && at < clock.now.due_at()
                });
                !self.is_running("extension_decision")
                    && own("extension_requested") < 2
                    && own("extension_granted") < 1
                    && is_before_the_end
            }
            "approve_extension" | "refuse_extension" => self.is_running("extension_decision"),
            "confirm_finding" => {
                self.concluded_by.as_deref() != Some(act.subject)
                    && !self.is_running("finding_decision")
            }
            "approve_finding" | "reject_finding" => self.is_running("finding_decision"),
            "send_callback_sms" => self.is_running("callback_sms"),
            "archive" => self.is_over("followup_window"),
            _ => true,
        }
    }

    /// What a form says must also fit the ticket.
    fn is_sensible(&self, act: &Act<'_>, at: i64) -> bool {
        // A time is told by its minute.
        let minute = |at: i64| at - at.rem_euclid(60_000);
        let since = |claimed: &str| {
            let said = paper::instant(claimed).map(|said| said.min(at));
            said.is_some_and(|said| said >= minute(self.agency_since))
        };
        match act.action {
            "reclassify" => word(act, "class") != self.class,
            "record_contact" => since(word(act, "attempted_at")),
            "record_callback" => {
                let called = paper::instant(word(act, "called_at")).map(|said| said.min(at));
                since(word(act, "called_at")) && called >= self.fed_back_at.map(minute)
            }
            "request_extension" => {
                let Some(day) = paper::date(word(act, "new_due_date")) else { return false };
                let Some(index) = self.current("completion") else { return false };
                let (almanac, known) = (&self.world.almanac, day_of(at));
                let clock = &self.clocks[index];
                let last = clock.granted.map_or(clock.now.last_day, |_| clock.first_last_day);
                let days = almanac.count(known, last, day);
                almanac.is_working(known, day) && (1..=10).contains(&days)
            }
            "contest_card" | "uphold_card" | "revoke_card" => {
                let Some(card) = self.cards.iter().find(|card| card.id == word(act, "card")) else {
                    return false;
                };
                if act.role == "approver" && card.party == "approver" {
                    return false;
                }
                match act.action {
                    "contest_card" => {
                        card.state == "issued"
                            && !card.is_upheld
                            && act.agency.is_some()
                            && card.agency.as_deref() == act.agency
                    }
                    "uphold_card" => card.state == "contested",
                    _ => card.state != "revoked",
                }
            }
            _ => true,
        }
    }

    /// The deed itself.
    fn deed(&self, act: &Act<'_>, at: i64) -> Deed {
        match act.action {
            "dispatch" | "rule_dispatch" => {
                let agency = word(act, "agency").to_owned();
                let mut flags = Vec::new();
                if act.action == "rule_dispatch" && !self.flags.contains("ruled") {
                    flags.push("ruled");
                }
                if self.world.hotline_agencies.contains(&agency) && !self.is_about_hotline() {
                    flags.push("hotline_self");
                }
                Deed { flags, assigned: Some(agency), ..to("delivered", &["delivered"]) }
            }
            "cancel_duplicate" => {
                Deed { outcome: Some("duplicate"), ..to("closed", &["duplicate_found"]) }
            }
            "sign" => to("contacting", &["signed"]),
            "request_return" => Deed {
                marks: vec![("return", at)],
                ..to("return_requested", &["return_requested"])
            },
            "approve_return" => Deed {
                released: self.agency.clone(),
                marks: vec![("bounce", at)],
                ..to("pending_dispatch", &["return_approved"])
            },
            "refuse_return" => Deed { is_back: true, ..to(self.origin(), &["return_refused"]) },
            "record_contact" => self.contact(act, at),
            "serve_notice" if word(act, "proof") == "none" => only(&["notice_sent"]),
            "serve_notice" => only(&["notice_served"]),
            "file_appeal" => only(&["appeal_filed"]),
            "waive_appeal" => only(&["appeal_waived"]),
            "conclude" => self.conclusion(word(act, "finding")),
            _ => self.handling(act, at),
        }
    }

    /// From the verification on.
    fn handling(&self, act: &Act<'_>, at: i64) -> Deed {
        match act.action {
            "record_rectification" => only(&["rectified"]),
            "record_measures" => {
                let of_measure = [
                    ("correction", "ordered_to_correct"),
                    ("written_self_criticism", "self_criticised"),
                ];
                let said = of_measure
                    .into_iter()
                    .filter(|(one, _)| paper::lists(act.form, "measures", one));
                let flags = said.map(|(_, flag)| flag);
                let flags = flags.filter(|flag| !self.flags.contains(*flag)).collect();
                Deed { flags, ..only(&["measures_taken"]) }
            }
            "request_extension" => Deed {
                marks: vec![("extension_requested", at)],
                extension: Some(format!("until {}", word(act, "new_due_date"))),
                ..only(&["extension_requested"])
            },
            "approve_extension" => Deed {
                marks: vec![("extension_granted", at)],
                extension: Some("granted".to_owned()),
                ..only(&["extension_granted"])
            },
            "refuse_extension" => {
                Deed { extension: Some("refused".to_owned()), ..only(&["extension_refused"]) }
            }
            "feed_back" => to("fed_back", &["fed_back"]),
            "confirm_finding" => only(&["invalid_finding_submitted"]),
            "approve_finding" => to("fed_back", &["finding_approved", "fed_back"]),
            "reject_finding" => {
                to(if self.is_staff { "under_review" } else { "verifying" }, &["finding_rejected"])
            }
            "accept_feedback" => to("callback", &["feedback_accepted"]),
            "refuse_feedback" => to("reworking", &["feedback_refused"]),
            "send_callback_sms" => only(&["callback_sms_sent"]),
            "record_callback" => self.callback(act, at),
            "reopen" if self.outcome == Some("duplicate") => {
                Deed { is_back: true, outcome: Some("cleared"), ..to(self.origin(), &["reopened"]) }
            }
            "reopen" => Deed { outcome: Some("cleared"), ..to("reworking", &["reopened"]) },
            "archive" => to("archived", &["archived"]),
            "urge" => only(&["urged"]),
            "supervise" => {
                let is_new = !self.flags.contains("supervised");
                let flags = if is_new { vec!["supervised"] } else { Vec::new() };
                Deed { flags, ..only(&["supervised"]) }
            }
            _ => Deed::default(),
        }
    }

    fn origin(&self) -> &'static str {
        let (_, from) = self.origins.iter().find(|(step, _)| *step == self.step).expect("it came");
        from
    }

    /// Three attempts on two working days, in both halves of the day, and a short message.
    fn contact(&self, act: &Act<'_>, at: i64) -> Deed {
        let is_first = self.step == "delivered";
        let mine = |what: &str| {
            let mine = self.counts.iter().filter(|(one, by, _)| *one == what && *by == self.agency);
            mine.map(|(_, _, at)| *at).collect::<Vec<_>>()
        };
        let mut attempts = mine("contact_attempt");
        let over = if self.is_staff { "contacting" } else { "verifying" };
        let mut deed = Deed::default();
        if is_first {
            deed.raised.push("signed");
        }
        let is_unreachable = match (word(act, "outcome"), word(act, "channel")) {
            ("reached", _) => {
                deed.raised.push("contacted");
                if self.flags.contains("unreachable") {
                    deed.unflags.push("unreachable");
                }
                deed.next = Some(over);
                false
            }
            (_, "sms") => {
                deed.marks.push(("contact_sms", at));
                self.suffice(&attempts, at)
            }
            _ => {
                let claimed = paper::instant(word(act, "attempted_at")).expect("checked").min(at);
                attempts.push(claimed);
                deed.marks.push(("contact_attempt", claimed));
                deed.raised.push("contact_attempted");
                !mine("contact_sms").is_empty() && self.suffice(&attempts, at)
            }
        };
        if is_unreachable {
            deed.raised.push("unreachable");
            deed.next = Some(over);
            if !self.flags.contains("unreachable") {
                deed.flags.push("unreachable");
            }
        } else if is_first && deed.next.is_none() {
            deed.next = Some("contacting");
        }
        // Both duties of Article 25 belong to one step: it is not entered again.
        deed.next = deed.next.filter(|next| *next != self.step);
        deed
    }

    fn suffice(&self, attempts: &[i64], at: i64) -> bool {
        let (almanac, known) = (&self.world.almanac, day_of(at));
        let mut days: Vec<i64> = attempts.iter().map(|at| day_of(*at)).collect();
        days.retain(|day| almanac.is_working(known, *day));
        days.sort_unstable();
        days.dedup();
        let forenoons = attempts.iter().filter(|at| is_forenoon(**at)).count();
        attempts.len() >= 3 && days.len() >= 2 && (1..attempts.len()).contains(&forenoons)
    }

    fn conclusion(&self, finding: &str) -> Deed {
        let deed = match (finding, self.is_staff) {
            ("valid", true) => to("measures", &["concluded", "finding_valid"]),
            ("valid", false) => to("rectifying", &["concluded"]),
            ("unreasonable", _) => to("explaining", &["concluded"]),
            _ => to("invalid_review", &["concluded"]),
        };
        Deed { finding: FINDINGS.into_iter().find(|one| *one == finding), ..deed }
    }

    /// Only calls count, three of them on at least two working days.
    fn callback(&self, act: &Act<'_>, at: i64) -> Deed {
        let reworks = self.counts.iter().filter(|(what, ..)| *what == "rework").count();
        match word(act, "rating") {
            "dissatisfied" | "very_dissatisfied" if reworks == 0 => Deed {
                marks: vec![("rework", at)],
                ..to("reworking", &["called_back", "rework_ordered"])
            },
            "dissatisfied" | "very_dissatisfied" => {
                Deed { outcome: Some("unresolved"), ..to("closed", &["called_back", "supervised"]) }
            }
            "no_answer" if word(act, "channel") != "phone" => only(&["callback_unanswered"]),
            "no_answer" => {
                let claimed = paper::instant(word(act, "called_at")).expect("checked").min(at);
                let calls = self.counts.iter().filter(|(what, ..)| *what == "callback_unanswered");
                let mut calls: Vec<i64> = calls.map(|(_, _, at)| *at).collect();
                calls.push(claimed);
                let (almanac, known) = (&self.world.almanac, day_of(at));
                let mut days: Vec<i64> = calls.iter().map(|at| day_of(*at)).collect();
                days.retain(|day| almanac.is_working(known, *day));
                days.sort_unstable();
                days.dedup();
                let marks = vec![("callback_unanswered", claimed)];
                if calls.len() >= 3 && days.len() >= 2 {
                    let outcome = Some(self.name_of_end());
                    let raised = ["callback_unanswered", "called_back"];
                    Deed { outcome, marks, ..to("closed", &raised) }
                } else {
                    Deed { marks, ..only(&["callback_unanswered"]) }
                }
            }
            _ => Deed { outcome: Some(self.name_of_end()), ..to("closed", &["called_back"]) },
        }
    }

    /// How a ticket is called by its finding.
    pub(super) fn name_of_end(&self) -> &'static str {
        match self.finding {
            Some("valid") | None => "rectified",
            Some("unreasonable") => "explained",
            Some(same) => same,
        }
    }
}
