//! What the regulation and our answers say, by heart: how long, who, where, who is told.

/// A ladder: how many working days from the end, the card, what is said, to whom.
pub(super) type Ladder =
    &'static [(i64, Option<&'static str>, Option<&'static str>, &'static [&'static str])];

const WARNING: (i64, Option<&str>, Option<&str>, &[&str]) =
    (-1, None, Some("early_warning"), &["agency"]);
const BREACH: (i64, Option<&str>, Option<&str>, &[&str]) =
    (0, Some("yellow_card"), Some("urge"), &["agency", "hotline"]);
const URGED: (i64, Option<&str>, Option<&str>, &[&str]) =
    (1, None, Some("urge"), &["agency", "agency_lead"]);
const SUPERVISED: (i64, Option<&str>, Option<&str>, &[&str]) =
    (3, None, Some("supervise"), &["agency", "agency_lead", "supervisor"]);
const RED: (i64, Option<&str>, Option<&str>, &[&str]) =
    (5, Some("red_card"), Some("bulletin"), &["agency", "agency_lead", "supervisor"]);

const AGENCYS: Ladder = &[WARNING, BREACH, URGED, SUPERVISED, RED];
const COMPLETIONS: Ladder =
    &[(-3, None, Some("early_warning"), &["agency"]), WARNING, BREACH, URGED, SUPERVISED, RED];
const OVERSIGHT: Ladder = &[
    (-1, None, Some("early_warning"), &["supervisor"]),
    (0, Some("yellow_card"), Some("urge"), &["supervisor"]),
    (1, None, Some("urge"), &["supervisor"]),
];

/// A deadline by heart.
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Deadline {
    pub(super) kind: &'static str,
    pub(super) party: &'static str,
    pub(super) days: i64,
    pub(super) is_natural: bool,
    /// Each agency has its own, once.
    pub(super) of_agency: bool,
    /// Once in a ticket's life.
    pub(super) is_once: bool,
    pub(super) ladder: Ladder,
    pub(super) needs_reviewer: bool,
}

const MATTERS: &[&str] = &[
    "dispatch",
    "return_window",
    "return_decision",
    "contact",
    "completion",
    "extension_decision",
    "finding_decision",
    "feedback_decision",
    "rework",
    "callback_sms",
    "callback_call",
    "citizen",
    "followup_window",
];

const STAFFS: &[&str] = &[
    "dispatch",
    "return_window",
    "return_decision",
    "contact",
    "staff_notice",
    "deemed_service",
    "appeal_window",
    "completion",
    "finding_decision",
    "feedback_decision",
    "rework",
    "callback_sms",
    "callback_call",
    "citizen",
    "followup_window",
];

/// Where a deadline stands among those of its workflow; none if the workflow has it not.
pub(super) fn place(is_staff: bool, name: &str) -> Option<usize> {
    let all = if is_staff { STAFFS } else { MATTERS };
    all.iter().position(|one| *one == name)
}

pub(super) fn deadline(is_staff: bool, name: &str) -> Deadline {
    let hotlines = Deadline {
        kind: "obligation",
        party: "hotline",
        days: 1,
        is_natural: false,
        of_agency: false,
        is_once: false,
        ladder: OVERSIGHT,
        needs_reviewer: false,
    };
    let agencys = |days| Deadline {
        kind: "obligation",
        party: "agency",
        days,
        is_natural: false,
        of_agency: true,
        is_once: false,
        ladder: AGENCYS,
        needs_reviewer: false,
    };
    let window = |days| Deadline { kind: "window", ladder: &[], ..agencys(days) };
    match name {
        "return_window" => window(1),
        "deemed_service" => Deadline { party: "system", ..window(1) },
        "appeal_window" => window(3),
        "contact" => Deadline { needs_reviewer: true, ..agencys(if is_staff { 2 } else { 3 }) },
        "staff_notice" => agencys(2),
        "completion" => Deadline { ladder: COMPLETIONS, ..agencys(10) },
        "rework" => Deadline { of_agency: false, ..agencys(5) },
        "finding_decision" => Deadline { party: "approver", ..hotlines },
        "callback_sms" => Deadline { needs_reviewer: true, ..hotlines },
        "callback_call" => Deadline { days: 4, needs_reviewer: true, ..hotlines },
        "citizen" => Deadline {
            kind: "indicator",
            party: "system",
            days: 10,
            is_once: true,
            ladder: &[],
            ..hotlines
        },
        "followup_window" => Deadline {
            party: "system",
            is_natural: true,
            of_agency: false,
            is_once: true,
            needs_reviewer: true,
            ..window(60)
        },
        // dispatch, return_decision, extension_decision, feedback_decision
        _ => hotlines,
    }
}

/// The roles that may do something, were the ticket not about the hotline itself.
fn by(action: &str) -> &'static [&'static str] {
    match action {
        "rule_dispatch" | "reopen" | "uphold_card" => &["supervisor"],
        "approve_finding" | "reject_finding" => &["approver"],
        "confirm_finding" | "contest_card" => &["agency_lead"],
        "revoke_card" => &["supervisor", "auditor"],
        "archive" => &["system"],
        "add_note" | "attach" => &["hotline", "supervisor", "agency", "agency_lead"],
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
        | "feed_back" => &["agency", "agency_lead"],
        _ => &["hotline", "supervisor"],
    }
}

/// Nobody judges himself: then the hotline's part is the approver's.
pub(super) fn may(role: &str, action: &str, is_about_hotline: bool) -> bool {
    let is_hotline = |one: &str| ["hotline", "supervisor"].contains(&one);
    by(action).iter().any(|one| match (is_about_hotline, is_hotline(one)) {
        (true, true) => role == "approver",
        _ => role == *one,
    })
}

/// Where something may be done; none if the workflow has no such action.
pub(super) fn is_at(action: &str, step: &str, is_staff: bool) -> Option<bool> {
    let is_open = !["closed", "archived"].contains(&step);
    let only = |steps: &[&str]| Some(steps.contains(&step));
    let (matter, staff) = (!is_staff, is_staff);
    match action {
        "dispatch" | "rule_dispatch" | "reclassify" => only(&["pending_dispatch"]),
        "sign" => only(&["delivered"]),
        "request_return" | "record_contact" => only(&["delivered", "contacting"]),
        "approve_return" | "refuse_return" => only(&["return_requested"]),
        "serve_notice" if staff => only(&["contacting"]),
        "file_appeal" | "waive_appeal" if staff => only(&["contacting", "appeal_open"]),
        "conclude" if staff => only(&["under_review"]),
        "conclude" => only(&["verifying"]),
        "record_measures" if staff => only(&["measures"]),
        "record_rectification" if matter => only(&["rectifying"]),
        "request_extension" if matter => only(&["verifying", "rectifying"]),
        "approve_extension" | "refuse_extension" if matter => Some(step != "archived"),
        "feed_back" if staff => only(&["measures", "explaining", "reworking"]),
        "feed_back" => only(&["rectifying", "explaining", "reworking"]),
        "confirm_finding" | "approve_finding" | "reject_finding" => only(&["invalid_review"]),
        "accept_feedback" | "refuse_feedback" => only(&["fed_back"]),
        "send_callback_sms" => only(&["fed_back", "callback"]),
        "record_callback" => only(&["callback"]),
        "reopen" | "archive" => only(&["closed"]),
        "contest_card" | "uphold_card" | "revoke_card" => Some(step != "archived"),
        "cancel_duplicate" | "urge" | "supervise" | "add_note" | "attach" => Some(is_open),
        _ => None,
    }
}

/// Who is told of an event, and in which way.
pub(super) fn told(event: &str) -> Option<(&'static str, &'static str)> {
    Some(match event {
        "delivered" => ("push", "agency"),
        "return_requested" | "extension_requested" | "fed_back" => ("notify", "hotline"),
        "invalid_finding_submitted" => ("notify", "approver"),
        "feedback_accepted" | "duplicate_found" => ("return_result", "source"),
        "notice_sent" | "notice_served" => ("notify", "staff"),
        "finding_valid" => ("count_findings", "agency_lead"),
        "supervised" => ("notify", "agency_lead"),
        "return_approved" | "return_refused" | "extension_granted" | "extension_refused"
        | "finding_approved" | "finding_rejected" | "feedback_refused" | "rework_ordered"
        | "urged" | "reopened" => ("notify", "agency"),
        _ => return None,
    })
}

/// The status of a step.
pub(super) fn status(step: &str) -> &'static str {
    match step {
        "closed" => "closed",
        "archived" => "archived",
        _ => "open",
    }
}

/// Who must act in a step, if nothing else is said.
pub(super) fn party(step: &str) -> Option<&'static str> {
    match step {
        "pending_dispatch" | "return_requested" | "fed_back" | "callback" => Some("hotline"),
        "closed" | "archived" => None,
        _ => Some("agency"),
    }
}
