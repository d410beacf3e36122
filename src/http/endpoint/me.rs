//! `GET /v1/me`: who the caller is, and what he may call. Must never say anything that another request
//! would not.

use axum::Json;
use axum::extract::State;
use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeView {
    /// The person or system.
    #[schema(example = "liu")]
    subject: String,
    #[schema(example = "agency")]
    role: String,
    #[schema(example = "承办单位")]
    role_title: &'static str,
    /// For roles that are bound to one.
    agency: Option<String>,
    agency_name: Option<String>,
    /// Where the token is bound to one.
    district: Option<String>,
    district_name: Option<String>,
    /// What this token may call: method and path, as in the document.
    #[schema(example = json!(["GET /v1/tickets"]))]
    operations: Vec<&'static str>,
    /// The instant at which the house is.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Whether that is on a working day.
    working_day: bool,
    /// Whether its clock is moved by hand.
    simulated: bool,
}

/// 本人：角色、单位，可以调用的接口，系统的时刻
#[utoipa::path(get, path = "/v1/me", tag = "access",
    responses((status = 200, description = "本令牌是谁的", body = MeView)))]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<MeView>, Problem> {
    caller.may(Endpoint::ReadSelf)?;
    let is_open = |endpoint: &&Endpoint| caller.may(**endpoint).is_ok();
    let open = Endpoint::ALL.iter().filter(is_open);
    let agency = caller.agency.as_ref().and_then(|code| api.register.agency(code.as_str()));
    let district = caller.district.as_ref().and_then(|code| api.register.district(code.as_str()));
    let clock = api.engine.clock();
    let (now, calendar) = (clock.now(), api.engine.knowledge().context().calendar);
    Ok(Json(MeView {
        role: caller.role.word().to_owned(),
        role_title: caller.role.title(),
        agency_name: agency.map(str::to_owned),
        district_name: district.map(str::to_owned),
        agency: caller.agency.as_ref().map(ToString::to_string),
        district: caller.district.as_ref().map(ToString::to_string),
        operations: open.flat_map(|endpoint| endpoint.operations()).copied().collect(),
        at: now,
        working_day: calendar.known_at(now).is_working(calendar.zone().day_of(now)),
        simulated: clock.is_simulated(),
        subject: caller.subject.to_string(),
    }))
}
