//! A visit to a page: whose it is, in which language, and that it was sent from a page of this house.
//! Must never let a request in without a session, nor a deed that another site has sent.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use duban_core::time::Instant;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;

use super::ask::Ask;
use super::told::Told;
use super::words::Lang;
use super::{Console, layout};
use crate::access::Door;

/// The cookie of a session.
pub(super) const SESSION: &str = "duban_session";

/// The cookie of a language.
pub(super) const LANGUAGE: &str = "duban_language";

/// What a page may load and do: its own stylesheet, script and sign, and nothing from elsewhere. Nor may
/// it stand within another page, or send a form to one.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Who looks at a page, as the API knows him.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Me {
    pub(super) subject: String,
    pub(super) role: String,
    pub(super) role_title: String,
    pub(super) agency: Option<String>,
    pub(super) agency_name: Option<String>,
    pub(super) district_name: Option<String>,
    operations: Vec<String>,
    /// The instant at which the house is.
    pub(super) at: Instant,
    /// Whether that is on a working day.
    pub(super) working_day: bool,
    pub(super) simulated: bool,
}

impl Me {
    /// Whether he is of an agency.
    pub(super) fn is_agency(&self) -> bool {
        self.role == "agency" || self.role == "agency_lead"
    }

    /// Whether he may call something: method and path.
    pub(super) fn may(&self, operation: &str) -> bool {
        self.operations.iter().any(|one| one == operation)
    }
}

/// A visit of somebody who has come in.
pub(super) struct Visit {
    pub(super) ask: Ask,
    pub(super) me: Me,
    pub(super) lang: Lang,
    /// What each form of his brings along.
    pub(super) seal: String,
    /// Where he is.
    pub(super) here: Uri,
}

impl Visit {
    /// A form that did not stand on a page of this session: nothing is done.
    pub(super) fn foreign(&self) -> Response {
        self.page("", Err(Told::outdated(self.lang)))
    }

    /// The page, or why there is none.
    pub(super) fn page(&self, title: &str, body: Result<Markup, Told>) -> Response {
        match body {
            Ok(body) => layout::page(self, title, &body).into_response(),
            Err(told) => {
                let status = told.status();
                let body = layout::trouble(self.lang, &told);
                (status, layout::page(self, told.title(self.lang), &body)).into_response()
            }
        }
    }
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let (here, lang) = (place(parts), lang(&parts.headers));
        let is_deed = parts.method == Method::POST;
        // What a page asks for by itself does not keep anybody in.
        let by_itself = parts.headers.get("x-requested-with").is_some_and(|by| by == "live")
            || parts.uri.path() == "/live";
        let to_door = || {
            let here = here.path_and_query().map_or("/", |here| here.as_str());
            let next = utf8_percent_encode(here, NON_ALPHANUMERIC);
            let door = format!("/sign-in?next={next}");
            // A page that asks by itself is told, not led away.
            if by_itself {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            // Whoever has typed for long is not sent away without a word.
            if is_deed {
                over(lang, &door, here.starts_with("/tickets/"))
            } else {
                Redirect::to(&door).into_response()
            }
        };
        let failed = |told: &Told| layout::alone(lang, told);
        let secret = cookie(&parts.headers, SESSION).ok_or_else(to_door)?;
        let inside = console.door.inside(secret, !by_itself).await;
        let inside = inside.map_err(|_| failed(&Told::unavailable(lang)))?;
        let token = inside.ok_or_else(to_door)?;
        let ask = Ask::new(console, token.id, lang);
        match ask.get("/v1/me").await {
            Ok(me) => Ok(Self { ask, me, lang, seal: Door::seal(secret), here }),
            Err(told) if told.status == 401 => Err(to_door()),
            Err(told) => Err(failed(&told)),
        }
    }
}

/// What was sent after its session had ended: nothing was done, and what to do now.
fn over(lang: Lang, door: &str, is_kept: bool) -> Response {
    let title = lang.of("登录已超时", "Your session has ended");
    let body = html! {
        section.panel.said.wrong.door {
            h1 { (title) }
            p { (lang.of("刚才提交的内容没有办理。", "What you just sent was not done. "))
                @if is_kept { (lang.of("重新登录后会回到原页面，已填写的文字会自动恢复（附件须重新选择）；没有恢复的，请用浏览器的“后退”取回。", "Sign in again: you come back to the page, and what you typed is there again (choose files anew); if it is not, the browser's “back” has it.")) }
                @else { (lang.of("请重新登录后再办一次。", "Sign in again, and do it once more.")) }
            }
            p { a.button.main href=(door) { (lang.of("重新登录", "Sign in again")) } }
        }
    };
    (StatusCode::UNAUTHORIZED, layout::bare(lang, title, &body)).into_response()
}

/// Where somebody is, as he can come there again: what was sent to is no place.
fn place(parts: &Parts) -> Uri {
    if parts.method == Method::GET {
        return parts.uri.clone();
    }
    let mut steps = parts.uri.path().split('/').skip(1);
    let ticket = match (steps.next(), steps.next()) {
        (Some("tickets"), Some(number)) => {
            let form = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("/tickets/{number}{form}").parse().ok()
        }
        _ => None,
    };
    ticket.unwrap_or_else(|| Uri::from_static("/"))
}

/// The language that was chosen.
pub(super) fn lang(headers: &HeaderMap) -> Lang {
    cookie(headers, LANGUAGE).and_then(Lang::tagged).unwrap_or_default()
}

/// What a browser holds under a name.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|one| one.to_str().ok());
    let mut pairs =
        all.flat_map(|one| one.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// What holds for every page: the policy, and that what is sent comes from a page of this house.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let is_deed = request.method() == Method::POST;
    let lang = lang(request.headers());
    let mut response = if !is_text(request.uri()) {
        layout::alone(lang, &Told::unknown_filter(lang))
    } else if is_deed && !is_own(request.headers()) {
        layout::alone(lang, &Told::elsewhere(lang))
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Whether an address is text, as the API takes it: UTF-8, without NUL.
fn is_text(uri: &Uri) -> bool {
    let asked = uri.path_and_query().map_or("", |asked| asked.as_str());
    percent_decode_str(asked).decode_utf8().is_ok_and(|asked| !asked.contains('\0'))
}

/// Whether a browser says that a form stood on a page of this house: in a header that no page can set,
/// or, where it knows none, by the origin.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = text("origin").and_then(|origin| origin.parse::<Uri>().ok());
    // A page that has no origin sends “null”.
    let from = origin.as_ref().filter(|origin| origin.scheme().is_some()).and_then(Uri::authority);
    from.is_some_and(|from| Some(from.as_str()) == text("host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_pages_of_this_house_send_deeds() {
        for (sent, is_own_page) in [
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")][..], true),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "http://duban:8080"),
                    ("host", "duban:8080"),
                ],
                false,
            ),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://duban:8080"), ("host", "duban:8080")], true),
            (&[("origin", "http://evil"), ("host", "duban:8080")], false),
            (&[("origin", "null"), ("host", "null")], false),
            (&[("host", "duban:8080")], false),
        ] {
            assert_eq!(is_own(&headers(sent)), is_own_page, "{sent:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers(&[("cookie", "a=1; duban_session=xyz;duban_language=en")]);
        assert_eq!(cookie(&sent, SESSION), Some("xyz"));
        assert_eq!(lang(&sent), Lang::English);
        assert_eq!(cookie(&sent, "duban"), None);
    }
}
