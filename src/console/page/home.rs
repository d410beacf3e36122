//! `/`: where somebody's day begins.

use axum::response::Redirect;

use crate::console::layout;
use crate::console::visit::Visit;

pub(in crate::console) async fn get(visit: Visit) -> Redirect {
    Redirect::to(layout::home(&visit.me))
}
