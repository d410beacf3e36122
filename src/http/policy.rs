//! What each role may do: one table, nothing that is not in it. What may be done on a ticket in
//! which step stands in its definition; here stands who may come near it, how far he sees, and how
//! much of a person he is shown. Must never depend on anything but who calls and which endpoint.

use duban_core::name::Name;
use duban_core::role::Role;

use crate::masking;

/// How much of an endpoint is open to a role.
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
    ($($(#[$doc:meta])* $name:ident = $title:literal, [$($operation:literal),+];)+) => {
        /// What can be called.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint {
            $($(#[$doc])* $name,)+
        }

        impl Endpoint {
            /// Every endpoint.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it does, as it stands after “不能”.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Its operations: method and path.
            #[must_use]
            pub const fn operations(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($operation),+],)+ }
            }
        }
    };
}

endpoints! {
    /// A review comes in.
    Review = "推送评价", ["POST /v1/reviews", "POST /v1/reviews/batch"];
    /// Tickets, alone and in lists.
    ReadTickets = "查看工单", [
        "GET /v1/tickets",
        "GET /v1/board",
        "GET /v1/stream",
        "GET /v1/tickets/{ticket_no}",
        "GET /v1/tickets/{ticket_no}/history",
        "GET /v1/tickets/{ticket_no}/statements",
        "GET /v1/tickets/{ticket_no}/deadlines/{name}/explanation",
        "GET /v1/tickets/{ticket_no}/forecast",
        "GET /v1/forecast",
        "GET /v1/cards",
        "GET /v1/statistics",
        "GET /v1/tickets/{ticket_no}/actions"
    ];
    /// What is done on tickets.
    Act = "办理工单", [
        "POST /v1/tickets/{ticket_no}/actions/{action}",
        "POST /v1/tickets/actions/{action}"
    ];
    /// What was uploaded.
    ReadAttachments = "查看附件", [
        "GET /v1/tickets/{ticket_no}/attachments",
        "GET /v1/tickets/{ticket_no}/attachments/{id}"
    ];
    /// Evidence comes in.
    Attach = "上传附件", ["POST /v1/tickets/{ticket_no}/attachments"];
    /// The reviewer unmasked, which is recorded.
    Unmask = "查看评价人完整信息", ["POST /v1/tickets/{ticket_no}/reviewer"];
    /// What is running.
    ReadDeadlines = "查看时限", ["GET /v1/deadlines"];
    /// The computation of a deadline.
    Compute = "计算期限", ["POST /v1/deadlines/compute"];
    /// Definitions, calendars and the register.
    ReadRules = "查看工作流、日历和名册", [
        "GET /v1/workflows",
        "GET /v1/workflows/{name}",
        "GET /v1/calendars",
        "GET /v1/calendars/{year}",
        "GET /v1/register"
    ];
    /// How many tickets a workflow rules.
    ReadUsage = "查看工作流使用情况", ["GET /v1/workflows/{name}/usage"];
    /// Oneself.
    ReadSelf = "查看本人", ["GET /v1/me"];
    /// What could not be decided.
    ReadIncidents = "查看异常", ["GET /v1/incidents"];
    /// The same, tried again.
    RetryIncidents = "重试异常", ["POST /v1/incidents/{id}/retry"];
    /// Messages.
    ReadOutbox = "查看消息", ["GET /v1/outbox"];
    /// The same, sent again.
    Redeliver = "重新投递消息", ["POST /v1/outbox/{id}/redeliver"];
    /// Who may call.
    ReadTokens = "查看令牌", ["GET /v1/tokens"];
    /// Who may call from now on.
    ManageTokens = "签发和吊销令牌", ["POST /v1/tokens", "DELETE /v1/tokens/{id}"];
    /// Who is at work.
    ReadNodes = "查看节点", ["GET /v1/nodes"];
    /// The simulated clock.
    MoveClock = "拨动时钟", ["POST /v1/clock/advance"];
}

/// Operations that need no token: they say nothing about anybody. (Nor does the document itself,
/// or its page.)
pub const OPEN: &[&str] = &["GET /livez", "GET /readyz", "GET /metrics"];

/// How much of an endpoint is open to a role.
#[must_use]
pub const fn scope(role: Role, endpoint: Endpoint) -> Scope {
    use Endpoint as E;
    use Role as R;
    use Scope::{All, Nothing, Own};
    match role {
        R::System => Nothing,
        _ if matches!(endpoint, E::Compute | E::ReadRules | E::ReadSelf) => All,
        R::Intake if matches!(endpoint, E::Review) => All,
        R::Agency | R::AgencyLead => match endpoint {
            E::ReadTickets
            | E::Act
            | E::ReadDeadlines
            | E::ReadAttachments
            | E::Attach
            | E::Unmask => Own,
            _ => Nothing,
        },
        R::Supervisor if matches!(endpoint, E::ReadUsage) => All,
        R::Hotline | R::Supervisor => match endpoint {
            // What comes on paper is entered by hand (Article 9).
            E::Review
            | E::ReadTickets
            | E::Act
            | E::ReadDeadlines
            | E::ReadAttachments
            | E::Attach
            | E::Unmask => All,
            _ => Nothing,
        },
        R::Approver => match endpoint {
            // Where the hotline itself was rated he stands in for it, with evidence too.
            E::ReadTickets | E::Act | E::ReadDeadlines | E::ReadAttachments | E::Attach => All,
            _ => Nothing,
        },
        R::Auditor => match endpoint {
            E::ReadTickets
            | E::Act
            | E::ReadDeadlines
            | E::ReadAttachments
            | E::Unmask
            | E::ReadUsage
            | E::ReadIncidents
            | E::ReadOutbox
            | E::ReadTokens => All,
            _ => Nothing,
        },
        R::SystemAdmin => match endpoint {
            E::ReadUsage
            | E::ReadIncidents
            | E::RetryIncidents
            | E::ReadOutbox
            | E::Redeliver
            | E::ReadNodes
            | E::MoveClock => All,
            _ => Nothing,
        },
        R::SecurityAdmin if matches!(endpoint, E::ReadTokens | E::ManageTokens) => All,
        R::AuditAdmin if matches!(endpoint, E::ReadIncidents | E::ReadOutbox | E::ReadTokens) => {
            All
        }
        R::Intake | R::SecurityAdmin | R::AuditAdmin => Nothing,
    }
}

/// Whether an endpoint is about the whole house: whoever sees one district of it sees nothing of
/// that.
#[must_use]
pub const fn is_of_the_house(endpoint: Endpoint) -> bool {
    use Endpoint as E;
    matches!(endpoint, E::ReadIncidents | E::ReadOutbox | E::ReadTokens | E::ReadUsage)
}

/// How much of a reviewer a role is shown (脱敏): nobody sees all of it without a purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Nothing at all.
    Hidden,
    /// 张**, and neither phone nor identity number: who judges needs to know no more.
    Public,
    /// 张*三, 138****1234: who talks to the citizen has to know him again.
    Partial,
}

impl Mask {
    /// How a name is shown, wherever it stands.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        match self {
            Self::Hidden => "**".to_owned(),
            Self::Public => masking::public_name(name),
            Self::Partial => masking::name(name),
        }
    }

    /// How free text is shown that may name people of whom one knows.
    #[must_use]
    pub fn text(self, text: &str, people: &[&str]) -> String {
        let numbers = match self {
            Self::Partial => masking::Numbers::Partly,
            Self::Public | Self::Hidden => masking::Numbers::Hidden,
        };
        masking::text(&masking::names(text, people, |name| self.name(name)), numbers)
    }
}

/// How a role is shown a reviewer.
#[must_use]
pub const fn mask(role: Role) -> Mask {
    match role {
        Role::Hotline | Role::Supervisor | Role::Agency | Role::AgencyLead => Mask::Partial,
        Role::Approver | Role::Auditor => Mask::Public,
        Role::Intake
        | Role::SystemAdmin
        | Role::SecurityAdmin
        | Role::AuditAdmin
        | Role::System => Mask::Hidden,
    }
}

/// How far a caller sees: the one thing that reads and commands are bound by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// What one agency has or had.
    Agency(Name),
    /// What lies in one district.
    District(Name),
    /// Everything.
    All,
}

/// How far somebody with a token of a role, an agency and a district sees of an endpoint; none
/// where nothing of it is open.
pub(crate) fn reach(
    role: Role,
    agency: Option<&Name>,
    district: Option<&Name>,
    endpoint: Endpoint,
) -> Option<Reach> {
    match (scope(role, endpoint), district) {
        (Scope::Nothing, _) => None,
        (Scope::Own, _) => agency.cloned().map(Reach::Agency),
        (Scope::All, Some(_)) if is_of_the_house(endpoint) => None,
        (Scope::All, Some(district)) => Some(Reach::District(district.clone())),
        (Scope::All, None) => Some(Reach::All),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Nothing can be called that the table does not know, and the table knows nothing that is not
    /// there.
    #[test]
    fn every_operation_of_the_document_has_its_line() {
        let shelf = crate::catalog::shelf(&crate::catalog::Source::Embedded).expect("the shelf");
        let document = crate::http::document(&shelf);
        let paths = document["paths"].as_object().expect("paths");
        let documented: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().into_iter().flatten();
                // Each action is told apart besides, and is one of the same operation.
                let told = methods.filter(|(_, one)| one["tags"][0] != "actions");
                told.map(move |(method, _)| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let known = Endpoint::ALL.iter().flat_map(|one| one.operations()).chain(OPEN);
        let known: BTreeSet<String> = known.map(ToString::to_string).collect();
        assert_eq!(documented, known);
    }

    #[test]
    fn nobody_reaches_beyond_his_token() {
        let (agency, district): (Name, Name) = ("SZ013".into(), "440304".into());
        let read = Endpoint::ReadTickets;
        let reach_of = |role, agency, district| reach(role, agency, district, read);
        assert_eq!(reach_of(Role::Agency, None, None), None);
        let own = Some(Reach::Agency(agency.clone()));
        assert_eq!(reach_of(Role::Agency, Some(&agency), Some(&district)), own);
        let there = Some(Reach::District(district.clone()));
        assert_eq!(reach_of(Role::Supervisor, None, Some(&district)), there);
        assert_eq!(reach_of(Role::Supervisor, None, None), Some(Reach::All));
        assert_eq!(reach(Role::Auditor, None, Some(&district), Endpoint::ReadOutbox), None);
        for role in Role::ALL {
            let calls = Endpoint::ALL.iter().filter(|one| scope(*role, **one) != Scope::Nothing);
            assert!(calls.count() > 0 || *role == Role::System, "{role} may do nothing at all");
        }
    }
}
