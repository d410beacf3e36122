//! `duban deadline`: when a period ends, one or a batch of them. Must never guess in silence.

mod batch;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::{CalendarFlags, Ended, Failure, knowledge, not_known, pretty_json, print, text};
use duban_core::calendar::{
    Certainty, Due, ESTIMATE_ASSUMES, ESTIMATE_OMITS, Edition, ExplainedDay, Explanation, Reason,
    Unit, Within,
};
use duban_core::time::{Day, Instant, YEARS};

#[derive(clap::Args)]
pub(super) struct Deadline {
    /// 收到的时刻（RFC 3339，带时区），例如 2026-02-13T16:30:00+08:00；当日不计
    #[arg(long, value_name = "时刻", required_unless_present = "batch")]
    #[arg(value_parser = str::parse::<Instant>)]
    received: Option<Instant>,
    /// 期限：10wd（工作日）、7d（自然日）、24h（小时）；倒推写负数，例如 -3wd
    #[arg(long, value_name = "期限", required_unless_present = "batch")]
    #[arg(allow_hyphen_values = true, value_parser = str::parse::<Within>)]
    within: Option<Within>,
    /// 末日为休息日的，顺延至下一工作日（只用于自然日）
    #[arg(long)]
    roll: bool,
    /// 只用此日（含）以前已公布的放假通知；不写则用日历中的全部通知
    #[arg(long, value_name = "日期", value_parser = str::parse::<Day>)]
    known_on: Option<Day>,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    /// 逐日说明哪天计入、哪天不计、依据哪份通知
    #[arg(long)]
    explain: bool,
    /// 批量：从文件（不写或写 - 则从标准输入）读 JSON 行
    /// {"received","within","known_on"?,"roll"?}，逐行输出结果；有一行不对则全部不输出
    #[arg(long, value_name = "文件")]
    #[arg(conflicts_with_all = ["received", "within", "roll", "known_on", "json", "explain"])]
    #[arg(num_args = 0..=1, default_missing_value = "-")]
    batch: Option<PathBuf>,
    #[command(flatten)]
    calendars: CalendarFlags,
}

/// A due date as programs read it.
#[derive(Serialize)]
struct Answer<'a> {
    due_date: Day,
    due_at: Instant,
    certainty: Certainty,
    missing_years: &'a [i32],
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<&'a [ExplainedDay]>,
}

impl<'a> Answer<'a> {
    fn new(due: &'a Due, days: Option<&'a [ExplainedDay]>) -> Self {
        let Due { day, at, certainty, missing_years } = due;
        Self { due_date: *day, due_at: *at, certainty: *certainty, missing_years, days }
    }
}

impl Deadline {
    pub(super) fn run(self) -> Ended {
        if let Some(file) = self.batch {
            return batch::run(&file, &self.calendars.calendar()?);
        }
        let (Some(start), Some(within)) = (self.received, self.within) else {
            return Err(Failure::Input("缺少参数：--received、--within".to_owned()));
        };
        let within = if self.roll {
            within.rolled().map_err(|why| Failure::Input(format!("--roll：{why}")))?
        } else {
            within
        };
        let calendar = self.calendars.calendar()?;
        let known_on = self.known_on;
        let edition = known_on.map_or_else(|| calendar.latest(), |day| calendar.known_on(day));
        let year = edition.zone().day_of(start).year();
        if !YEARS.contains(&year) {
            let (first, last) = (YEARS.start(), YEARS.end());
            let says = format!("--received：收到时间超出范围：年份应在 {first} 至 {last} 之间");
            return Err(Failure::Input(says));
        }
        let explained = edition
            .explain(start, within)
            .ok_or_else(|| Failure::Input(format!("--within：{}", out_of_range(within))))?;
        if self.json {
            let days = self.explain.then_some(explained.days.as_slice());
            return print(&pretty_json(&Answer::new(&explained.due, days))?);
        }
        let mut out = told(&explained, edition, known_on);
        if self.explain {
            out.push_str(&walk(&explained, known_on));
        }
        print(&out)
    }
}

fn out_of_range(within: Within) -> String {
    let (first, last) = (YEARS.start(), YEARS.end());
    let end = if within.amount < 0 { "倒推至的日期" } else { "到期日" };
    format!("{}的{end}超出范围：年份应在 {first} 至 {last} 之间", within.said())
}

fn told(explained: &Explanation, edition: &Edition, known_on: Option<Day>) -> String {
    let Explanation { start, within, due, .. } = explained;
    let received = edition.zone().day_of(*start);
    let counted = if within.unit == Unit::Hours { "" } else { "，当日不计" };
    let (direction, day, at) = if within.amount < 0 {
        ("倒推 ", "倒推至", "起点")
    } else {
        ("", "到期日", "截止")
    };
    let start = clock(edition, *start);
    let amount = within.amount.unsigned_abs();
    let lines = [
        ("收到", format!("{start}（{}）{counted}", text::weekday(received.weekday()))),
        ("期限", format!("{direction}{amount} {}", within.unit.title())),
        (day, format!("{}（{}）", due.day, text::weekday(due.day.weekday()))),
        (at, end(edition, *within, due)),
        ("结果", sureness(due, known_on)),
        ("依据", relied_on(explained)),
        ("所用通知", knowledge(known_on, edition.published())),
    ];
    let mut out = String::new();
    for (head, body) in lines.iter().filter(|(_, body)| !body.is_empty()) {
        let _ = writeln!(out, "{}{body}", text::padded(head, 10));
    }
    out
}

/// The notices by which the days were counted.
fn relied_on(explained: &Explanation) -> String {
    let mut numbers: Vec<&str> = Vec::new();
    for number in explained.days.iter().filter_map(|day| day.notice.as_deref()) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers.join("、")
}

/// An instant as a person says it: the minute, with seconds where there are any.
fn clock(edition: &Edition, at: Instant) -> String {
    let seconds = edition.zone().ms_of_day(at) / 1_000;
    let day = edition.zone().day_of(at);
    let mut clock = format!("{day} {:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    if seconds % 60 != 0 {
        let _ = write!(clock, ":{:02}", seconds % 60);
    }
    clock
}

/// The end as officials say it, and from when on something is late.
fn end(edition: &Edition, within: Within, due: &Due) -> String {
    let at = clock(edition, due.at);
    if within.amount < 0 {
        return at;
    }
    let is_midnight = edition.zone().ms_of_day(due.at) == 0;
    let end = if is_midnight { format!("{} 24:00", due.day) } else { at.clone() };
    format!("{end}（{at} 及以后办理的，即为超期）")
}

fn sureness(due: &Due, known_on: Option<Day>) -> String {
    let title = due.certainty.title();
    let years: Vec<String> = due.missing_years.iter().map(ToString::to_string).collect();
    match due.certainty {
        Certainty::Firm => title.to_owned(),
        Certainty::Provisional => {
            format!("{title}：下一年的放假通知尚未公布，可能调整12月26日以后的安排")
        }
        Certainty::Estimated => format!(
            "{title}：{}，{ESTIMATE_ASSUMES}，\
             {ESTIMATE_OMITS}，通知公布后重新计算",
            not_known(&years.join("、"), known_on)
        ),
    }
}

fn walk(explained: &Explanation, known_on: Option<Day>) -> String {
    let mut out = "\n逐日说明\n".to_owned();
    for day in &explained.days {
        let number = day.counted.map(|number| format!("第 {number} 日")).unwrap_or_default();
        let notice = match (&day.notice, day.assumed) {
            (_, true) if known_on.is_some() => "推定：当时尚未公布该年的放假通知",
            (_, true) => "推定：日历中没有该年的放假通知",
            (Some(number), _) => number.as_str(),
            (None, _) => "",
        };
        let rolls = explained.within.unit == Unit::NaturalDaysRolled
            && matches!(day.reason, Reason::OffDay { .. } | Reason::Weekend);
        let reason = day.reason.title() + if rolls { "，顺延" } else { "" };
        let line = format!(
            "{}  {}  {}{}{notice}",
            day.day,
            text::weekday(day.day.weekday()),
            text::padded(&number, 10),
            text::padded(&reason, 26),
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
