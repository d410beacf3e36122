//! `GET /v1/register`: the agencies, districts and tags that have names. Must never leave one out.

use axum::Json;
use axum::extract::State;
use duban_core::name::Name;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Api;
use super::super::body::{NoQuery, Query};
use super::super::caller::Caller;
use super::super::policy::Endpoint;
use super::super::problem::Problem;

/// Codes with their names, by code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterView {
    agencies: Vec<Coded>,
    districts: Vec<Coded>,
    /// What a review says by a code.
    tags: Vec<Coded>,
}

/// A code with its name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Coded {
    #[schema(example = "SZ013")]
    code: String,
    #[schema(example = "深圳市规划和自然资源局")]
    name: String,
}

/// 名册：单位、区划、评价标签的代码和名称
#[utoipa::path(get, path = "/v1/register", tag = "rules",
    responses((status = 200, description = "各按代码排列", body = RegisterView)))]
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Query(NoQuery {}): Query<NoQuery>,
) -> Result<Json<RegisterView>, Problem> {
    caller.may(Endpoint::ReadRules)?;
    let register = &api.register;
    Ok(Json(RegisterView {
        agencies: coded(register.agencies()),
        districts: coded(register.districts()),
        tags: coded(register.tags()),
    }))
}

fn coded<'r>(all: impl Iterator<Item = (&'r Name, &'r str)>) -> Vec<Coded> {
    all.map(|(code, name)| Coded { code: code.to_string(), name: name.to_owned() }).collect()
}
