//! What runs the house: incidents, messages, nodes, tokens.

pub(in crate::console) mod incidents;
pub(in crate::console) mod nodes;
pub(in crate::console) mod outbox;
pub(in crate::console) mod tokens;

use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use crate::console::told::Told;
use crate::console::visit::Visit;

/// What comes of a deed: back to the list, or why not.
fn done(visit: &Visit, title: &str, list: &str, done: Result<Option<Value>, Told>) -> Response {
    match done {
        Ok(_) => Redirect::to(list).into_response(),
        Err(told) => visit.page(title, Err(told)),
    }
}
