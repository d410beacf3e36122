//! The people who work on a case: what they do next, out of the step in which it is, and how long
//! they take. Must never decide whether they may: the API says so.

use std::collections::BTreeSet;

use duban_core::role::Role;
use duban_core::time::Instant;
use fastrand::Rng;
use serde_json::{Value, json};

const HOUR_MS: f64 = 3_600_000.0;
const DAY_H: f64 = 24.0;

/// Refusals after which somebody gives up.
const REFUSALS_MAX: u32 = 6;

/// What does not go straight on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Twist {
    Returns,
    Extends,
    Unreachable,
    Reworks,
    Unhappy,
}

/// How often, in percent; higher than in life, so that there is something to see.
const TWISTS: &[(Twist, u32)] = &[
    (Twist::Returns, 6),
    (Twist::Extends, 8),
    (Twist::Unreachable, 6),
    (Twist::Reworks, 8),
    (Twist::Unhappy, 5),
];

/// What will become of a case.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The step in which nobody does anything any more.
    rests_in: Option<&'static str>,
    finding: &'static str,
    twists: BTreeSet<Twist>,
    /// Whether the staff member appeals or waives; none lets the window lapse.
    appeals: Option<bool>,
    /// How much longer than usual everything takes.
    slowness: f64,
}

const MATTER_STEPS: &[&str] = &[
    "pending_dispatch",
    "delivered",
    "return_requested",
    "contacting",
    "verifying",
    "rectifying",
    "explaining",
    "invalid_review",
    "fed_back",
    "reworking",
    "callback",
];

const STAFF_STEPS: &[&str] = &[
    "pending_dispatch",
    "delivered",
    "return_requested",
    "contacting",
    "appeal_open",
    "under_review",
    "measures",
    "explaining",
    "invalid_review",
    "fed_back",
    "reworking",
    "callback",
];

impl Plan {
    /// Some cases rest somewhere, each step in its turn; the others go their way.
    pub(super) fn new(rng: &mut Rng, staff: bool, old: bool, nr: u32) -> Self {
        let finding = match rng.u32(..100) {
            0..55 => "valid",
            55..80 => "unreasonable",
            80..97 => "mistaken",
            _ => "malicious",
        };
        let mut chance = |percent: u32| rng.u32(..100) < percent;
        let twists = TWISTS.iter().filter(|(_, percent)| chance(*percent));
        let mut plan = Self {
            rests_in: None,
            finding,
            twists: twists.map(|(twist, _)| *twist).collect(),
            appeals: None,
            slowness: 1.0,
        };
        if chance(35) {
            plan.appeals = Some(chance(40));
        }
        if chance(15) {
            plan.slowness = 4.0;
        }
        if staff {
            plan.twists.remove(&Twist::Extends);
        }
        let (steps, every) = if staff { (STAFF_STEPS, 2) } else { (MATTER_STEPS, 3) };
        if !old && nr.is_multiple_of(every) {
            let place = usize::try_from(nr / every).unwrap_or_default() % steps.len();
            plan.rest_in(steps[place]);
        }
        plan
    }

    /// Whether it rests somewhere.
    pub(super) const fn rests(&self) -> bool {
        self.rests_in.is_some()
    }

    /// Bends the plan so that the case comes to the step in which it is to rest.
    fn rest_in(&mut self, step: &'static str) {
        self.rests_in = Some(step);
        self.slowness = 1.0;
        match step {
            "return_requested" => {
                self.twists.insert(Twist::Returns);
            }
            "rectifying" | "measures" => self.finding = "valid",
            "explaining" => self.finding = "unreasonable",
            "invalid_review" => self.finding = "mistaken",
            "reworking" => {
                self.twists.insert(Twist::Reworks);
            }
            _ => {}
        }
    }
}

/// What somebody does.
pub(super) struct Deed {
    pub(super) role: Role,
    pub(super) action: &'static str,
    pub(super) form: Value,
}

/// A case as its people know it.
pub(super) struct Case {
    pub(super) class: &'static str,
    pub(super) number: Option<String>,
    pub(super) agency: Option<String>,
    plan: Plan,
    step: String,
    /// What was done since the step was entered.
    done: BTreeSet<&'static str>,
    /// Attempts to reach the reviewer.
    attempts: u32,
    refusals: u32,
    given_back: bool,
    /// When the agency's part is due.
    due_at: Option<Instant>,
}

impl Case {
    pub(super) fn new(class: &'static str, plan: Plan) -> Self {
        Self {
            class,
            number: None,
            agency: None,
            plan,
            step: "pending_dispatch".to_owned(),
            done: BTreeSet::new(),
            attempts: 0,
            refusals: 0,
            given_back: false,
            due_at: None,
        }
    }

    fn has(&self, twist: Twist) -> bool {
        self.plan.twists.contains(&twist)
    }

    /// How long until somebody does the next thing; none when nobody will.
    pub(super) fn delay(&self, rng: &mut Rng) -> Option<i64> {
        let rests = self.plan.rests_in.is_some_and(|step| step == self.step);
        let over = matches!(self.step.as_str(), "closed" | "archived");
        if rests || over || self.refusals > REFUSALS_MAX {
            return None;
        }
        // Median and ninetieth percentile in hours (`domain/synthetic.md`).
        let (median, p90) = match self.step.as_str() {
            "pending_dispatch" => (1.2, 6.0),
            "delivered" => (2.0, 9.0),
            "contacting" => (0.8 * DAY_H, 2.6 * DAY_H),
            "appeal_open" => (1.2 * DAY_H, 2.5 * DAY_H),
            "verifying" | "under_review" => (1.5 * DAY_H, 4.0 * DAY_H),
            "rectifying" | "measures" | "explaining" | "reworking" => (1.1 * DAY_H, 3.5 * DAY_H),
            "callback" => (0.6 * DAY_H, 3.0 * DAY_H),
            _ => (0.4 * DAY_H, 1.0 * DAY_H),
        };
        let sigma = (p90 / median).ln() / 1.2816;
        let hours = median * (sigma * normal(rng)).exp() * self.plan.slowness;
        #[expect(clippy::cast_possible_truncation, reason = "a span of weeks at most")]
        let ms = (hours.clamp(0.1, 60.0 * DAY_H) * HOUR_MS) as i64;
        Some(ms)
    }

    /// What is done next in the step in which the case is.
    pub(super) fn next(&mut self, agency: &str, now: Instant) -> Option<Deed> {
        let deed = |role, action, form| Some(Deed { role, action, form });
        let informed = json!({"channel": "phone", "at": now, "outcome": "informed"});
        match self.step.as_str() {
            "pending_dispatch" => deed(Role::Hotline, "dispatch", json!({"agency": agency})),
            "delivered" if self.has(Twist::Returns) && !self.given_back => {
                deed(Role::Agency, "request_return", json!({"reason": "不属于本单位职责范围"}))
            }
            "delivered" => deed(Role::Agency, "sign", json!({})),
            "return_requested" => deed(Role::Hotline, "approve_return", json!({})),
            "contacting" => self.contact(now),
            "appeal_open" => match self.plan.appeals {
                Some(true) => deed(
                    Role::Agency,
                    "file_appeal",
                    json!({"reason": "当时系统故障，已向群众说明", "received_at": now}),
                ),
                Some(false) => deed(Role::Agency, "waive_appeal", json!({"waived_at": now})),
                // The window lapses; somebody looks again.
                None => deed(Role::Agency, "add_note", json!({"note": "等待申请复核期满"})),
            },
            "verifying" | "under_review" => deed(Role::Agency, "conclude", self.conclusion()),
            "rectifying"
                if self.has(Twist::Extends) && !self.done.contains("request_extension") =>
            {
                deed(
                    Role::Agency,
                    "request_extension",
                    json!({
                        "reason": "涉及多部门数据核对", "new_due_date": self.later(now),
                        "reviewer_informed": informed,
                    }),
                )
            }
            "rectifying"
                if self.done.contains("request_extension")
                    && !self.done.contains("approve_extension") =>
            {
                deed(Role::Hotline, "approve_extension", json!({}))
            }
            "rectifying" if !self.done.contains("record_rectification") => {
                let form = json!({"measure": "更新办事指南并培训窗口人员", "done_at": now});
                deed(Role::Agency, "record_rectification", form)
            }
            "measures" if !self.done.contains("record_measures") => {
                let form = json!({"measures": ["correction", "written_self_criticism"]});
                deed(Role::Agency, "record_measures", form)
            }
            "rectifying" | "measures" | "explaining" | "reworking" => {
                let form = json!({"result": "已处理并告知评价人", "reviewer_informed": informed});
                deed(Role::Agency, "feed_back", form)
            }
            "invalid_review" if !self.done.contains("confirm_finding") => {
                deed(Role::AgencyLead, "confirm_finding", json!({}))
            }
            "invalid_review" => deed(Role::Approver, "approve_finding", json!({})),
            "fed_back" if self.plan.twists.remove(&Twist::Reworks) => {
                deed(Role::Hotline, "refuse_feedback", json!({"reason": "未说明具体整改措施"}))
            }
            "fed_back" => deed(Role::Hotline, "accept_feedback", json!({})),
            "callback" => {
                let rating = if self.has(Twist::Unhappy) { "dissatisfied" } else { "satisfied" };
                let form = json!({"rating": rating, "channel": "phone", "called_at": now});
                deed(Role::Hotline, "record_callback", form)
            }
            _ => None,
        }
    }

    fn contact(&mut self, now: Instant) -> Option<Deed> {
        let deed = |action, form| Some(Deed { role: Role::Agency, action, form });
        if self.class == "staff" && self.done.contains("record_contact") {
            return deed("serve_notice", json!({"served_at": now, "proof": "signature"}));
        }
        let outcome =
            |outcome, channel| json!({"outcome": outcome, "channel": channel, "attempted_at": now});
        if self.has(Twist::Unreachable) && self.class != "staff" {
            self.attempts += 1;
            return match self.attempts {
                4 => deed("record_contact", outcome("sent", "sms")),
                // Whoever was out at first is there at last.
                5.. => deed("record_contact", outcome("reached", "phone")),
                _ => deed("record_contact", outcome("no_answer", "phone")),
            };
        }
        deed("record_contact", outcome("reached", "phone"))
    }

    fn conclusion(&self) -> Value {
        let mut form = json!({
            "finding": self.plan.finding,
            "summary": "经调取记录并与评价人沟通核实",
            "handling": "immediate",
        });
        match self.plan.finding {
            "unreasonable" => form["legal_basis"] = json!("办理时限符合公布的承诺"),
            "mistaken" | "malicious" => {
                // Which file that is is known when it has been uploaded.
                form["evidence"] = json!([{"kind": "document"}]);
            }
            _ => {}
        }
        form
    }

    /// The API did it.
    pub(super) fn did(&mut self, deed: &Deed, shown: &Value) {
        self.refusals = 0;
        self.given_back |= deed.action == "approve_return";
        self.see(shown);
        self.done.insert(deed.action);
    }

    /// The API refused it; the ticket as it is.
    pub(super) fn was_refused(&mut self, shown: &Value) {
        self.refusals += 1;
        self.see(shown);
    }

    fn see(&mut self, shown: &Value) {
        let step = shown["step"].as_str().unwrap_or_default();
        if step != self.step {
            step.clone_into(&mut self.step);
            self.done.clear();
        }
        if let Some(agency) = shown["agency"].as_str() {
            self.agency = Some(agency.to_owned());
        }
        let mut deadlines = shown["deadlines"].as_array().into_iter().flatten();
        let completion = deadlines.rfind(|one| one["name"] == "completion");
        if let Some(due_at) = completion.and_then(|one| one["due_at"].as_str()) {
            self.due_at = due_at.parse().ok();
        }
    }

    /// A day to ask for: after the last one, and the next day when that was refused (it may be off).
    fn later(&self, now: Instant) -> String {
        let day_ms = 24 * 3_600_000;
        let from = self.due_at.unwrap_or(now);
        let later = from.plus_ms(i64::from(self.refusals) * day_ms).to_string();
        later.split('T').next().unwrap_or_default().to_owned()
    }
}

/// The standard normal distribution (Box and Muller).
fn normal(rng: &mut Rng) -> f64 {
    let (u, v) = (rng.f64().max(1e-9), rng.f64());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
