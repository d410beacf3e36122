//! Why a command was not carried out. Nothing has changed then. Must never repeat what a form
//! said: it may be personal data.

use super::definition::FieldFault;
use super::name::Name;
use super::role::Role;

/// A refusal, in the order in which the checks are made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The definition has no such action.
    #[error("没有叫 {action} 的动作")]
    UnknownAction {
        /// The action.
        action: Name,
    },
    /// The ticket is another agency's.
    #[error("工单不在本单位")]
    NotYours,
    /// The role may not do this.
    #[error("{}不能办理「{title}」；可由{}办理", .role.title(), titles(.allowed))]
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
    /// The ticket has changed since the actor looked.
    #[error("工单已有变化（现为第 {actual} 次修订，依据的是第 {expected} 次），请刷新后再办")]
    StaleRevision {
        /// What the actor saw.
        expected: u32,
        /// What it is.
        actual: u32,
    },
    /// Not in this step.
    #[error("工单处于「{step_title}」，不能办理「{title}」")]
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
    #[error("不能办理「{title}」：{say}")]
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
    /// The ticket did not exist at that instant.
    #[error("办理时间早于工单收到时间")]
    TooEarly,
    /// A due date would lie beyond the years that duban computes in.
    #[error("时限 {deadline} 超出可计算的年份")]
    OutOfCalendar {
        /// The deadline.
        deadline: Name,
    },
    /// No definition takes the class.
    #[error("类别 {class} 尚未启用工作流")]
    ClassNotEnabled {
        /// The class.
        class: Name,
    },
    /// The definition leads in circles or nowhere; `workflow prove` finds such.
    #[error("工作流定义有误：{0}")]
    Definition(String),
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
            Self::TooEarly => "too-early",
            Self::OutOfCalendar { .. } => "out-of-calendar",
            Self::ClassNotEnabled { .. } => "class-not-enabled",
            Self::Definition(_) => "definition",
        }
    }

    /// A fault of one field.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let field = if field.is_empty() { String::new() } else { format!("/{field}") };
        Self::Form(vec![FieldFault { field, message: message.into() }])
    }
}

fn titles(roles: &[Role]) -> String {
    roles.iter().map(|role| role.title()).collect::<Vec<_>>().join("、")
}

fn faults(faults: &[FieldFault]) -> String {
    let say = |fault: &FieldFault| {
        let field = if fault.field.is_empty() { "/" } else { &fault.field };
        format!("{field} {}", fault.message)
    };
    faults.iter().map(say).collect::<Vec<_>>().join("；")
}
