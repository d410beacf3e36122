//! The way in and out, and the choice of a language. Must never repeat a token, nor say what is wrong
//! with one; a way on leads to a page of this house alone.

use std::net::{IpAddr, SocketAddr};

use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::asked::Asked;
use super::told::Told;
use super::visit::{LANGUAGE, SESSION, Visit, cookie, lang};
use super::words::Lang;
use super::{Console, layout, part};
use crate::access::{IDLE_MS, LONGEST_MS, Refused};

#[derive(Deserialize)]
pub(super) struct Entering {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn get(
    State(console): State<Console>,
    headers: HeaderMap,
    asked: Asked,
) -> Markup {
    let is_inside = match cookie(&headers, SESSION) {
        Some(secret) => matches!(console.door.inside(secret, false).await, Ok(Some(_))),
        None => false,
    };
    page(lang(&headers), asked.one("next"), None, is_inside)
}

pub(super) async fn enter(
    State(console): State<Console>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(Entering { token, next }): Form<Entering>,
) -> Response {
    let lang = lang(&headers);
    let refused =
        match console.door.enter(&token, source(peer.ip(), &headers, &console.proxies)).await {
            Ok(entered) => {
                // Whoever comes in anew leaves what he was before.
                if let Some(before) = cookie(&headers, SESSION) {
                    let _ = console.door.leave(before).await;
                }
                let mut response = Redirect::to(within(&next)).into_response();
                keep(&mut response, &headers, SESSION, &entered.secret, LONGEST_MS / 1_000);
                return response;
            }
            Err(refused) => refused,
        };
    let (status, said) = match refused {
        Refused::Wrong(left) => (
            StatusCode::UNAUTHORIZED,
            match lang {
                Lang::Chinese => format!("令牌无效、已过期或已吊销。还可以再试 {left} 次。"),
                Lang::English => {
                    format!("This token does not count, or no longer. {left} more tries.")
                }
            },
        ),
        Refused::Locked(until) => {
            let until = part::when::minute(lang, until);
            (
                StatusCode::TOO_MANY_REQUESTS,
                match lang {
                    Lang::Chinese => format!("失败次数过多，{until} 之前不能从本机地址登录。"),
                    Lang::English => {
                        format!("Too many failures: nobody comes in from here before {until}.")
                    }
                },
            )
        }
        Refused::Store(_) => {
            let told = Told::unavailable(lang);
            (told.status(), told.detail)
        }
    };
    (status, page(lang, &next, Some(&said), false)).into_response()
}

pub(super) async fn leave(
    State(console): State<Console>,
    headers: HeaderMap,
    visit: Visit,
) -> Response {
    // From an older page too: whoever wants to go is let go.
    if let Some(secret) = cookie(&headers, SESSION)
        && console.door.leave(secret).await.is_err()
    {
        return visit.page("", Err(Told::unavailable(visit.lang)));
    }
    let mut response = Redirect::to("/sign-in").into_response();
    keep(&mut response, &headers, SESSION, "", 0);
    response
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    lang: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn language(headers: HeaderMap, Form(chosen): Form<Chosen>) -> Response {
    let mut response = Redirect::to(within(&chosen.next)).into_response();
    if let Some(lang) = Lang::tagged(&chosen.lang) {
        keep(&mut response, &headers, LANGUAGE, lang.tag(), 365 * 86_400);
    }
    response
}

/// The page on which somebody comes in.
fn page(lang: Lang, next: &str, said: Option<&str>, is_inside: bool) -> Markup {
    let minutes = IDLE_MS / 60_000;
    let body = html! {
        section.panel.door {
            h1 { "督办" }
            p.dim { (lang.of("政务服务差评工单督办 · 深圳 12345", "Bad reviews of government services, supervised · Shenzhen 12345")) }
            form.enter method="post" action="/sign-in" data-inside[is_inside] {
                @if is_inside {
                    p { (lang.of("您已登录。继续将退出原来的身份，改用这个令牌。", "You are signed in. Going on, you become whoever this token is.")) }
                }
                @if let Some(said) = said { p.fault role="alert" { (said) } }
                label for="token" { (lang.of("个人访问令牌", "Personal access token")) }
                input id="token" name="token" type="password" autocomplete="current-password" required autofocus
                    placeholder="duban_…";
                input type="hidden" name="next" value=(next);
                button.main { (lang.of("登录", "Sign in")) }
                small {
                    @match lang {
                        Lang::Chinese => { "令牌由安全管理员签发。" (minutes) " 分钟不操作自动退出。" }
                        Lang::English => { "A security administrator issues tokens. After " (minutes) " idle minutes you are signed out." }
                    }
                }
            }
        }
    };
    layout::bare(lang, lang.of("登录", "Sign in"), &body)
}

/// Where somebody comes from: the last address of the way that is none of our own proxies. What others
/// say of themselves does not count.
fn source(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let is_ours = |address: &IpAddr| proxies.contains(&address.to_canonical());
    // Some proxies name the port as well.
    let address = |text: &str| {
        let with_port = || text.parse::<SocketAddr>().map(|one| one.ip());
        text.parse::<IpAddr>().or_else(|_| with_port()).ok()
    };
    let mut source = peer.to_canonical();
    let told = headers.get_all("x-forwarded-for").into_iter();
    let told: Vec<&str> =
        told.filter_map(|one| one.to_str().ok()).flat_map(|one| one.split(',')).collect();
    for one in told.iter().rev() {
        if !is_ours(&source) {
            break;
        }
        let Some(before) = address(one.trim()) else { break };
        source = before.to_canonical();
    }
    source
}

/// A place in this house; the beginning where it is another's.
fn within(next: &str) -> &str {
    // Browsers leave out tabs and the like, and what is left may name another host.
    let is_odd = |letter: char| letter == '\\' || letter.is_control();
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.contains(is_odd);
    if is_path { next } else { "/" }
}

/// Lets the browser hold something, which no script can read and no other site can use.
fn keep(response: &mut Response, headers: &HeaderMap, name: &str, value: &str, seconds: i64) {
    let forwarded = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    // The first of several is what the browser spoke.
    let first = forwarded.and_then(|all| all.split(',').next()).map(str::trim);
    let secure = if first == Some("https") { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{source, within};

    #[test]
    fn only_our_own_proxies_tell_where_somebody_comes_from() {
        let at = |text: &str| text.parse().expect("an address");
        let proxies = [at("10.0.0.5"), at("10.0.0.6")];
        for (peer, told, is) in [
            ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
            ("::ffff:10.0.0.5", "1.1.1.1, 203.0.113.7, 10.0.0.6", "203.0.113.7"),
            ("10.0.0.5", "203.0.113.7:51234", "203.0.113.7"),
            ("10.0.0.5", "[2001:db8::7]:51234", "2001:db8::7"),
            ("10.0.0.5", "nobody", "10.0.0.5"),
            ("10.0.0.5", "", "10.0.0.5"),
            ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", told.parse().expect("a value"));
            assert_eq!(source(at(peer), &headers, &proxies), at(is), "{peer} {told}");
        }
    }

    #[test]
    fn a_way_on_stays_in_the_house() {
        for next in ["/board?light=red", "/"] {
            assert_eq!(within(next), next);
        }
        for next in ["", "//evil", "https://evil", "/\\evil", "board", "/a\r\nb", "/\t/evil"] {
            assert_eq!(within(next), "/");
        }
    }
}
