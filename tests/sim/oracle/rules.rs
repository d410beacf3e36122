//! What the regulation and our answers say of each deadline, by heart.

/// Which of the two workflows a ticket follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workflow {
    Matter,
    Staff,
}

impl Workflow {
    pub(super) fn of_class(class: &str) -> Self {
        if class == "staff" { Self::Staff } else { Self::Matter }
    }

    /// All deadlines, in the order in which those of one instant are worked off.
    pub(super) fn deadlines(self) -> &'static [&'static str] {
        match self {
            Self::Matter => &[
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
            ],
            Self::Staff => &[
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
            ],
        }
    }
}

/// The three kinds of deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Obligation,
    Window,
    Indicator,
}

/// How long a deadline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    WorkingDays(i64),
    NaturalDays(i64),
}

/// A rung: how many working days from the end, its name, its card.
pub(super) type Rung = (i64, &'static str, Option<&'static str>);

const LADDER: &[Rung] = &[
    (-1, "-1wd", Some("early_warning")),
    (0, "end", Some("yellow_card")),
    (1, "+1wd", None),
    (3, "+3wd", None),
    (5, "+5wd", Some("red_card")),
];

const COMPLETION_LADDER: &[Rung] = &[
    (-3, "-3wd", Some("early_warning")),
    (-1, "-1wd", Some("early_warning")),
    (0, "end", Some("yellow_card")),
    (1, "+1wd", None),
    (3, "+3wd", None),
    (5, "+5wd", Some("red_card")),
];

const OVERSIGHT_LADDER: &[Rung] =
    &[(-1, "-1wd", Some("early_warning")), (0, "end", Some("yellow_card")), (1, "+1wd", None)];

/// How often a deadline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Often {
    /// As often as there is cause.
    Again,
    /// The same, and the agency that has the ticket is charged with it.
    AgainForTheAgency,
    /// Once for each agency.
    OnceAnAgency,
    /// Once for each ticket.
    OnceATicket,
}

/// What a deadline is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) kind: Kind,
    pub(super) length: Length,
    pub(super) often: Often,
    /// Whether anonymous reviews have none.
    pub(super) needs_reviewer: bool,
    pub(super) ladder: &'static [Rung],
}

pub(super) fn rule(workflow: Workflow, deadline: &str) -> Rule {
    let plain = Rule {
        kind: Kind::Obligation,
        length: Length::WorkingDays(1),
        often: Often::Again,
        needs_reviewer: false,
        ladder: OVERSIGHT_LADDER,
    };
    let of_agency = Rule { often: Often::OnceAnAgency, ladder: LADDER, ..plain };
    let window = Rule { kind: Kind::Window, ladder: &[], ..of_agency };
    let days = Length::WorkingDays;
    match deadline {
        "return_window" | "deemed_service" => window,
        "appeal_window" => Rule { length: days(3), ..window },
        "contact" => {
            let length = days(if workflow == Workflow::Staff { 2 } else { 3 });
            Rule { length, needs_reviewer: true, ..of_agency }
        }
        "staff_notice" => Rule { length: days(2), ..of_agency },
        "completion" => Rule { length: days(10), ladder: COMPLETION_LADDER, ..of_agency },
        "rework" => Rule { length: days(5), often: Often::AgainForTheAgency, ..of_agency },
        "callback_sms" => Rule { needs_reviewer: true, ..plain },
        "callback_call" => Rule { length: days(4), needs_reviewer: true, ..plain },
        "citizen" => {
            let (kind, often) = (Kind::Indicator, Often::OnceATicket);
            Rule { kind, length: days(10), often, ladder: &[], ..plain }
        }
        "followup_window" => Rule {
            kind: Kind::Window,
            length: Length::NaturalDays(60),
            often: Often::OnceATicket,
            needs_reviewer: true,
            ladder: &[],
        },
        // dispatch, return_decision, extension_decision, finding_decision, feedback_decision
        _ => plain,
    }
}
