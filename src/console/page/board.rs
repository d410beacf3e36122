//! `/board`: every agency or district with what is open, due and overdue; beside it what happens
//! tonight if nobody acts. Each figure opens its list.

use axum::response::Response;
use duban_core::time::Instant;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::asked::Asked;
use crate::console::part::light::{self, Light};
use crate::console::part::{number, when};
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// Lines beside the board: those to which tonight brings most.
const WORST: usize = 8;

/// What the lines of the board are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Agency,
    District,
}

impl By {
    fn named(lang: Lang, word: &str) -> Result<Self, Told> {
        match word {
            "" | "agency" => Ok(Self::Agency),
            "district" => Ok(Self::District),
            _ => Err(Told::unknown_filter(lang)),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::District => "district",
        }
    }
}

#[derive(Deserialize)]
struct Board {
    at: Instant,
    lines: Vec<Line>,
    total: Counts,
}

#[derive(Deserialize)]
struct Line {
    code: Option<String>,
    name: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Clone, Copy, Deserialize)]
struct Counts {
    open: u64,
    due_today: u64,
    due_next_working_day: u64,
    overdue: u64,
    returned: u64,
    in_appeal: u64,
    estimated: u64,
    turns_yellow: u64,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = async {
        asked.only(visit.lang, &["by"])?;
        body(&visit, By::named(visit.lang, asked.one("by"))?).await
    };
    let body = body.await;
    visit.page(visit.lang.of("看板", "Board"), body)
}

async fn body(visit: &Visit, by: By) -> Result<Markup, Told> {
    let tonight = when::end_of_day(visit.me.at);
    let board = format!("/v1/board?by={}", by.word());
    let board: Board = visit.ask.get(&board).await?;
    let lang = visit.lang;
    Ok(html! {
        div.hidden { h1 { (lang.of("看板", "Board")) } }
        div id="figures" data-live { (figures(lang, board.total)) }
        div.columns {
            section.panel id="lines" data-live { (lines(lang, by, &board)) }
            div.stack {
                section.panel id="tonight" data-live { (tonight_at(lang, by, tonight, &board)) }
            }
        }
    })
}

fn figures(lang: Lang, total: Counts) -> Markup {
    let figure = |name: &str, count: u64, list: &str, lit: Option<Light>| {
        html! {
            a.panel.figure href=(list) {
                header { span { (name) } @if let Some(lit) = lit { (light::light(lang, lit)) } }
                b { (count) }
            }
        }
    };
    html! {
        div.figures {
            (figure(lang.of("在办", "Open"), total.open, "/tickets?status=open", None))
            (figure(lang.of("今日到期", "Due today"), total.due_today, "/tickets?due=today", Some(Light::Yellow)))
            (figure(lang.of("已超期", "Overdue"), total.overdue, "/tickets?due=over", Some(Light::Red)))
            (figure(lang.of("退单待审", "Returns to decide"), total.returned, "/tickets?step=return_requested", None))
            (figure(lang.of("复核申请期内", "In appeal"), total.in_appeal, "/tickets?window=appeal_window", None))
        }
    }
}

fn lines(lang: Lang, by: By, board: &Board) -> Markup {
    let row = |line: &Line| {
        let of = line.code.as_deref().unwrap_or("none");
        let list = |filter: &str| format!("/tickets?{}={of}&{filter}", by.word());
        let counts = line.counts;
        html! {
            tr {
                th scope="row" {
                    @match (&line.name, &line.code) {
                        (Some(name), _) => { a href=(list("status=open")) { (name) } }
                        (None, Some(code)) => { a href=(list("status=open")) { (code) } }
                        (None, None) if by == By::District => { a href=(list("status=open")) { (lang.of("无区划", "No district")) } }
                        (None, None) => { a href=(list("status=open")) { (lang.of("尚未转办", "Not dispatched yet")) } }
                    }
                }
                td.number { (number::count(counts.open, &list("status=open"))) }
                td.number { (number::lit(lang, counts.due_today, &list("due=today"), Light::Yellow)) }
                td.number { (number::count(counts.due_next_working_day, &list("due=next"))) }
                td.number { (number::lit(lang, counts.overdue, &list("due=over"), Light::Red)) }
                td.number { (number::count(counts.returned, &list("step=return_requested"))) }
                td.number { (number::count(counts.in_appeal, &list("window=appeal_window"))) }
                td.number { (number::count(counts.estimated, &list("certainty=estimated"))) }
            }
        }
    };
    let other = match by {
        By::Agency => ("/board?by=district", lang.of("按区", "By district")),
        By::District => ("/board", lang.of("按单位", "By agency")),
    };
    html! {
        header {
            h2 { @match by {
                By::Agency => { (lang.of("各单位", "Agencies")) }
                By::District => { (lang.of("各区", "Districts")) }
            } }
            div.right {
                small { (when::minute(lang, board.at)) }
                a href=(other.0) { (other.1) }
                (sheet::links(lang, "board", &format!("by={}", by.word())))
            }
        }
        div.scroll tabindex="0" role="region" aria-label=(lang.of("各单位件数", "Counts")) {
            table {
                thead { tr {
                    th scope="col" { @if by == By::District { (lang.of("区", "District")) } @else { (lang.of("单位", "Agency")) } }
                    @for name in [
                        lang.of("在办", "Open"),
                        lang.of("今日到期", "Due today"),
                        lang.of("次一工作日", "Next working day"),
                        lang.of("已超期", "Overdue"),
                        lang.of("退单", "Returns"),
                        lang.of("复核期", "In appeal"),
                        lang.of("预计", "Estimated"),
                    ] { th.number scope="col" { (name) } }
                } }
                tbody { @for line in &board.lines { (row(line)) } }
            }
        }
        @if board.lines.is_empty() { p.dim { (lang.of("没有在办的工单。", "No open tickets.")) } }
    }
}

fn tonight_at(lang: Lang, by: By, tonight: Instant, board: &Board) -> Markup {
    let mut worst: Vec<&Line> = board
        .lines
        .iter()
        .filter(|line| line.code.is_some() && line.counts.due_today > 0)
        .collect();
    worst.sort_by_key(|line| std::cmp::Reverse(line.counts.due_today));
    let total = board.total;
    html! {
        header {
            h2 { (lang.of("今晚 24:00", "Tonight at 24:00")) }
            small { (lang.of("若无人办理", "If nobody acts")) }
            div.right { small { (when::end(lang, tonight)) } }
        }
        table { tbody {
            tr {
                td { (light::light(lang, Light::Yellow)) }
                td.number { (number::count(total.turns_yellow, "/tonight?light=yellow")) }
            }
            tr {
                td { (light::light(lang, Light::Red)) }
                td.number { (number::count(total.due_today, "/tonight?light=red")) }
            }
            @for line in worst.iter().take(WORST) {
                @let code = line.code.as_deref().unwrap_or("none");
                tr {
                    td { (line.name.as_deref().unwrap_or(code)) }
                    td.number {
                        @let list = format!("/tonight?light=red&{}={code}", by.word());
                        (number::lit(lang, line.counts.due_today, &list, Light::Red))
                    }
                }
            }
        } }
    }
}
