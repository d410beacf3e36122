//! What the API answers, as far as pages show it. Must never hold what a page does not show.

pub(super) mod days;
pub(super) mod history;
pub(super) mod rules;
pub(super) mod ticket;
