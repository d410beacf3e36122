//! What follows from a deed: on the ticket, on its clocks, in letters, and by itself.

use super::law;
use super::ticket::{Act, Ticket};

/// What a deed changes on the ticket, before anything follows from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Deed {
    pub(super) raised: Vec<&'static str>,
    pub(super) next: Option<&'static str>,
    pub(super) is_back: bool,
    pub(super) assigned: Option<String>,
    pub(super) released: Option<String>,
    pub(super) finding: Option<&'static str>,
    pub(super) outcome: Option<&'static str>,
    pub(super) flags: Vec<&'static str>,
    pub(super) unflags: Vec<&'static str>,
    pub(super) marks: Vec<(&'static str, i64)>,
    pub(super) extension: Option<String>,
}

pub(super) fn to(next: &'static str, raised: &[&'static str]) -> Deed {
    Deed { raised: raised.to_vec(), next: Some(next), ..Deed::default() }
}

pub(super) fn only(raised: &[&'static str]) -> Deed {
    Deed { raised: raised.to_vec(), ..Deed::default() }
}

impl Ticket<'_> {
    /// A deed in words.
    pub(super) fn text_of(&self, deed: &Deed) -> String {
        let next = deed.next.map_or_else(
            || "-".to_owned(),
            |next| {
                let back = if deed.is_back { " back" } else { "" };
                format!("{}>{next} {}{back}", self.step, law::status(next))
            },
        );
        let resets = Self::resets(deed);
        let marks = deed.marks.iter().map(|(what, at)| format!("{what}@{at}"));
        format!(
            "{:?} {next} assigned {} released {} finding {} outcome {} flags {:?} off {:?} reset {resets:?} marks [{}] extension {}",
            deed.raised,
            deed.assigned.as_deref().unwrap_or("-"),
            deed.released.as_deref().unwrap_or("-"),
            deed.finding.unwrap_or("-"),
            deed.outcome.unwrap_or("-"),
            deed.flags,
            deed.unflags,
            marks.collect::<Vec<_>>().join(" "),
            deed.extension.as_deref().unwrap_or("-"),
        )
    }

    /// Unanswered calls are counted anew after each feedback.
    fn resets(deed: &Deed) -> Vec<&'static str> {
        if deed.raised.contains(&"fed_back") { vec!["callback_unanswered"] } else { Vec::new() }
    }

    pub(super) fn take_in(&mut self, deed: &Deed, at: i64) {
        let resets = Self::resets(deed);
        self.counts.retain(|(what, ..)| !resets.contains(what));
        if !resets.is_empty() {
            self.fed_back_at = Some(at);
        }
        for (what, at) in &deed.marks {
            self.counts.push((what, self.agency.clone(), *at));
        }
        if let Some(next) = deed.next {
            if !deed.is_back {
                self.origins.retain(|(step, _)| *step != next);
                self.origins.push((next, self.step));
            }
            self.step = next;
            self.step_since = at;
        }
        if deed.released.is_some() {
            self.agency = None;
        }
        if let Some(agency) = &deed.assigned {
            self.agency = Some(agency.clone());
            self.agency_since = at;
        }
        self.finding = deed.finding.or(self.finding);
        match deed.outcome {
            Some("cleared") => self.outcome = None,
            Some(outcome) => self.outcome = Some(outcome),
            None => {}
        }
        self.flags.extend(deed.flags.iter().map(ToString::to_string));
        self.flags.retain(|flag| !deed.unflags.contains(&flag.as_str()));
        let is_public = deed.next.is_some()
            || deed.released.is_some()
            || deed.assigned.is_some()
            || deed.finding.is_some();
        self.revision += u32::from(is_public);
    }

    pub(super) fn reclassify(&mut self, class: &str, at: i64) {
        class.clone_into(&mut self.class);
        self.is_staff = class == "staff";
        self.revision += 1;
        let is_staff = self.is_staff;
        for clock in &mut self.clocks {
            clock.place = law::place(is_staff, clock.name).unwrap_or(clock.place);
        }
        let told = format!("reclassified {class} {}", self.workflow());
        self.tell_as_before(at, &told);
        self.stop_those(at, "reclassified", |clock| law::place(is_staff, clock.name).is_none());
        for index in 0..self.clocks.len() {
            if self.clocks[index].is_running() {
                self.measure_by_new_class(index, at);
            }
        }
    }

    pub(super) fn follow(&mut self, deed: &Deed, at: i64) {
        let seq = self.lines_at_deed;
        if let Some(agency) = &deed.released {
            self.stop_those(at, "released", |clock| clock.agency.as_ref() == Some(agency));
        }
        if let Some(agency) = &deed.assigned {
            self.take_up(agency, at);
        }
        let concerned = deed.released.clone().or_else(|| self.agency.clone());
        for event in &deed.raised {
            if let Some((kind, to)) = law::told(event) {
                let about = format!("event {event}");
                // Nobody has it: whoever must act is told.
                let is_agencys = to.starts_with("agency") && concerned.is_none();
                let to = self.awaits().filter(|_| is_agencys).unwrap_or(to);
                self.write_to(seq, (kind, &[to]), concerned.as_deref(), &about, None);
            }
            self.happens(event, at);
        }
        match deed.next {
            Some("pending_dispatch") => self.start("dispatch", at),
            Some("return_requested") => self.start("return_decision", at),
            Some("reworking") => self.start("rework", at),
            _ => {}
        }
        // A decision about an extension can still be taken, and the citizen may still follow up.
        let outlives = ["followup_window", "extension_decision"];
        match deed.next {
            Some("closed") => self.stop_those(at, "closed", |one| !outlives.contains(&one.name)),
            Some("archived") => self.stop_those(at, "closed", |_| true),
            _ => {}
        }
    }

    /// What an event does to the clocks, in their order.
    fn happens(&mut self, event: &str, at: i64) {
        match event {
            "delivered" => {
                self.meet("dispatch", at);
                self.start("return_window", at);
                self.start("contact", at);
                if self.is_staff {
                    self.start("staff_notice", at);
                }
                self.start("completion", at);
                self.start("citizen", at);
            }
            "return_requested" => self.meet("return_window", at),
            "duplicate_found" => {
                if let Some(index) = self.current("extension_decision") {
                    self.stop(index, at, event);
                }
            }
            "return_approved" | "return_refused" => self.meet("return_decision", at),
            "contacted" | "unreachable" => self.meet("contact", at),
            "notice_sent" => {
                self.meet("staff_notice", at);
                self.start("deemed_service", at);
            }
            "notice_served" => {
                self.meet("staff_notice", at);
                self.meet("deemed_service", at);
                self.start("appeal_window", at);
            }
            "appeal_filed" | "appeal_waived" => self.meet("appeal_window", at),
            "invalid_finding_submitted" => {
                self.meet("completion", at);
                self.start("finding_decision", at);
            }
            "finding_approved" => self.meet("finding_decision", at),
            "finding_rejected" => {
                self.take_back("completion", at);
                self.meet("finding_decision", at);
            }
            "extension_requested" => self.start("extension_decision", at),
            "extension_granted" | "extension_refused" => self.meet("extension_decision", at),
            "fed_back" => {
                self.meet("completion", at);
                self.start("feedback_decision", at);
                self.meet("rework", at);
                self.start("callback_sms", at);
                self.start("callback_call", at);
                self.meet("citizen", at);
            }
            "feedback_accepted" => self.meet("feedback_decision", at),
            "feedback_refused" => {
                self.take_back("completion", at);
                self.meet("feedback_decision", at);
                for name in ["callback_sms", "callback_call"] {
                    if let Some(index) = self.current(name) {
                        self.stop(index, at, "feedback_refused");
                    }
                }
                self.take_back("citizen", at);
            }
            "callback_sms_sent" => self.meet("callback_sms", at),
            "called_back" => {
                self.meet("callback_sms", at);
                self.meet("callback_call", at);
            }
            _ => {}
        }
    }

    pub(super) fn do_with_card(&mut self, act: &Act<'_>, at: i64) {
        let named = act.form.get("card").and_then(serde_json::Value::as_str).unwrap_or_default();
        let Some(index) = self.cards.iter().position(|card| card.id == named) else { return };
        let card = &mut self.cards[index];
        match act.action {
            "contest_card" => card.state = "contested",
            "uphold_card" => {
                card.state = "issued";
                card.is_upheld = true;
            }
            "revoke_card" => return self.revoke(index, at, "revoke_card"),
            _ => return,
        }
        let done = if act.action == "contest_card" { "contested" } else { "upheld" };
        let told = format!("{done} {}", card.id);
        self.tell_as_before(at, &told);
        self.write_of_card(&told);
    }

    /// What happens by itself as soon as it can.
    pub(super) fn settle(&mut self, at: i64) {
        let is_anonymous = self.flags.contains("anonymous");
        let is_done = self.is_over("contact") && self.is_over("staff_notice");
        let deed = match (self.step, self.is_staff) {
            ("contacting", false) if self.is_over("contact") => to("verifying", &[]),
            ("contacting", true) if is_done && self.is_running("appeal_window") => {
                to("appeal_open", &[])
            }
            ("contacting", true) if is_done && self.is_over("appeal_window") => {
                to("under_review", &[])
            }
            ("appeal_open", true) if self.is_over("appeal_window") => to("under_review", &[]),
            ("callback", _) if is_anonymous => {
                Deed { outcome: Some(self.name_of_end()), ..to("closed", &[]) }
            }
            _ => return,
        };
        let told = format!("moved; {}", self.text_of(&deed));
        "system".clone_into(&mut self.actor);
        self.tell_of_time(at, &told);
        self.lines_at_deed = self.lines;
        self.take_in(&deed, at);
        self.follow(&deed, at);
        self.settle(at);
    }
}
