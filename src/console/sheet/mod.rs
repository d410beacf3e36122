//! Every list as a file: CSV and XLSX, out of what the API answers to whoever asks, page after page.
//! Must never hold a column that the list in the API does not, nor a cell that a spreadsheet would run.

mod lists;
mod write;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::ask::segment;
use super::part::{class, effect, party, role, when};
use super::shape::rules::Rules;
use super::told::Told;
use super::visit::Visit;
use super::words::Lang;
use lists::{Column, Holds, List};

/// Rows of a file; whoever needs more narrows the list.
const ROWS_MAX: usize = 20_000;

/// Rows that are asked for at once.
const PAGE: u64 = 200;

/// A list with its rows as texts.
struct Sheet {
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

enum Cell {
    Text(String),
    Number(f64),
}

/// The links to both files of a list, with the filters of the API.
pub(super) fn links(lang: Lang, list: &str, query: &str) -> Markup {
    // A file is of the whole list, from whatever page of it.
    let whole: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("cursor=")).collect();
    let query = whole.join("&");
    html! {
        span.export {
            (lang.of("导出 ", "Export "))
            a href={ "/export/" (list) ".csv?" (query) } { "CSV" } " "
            a href={ "/export/" (list) ".xlsx?" (query) } { "XLSX" }
        }
    }
}

/// `GET /export/{name}`: `tickets.csv`, `cards.xlsx`.
pub(super) async fn get(
    visit: Visit,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let unknown = || visit.page(&name, Err(Told::nowhere(visit.lang)));
    let Some((stem, ending)) = name.rsplit_once('.') else { return unknown() };
    let Some(list) = List::named(stem) else { return unknown() };
    let write = match ending {
        "csv" => write::csv,
        "xlsx" => write::xlsx,
        _ => return unknown(),
    };
    let sheet = match Sheet::of(&visit, list, query.as_deref().unwrap_or_default()).await {
        Ok(sheet) => sheet,
        Err(told) => return visit.page(&name, Err(told)),
    };
    // A large file keeps nobody else waiting.
    let bytes = tokio::task::spawn_blocking(move || write(&sheet)).await;
    let Ok(Some(bytes)) = bytes else {
        return visit.page(&name, Err(Told::fault(visit.lang)));
    };
    let kind = match ending {
        "csv" => "text/csv; charset=utf-8",
        _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let shown = format!("attachment; filename=\"{stem}-{}.{ending}\"", when::day_of(visit.me.at));
    let shown = HeaderValue::from_str(&shown);
    let shown = shown.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static(kind);
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, shown)], bytes).into_response()
}

impl Sheet {
    async fn of(visit: &Visit, list: &List, query: &str) -> Result<Self, Told> {
        let (lang, rules) = (visit.lang, Rules::of(&visit.ask).await?);
        // What the list is of is no filter of somebody's.
        let fixed =
            |name: &str| list.of.split('&').any(|pair| pair.split('=').next() == Some(name));
        let own = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && !fixed(name)
        });
        let own = own.chain(Some(list.of).filter(|of| !of.is_empty()));
        let query = own.collect::<Vec<_>>().join("&");
        let limit = visit.ask.limit(PAGE);
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = if list.has_pages {
                format!("{}?limit={limit}&{query}{cursor}", list.path)
            } else {
                format!("{}?{query}", list.path)
            };
            let page: Value = visit.ask.get(&path).await?;
            let found = page[list.key].as_array().map(Vec::as_slice).unwrap_or_default();
            rows.extend(found.iter().map(|row| cells(lang, &rules, list.columns, row)));
            // A row that is not there would be taken for a ticket that is not there.
            let hidden = page["unreadable"].as_array().map(Vec::as_slice).unwrap_or_default();
            rows.extend(hidden.iter().filter_map(Value::as_str).map(|number| {
                let says = [number, lang.of("暂时读不出", "cannot be read")].into_iter();
                let says = says.chain(std::iter::repeat("")).take(list.columns.len());
                says.map(|text| Cell::Text(text.to_owned())).collect()
            }));
            match page["next"].as_str() {
                Some(next) if rows.len() < ROWS_MAX => {
                    cursor = format!("&cursor={}", segment(next));
                }
                Some(_) => return Err(Told::too_many(lang, ROWS_MAX)),
                None => break,
            }
        }
        let columns = list.columns.iter().map(|one| lang.of(one.chinese, one.english)).collect();
        Ok(Self { title: lang.of(list.chinese, list.english).to_owned(), columns, rows })
    }
}

fn cells(lang: Lang, rules: &Rules, columns: &[Column], row: &Value) -> Vec<Cell> {
    columns.iter().map(|column| cell(lang, rules, column, row)).collect()
}

fn cell(lang: Lang, rules: &Rules, column: &Column, row: &Value) -> Cell {
    let value = row.pointer(column.pointer).unwrap_or(&Value::Null);
    if let Some(number) = value.as_f64() {
        return Cell::Number(number);
    }
    let text = value.as_str().unwrap_or_default();
    let says = match column.holds {
        Holds::Text => match value {
            Value::Array(all) => {
                all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("、")
            }
            _ => text.to_owned(),
        },
        Holds::Moment => text.parse().map(when::sortable).unwrap_or_default(),
        Holds::End => text.parse().map(when::sortable_end).unwrap_or_default(),
        Holds::Agency => rules.agency(text).to_owned(),
        Holds::Class => class::title(lang, text).to_owned(),
        Holds::Party => party::title(lang, text).to_owned(),
        Holds::District => rules.district(text).to_owned(),
        Holds::Words(words) => {
            let found = words.iter().find(|(word, ..)| *word == text);
            found.map_or(text, |(_, chinese, english)| lang.of(chinese, english)).to_owned()
        }
        Holds::Role => role::title(lang, text).to_owned(),
        Holds::Effect => effect::title(lang, text).to_owned(),
        Holds::Destination => party::destination(lang, rules, text),
        Holds::Line if text.is_empty() => lang.of("（无）", "(none)").to_owned(),
        Holds::Line => text.to_owned(),
        Holds::Owed => lists::owed(row),
    };
    Cell::Text(says)
}
