//! Who acts, who owes and who is told: closed sets of words that definitions choose from.
//!
//! Must never decide what a role may do: that stands in the definition of a workflow.

use super::words::words;
words! {
    /// What a token may be (DESIGN, "Control API"); `system` is duban itself.
    Role, "角色" {
        /// The 好差评 system that delivers reviews.
        Intake = "intake", "好差评系统";
        /// A 12345 hotline operator.
        Hotline = "hotline", "12345热线";
        /// A supervisor of the hotline.
        Supervisor = "supervisor", "热线督导";
        /// An officer of the agency that must act.
        Agency = "agency", "承办单位";
        /// A leader of that agency.
        AgencyLead = "agency_lead", "承办单位负责人";
        /// The 政务服务管理部门, for second approvals.
        Approver = "approver", "政务服务管理部门";
        /// Efficiency supervision.
        Auditor = "auditor", "效能监督部门";
        /// Runs the machines.
        SystemAdmin = "system_admin", "系统管理员";
        /// Runs accounts and keys.
        SecurityAdmin = "security_admin", "安全管理员";
        /// Watches the other two.
        AuditAdmin = "audit_admin", "审计管理员";
        /// duban itself: due instants and housekeeping.
        System = "system", "系统";
    }
}

impl Role {
    /// Whether an actor of this role acts for one agency only.
    #[must_use]
    pub const fn is_bound_to_agency(self) -> bool {
        matches!(self, Self::Agency | Self::AgencyLead)
    }

    /// Whether an actor of this role can be bound to one district.
    #[must_use]
    pub const fn can_be_bound_to_district(self) -> bool {
        matches!(self, Self::Supervisor | Self::Approver | Self::Auditor)
    }

    /// Whether nobody may be both: the three administrators exclude each other (等保 2.0).
    #[must_use]
    pub fn excludes(self, other: Self) -> bool {
        const THREE: [Role; 3] = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];
        self != other && THREE.contains(&self) && THREE.contains(&other)
    }

    /// The party that an actor of this role acts for.
    #[must_use]
    pub const fn party(self) -> Option<Party> {
        match self {
            Self::Agency | Self::AgencyLead => Some(Party::Agency),
            Self::Hotline | Self::Supervisor => Some(Party::Hotline),
            Self::Approver => Some(Party::Approver),
            Self::System => Some(Party::System),
            _ => None,
        }
    }

    /// The audience that actors of this role are.
    #[must_use]
    pub const fn audience(self) -> Option<Audience> {
        match self {
            Self::Agency => Some(Audience::Agency),
            Self::AgencyLead => Some(Audience::AgencyLead),
            Self::Hotline => Some(Audience::Hotline),
            Self::Supervisor => Some(Audience::Supervisor),
            Self::Approver => Some(Audience::Approver),
            _ => None,
        }
    }

    /// Whether an actor of this role acts for a party.
    #[must_use]
    pub fn acts_for(self, party: Party) -> bool {
        self.party() == Some(party)
    }
}

words! {
    /// Who is charged with a deadline.
    Party, "责任方" {
        /// The agency that has the ticket.
        Agency = "agency", "承办单位";
        /// The 12345 hotline.
        Hotline = "hotline", "12345热线";
        /// The 政务服务管理部门.
        Approver = "approver", "政务服务管理部门";
        /// Nobody outside: duban, or the citizen's own time.
        System = "system", "系统";
    }
}

words! {
    /// Who is told.
    Audience, "告知对象" {
        /// The agency that has the ticket.
        Agency = "agency", "承办单位";
        /// The leader of that agency.
        AgencyLead = "agency_lead", "承办单位负责人";
        /// The 12345 hotline.
        Hotline = "hotline", "12345热线";
        /// The hotline's supervisors.
        Supervisor = "supervisor", "热线督导";
        /// The 政务服务管理部门.
        Approver = "approver", "政务服务管理部门";
        /// The system that the review came from.
        Source = "source", "评价来源系统";
        /// The staff member who was rated; never told who rated.
        Staff = "staff", "被评价人";
    }
}

/// Who issues a command: the subject of a token, with what the token says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person or system. Two tokens of one subject are one actor.
    pub subject: super::name::Name,
    /// What the token lets it be.
    pub role: Role,
    /// The agency that the token is bound to, for roles that are.
    pub agency: Option<super::name::Name>,
}

impl Audience {
    /// Whether it belongs to an agency.
    #[must_use]
    pub const fn is_of_agency(self) -> bool {
        matches!(self, Self::Agency | Self::AgencyLead)
    }
}

impl Party {
    /// Whom to tell so that this party hears of it.
    #[must_use]
    pub const fn audience(self) -> Audience {
        match self {
            Self::Agency => Audience::Agency,
            Self::Hotline => Audience::Hotline,
            Self::Approver => Audience::Approver,
            Self::System => Audience::Supervisor,
        }
    }

    /// Who is told of what became of a card that this party holds.
    #[must_use]
    pub const fn told_of_cards(self) -> Audience {
        match self {
            Self::Agency => Audience::Agency,
            Self::Hotline | Self::System => Audience::Supervisor,
            Self::Approver => Audience::Approver,
        }
    }
}

impl Actor {
    /// duban itself.
    #[must_use]
    pub fn system() -> Self {
        Self { subject: "system".into(), role: Role::System, agency: None }
    }
}
