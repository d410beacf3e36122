//! An office for tests of the console: a server, who is hotline there, and browsers; and the forms that
//! stand on its pages.

use duban_core::role::Role;
use reqwest::Response;
use serde_json::{Value, json};

use crate::browser::{Browser, seal};
use crate::lives::instant;
use crate::served::{Place, Server, review};

pub(crate) const START: &str = "2026-03-02T10:00:00+08:00";
pub(crate) const OWN: &str = "SZ013";

pub(crate) struct Office {
    pub(crate) place: Place,
    pub(crate) server: Server,
    pub(crate) hotline: String,
}

impl Office {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// One with settings of its own.
    pub(crate) async fn with(settings: &str) -> Self {
        let place = Place::new().await;
        std::fs::write(place.path().join("duban.toml"), settings).expect("written");
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let hotline = place.token(Role::Hotline, "h1", None).await;
        Self { place, server, hotline }
    }

    pub(crate) async fn ticket(&self, id: &str, agency: &str) -> String {
        let body = review(id, "matter", instant(START));
        let accepted = self.server.post("/v1/reviews", &self.hotline, &body).await.ok();
        let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
        let path = format!("/v1/tickets/{number}/actions/dispatch");
        self.server.post(&path, &self.hotline, &json!({"agency": agency})).await.ok();
        number
    }

    pub(crate) async fn browser(&self, role: Role, agency: Option<&str>) -> Browser {
        let token = self.place.token(role, &format!("b_{role}"), agency).await;
        let mut browser = Browser::of(&self.server);
        browser.enter(&token).await.expect("in");
        browser
    }

    pub(crate) async fn events(&self, number: &str) -> Vec<Value> {
        let path = format!("/v1/tickets/{number}/history");
        let told = self.server.get(&path, &self.hotline).await.ok();
        told["events"].as_array().expect("events").clone()
    }
}

/// The value of a hidden field of the form that is shown.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("a field");
    rest.split('"').next().expect("its end").to_owned()
}

/// What a page holds to send its form with.
pub(crate) fn carried<'p>(
    page: &'p str,
    of: &'p [(String, String)],
) -> Vec<(&'p str, Option<&'p str>, &'p str)> {
    let mut parts = vec![("seal", None, seal(page))];
    parts.extend(of.iter().map(|(name, value)| (name.as_str(), None, value.as_str())));
    parts
}

pub(crate) fn fields(page: &str) -> Vec<(String, String)> {
    let names = ["action", "revision", "seen", "key", "schema"];
    names
        .map(|name| {
            (name.to_owned(), hidden(page, name).replace("&quot;", "\"").replace("&amp;", "&"))
        })
        .into()
}

impl Browser {
    /// Sends the form that stands on a page, with what is filled in.
    pub(crate) async fn submit(&self, path: &str, page: &str, filled: &[(&str, &str)]) -> Response {
        let sent = fields(page);
        let mut parts = carried(page, &sent);
        parts.extend(filled.iter().map(|(name, value)| (*name, None, *value)));
        self.send(path, &parts).await
    }
}
