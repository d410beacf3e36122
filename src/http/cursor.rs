//! Pages of lists, and their cursors: where a page ended, opaque to callers. Must never hold more
//! than what orders the list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Api;
use super::problem::Problem;

/// What stands on a page, where nobody says.
const PAGE: u64 = 50;

/// How many on a page.
pub(crate) fn limit(api: &Api, asked: Option<u64>) -> Result<u64, Problem> {
    let most = api.limits.page;
    let limit = asked.unwrap_or(PAGE.min(most));
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::field("limit", format!("应为 1 至 {most}")))
}

/// Cuts what was found to a page; whether there is more. One more than a page is to be looked for.
pub(crate) fn cut<T>(found: &mut Vec<T>, limit: u64) -> bool {
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    more
}

/// A place as callers carry it.
pub(crate) fn written(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!(place).to_string())
}

/// The place of a cursor.
pub(crate) fn read<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.map(Some).ok_or_else(wrong)
}

/// A cursor that no page of this list has given.
pub(crate) fn wrong() -> Problem {
    Problem::field("cursor", "不是上一页给出的 next；请从第一页重新开始")
}
