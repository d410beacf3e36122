//! `GET|POST|DELETE /v1/tokens`: who may call. Must never show a token but at its issue.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use duban_core::role::Role;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::body::{Body, NoQuery, Path, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::{Api, cursor, keys};
use crate::access::{DAYS, Holder};
use crate::clock;
use crate::engine::Turn;
use crate::store::Token;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// 上一页的 next
    cursor: Option<String>,
    /// 每页几个（1 至 200）
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
}

/// A page of tokens, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokensView {
    tokens: Vec<TokenView>,
    /// The next page's `cursor`; none at the end.
    next: Option<String>,
}

/// A token, without itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    #[schema(value_type = String)]
    id: Uuid,
    /// The person or system.
    subject: String,
    role: String,
    agency: Option<String>,
    district: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
    /// Whether it counts now.
    valid: bool,
}

/// Whom a token is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "agency", "subject": "liu", "agency": "SZ013"}))]
pub(crate) struct NewToken {
    /// 角色
    #[schema(value_type = String, example = "agency")]
    role: Role,
    /// 人员或系统的代号；同一代号的几个令牌是同一使用者
    #[schema(max_length = 40, pattern = "^[A-Za-z0-9_.-]+$")]
    subject: String,
    /// 单位代码；角色 agency 和 agency_lead 必填
    #[serde(default)]
    agency: Option<String>,
    /// 只管此区划；用于 supervisor、approver、auditor
    #[serde(default)]
    district: Option<String>,
    /// 几天后失效
    #[serde(default = "days")]
    #[schema(minimum = 1, maximum = 3650, default = 365)]
    days: i64,
}

const fn days() -> i64 {
    DAYS
}

/// A token at its issue. Has no `Debug`: it must get into no log.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedView {
    /// Shown this once; none in the answer to a repeated request.
    token: Option<String>,
    #[serde(flatten)]
    view: TokenView,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let valid = token.counts_at(clock::wall());
        Self {
            id: token.id,
            subject: token.subject.to_string(),
            role: token.role.word().to_owned(),
            agency: token.agency.map(|agency| agency.to_string()),
            district: token.district.map(|district| district.to_string()),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            valid,
        }
    }
}

/// 列出令牌（不含令牌本身）
#[utoipa::path(
    get, path = "/v1/tokens", tag = "access", params(Filter),
    responses((status = 200, description = "一页令牌，先签发的在前", body = TokensView))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<TokensView>, Problem> {
    caller.may(Endpoint::ReadTokens)?;
    let limit = cursor::limit(&api, filter.limit)?;
    let after: Option<Uuid> = cursor::read(filter.cursor.as_deref())?;
    let mut found = api.engine.store().tokens(after, limit + 1).await?;
    let more = cursor::cut(&mut found, limit);
    let next = found.last().filter(|_| more).map(|last| cursor::written(&last.id));
    Ok(Json(TokensView { tokens: found.into_iter().map(TokenView::from).collect(), next }))
}

/// 签发一个令牌；令牌只在答复中显示这一次
#[utoipa::path(
    post, path = "/v1/tokens", tag = "access", request_body = NewToken,
    params(("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键")),
    responses(
        (status = 201, description = "已签发，立即生效", body = IssuedView),
        (status = 409, description = "与同一使用者的另一角色互斥", body = Problem),
        (status = 422, description = "填写有误", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    headers: HeaderMap,
    Body { value: new, bytes }: Body<NewToken>,
) -> Result<Response, Problem> {
    caller.may(Endpoint::ManageTokens)?;
    let key = keys::keyed(&headers, &caller, "POST /v1/tokens", &bytes, 201)?;
    let NewToken { role, subject, agency, district, days } = new;
    if subject.eq_ignore_ascii_case(caller.subject.as_str()) {
        // Nobody gives himself another role.
        return Err(Problem::field("subject", "不能为本人签发；请由另一名安全管理员签发"));
    }
    let holder = Holder { role, subject, agency, district, days };
    let (token, mut row) = holder.token(&api.register, clock::wall()).map_err(Problem::fields)?;
    let store = api.engine.store();
    let issue = async |turn: &Turn| {
        // Issued before: the token itself is not shown again.
        if let Some(there) = store.token_by_id(turn.about).await? {
            return Ok(IssuedView { token: None, view: there.into() });
        }
        row.id = turn.about;
        if let Err(error) = store.add_token(&row).await {
            // The same request on another node was faster, and shows the token.
            let there = store.token_by_id(row.id).await?.ok_or(error)?;
            return Ok(IssuedView { token: None, view: there.into() });
        }
        tracing::info!(token.id = %row.id, by = %caller.subject, "a token was issued");
        Ok(IssuedView { token: Some(token), view: row.into() })
    };
    let (issued, repeated) = api.once(key, 0, issue).await?;
    let mut response = (StatusCode::CREATED, Json(issued)).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

/// 吊销一个令牌，立即生效
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", tag = "access", params(("id" = String, Path, example = "019531d4-0000-7000-8000-000000000001")),
    responses(
        (status = 204, description = "已吊销"),
        (status = 404, description = "没有这个有效的令牌", body = Problem),
    )
)]
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<StatusCode, Problem> {
    caller.may(Endpoint::ManageTokens)?;
    let nothing = || Problem::not_found("这个有效的令牌");
    let id: Uuid = id.parse().map_err(|_| nothing())?;
    if !api.engine.store().revoke_token(id, clock::wall()).await? {
        return Err(nothing());
    }
    tracing::info!(token.id = %id, by = %caller.subject, "a token was revoked");
    Ok(StatusCode::NO_CONTENT)
}
