//! What all pages share: the bar on top, ways in and out, what is said when there is nothing to show.
//! Must never show a way that the one who looks may not go.

use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::told::Told;
use super::visit::{Me, Visit};
use super::words::Lang;
use super::{asset, part};

/// A way that leads to a page, for those who may call something.
struct Way {
    path: &'static str,
    chinese: &'static str,
    english: &'static str,
    needs: &'static str,
}

/// Who brings evidence works on tickets; auditors only conclude from outside.
const ACTS: &str = "POST /v1/tickets/{ticket_no}/attachments";

const WAYS: &[Way] = &[
    way("/desk", "待办", "To do", ACTS),
    way("/board", "看板", "Board", "GET /v1/board"),
    way("/tickets", "工单", "Tickets", "GET /v1/tickets"),
    way("/tonight", "今晚到期", "Tonight", "GET /v1/forecast"),
    way("/registers/cards", "登记册", "Registers", "GET /v1/cards"),
    way("/compare", "比较", "Compare", "GET /v1/statistics"),
    way("/incidents", "异常", "Incidents", "GET /v1/incidents"),
    way("/outbox", "消息", "Messages", "GET /v1/outbox"),
    way("/nodes", "节点", "Nodes", "GET /v1/nodes"),
    way("/tokens", "令牌", "Tokens", "GET /v1/tokens"),
    way("/calendar", "日历", "Calendar", "GET /v1/calendars"),
    way("/workflows", "工作流", "Workflows", "GET /v1/workflows"),
];

const fn way(
    path: &'static str,
    chinese: &'static str,
    english: &'static str,
    needs: &'static str,
) -> Way {
    Way { path, chinese, english, needs }
}

/// What a search asks for.
const SEARCH: &str = "GET /v1/tickets";

/// Where somebody begins: who watches all of them with the board, the others with what they owe.
pub(super) fn home(me: &Me) -> &'static str {
    let watches = me.role == "supervisor" && me.may("GET /v1/board");
    let first = || WAYS.iter().find(|way| me.may(way.needs)).map(|way| way.path);
    // The rules are everybody's.
    if watches { "/board" } else { first().unwrap_or("/calendar") }
}

/// A page for somebody who has come in.
pub(super) fn page(visit: &Visit, title: &str, body: &Markup) -> Markup {
    let (lang, me) = (visit.lang, &visit.me);
    let ways = WAYS.iter().filter(|way| me.may(way.needs));
    let is_here = |way: &Way| {
        let root = way.path.trim_end_matches("/cards");
        visit.here.path().starts_with(root)
    };
    let bar = html! {
        a.skip href="#content" { (lang.of("跳到正文", "Skip to content")) }
        header.top {
            a.house href="/" { "督办" small { (lang.of("深圳 12345", "Shenzhen 12345")) } }
            nav aria-label=(lang.of("主导航", "Main")) {
                @for way in ways {
                    a href=(way.path) aria-current=[is_here(way).then_some("page")] {
                        (lang.of(way.chinese, way.english))
                    }
                }
            }
            @if me.may(SEARCH) {
                form.seek method="get" action="/tickets" role="search" {
                    input type="search" name="q" maxlength="64" aria-label=(lang.of("查找工单", "Find tickets"))
                        placeholder=(lang.of("工单编号、单位…  按 /", "Number, agency…  press /"));
                }
            }
            div.who {
                // Shown by pages that are.
                span.live hidden data-state="off" data-on=(lang.of("实时", "Live")) data-off=(lang.of("已断开，请刷新", "Not live: reload")) { i {} span {} }
                @if me.simulated {
                    span.tag title=(lang.of("演示：时钟由接口拨动", "Demonstration: the clock is moved by hand")) {
                        (part::when::minute(lang, me.at))
                    }
                }
                span { (whose(lang, me)) }
                (language(visit, lang))
                form method="post" action="/sign-out" {
                    (part::form::seal(visit))
                    button.link { (lang.of("退出", "Sign out")) }
                }
            }
        }
        main id="content" { (body) }
    };
    document(lang, title, Some(&me.subject), &bar)
}

/// A page for anybody.
pub(super) fn bare(lang: Lang, title: &str, body: &Markup) -> Markup {
    document(lang, title, None, &html! { main id="content" { (body) } })
}

/// Why there is no page, for anybody.
pub(super) fn alone(lang: Lang, told: &Told) -> Response {
    (told.status(), bare(lang, told.title(lang), &trouble(lang, told))).into_response()
}

fn document(lang: Lang, title: &str, who: Option<&str>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · 督办" }
                link rel="icon" href=(asset::sign());
                link rel="stylesheet" href=(asset::style());
                script src=(asset::script()) defer {}
            }
            body data-who=[who] { (body) }
        }
    }
}

/// Who somebody is: in whose name and for whom.
fn whose(lang: Lang, me: &Me) -> String {
    let role = lang.of(me.role_title.as_str(), me.role.as_str());
    let bound = me.agency_name.as_ref().or(me.district_name.as_ref());
    match bound {
        Some(bound) => format!("{role} · {bound} · {}", me.subject),
        None => format!("{role} · {}", me.subject),
    }
}

fn language(visit: &Visit, lang: Lang) -> Markup {
    let (other, name) = lang.other();
    html! {
        form method="post" action="/language" {
            (part::form::seal(visit))
            input type="hidden" name="lang" value=(other.tag());
            input type="hidden" name="next" value=(visit.here.path_and_query().map_or("/", |here| here.as_str()));
            button.link lang=(other.tag()) { (name) }
        }
    }
}

/// Why there is nothing to see, and what to do.
pub(super) fn trouble(lang: Lang, told: &Told) -> Markup {
    html! {
        section.panel.said.wrong {
            h1 { (told.title(lang)) }
            p { (told.detail) }
            @for fault in &told.errors { p.fault { (fault.message) } }
            p { a href="/" { (lang.of("回到首页", "Back to the beginning")) } }
        }
    }
}
