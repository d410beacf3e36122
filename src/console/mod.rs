//! Floor 4: the pages, for people who work with duban all day. The console is a caller of the control
//! API like any other, within the same process: it asks as whoever looks at the page, and shows what it
//! is answered. Must never have rights of its own, know a ticket by another way than the API, nor decide
//! anything.

mod ask;
mod asked;
mod asset;
mod door;
mod layout;
mod page;
mod part;
mod schema;
mod shape;
mod sheet;
mod timeline;
mod told;
mod visit;
mod words;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::access::Door;

/// The largest form, files included.
const FORM_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What every page needs; clones are the same.
#[derive(Clone)]
pub struct Console {
    /// The control API, as it answers requests.
    api: Router,
    door: Door,
    /// Proxies before the nodes, which tell where somebody comes from.
    proxies: Arc<[IpAddr]>,
    /// The most that a page of a list holds.
    page_max: u64,
}

impl Console {
    /// Pages over the API of the same process.
    #[must_use]
    pub fn new(api: Router, door: Door, proxies: &[IpAddr], page_max: u64) -> Self {
        // An address of the older kind may be written as one of the newer.
        let proxies = proxies.iter().map(IpAddr::to_canonical).collect();
        Self { api, door, proxies, page_max }
    }

    /// The pages.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/", get(page::home::get))
            .route("/board", get(page::board::get))
            .route("/tickets", get(page::queue::get))
            .route("/tickets/{number}", get(page::ticket::get).post(page::ticket::act::post))
            .route(
                "/tickets/{number}/reviewer",
                get(page::ticket::reviewer::get).post(page::ticket::reviewer::post),
            )
            .route("/calendar", get(page::rules::calendar::get))
            .route("/workflows", get(page::rules::workflows::list))
            .route("/workflows/{name}", get(page::rules::workflows::get))
            .route("/incidents", get(page::house::incidents::get))
            .route("/incidents/{id}", post(page::house::incidents::retry))
            .route("/outbox", get(page::house::outbox::get))
            .route("/outbox/{id}", post(page::house::outbox::again))
            .route("/nodes", get(page::house::nodes::get))
            .route("/clock", post(page::house::nodes::advance))
            .route("/tokens", get(page::house::tokens::get).post(page::house::tokens::issue))
            .route("/tokens/{id}", post(page::house::tokens::revoke))
            .route("/compare", get(page::compare::get))
            .route("/registers/cards", get(page::registers::cards))
            .route("/registers/overdue", get(page::registers::overdue))
            .route("/export/{name}", get(sheet::get))
            .route("/tonight", get(page::tonight::get))
            .route("/bulk", post(page::bulk::post))
            .route("/desk", get(page::desk::get))
            .route("/tickets/{number}/contact", post(page::desk::post))
            .route("/tickets/{number}/why/{deadline}", get(page::ticket::why::get))
            .route("/tickets/{number}/files", post(page::ticket::files::post))
            .route("/tickets/{number}/files/{id}", get(page::ticket::files::get))
            .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
            .route("/sign-in", get(door::get).post(door::enter))
            .route("/sign-out", post(door::leave))
            .route("/language", post(door::language))
            .route("/live", get(page::live::get))
            .route("/assets/{name}", get(asset::get))
            .method_not_allowed_fallback(page::missing::get)
            .layer(middleware::from_fn(visit::guarded))
            .with_state(self.clone())
    }

    /// What an address leads to that is no page.
    pub fn missing(&self) -> Router {
        Router::new()
            .fallback(page::missing::get)
            .layer(middleware::from_fn(visit::guarded))
            .with_state(self.clone())
    }
}
