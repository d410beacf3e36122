//! What each role may do: one table, nothing that is not in it. What may be done on a ticket in
//! which step stands in its definition; here stands only who may come near it. Must never depend on
//! anything but role and endpoint.

use duban_core::role::Role;

/// How much of an endpoint is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Nothing,
    /// What is the caller's agency's.
    Own,
    /// Everything, within the caller's district if the token names one.
    All,
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $title:literal;)+) => {
        /// What can be called.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint {
            $($(#[$doc])* $name,)+
        }

        impl Endpoint {
            /// Every endpoint.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it does, as it stands after «不能».
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}

endpoints! {
    /// `POST /v1/reviews`, `/v1/reviews/batch`
    Review = "推送评价";
    /// `GET /v1/tickets…`, history, explanation, actions
    ReadTickets = "查看工单";
    /// `POST /v1/tickets/{ticket_no}/actions/{action}`
    Act = "办理工单";
    /// `GET /v1/deadlines`
    ReadDeadlines = "查看时限";
    /// `POST /v1/deadlines/compute`
    Compute = "计算期限";
    /// `GET /v1/workflows…`, `GET /v1/calendars…`
    ReadRules = "查看工作流和日历";
    /// `GET /v1/incidents`
    ReadIncidents = "查看异常";
    /// `POST /v1/incidents/{id}/retry`
    RetryIncidents = "重试异常";
    /// `GET /v1/outbox`
    ReadOutbox = "查看消息";
    /// `POST /v1/outbox/{id}/redeliver`
    Redeliver = "重新投递消息";
    /// `POST /v1/clock/advance`
    MoveClock = "拨动时钟";
}

/// How much of an endpoint is open to a role.
#[must_use]
pub const fn scope(role: Role, endpoint: Endpoint) -> Scope {
    use Endpoint as E;
    use Role as R;
    use Scope::{All, Nothing, Own};
    match role {
        R::System => Nothing,
        _ if matches!(endpoint, E::Compute | E::ReadRules) => All,
        R::Intake if matches!(endpoint, E::Review) => All,
        R::Agency | R::AgencyLead => match endpoint {
            E::ReadTickets | E::Act | E::ReadDeadlines => Own,
            _ => Nothing,
        },
        R::Hotline | R::Supervisor => match endpoint {
            // What comes on paper is entered by hand (Article 9).
            E::Review | E::ReadTickets | E::Act | E::ReadDeadlines => All,
            _ => Nothing,
        },
        R::Approver if matches!(endpoint, E::ReadTickets | E::Act | E::ReadDeadlines) => All,
        R::Auditor => match endpoint {
            E::ReadTickets | E::Act | E::ReadDeadlines | E::ReadIncidents | E::ReadOutbox => All,
            _ => Nothing,
        },
        R::AuditAdmin if matches!(endpoint, E::ReadIncidents | E::ReadOutbox) => All,
        R::SystemAdmin => match endpoint {
            E::ReadIncidents | E::RetryIncidents | E::ReadOutbox | E::Redeliver | E::MoveClock => {
                All
            }
            _ => Nothing,
        },
        R::Intake | R::Approver | R::SecurityAdmin | R::AuditAdmin => Nothing,
    }
}
