//! `/calendar`: a year as a grid of days, with the notices that arrange it. Must never show a day that
//! was assumed as if a notice said so.

use axum::response::Response;
use chrono::Datelike;
use duban_core::time::Day;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::asked::Asked;
use crate::console::part::when;
use crate::console::shape::days::{Days, Work};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

#[derive(Deserialize)]
struct Calendars {
    years: Vec<Year>,
}

#[derive(Deserialize)]
struct Year {
    year: i32,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Notice {
    title: String,
    number: String,
    published: Day,
    url: String,
}

/// What a year comes to.
#[derive(Deserialize)]
struct Summary {
    published: bool,
    working_days: u32,
}

pub(in crate::console) async fn get(visit: Visit, asked: Asked) -> Response {
    let body = async {
        asked.only(visit.lang, &["year"])?;
        let year = match asked.one("year") {
            "" => when::day_of(visit.me.at).year(),
            year => year.parse().map_err(|_| Told::unknown_filter(visit.lang))?,
        };
        body(&visit, year).await
    };
    let body = body.await;
    visit.page(visit.lang.of("日历", "Calendar"), body)
}

async fn body(visit: &Visit, year: i32) -> Result<Markup, Told> {
    let path = format!("/v1/calendars/{year}");
    let summary: Summary = visit.ask.get(&path).await?;
    let first = Day::from_ymd(year, 1, 1).ok_or_else(|| Told::unknown_filter(visit.lang))?;
    let (days, known) = tokio::join!(
        Days::between(&visit.ask, first, first),
        visit.ask.get::<Calendars>("/v1/calendars")
    );
    let (days, known) = (days?, known?);
    let (lang, today) = (visit.lang, when::day_of(visit.me.at));
    let notices = known.years.iter().find(|one| one.year == year);
    Ok(html! {
        section.panel {
            header {
                h1 { (title(lang, year)) }
                @if summary.published { small { (counted(lang, summary.working_days)) } }
                @else if year < today.year() { span.tag { (lang.of("未收录这一年的放假通知，按休息日和法定节假日推定", "its notice is not on file: assumed")) } }
                @else { span.tag { (lang.of("放假通知尚未公布，按休息日和法定节假日推定", "no notice yet: assumed")) } }
                div.right {
                    a href={ "/calendar?year=" (year - 1) } { "← " (year - 1) }
                    a href={ "/calendar?year=" (year + 1) } { (year + 1) " →" }
                }
            }
            small.keys {
                i.key.off {} (lang.of("休息日", "day off")) " "
                i.key.makeup {} (lang.of("调休上班", "make-up day")) " "
                i.key.today {} (lang.of("今天", "today"))
            }
            div.year {
                @for month in 1..=12 { (grid(lang, &days, year, month, today)) }
            }
        }
        section.panel {
            header { h2 { (lang.of("放假通知", "Notices")) } }
            table { tbody {
                @for notice in notices.into_iter().flat_map(|one| &one.notices) {
                    tr {
                        th scope="row" { (notice.number) }
                        td { a href=(notice.url) rel="noreferrer" { (notice.title) } }
                        td { (when::date(lang, notice.published)) (lang.of(" 公布", "")) }
                    }
                }
            } }
            @if notices.is_none() { p.dim { (if year < today.year() { lang.of("没有收录这一年的通知。", "None of this year is on file.") } else { lang.of("这一年还没有通知。", "There is none for this year yet.") }) } }
            p.dim { (lang.of("已收录：", "Known: "))
                @for one in &known.years { a href={ "/calendar?year=" (one.year) } { (one.year) } " " }
            }
        }
    })
}

fn title(lang: Lang, year: i32) -> String {
    match lang {
        Lang::Chinese => format!("{year} 年工作日历"),
        Lang::English => format!("Working calendar of {year}"),
    }
}

fn counted(lang: Lang, days: u32) -> String {
    match lang {
        Lang::Chinese => format!("共 {days} 个工作日"),
        Lang::English => format!("{days} working days"),
    }
}

fn grid(lang: Lang, days: &Days, year: i32, month: u32, today: Day) -> Markup {
    let Some(first) = Day::from_ymd(year, month, 1) else { return html! {} };
    let before = i32::try_from(first.date().weekday().num_days_from_monday()).unwrap_or_default();
    let all = (0..31).map(|place| first.plus(place)).filter(|day| day.date().month() == month);
    let cells: Vec<Option<Day>> = (0..before).map(|_| None).chain(all.map(Some)).collect();
    html! {
        table.month {
            caption { @match lang { Lang::Chinese => { (month) "月" } Lang::English => { (first.date().format("%B").to_string()) } } }
            thead { tr {
                @for place in 0..7 { th scope="col" { (weekday(lang, place)) } }
            } }
            tbody {
                @for week in cells.chunks(7) {
                    tr { @for cell in week { (day(lang, days, *cell, today)) } }
                }
            }
        }
    }
}

/// The first letters of the days of a week.
fn weekday(lang: Lang, place: usize) -> &'static str {
    let (chinese, english) =
        (["一", "二", "三", "四", "五", "六", "日"], ["M", "T", "W", "T", "F", "S", "S"]);
    match lang {
        Lang::Chinese => chinese.get(place),
        Lang::English => english.get(place),
    }
    .copied()
    .unwrap_or_default()
}

fn day(lang: Lang, days: &Days, cell: Option<Day>, today: Day) -> Markup {
    let Some(day) = cell else { return html! { td {} } };
    let (work, named) = (days.work(day), days.named(day));
    let class = match work {
        Work::Ordinary => "",
        Work::MakeUp => "makeup",
        Work::Weekend | Work::Holiday => "off",
    };
    let says = named.map(|named| {
        let notice = named.notice.as_deref().unwrap_or(lang.of("推定", "assumed"));
        format!("{} {notice}", named.holiday)
    });
    let mark = match work {
        Work::MakeUp => lang.of("班", "w"),
        Work::Holiday => lang.of("休", "off"),
        Work::Ordinary | Work::Weekend => "",
    };
    html! {
        td class=(class) title=[says] aria-current=[(day == today).then_some("date")] {
            (day.date().day())
            @if !mark.is_empty() { small { (mark) } }
        }
    }
}
