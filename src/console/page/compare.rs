//! `/compare`: how agencies kept their times, side by side and month by month, as a chart with its table.
//! Must never draw what is not in the table.

use std::collections::BTreeMap;

use axum::response::Response;
use chrono::Datelike;
use duban_core::time::Day;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::asked::Asked;
use crate::console::part::chart::{self, Point};
use crate::console::part::when;
use crate::console::shape::rules::Rules;
use crate::console::sheet;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// Months that are compared at once.
const MONTHS: &[i32] = &[3, 6, 12, 24];
const MONTHS_USUAL: i32 = 6;

#[derive(Deserialize)]
struct Statistics {
    lines: Vec<Figures>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Figures {
    agency: Option<String>,
    agency_name: Option<String>,
    month: String,
    due: u64,
    in_time: u64,
    late: u64,
    overdue: u64,
    yellow_cards: u64,
    red_cards: u64,
}

impl Figures {
    const fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.in_time += other.in_time;
        self.late += other.late;
        self.overdue += other.overdue;
        self.yellow_cards += other.yellow_cards;
        self.red_cards += other.red_cards;
    }

    /// The share that was in time, in tenths of a percent; none where nothing was due.
    fn kept(&self) -> Option<u64> {
        (self.due > 0).then(|| self.in_time * 1_000 / self.due)
    }
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = body(&visit, &asked).await;
    visit.page(visit.lang.of("比较", "Compare"), body)
}

async fn body(visit: &Visit, asked: &Asked) -> Result<Markup, Told> {
    let lang = visit.lang;
    asked.only(lang, &["months", "agency", "district"])?;
    let months = match asked.one("months") {
        "" => MONTHS_USUAL,
        months => {
            let months = months.parse().ok().filter(|months| MONTHS.contains(months));
            months.ok_or_else(|| Told::unknown_filter(lang))?
        }
    };
    let agency = asked.one("agency");
    let until = when::day_of(visit.me.at);
    let from = months_before(until, months).ok_or_else(|| Told::unknown_filter(lang))?;
    let of = asked.some(&["agency", "district"]);
    let query = format!("from={from}&until={until}{of}");
    let path = format!("/v1/statistics?{query}");
    let found = visit.ask.get::<Statistics>(&path);
    let (found, rules) = tokio::join!(found, Rules::of(&visit.ask));
    let (lines, rules) = (found?.lines, rules?);
    let (by_agency, by_month, total) = summed(&lines);
    Ok(html! {
        section.panel {
            header {
                h1 { (lang.of("各单位比较", "Agencies compared")) }
                small { (when::date(lang, from)) " — " (when::date(lang, until)) }
                div.right { (sheet::links(lang, "statistics", &query)) }
            }
            form.filters method="get" action="/compare" {
                label { span { (lang.of("期间", "Time")) }
                    select name="months" {
                        @for one in MONTHS {
                            option value=(one) selected[*one == months] {
                                @match lang { Lang::Chinese => { "近 " (one) " 个月" } Lang::English => { (one) " months" } }
                            }
                        }
                    }
                }
                @if !visit.me.is_agency() {
                    label { span { (lang.of("单位", "Agency")) }
                        select name="agency" {
                            option value="" { (lang.of("全部", "All")) }
                            @for (code, name) in rules.register.agencies() {
                                option value=(code) selected[agency == code] { (name) }
                            }
                        }
                    }
                }
                button.main { (lang.of("查看", "Show")) }
            }
        }
        div.columns {
            section.panel {
                header { h2 { (lang.of("各单位", "Agencies")) } small { (lang.of("按期率低的在前", "the lowest share in time first")) } }
                (agencies(lang, &by_agency, &total, &query_of_months(months)))
            }
            section.panel {
                header { h2 { (lang.of("按期完成率", "Share in time")) } }
                (chart(lang, &by_month))
                (months_table(lang, &by_month))
            }
        }
    })
}

fn query_of_months(months: i32) -> String {
    format!("months={months}")
}

/// The first day of the month so many months before, this one included.
fn months_before(day: Day, months: i32) -> Option<Day> {
    let date = day.date();
    let all = date.year() * 12 + i32::try_from(date.month0()).ok()? - (months - 1);
    Day::from_ymd(all.div_euclid(12), u32::try_from(all.rem_euclid(12)).ok()? + 1, 1)
}

/// By agency, by month, and all together.
fn summed(lines: &[Figures]) -> (Vec<Figures>, BTreeMap<String, Figures>, Figures) {
    let mut agencies: BTreeMap<Option<String>, Figures> = BTreeMap::new();
    let mut months: BTreeMap<String, Figures> = BTreeMap::new();
    let mut total = Figures::default();
    for line in lines {
        let own = agencies.entry(line.agency.clone()).or_default();
        own.add(line);
        own.agency.clone_from(&line.agency);
        own.agency_name.clone_from(&line.agency_name);
        months.entry(line.month.clone()).or_default().add(line);
        total.add(line);
    }
    let mut agencies: Vec<Figures> = agencies.into_values().collect();
    agencies.sort_by_key(|one| (one.kept().unwrap_or(u64::MAX), std::cmp::Reverse(one.due)));
    (agencies, months, total)
}

fn share(figures: &Figures) -> String {
    figures.kept().map_or_else(|| "—".to_owned(), |kept| format!("{}.{}%", kept / 10, kept % 10))
}

fn heads(lang: Lang) -> [&'static str; 7] {
    [
        lang.of("应完成", "Due"),
        lang.of("按期率", "In time"),
        lang.of("按期", "Kept"),
        lang.of("超期完成", "Late"),
        lang.of("超期未完成", "Overdue"),
        lang.of("黄牌", "Yellow"),
        lang.of("红牌", "Red"),
    ]
}

fn cells(figures: &Figures) -> Markup {
    html! {
        td.number { (figures.due) }
        td.number { b { (share(figures)) } }
        td.number { (figures.in_time) }
        td.number { (figures.late) }
        td.number { (figures.overdue) }
        td.number { (figures.yellow_cards) }
        td.number { (figures.red_cards) }
    }
}

fn agencies(lang: Lang, all: &[Figures], total: &Figures, months: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(lang.of("各单位", "Agencies")) {
            table {
                thead { tr {
                    th scope="col" { (lang.of("单位", "Agency")) }
                    @for name in heads(lang) { th.number scope="col" { (name) } }
                } }
                tbody {
                    @for one in all {
                        @let code = one.agency.as_deref().unwrap_or_default();
                        tr {
                            th scope="row" {
                                a href={ "/compare?" (months) "&agency=" (code) } { (one.agency_name.as_deref().unwrap_or(code)) }
                                (chart::bar(one.kept()))
                            }
                            (cells(one))
                        }
                    }
                }
                tfoot { tr { th scope="row" { (lang.of("合计", "Total")) } (cells(total)) } }
            }
        }
        @if all.is_empty() { p.dim { (lang.of("此期间没有到期的时限。", "Nothing fell due.")) } }
    }
}

fn chart(lang: Lang, months: &BTreeMap<String, Figures>) -> Markup {
    let points = months
        .iter()
        .filter_map(|(month, figures)| Some(Point { name: month.clone(), share: figures.kept()? }));
    let points: Vec<Point> = points.collect();
    chart::line(
        lang.of("各月按期完成率，数值见下表", "Share in time by month; figures below"),
        &points,
    )
}

fn months_table(lang: Lang, months: &BTreeMap<String, Figures>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(lang.of("各月", "Months")) {
            table {
                thead { tr {
                    th scope="col" { (lang.of("月份", "Month")) }
                    @for name in heads(lang) { th.number scope="col" { (name) } }
                } }
                tbody { @for (month, figures) in months { tr { th scope="row" { (month) } (cells(figures)) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_with_the_first_and_include_this_one() {
        let day = |text: &str| text.parse::<Day>().expect("a day");
        assert_eq!(months_before(day("2026-03-31"), 3), Some(day("2026-01-01")));
        assert_eq!(months_before(day("2026-03-06"), 6), Some(day("2025-10-01")));
        assert_eq!(months_before(day("2026-12-31"), 12), Some(day("2026-01-01")));
    }
}
