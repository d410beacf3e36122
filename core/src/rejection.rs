//! Why a command was not carried out. Nothing has changed then. Must never repeat what a form
//! said: it may be personal data.

use super::apply::ApplyError;
use super::definition::{ENGINE_LEVEL, FieldFault};
use super::name::Name;
use super::role::Role;
use super::time::Instant;

/// A refusal: what is wrong with a command, or with what it met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The definition has no such action.
    #[error("没有名为“{action}”的动作，请核对名称")]
    UnknownAction {
        /// The action.
        action: Name,
    },
    /// The ticket is another agency's.
    #[error("工单现不由本单位承办")]
    NotYours,
    /// The role may not do this.
    #[error("{}不能办理“{title}”；可由{}办理", .role.title(), titles(.allowed))]
    NotPermitted {
        /// The action.
        action: Name,
        /// Its title.
        title: String,
        /// The role that tried.
        role: Role,
        /// The roles that may.
        allowed: Vec<Role>,
    },
    /// The ticket has changed since the actor looked, or is about to.
    #[error("{}", stale(*.expected, *.committed))]
    StaleRevision {
        /// What the actor saw.
        expected: u32,
        /// What is committed: never what this refusal had computed on the way.
        committed: u32,
    },
    /// Not in this step.
    #[error("工单处于“{step_title}”，不能办理“{title}”")]
    WrongStep {
        /// The action.
        action: Name,
        /// Its title.
        title: String,
        /// The step.
        step: Name,
        /// Its title.
        step_title: String,
    },
    /// A guard does not hold.
    #[error("不能办理“{title}”：{say}")]
    Guarded {
        /// The action.
        action: Name,
        /// Its title.
        title: String,
        /// What the definition says.
        say: String,
    },
    /// The form is wrong.
    #[error("表单有误：{}", faults(.0))]
    Form(Vec<FieldFault>),
    /// It arrived before something that is recorded as having happened by time: nothing happened.
    #[error("本次提交于 {} 收到，此后到期的事项已先行记录，本次未予办理；请刷新后重新提交，是否超期按重新提交的时间认定", .arrived_at.said())]
    Overtaken {
        /// When it arrived.
        arrived_at: Instant,
    },
    /// The caller did not seal what is private in the form.
    #[error("表单中的私密内容尚未封存")]
    Unsealed,
    /// The ticket has grown as far as a ticket may; see `limits`.
    #[error("工单的{what}已达上限 {most}")]
    Limit {
        /// What of it.
        what: &'static str,
        /// How far it may grow.
        most: usize,
    },
    /// A due date would lie beyond the years that duban computes in.
    #[error("时限“{deadline}”超出可计算的年份")]
    OutOfCalendar {
        /// The deadline's title.
        deadline: String,
    },
    /// No definition takes the class.
    #[error("类别 {class} 尚未启用工作流")]
    ClassNotEnabled {
        /// The class.
        class: Name,
    },
    /// The definition that the ticket is pinned to is not at hand.
    #[error("没有工作流 {name} 第 {version} 版（摘要与工单所依据的一致者）")]
    UnknownDefinition {
        /// The workflow.
        name: Name,
        /// The version.
        version: u32,
    },
    /// The definition needs a newer program.
    #[error("工作流 {name} 需要级别 {level} 的引擎，本程序为 {ENGINE_LEVEL}")]
    EngineLevel {
        /// The workflow.
        name: Name,
        /// The level that it needs.
        level: u32,
    },
    /// The definition leads in circles or nowhere; `workflow prove` finds such.
    #[error("工作流定义有误：{0}")]
    Definition(String),
    /// The program met a fault of its own.
    #[error("程序在办理该工单时出错")]
    Fault,
    /// The history is not one that duban can have written.
    #[error("工单历史有误：{0}")]
    History(#[from] ApplyError),
}

/// Who has to do something about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever asked.
    Caller,
    /// Whoever wrote the definition, or deployed too old a program for it.
    Definition,
    /// Whoever keeps the data and the program: an incident.
    History,
}

/// A refusal with what it depends on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rejection}")]
pub struct Refusal {
    /// Why.
    pub rejection: Rejection,
    /// The latest instant whose due things were looked at as done: nobody is told before they have
    /// settled. None when nothing was due.
    pub fired_until: Option<Instant>,
    /// Whether it was time that could not be worked off, and nobody's request that was refused.
    pub by_time: bool,
}

impl Refusal {
    /// Who has to do something about it. What stops time is an incident, whatever it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self.rejection.blame() {
            Blame::Caller if self.by_time => Blame::History,
            blame => blame,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self { rejection, fired_until: None, by_time: false }
    }
}

impl Rejection {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownAction { .. } => "unknown-action",
            Self::NotYours => "not-yours",
            Self::NotPermitted { .. } => "not-permitted",
            Self::StaleRevision { .. } => "stale-revision",
            Self::WrongStep { .. } => "wrong-step",
            Self::Guarded { .. } => "guarded",
            Self::Form(_) => "form",
            Self::Overtaken { .. } => "overtaken",
            Self::Unsealed => "unsealed",
            Self::Limit { .. } => "limit",
            Self::OutOfCalendar { .. } => "out-of-calendar",
            Self::ClassNotEnabled { .. } => "class-not-enabled",
            Self::UnknownDefinition { .. } => "unknown-definition",
            Self::EngineLevel { .. } => "engine-level",
            Self::Definition(_) => "definition",
            Self::Fault => "fault",
            Self::History(_) => "history",
        }
    }

    /// Who has to do something about it.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::UnknownDefinition { .. } | Self::EngineLevel { .. } | Self::Definition(_) => {
                Blame::Definition
            }
            Self::History(_) | Self::Fault => Blame::History,
            _ => Blame::Caller,
        }
    }

    /// A fault of one field.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let field = if field.is_empty() { String::new() } else { format!("/{field}") };
        Self::Form(vec![FieldFault::new(field, message)])
    }

    /// The same, with fields by what their form calls them.
    #[must_use]
    pub fn titled<'t>(mut self, title_of: impl Fn(&str) -> Option<&'t str>) -> Self {
        if let Self::Form(faults) = &mut self {
            for fault in faults.iter_mut().filter(|fault| fault.title.is_empty()) {
                fault.title = title_of(&fault.field).unwrap_or_default().to_owned();
            }
        }
        self
    }
}

/// What somebody can be refused with: the word for programs, and what people call it.
pub const REFUSALS: [(&str, &str); 12] = [
    ("unknown-action", "没有这个动作"),
    ("not-yours", "不在本单位"),
    ("not-permitted", "无权办理"),
    ("stale-revision", "工单已有变化"),
    ("wrong-step", "环节不符"),
    ("guarded", "条件不具备"),
    ("form", "表单有误"),
    ("overtaken", "到期事项已先行记录"),
    ("unsealed", "私密内容尚未封存"),
    ("limit", "已达上限"),
    ("out-of-calendar", "超出可计算的年份"),
    ("class-not-enabled", "类别尚未启用"),
];

/// What a refusal is called, by its word for programs; itself where it is none.
#[must_use]
pub fn title_of(code: &str) -> &str {
    REFUSALS.iter().find(|(known, _)| *known == code).map_or(code, |(_, title)| title)
}

fn stale(expected: u32, committed: u32) -> String {
    if expected == committed {
        return "工单有到期事项正待记录，请稍候重试".to_owned();
    }
    format!(
        "工单已有变化（现为第 {committed} 次修订，您所依据的是第 {expected} 次修订），请刷新后再办"
    )
}

fn titles(roles: &[Role]) -> String {
    roles.iter().map(|role| role.title()).collect::<Vec<_>>().join("、")
}

fn faults(faults: &[FieldFault]) -> String {
    let say = |fault: &FieldFault| match (fault.title.as_str(), fault.field.as_str()) {
        ("", "") => fault.message.clone(),
        ("", field) => format!("{field} {}", fault.message),
        (title, _) => format!("“{title}”{}", fault.message),
    };
    faults.iter().map(say).collect::<Vec<_>>().join("；")
}
