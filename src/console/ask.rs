//! How the console asks the API: as a request of whoever looks at the page, within the process. Must
//! never ask for somebody else, nor make up an answer.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use axum::response::Response;
use duban_core::time::Instant;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use super::Console;
use super::told::Told;
use super::words::Lang;
use crate::access::Inside;

/// All but letters, digits, - and _: neither dots nor slashes lead to another path.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The largest answer that a page is made of.
pub(super) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Asks for one person.
#[derive(Clone)]
pub(super) struct Ask {
    api: Router,
    token: Uuid,
    lang: Lang,
    page_max: u64,
}

impl Ask {
    /// For whoever has a token.
    pub(super) fn new(console: &Console, token: Uuid, lang: Lang) -> Self {
        Self { api: console.api.clone(), token, lang, page_max: console.page_max }
    }

    /// Of a list so many at once, or as many as the house gives.
    pub(super) fn limit(&self, wanted: u64) -> u64 {
        wanted.min(self.page_max)
    }

    /// What is read at a path.
    ///
    /// # Errors
    /// What the API tells instead.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Told> {
        let request = Request::get(path).body(Body::empty()).map_err(|_| Told::fault(self.lang))?;
        let read = self.read(self.carry(request).await).await;
        // What is wrong with an address was said for programs: in a page it is the address.
        read.map_err(|told| match told.status {
            400 | 422 => Told::unknown_filter(self.lang),
            _ => told,
        })
    }

    /// What comes of something sent to a path.
    ///
    /// # Errors
    /// What the API tells instead: then nothing was done, unless it says that it does not know.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Told> {
        self.post_with(path, &[], body).await
    }

    /// The same with headers.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn post_with<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> Result<T, Told> {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        // What a header can't hold was no page's.
        let request = request.body(Body::from(body.to_string()));
        self.send(request.map_err(|_| Told::cut_off(self.lang))?).await
    }

    /// Orders something that answers with nothing.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn order(&self, path: &str) -> Result<Option<Value>, Told> {
        let request =
            Request::post(path).body(Body::empty()).map_err(|_| Told::fault(self.lang))?;
        self.silent(request).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn delete(&self, path: &str) -> Result<Option<Value>, Told> {
        let request =
            Request::delete(path).body(Body::empty()).map_err(|_| Told::fault(self.lang))?;
        self.silent(request).await
    }

    async fn silent(&self, request: Request<Body>) -> Result<Option<Value>, Told> {
        let response = self.carry(request).await;
        if response.status().is_success() {
            Ok(None)
        } else {
            Err(Told::of(self.lang, response).await)
        }
    }

    /// What comes of a request.
    ///
    /// # Errors
    /// As before.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        request: Request<Body>,
    ) -> Result<T, Told> {
        self.read(self.carry(request).await).await
    }

    /// The end of the next working day.
    pub(super) async fn next_working_day(&self, now: Instant) -> Result<Instant, Told> {
        #[derive(Deserialize)]
        struct Computed {
            due_at: Instant,
        }
        let asked = json!({"received": now, "within": "1wd"});
        Ok(self.post::<Computed>("/v1/deadlines/compute", &asked).await?.due_at)
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Told> {
        if !response.status().is_success() {
            return Err(Told::of(self.lang, response).await);
        }
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let bytes = bytes.map_err(|_| Told::fault(self.lang))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            tracing::error!(%error, "a page does not understand the API");
            Told::fault(self.lang)
        })
    }

    /// The answer itself, to be passed on.
    pub(super) async fn carry(&self, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(Inside(self.token));
        match self.api.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => {
                let never: Infallible = never;
                match never {}
            }
        }
    }
}

/// A word as a part of a path.
pub(super) fn segment(word: &str) -> String {
    utf8_percent_encode(word, UNSAFE).to_string()
}
