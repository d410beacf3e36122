//! `/tokens`: who may come in and call: issued, shown once, revoked. Must never show a token again.

use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use duban_core::role::Role;
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::done;
use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::layout;
use crate::console::part::form::{Sealed, is_sealed, seal};
use crate::console::part::{role, when};
use crate::console::shape::rules::Rules;
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;
use crate::crypto;

const ISSUE: &str = "POST /v1/tokens";

#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<Token>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    id: String,
    subject: String,
    role: String,
    agency: Option<String>,
    district: Option<String>,
    expires_at: Instant,
    revoked_at: Option<Instant>,
    valid: bool,
}

#[derive(Deserialize)]
struct Issued {
    token: Option<String>,
}

#[derive(Default, Deserialize)]
pub(in crate::console) struct New {
    #[serde(default)]
    seal: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    agency: String,
    #[serde(default)]
    district: String,
    #[serde(default)]
    key: String,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = async {
        asked.only(visit.lang, &["cursor"])?;
        body(&visit, &asked.some(&["cursor"]), &New::default()).await
    };
    let body = body.await;
    visit.page(visit.lang.of("令牌", "Tokens"), body)
}

pub(in crate::console) async fn issue(visit: Visit, Form(new): Form<New>) -> Response {
    if !is_sealed(&visit, &new.seal) {
        return visit.foreign();
    }
    let title = visit.lang.of("令牌", "Tokens");
    let mut asked = json!({"role": new.role, "subject": new.subject});
    for (name, value) in [("agency", &new.agency), ("district", &new.district)] {
        if !value.is_empty() {
            asked[name] = json!(value);
        }
    }
    let headers = [("idempotency-key", new.key.clone())];
    let issued = visit.ask.post_with::<Issued>("/v1/tokens", &headers, &asked).await;
    let (status, said, again) = match &issued {
        Ok(issued) => (StatusCode::OK, once(&visit, issued), New::default()),
        // What may have been issued all the same is not issued twice.
        Err(told) => {
            let key = if told.is_passing() { new.key.clone() } else { String::new() };
            (told.status(), refused(visit.lang, told), New { key, ..new })
        }
    };
    // A token is shown this once, whatever becomes of the list below it.
    let list = body(&visit, "", &again).await;
    let list = list.unwrap_or_else(|told| layout::trouble(visit.lang, &told));
    let mut response = visit.page(title, Ok(html! { (said) (list) }));
    *response.status_mut() = status;
    response
}

pub(in crate::console) async fn revoke(
    visit: Visit,
    Path(id): Path<String>,
    Form(sealed): Form<Sealed>,
) -> Response {
    if !sealed.is_of(&visit) {
        return visit.foreign();
    }
    let revoked = visit.ask.delete(&format!("/v1/tokens/{}", segment(&id))).await;
    done(&visit, visit.lang.of("令牌", "Tokens"), "/tokens", revoked)
}

/// Why none was issued.
fn refused(lang: Lang, told: &Told) -> Markup {
    html! {
        div.said.wrong role="alert" id="refused" tabindex="-1" {
            p { b { (told.title(lang)) } "：" (told.detail) }
            @for fault in &told.errors { p { (fault.message) } }
        }
    }
}

async fn body(visit: &Visit, cursor: &str, new: &New) -> Result<Markup, Told> {
    let path = format!("/v1/tokens?limit={}{cursor}", visit.ask.limit(100));
    let found = visit.ask.get::<Tokens>(&path);
    let (found, rules) = tokio::join!(found, Rules::of(&visit.ask));
    let (found, rules, lang) = (found?, rules?, visit.lang);
    Ok(html! {
        @if visit.me.may(ISSUE) { (form(visit, &rules, new)) }
        section.panel {
            header { h1 { (lang.of("令牌", "Tokens")) } small { (lang.of("吊销立即生效，已登录的随之退出", "Revoked at once, with all sessions that came in by it")) } div.right { (sheet::links(lang, "tokens", "")) } }
            div.scroll tabindex="0" role="region" aria-label=(lang.of("令牌", "Tokens")) {
                table {
                    thead { tr {
                        @for name in [
                            lang.of("使用者", "Subject"), lang.of("角色", "Role"), lang.of("单位或区划", "Agency or district"),
                            lang.of("失效", "Expires"), lang.of("状态", "State"), lang.of("操作", "Action"),
                        ] { th scope="col" { (name) } }
                    } }
                    tbody { @for one in &found.tokens { (row(visit, &rules, one)) } }
                }
            }
            @if let Some(next) = &found.next {
                div.foot { span {} a.button href={ "/tokens?cursor=" (segment(next)) } { (lang.of("下一页", "Next page")) } }
            }
        }
    })
}

/// The token itself, this once.
fn once(visit: &Visit, issued: &Issued) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel.said.done role="status" {
            @match &issued.token {
                Some(token) => {
                    p { (lang.of("令牌只显示这一次，请立即交给使用者：", "Shown this once; hand it over now:")) }
                    p { code { (token) } }
                }
                None => { p { (lang.of("这次签发已经办过，令牌不再显示；遗失的请吊销后重新签发。", "It was issued before and is not shown again; revoke it if it was lost.")) } }
            }
        }
    }
}

fn form(visit: &Visit, rules: &Rules, new: &New) -> Markup {
    let lang = visit.lang;
    let roles = Role::ALL.iter().filter(|role| **role != Role::System);
    let key = if new.key.is_empty() { crypto::identity().to_string() } else { new.key.clone() };
    html! {
        section.panel {
            header { h2 { (lang.of("签发", "Issue")) } }
            form.filters method="post" action="/tokens" data-once {
                (seal(visit))
                input type="hidden" name="key" value=(key);
                label { span { (lang.of("使用者代号", "Subject")) }
                    input name="subject" required maxlength="40" pattern="[A-Za-z0-9_.\\-]+" value=(new.subject); }
                label { span { (lang.of("角色", "Role")) }
                    select name="role" required {
                        @for role in roles { option value=(role.word()) selected[new.role == role.word()] { (lang.of(role.title(), role.word())) } }
                    }
                }
                label { span { (lang.of("单位（承办单位角色必填）", "Agency (for agencies)")) }
                    select name="agency" {
                        option value="" { "—" }
                        @for (code, name) in rules.register.agencies() { option value=(code) selected[new.agency == code] { (name) } }
                    }
                }
                label { span { (lang.of("只管一区（可不填）", "One district only")) }
                    select name="district" {
                        option value="" { "—" }
                        @for (code, name) in rules.register.districts() { option value=(code) selected[new.district == code] { (name) } }
                    }
                }
                button.main { (lang.of("签发", "Issue")) }
            }
        }
    }
}

fn row(visit: &Visit, rules: &Rules, one: &Token) -> Markup {
    let lang = visit.lang;
    html! {
        tr {
            th scope="row" { (one.subject) }
            td { (role::title(lang, &one.role)) }
            td {
                @if let Some(agency) = &one.agency { (rules.agency(agency)) }
                @if let Some(district) = &one.district { (rules.district(district)) }
            }
            td { (when::date(lang, when::day_of(one.expires_at))) }
            td {
                @match (one.valid, one.revoked_at) {
                    (true, _) => { (lang.of("有效", "Valid")) }
                    (_, Some(at)) => { (lang.of("已吊销 ", "Revoked ")) small { (when::minute(lang, at)) } }
                    (false, None) => { (lang.of("已过期", "Expired")) }
                }
            }
            td.number {
                @if one.valid && visit.me.may(ISSUE) {
                    form method="post" action={ "/tokens/" (one.id) } data-once { (seal(visit)) button { (lang.of("吊销", "Revoke")) } }
                }
            }
        }
    }
}
