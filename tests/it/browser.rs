//! What a browser does of itself: it holds cookies, and says where a form stood. How pages look and
//! behave is told by a real one.

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::served::Server;

/// What a browser does of itself: it holds cookies, and says where a form stood.
pub(crate) struct Browser {
    client: Client,
    address: String,
    pub(crate) held: Option<String>,
}

impl Browser {
    pub(crate) fn of(server: &Server) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { client, address: server.address.clone(), held: None }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.address));
        let held = self.held.as_deref().unwrap_or_default();
        request.header(COOKIE, held).send().await.expect("an answer")
    }

    /// As a page that renews itself.
    pub(crate) async fn by_itself(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.address));
        let held = self.held.as_deref().unwrap_or_default();
        let request = request.header("x-requested-with", "live").header(COOKIE, held);
        request.send().await.expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)], site: &str) -> Response {
        let encoded: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.post(format!("{}{path}", self.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", site).body(encoded.join("&"));
        let held = self.held.as_deref().unwrap_or_default();
        request.header(COOKIE, held).send().await.expect("an answer")
    }

    /// Sends a form with files: name, media type (and the file's name behind a blank), value.
    pub(crate) async fn send(&self, path: &str, parts: &[(&str, Option<&str>, &str)]) -> Response {
        let mut body = String::new();
        for (name, file, value) in parts {
            body.push_str("--frontier\r\nContent-Disposition: form-data; name=\"");
            body.push_str(name);
            match file {
                Some(kind) => {
                    let (kind, name) = kind.split_once(' ').unwrap_or((kind, "x"));
                    body.push_str("\"; filename=\"");
                    body.push_str(name);
                    body.push_str("\"\r\nContent-Type: ");
                    body.push_str(kind);
                }
                None => body.push('"'),
            }
            body.push_str("\r\n\r\n");
            body.push_str(value);
            body.push_str("\r\n");
        }
        body.push_str("--frontier--\r\n");
        let request = self.client.post(format!("{}{path}", self.address)).body(body);
        let request = request.header("content-type", "multipart/form-data; boundary=frontier");
        let request = request.header("sec-fetch-site", "same-origin");
        let held = self.held.as_deref().unwrap_or_default();
        request.header(COOKIE, held).send().await.expect("an answer")
    }

    /// Comes in; where to.
    pub(crate) async fn enter(&mut self, token: &str) -> Option<String> {
        let answer = self.post("/sign-in", &[("token", token)], "same-origin").await;
        let text = |name| Some(answer.headers().get(name)?.to_str().expect("text").to_owned());
        let (set, to) = (text(SET_COOKIE)?, text(LOCATION)?);
        for held in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
            assert!(set.contains(held), "{set}");
        }
        self.held = set.split(';').next().map(str::to_owned);
        Some(to)
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.expect("a page")
    }
}

/// What each form of a session brings along.
pub(crate) fn seal(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"seal\" value=\"").expect("a seal");
    rest.split('"').next().expect("its end")
}
