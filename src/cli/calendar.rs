//! `duban calendar show|check`: the calendar as people read it. Must never show an assumed year
//! as a published one.

mod grid;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;

use serde::Serialize;

use super::{
    CalendarFlags, Ended, Failure, knowledge, listed, not_known, pretty_json, print, print_as_is,
    source, text,
};
use crate::catalog;
use duban_core::calendar::{Arrangement, ESTIMATE_ASSUMES, ESTIMATE_OMITS, Edition, Notice, Year};
use duban_core::echo::echo;
use duban_core::time::{Day, YEARS};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 查看一年的日历：放假、调休上班、每月工作日数和所依据的通知
    Show(Show),
    /// 检查日历文件：列出收录的年份和全部错误
    Check(Check),
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::Show(show) => show.run(),
            Self::Check(check) => check.run(),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Show {
    /// 年份；不写则为有通知的最近一年
    #[arg(value_name = "年份", value_parser = year)]
    year: Option<i32>,
    /// 只用此日（含）以前已公布的放假通知；不写则用日历中的全部通知
    #[arg(long, value_name = "日期", value_parser = str::parse::<Day>)]
    known_on: Option<Day>,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    calendars: CalendarFlags,
}

fn year(text: &str) -> Result<i32, String> {
    let year = text.parse().ok().filter(|year| YEARS.contains(year));
    let (first, last) = (YEARS.start(), YEARS.end());
    year.ok_or_else(|| format!("年份应在 {first} 至 {last} 之间，却是“{}”", echo(text)))
}

impl Show {
    fn run(self) -> Ended {
        let calendar = self.calendars.calendar()?;
        let edition = match self.known_on {
            Some(day) => calendar.known_on(day),
            None => calendar.latest(),
        };
        let newest = || YEARS.rev().find(|year| edition.covers(*year));
        let year = self.year.or_else(newest).ok_or_else(|| {
            let known = match self.known_on {
                Some(day) => format!("截至 {day} 尚无已公布的放假通知"),
                None => "日历中没有放假通知".to_owned(),
            };
            Failure::Input(format!("{known}；请写明年份"))
        })?;
        if self.json {
            return print(&pretty_json(&Shown::new(edition, year, self.known_on))?);
        }
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = std::io::stdout().is_terminal() && !no_colour;
        let mut out = format!("{year} 年工作日历\n");
        let _ = writeln!(out, "所用通知：{}", knowledge(self.known_on, edition.published()));
        if !edition.covers(year) {
            let _ = writeln!(
                out,
                "注意：{}，以下为推定：{ESTIMATE_ASSUMES}，{ESTIMATE_OMITS}",
                not_known(&year.to_string(), self.known_on)
            );
        }
        out.push('\n');
        out.push_str(&grid::year(edition, year, colour));
        let total: i32 = (1..=12).map(|month| grid::working_days(edition, year, month)).sum();
        let _ = writeln!(out, "全年 {total} 个工作日。“休”为放假，“班”为调休上班。");
        for notice in notices_of(edition, year) {
            out.push_str(&text::printable(&told(notice)));
        }
        // The colours of the days are ours.
        print_as_is(&out)
    }
}

fn told(notice: &Notice) -> String {
    let Notice { title, dated, published, url, .. } = notice;
    let mut out = format!("\n{title}\n  {dated} 成文，{published} 公布\n  {url}\n");
    for line in &notice.text {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// The notices that arrange the year, and those of the next that name its December.
fn notices_of(edition: &Edition, year: i32) -> Vec<&Notice> {
    let named: Vec<&str> = days_of(year)
        .filter_map(|day| edition.named(day))
        .map(|named| named.notice.number.as_str())
        .collect();
    let notices = edition.notices().iter().map(AsRef::as_ref);
    notices
        .filter(|notice| notice.year == year || named.contains(&notice.number.as_str()))
        .collect()
}

fn days_of(year: i32) -> impl Iterator<Item = Day> {
    let ends = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
    let (first, last) = ends.map_or((0, -1), |(first, last)| (first.number(), last.number()));
    (first..=last).map(Day::from_number)
}

/// A year as programs read it.
#[derive(Serialize)]
struct Shown<'a> {
    year: i32,
    known_on: Option<Day>,
    published: Option<Day>,
    covered: bool,
    working_days: i32,
    working_days_by_month: Vec<i32>,
    off_days: Vec<ShownDay>,
    make_up_days: Vec<ShownDay>,
    notices: Vec<ShownNotice<'a>>,
}

#[derive(Serialize)]
struct ShownDay {
    day: Day,
    name: String,
    /// The number of the notice; nothing for an assumed day.
    notice: Option<String>,
}

#[derive(Serialize)]
struct ShownNotice<'a> {
    year: i32,
    title: &'a str,
    number: &'a str,
    dated: Day,
    published: Day,
    url: &'a str,
    text: &'a [String],
}

impl<'a> Shown<'a> {
    fn new(edition: &'a Edition, year: i32, known_on: Option<Day>) -> Self {
        let (mut off_days, mut make_up_days) = (Vec::new(), Vec::new());
        for day in days_of(year) {
            if let Some(named) = edition.named(day) {
                let notice = Some(named.notice.number.clone());
                let shown = ShownDay { day, name: named.name.to_string(), notice };
                if named.off { &mut off_days } else { &mut make_up_days }.push(shown);
            } else if let Some(name) = edition.assumed_holiday(day) {
                off_days.push(ShownDay { day, name: name.to_string(), notice: None });
            }
        }
        let by_month = (1..=12).map(|month| grid::working_days(edition, year, month));
        let working_days_by_month: Vec<i32> = by_month.collect();
        let notices = notices_of(edition, year).into_iter().map(|notice| ShownNotice {
            year: notice.year,
            title: &notice.title,
            number: &notice.number,
            dated: notice.dated,
            published: notice.published,
            url: &notice.url,
            text: &notice.text,
        });
        Self {
            year,
            known_on,
            published: edition.published(),
            covered: edition.covers(year),
            working_days: working_days_by_month.iter().sum(),
            working_days_by_month,
            off_days,
            make_up_days,
            notices: notices.collect(),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Check {
    /// 日历文件所在目录；不写则检查内置的
    #[arg(value_name = "目录")]
    folder: Option<PathBuf>,
}

impl Check {
    fn run(self) -> Ended {
        let reading = catalog::calendars::read(&source(self.folder))?;
        if reading.faults.is_empty() {
            return print(&format!("{}未发现错误。\n", covered(&reading.years)));
        }
        Err(listed::faults(&reading.faults, &[]))
    }
}

fn covered(years: &[Year]) -> String {
    const COLUMNS: [usize; 5] = [6, 26, 12, 10, 14];
    let row = |cells: [&str; 6]| {
        let [.., last] = cells;
        let padded = cells.iter().zip(COLUMNS).map(|(cell, columns)| text::padded(cell, columns));
        let line = padded.collect::<String>() + last;
        line.trim_end().to_owned() + "\n"
    };
    let sorted: BTreeMap<i32, &Year> = years.iter().map(|year| (year.year(), year)).collect();
    let mut out = row(["年份", "文号", "公布日期", "放假天数", "调休上班天数", "后续通知"]);
    for (number, year) in &sorted {
        let last = year.arrangements().map(|one| one.notice.published).max();
        let days = year.in_force(last);
        let off = days.values().filter(|named| named.off).count();
        let amendments: Vec<String> = year.amendments().iter().map(told_shortly).collect();
        let notice = &year.base().notice;
        out.push_str(&row([
            &number.to_string(),
            &notice.number,
            &notice.published.to_string(),
            &off.to_string(),
            &(days.len() - off).to_string(),
            &amendments.join("；"),
        ]));
    }
    let ends = sorted.first_key_value().zip(sorted.last_key_value());
    let gaps: Vec<String> = ends
        .map(|((first, _), (last, _))| (*first..=*last).filter(|year| !sorted.contains_key(year)))
        .into_iter()
        .flatten()
        .map(|year| format!("{year} 年"))
        .collect();
    if !gaps.is_empty() {
        let _ = writeln!(out, "其间未收录：{}", gaps.join("、"));
    }
    let notices: usize = years.iter().map(|year| year.arrangements().count()).sum();
    let _ = writeln!(out, "共 {} 年、{notices} 份通知。", sorted.len());
    out
}

fn told_shortly(change: &Arrangement) -> String {
    format!("{}（{} 公布）", change.notice.number, change.notice.published)
}
