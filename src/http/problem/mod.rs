//! Everything that can be wrong with a request, as `application/problem+json` (RFC 9457): a stable
//! `type` for programs, a sentence that says what to do for people. The only place that knows
//! status codes (`kind`). Must never repeat what a request said.

mod kind;

use std::io::ErrorKind;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use duban_core::definition::FieldFault;
use duban_core::rejection::{Blame, Rejection};
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::{AdvanceError, Declined};
use crate::store::{AddTokenError, StoreError};
use crate::vault::VaultError;
pub(crate) use kind::Kind;

/// What is wrong with a request; on its way through every function, so it is small.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct Problem(Box<ProblemDetails>);

/// What is wrong with a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ProblemDetails {
    /// Stable, for programs.
    #[serde(rename = "type")]
    #[schema(example = "urn:duban:problem:wrong-step")]
    kind: String,
    /// The same for people.
    title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    status: u16,
    /// What to do.
    detail: String,
    /// What is wrong with single fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// When the request arrived (`overtaken`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    arrived_at: Option<Instant>,
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// JSON pointer.
    #[schema(example = "/reviewed_at")]
    field: String,
    /// What is wrong and what is allowed.
    message: String,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            kind: kind.urn(),
            title: kind.title().to_owned(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            arrived_at: None,
            retry_after_s: None,
        }))
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail =
            "请在 Authorization 中提供有效的令牌：Bearer duban_…；令牌由 duban token issue 签发";
        Self::new(Kind::Unauthenticated, detail)
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        Self::new(Kind::Forbidden, format!("本令牌的角色不能{what}"))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("没有{what}；请核对后重试"))
    }

    /// There is no such ticket, or it is foreign: the same words.
    pub(crate) fn no_ticket() -> Self {
        Self::new(Kind::NotFound, "没有这件工单，或不在本单位、本辖区；请核对编号")
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, detail)
    }

    /// A fault of one field of the query or body.
    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        let field = if field.is_empty() { String::new() } else { format!("/{field}") };
        Self::fields(vec![FieldFault::new(field, message)])
    }

    pub(crate) fn fields(faults: Vec<FieldFault>) -> Self {
        let mut problem = Self::new(Kind::InvalidForm, "请按 errors 逐项改正后重新提交");
        let errors = faults.into_iter();
        problem.0.errors = errors
            .map(|FieldFault { field, message, .. }| FieldProblem { field, message })
            .collect();
        problem
    }

    /// The same as a fault of the request itself: it could not be understood.
    pub(crate) fn malformed(field: String, message: String) -> Self {
        let mut problem = Self::bad_request("请按 errors 改正后重新提交");
        problem.0.errors.push(FieldProblem { field, message });
        problem
    }

    /// The same in other words for people.
    pub(crate) fn saying(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.0.detail);
        self
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    fn busy(detail: impl Into<String>) -> Self {
        Self::new(Kind::Busy, detail).retry_after(1)
    }

    /// More than one token may ask for.
    pub(crate) fn too_many(kind: Kind, detail: impl Into<String>, seconds: u32) -> Self {
        Self::new(kind, detail).retry_after(seconds)
    }

    /// A fault of the program.
    pub(crate) fn fault() -> Self {
        Self::new(Kind::Fault, "本次请求未能完成，请查询后重试")
    }

    /// Whether it stands among the incidents is for those who look there: time may not have met it.
    fn incident() -> Self {
        let detail = "工单暂时不能办理，请联系运维人员；本次未予办理";
        Self::new(Kind::Incident, detail)
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.0.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(store.error = %error, "a request met a fault of the database");
        match error {
            StoreError::Unreadable(_) => Self::incident(),
            error if !error.blames_rows() => Self::busy(error.to_string()).retry_after(5),
            error => Self::new(Kind::Store, error.to_string()),
        }
    }
}

/// What a disk says, without its path.
impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        tracing::error!(io.error = ?error.kind(), "an attachment met a fault of the disk");
        let detail = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded => {
                "附件所在磁盘已满，请联系运维人员"
            }
            _ => "附件目录不能读写，请联系运维人员",
        };
        Self::busy(detail).retry_after(30)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Disk(error) => error.into(),
            VaultError::Damaged => {
                tracing::error!("the file of an attachment is missing or damaged");
                let detail = "附件文件缺失或已损坏，请联系运维人员；持有原件的，可重新上传";
                Self::new(Kind::AttachmentDamaged, detail)
            }
        }
    }
}

impl From<AddTokenError> for Problem {
    fn from(error: AddTokenError) -> Self {
        let detail = error.to_string();
        match error {
            AddTokenError::Store(error) => error.into(),
            AddTokenError::Excluded { .. } => Self::new(Kind::RoleExcluded, detail),
        }
    }
}

impl From<Declined> for Problem {
    fn from(declined: Declined) -> Self {
        let detail = declined.to_string();
        match declined {
            Declined::Rejected(rejection) => rejection.into(),
            Declined::Overtaken { arrived_at } => {
                let mut problem = Self::new(Kind::Overtaken, detail);
                problem.0.arrived_at = Some(arrived_at);
                problem
            }
            Declined::NoSuchTicket => Self::no_ticket(),
            Declined::ReviewDiffers => Self::new(Kind::ReviewDiffers, detail),
            Declined::KeyReused => Self::new(Kind::KeyReused, detail),
            Declined::KeyRunning => Self::new(Kind::KeyRunning, detail).retry_after(1),
            Declined::Busy | Declined::Stopping | Declined::Aside => Self::busy(detail),
            Declined::Store(StoreError::Unreadable(_)) | Declined::Incident => Self::incident(),
            Declined::Store(_) => Self::busy(detail).retry_after(5),
            Declined::OutcomeUnknown => Self::new(Kind::OutcomeUnknown, detail),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        if rejection.blame() != Blame::Caller {
            return Self::incident();
        }
        // The core's words are those of the kinds.
        let kind = Kind::of(rejection.code());
        match (rejection, kind) {
            (Rejection::Form(faults), _) => Self::fields(faults),
            (Rejection::UnknownAction { .. }, _) => {
                let detail = "工单的工作流没有这个动作；可办理的动作见 …/actions";
                Self::new(Kind::UnknownAction, detail)
            }
            (rejection, Some(kind)) => Self::new(kind, rejection.to_string()),
            (_, None) => Self::fault(),
        }
    }
}

impl From<AdvanceError> for Problem {
    fn from(error: AdvanceError) -> Self {
        let detail = error.to_string();
        match error {
            AdvanceError::NotSimulated => Self::new(Kind::ClockNotSimulated, detail),
            AdvanceError::Backwards { .. } => Self::new(Kind::ClockBackwards, detail),
            AdvanceError::Stuck { .. } => Self::new(Kind::ClockStuck, detail),
            AdvanceError::Store(error) => error.into(),
        }
    }
}
