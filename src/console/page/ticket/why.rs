//! `/tickets/{number}/why/{deadline}`: why a deadline ends on its day, day by day, with the notice that
//! says so, what changed it, and the articles. Must never count by itself.

use axum::extract::Path;
use axum::response::Response;
use duban_core::time::{Day, Instant};
use maud::{Markup, html};
use serde::Deserialize;

use super::path;
use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::{basis, when};
use crate::console::visit::Visit;
use crate::console::words::Lang;

#[derive(Deserialize)]
struct Explanation {
    title: String,
    within: String,
    starts_at: Instant,
    due_at: Instant,
    certainty: String,
    missing_years: Vec<i32>,
    known_on: Option<Day>,
    extended_to: Option<Day>,
    basis: Vec<Article>,
    days: Vec<Walked>,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Article {
    basis: String,
    title: String,
    text: String,
}

#[derive(Deserialize)]
struct Walked {
    day: Day,
    counted: Option<i32>,
    reason: Reason,
    notice: Option<String>,
    assumed: bool,
}

#[derive(Deserialize)]
struct Reason {
    kind: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Change {
    reason: String,
    at: Instant,
    from: Instant,
    to: Instant,
}

pub(in crate::console) async fn get(
    visit: Visit,
    Path((number, deadline)): Path<(String, String)>,
    asked: Asked,
) -> Response {
    let then = asked.some(&["as_of"]).replacen('&', "?", 1);
    let address = format!("{}/deadlines/{}/explanation{then}", path(&number), segment(&deadline));
    let found = async {
        asked.only(visit.lang, &["as_of"])?;
        visit.ask.get::<Explanation>(&address).await
    };
    let found = found.await;
    let title = visit.lang.of("为何这天？", "Why this day?");
    visit.page(title, found.map(|found| show(visit.lang, (&number, &then), &found)))
}

fn show(lang: Lang, (number, then): (&str, &str), found: &Explanation) -> Markup {
    html! {
        section.panel {
            small { a href={ "/tickets/" (number) (then) } { (number) } " / " (lang.of("为何这天？", "Why this day?")) }
            h1 { (found.title) "：" (when::end(lang, found.due_at)) }
            p.facts {
                span { (within(lang, &found.within)) }
                span {
                    @match lang {
                        Lang::Chinese => { "自 " (when::moment(lang, found.starts_at)) " 起算" }
                        Lang::English => { "from " (when::moment(lang, found.starts_at)) }
                    }
                }
                @if found.certainty == "estimated" {
                    span.tag { (lang.of("预计", "Estimated")) }
                    @for year in &found.missing_years {
                        span {
                            @match lang {
                                Lang::Chinese => { (year) " 年放假通知尚未公布，公布后自动重算" }
                                Lang::English => { "no notice for " (year) " yet; computed anew when there is" }
                            }
                        }
                    }
                }
                @if let Some(day) = found.extended_to {
                    span { (lang.of("经批准延至 ", "extended to ")) (when::date(lang, day)) }
                }
                @if let Some(day) = found.known_on {
                    small { (lang.of("所用通知公布至 ", "by notices published up to ")) (when::date(lang, day)) }
                }
            }
        }
        div.columns {
            section.panel {
                header { h2 { (lang.of("逐日计算", "Day by day")) } }
                (walk(lang, &found.days))
            }
            div.stack {
                @if !found.changes.is_empty() { (changes(lang, &found.changes)) }
                @for one in &found.basis {
                    section.panel {
                        header { h2 { (basis::title(lang, &one.basis)) } small { (one.title) } }
                        @for line in one.text.lines() { p { (line) } }
                    }
                }
            }
        }
    }
}

fn walk(lang: Lang, days: &[Walked]) -> Markup {
    html! {
        table.walk {
            thead { tr {
                th scope="col" { (lang.of("日期", "Day")) }
                th.number scope="col" { (lang.of("第几个工作日", "Counts as")) }
                th scope="col" { (lang.of("说明", "Why")) }
                th scope="col" { (lang.of("依据", "Notice")) }
            } }
            tbody {
                @for one in days {
                    tr class=(if one.counted.is_some() { "counted" } else { "off" }) {
                        th scope="row" { (when::date(lang, one.day)) " " (when::weekday_of(lang, one.day)) }
                        td.number {
                            @match one.counted { Some(place) => { b { (place) } } None => { "—" } }
                        }
                        td { (reason(lang, &one.reason)) @if one.assumed { " " span.tag { (lang.of("推定", "assumed")) } } }
                        td { small { (one.notice.as_deref().unwrap_or_default()) } }
                    }
                }
            }
        }
        @if days.is_empty() { p.dim { (lang.of("这个时限不按日计算。", "This one is not counted in days.")) } }
    }
}

fn changes(lang: Lang, changes: &[Change]) -> Markup {
    html! {
        section.panel {
            header { h2 { (lang.of("变更", "Changes")) } }
            table { tbody {
                @for change in changes {
                    tr {
                        td { (changed(lang, &change.reason)) }
                        td {
                            @if change.from != change.to { (when::end(lang, change.from)) " → " }
                            (when::end(lang, change.to))
                        }
                        td { small { (when::moment(lang, change.at)) } }
                    }
                }
            } }
        }
    }
}

fn within(lang: Lang, within: &str) -> String {
    let unit = |ending: &str| within.strip_suffix(ending);
    match lang {
        Lang::Chinese => match (unit("wd"), unit("d+roll"), unit("d"), unit("h")) {
            (Some(count), ..) => format!("{count} 个工作日"),
            (_, Some(count), ..) => format!("{count} 日（遇休息日顺延）"),
            (_, _, Some(count), _) => format!("{count} 日"),
            (.., Some(count)) => format!("{count} 小时"),
            _ => within.to_owned(),
        },
        Lang::English => match (unit("wd"), unit("d+roll"), unit("d"), unit("h")) {
            (Some(count), ..) => format!("{count} working days"),
            (_, Some(count), ..) => format!("{count} days, rolled off days off"),
            (_, _, Some(count), _) => format!("{count} days"),
            (.., Some(count)) => format!("{count} hours"),
            _ => within.to_owned(),
        },
    }
}

fn reason(lang: Lang, reason: &Reason) -> String {
    let name = reason.name.as_deref().unwrap_or_default();
    match (reason.kind.as_str(), lang) {
        ("received", _) => {
            lang.of("起算当日，不计", "the day of the start does not count").to_owned()
        }
        ("weekday", _) => lang.of("工作日", "working day").to_owned(),
        ("weekend", _) => lang.of("休息日", "weekend").to_owned(),
        ("make_up", Lang::Chinese) => format!("{name}调休上班"),
        ("make_up", Lang::English) => format!("made up for {name}"),
        ("off_day", Lang::Chinese) => format!("{name}放假"),
        ("off_day", Lang::English) => format!("day off for {name}"),
        ("natural_day", _) => lang.of("自然日", "natural day").to_owned(),
        ("elapsed", _) => lang.of("按小时计", "counted in hours").to_owned(),
        (other, _) => other.to_owned(),
    }
}

fn changed(lang: Lang, reason: &str) -> &str {
    match reason {
        "extension" => lang.of("延期", "Extended"),
        "calendar" => lang.of("日历更新", "Calendar changed"),
        "refused" => lang.of("反馈退回", "Feedback refused"),
        "resumed" => lang.of("恢复计时", "Resumed"),
        "reclassified" => lang.of("变更类别", "Reclassified"),
        other => other,
    }
}
