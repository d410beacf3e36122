//! `POST /v1/deadlines/compute`: the `duban deadline` computation.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use duban_core::calendar::{ExplainedDay, Within};
use duban_core::time::{Day, Instant, YEARS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::{Body, NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;
use super::super::{Api, document, keys};

/// A period and its start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"received": "2026-02-13T16:30:00+08:00", "within": "10wd"}))]
pub(crate) struct Compute {
    /// 收到的时刻；当日不计
    #[schema(value_type = String, format = DateTime)]
    received: Instant,
    /// 10wd（工作日）、7d（自然日）、24h（小时）；倒推写负数
    #[schema(value_type = String, example = "10wd")]
    within: Within,
    /// 只用此日（含）以前已公布的放假通知
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    known_on: Option<Day>,
    /// 末日为休息日的，顺延至下一工作日（只用于自然日）
    #[serde(default)]
    roll: bool,
    /// 逐日说明
    #[serde(default)]
    explain: bool,
}

/// A due date.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Computed {
    #[schema(value_type = String, format = Date)]
    due_date: Day,
    /// The exclusive end.
    #[schema(value_type = String, format = DateTime)]
    due_at: Instant,
    /// `firm`, `provisional` or `estimated`.
    certainty: String,
    missing_years: Vec<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<document::ExplainedDay>>)]
    days: Option<Vec<ExplainedDay>>,
}

/// 计算一个期限何时到期
#[utoipa::path(
    post, path = "/v1/deadlines/compute", tag = "deadlines", request_body = Compute,
    params(("Idempotency-Key" = Option<String>, Header, description = "重试时使用同一个键")),
    responses(
        (status = 200, description = "到期日", body = Computed),
        (status = 422, description = "填写有误", body = Problem),
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
    headers: HeaderMap,
    Body { value: asked, bytes }: Body<Compute>,
) -> Result<Response, Problem> {
    caller.may(Endpoint::Compute)?;
    let key = keys::keyed(&headers, &caller, "POST /v1/deadlines/compute", &bytes, 200)?;
    let (computed, repeated) = api.once(key, 0, async |_| computed(&api, &asked)).await?;
    let mut response = Json(computed).into_response();
    keys::mark(&mut response, repeated);
    Ok(response)
}

fn computed(api: &Api, asked: &Compute) -> Result<Computed, Problem> {
    let within = if asked.roll {
        asked.within.rolled().map_err(|why| Problem::field("roll", why))?
    } else {
        asked.within
    };
    let calendar = api.engine.knowledge().context().calendar;
    let edition = asked.known_on.map_or_else(|| calendar.latest(), |day| calendar.known_on(day));
    let explained = edition.explain(asked.received, within).ok_or_else(|| {
        let (first, last) = (YEARS.start(), YEARS.end());
        Problem::field("within", format!("到期日超出范围：年份应在 {first} 至 {last} 之间"))
    })?;
    let due = explained.due;
    Ok(Computed {
        due_date: due.day,
        due_at: due.at,
        certainty: due.certainty.word().to_owned(),
        missing_years: due.missing_years,
        days: asked.explain.then_some(explained.days),
    })
}
