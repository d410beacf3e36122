//! Instants, civil days and the zone between them. Must never ask what time it is.

use std::fmt;
use std::str::FromStr;

use crate::echo::echo;
use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The zone of the calendar unless a definition names another: one zone for all of China.
pub const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;

/// The first and last civil year that duban computes in. Beyond them every input is refused as a
/// slip of the pen rather than computed.
pub const YEARS: std::ops::RangeInclusive<i32> = 2000..=2099;

const DAY_MS: i64 = 86_400_000;

/// The first instant of [`YEARS`] in China, and the one with which they end: 2099-12-31 24:00 is
/// still a due instant that must be read back.
const FIRST_MS: i64 = 946_656_000_000;
const LAST_MS: i64 = 4_102_416_000_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 with +08:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Before every other.
    pub const MIN: Self = Self(i64::MIN);

    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Its minute as people say it, in China: `2026-03-10 10:20`.
    #[must_use]
    pub fn said(self) -> String {
        self.to_string()[..16].replace('T', " ")
    }

    /// The beginning of its minute.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(60_000)))
    }

    /// This instant moved by `ms` milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// All that is written carries China's offset.
const WRITTEN_OFFSET_MS: i64 = 8 * 3_600_000;

/// Writes a number with leading zeros. By hand, because every event carries a handful of instants.
fn digits(into: &mut [u8], mut number: u32) {
    for place in into.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.saturating_add(WRITTEN_OFFSET_MS);
        let day = i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
        let ms = u32::try_from(local.rem_euclid(DAY_MS)).unwrap_or_default();
        let mut text = *b"0000-00-00T00:00:00.000";
        Day(day).write(&mut text[..10]);
        digits(&mut text[11..13], ms / 3_600_000);
        digits(&mut text[14..16], ms / 60_000 % 60);
        digits(&mut text[17..19], ms / 1000 % 60);
        digits(&mut text[20..23], ms % 1000);
        let end = if ms.is_multiple_of(1000) { 19 } else { 23 };
        let mut whole = [0; 29];
        whole[..end].copy_from_slice(&text[..end]);
        whole[end..end + 6].copy_from_slice(b"+08:00");
        f.pad(std::str::from_utf8(&whole[..end + 6]).unwrap_or_default())
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Instant {
    type Err = String;

    /// RFC 3339 with an offset; digits finer than a millisecond are cut.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = DateTime::parse_from_rfc3339(text).ok().filter(|_| is_plain(text));
        let parsed = parsed.ok_or_else(|| misread(text))?;
        let ms = parsed.timestamp_millis();
        if (FIRST_MS..=LAST_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err(format!(
                "时刻超出范围：“{}”；年份应在 {} 至 {} 之间",
                echo(text),
                YEARS.start(),
                YEARS.end()
            ))
        }
    }
}

/// Whether a time is written with the signs of every keyboard, and no second is the sixty-first.
fn is_plain(text: &str) -> bool {
    text.is_ascii() && text.get(17..19) != Some("60")
}

/// What is wrong with something that is no instant.
fn misread(text: &str) -> String {
    const WHOLE: &str = "应写明日期、时间和时区，例如 2026-02-13T16:30:00+08:00";
    if text.trim().is_empty() {
        return format!("未写时间；{WHOLE}");
    }
    let is_full_width = |one: char| matches!(one, '\u{2212}' | '\u{ff01}'..='\u{ff5e}');
    let why = match text.split_once(['T', 't', ' ']) {
        Some((day, clock)) if clock.contains('\u{2212}') && day.is_ascii() => {
            "时区的正负号应为半角的 + 或 -".to_owned()
        }
        _ if text.chars().any(is_full_width) => format!("数字和符号应为半角；{WHOLE}"),
        Some((day, clock)) if is_shaped(day) => {
            let wrong = wrong_day(day).or_else(|| wrong_clock(clock).map(str::to_owned));
            wrong.unwrap_or_else(|| WHOLE.to_owned())
        }
        _ => WHOLE.to_owned(),
    };
    format!("时间有误：“{}”；{why}", echo(text))
}

/// What is wrong with a time of day and its zone, where that can be told.
fn wrong_clock(text: &str) -> Option<&'static str> {
    let (clock, zone) = text.find(['Z', 'z', '+', '-']).map_or((text, ""), |at| text.split_at(at));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let is_number = |part: &&str| part.len() == 2 && part.bytes().all(|one| one.is_ascii_digit());
    if !parts.iter().all(is_number) || fraction.is_empty() {
        return None;
    }
    match parts[..] {
        ["24", ..] => Some("24:00 应写作次日 00:00"),
        [hour, ..] if hour > "23" => Some("小时应为 00 至 23"),
        [_, minute, ..] if minute > "59" => Some("分钟应为 00 至 59"),
        [_, _, second] if second > "59" => Some("秒应为 00 至 59"),
        [_, _] if zone.is_empty() => Some("缺少秒和时区，例如 16:30:00+08:00"),
        [_, _] => Some("缺少秒，例如 16:30:00"),
        [_, _, _] if zone.is_empty() => Some("缺少时区；北京时间写 +08:00，例如 16:30:00+08:00"),
        [_, _, _] => Some("时区应写作 +08:00"),
        _ => None,
    }
}

/// What is wrong with something that is no day.
fn no_day(text: &str) -> String {
    const WHOLE: &str = "应写作年-月-日，例如 2026-02-14";
    if text.trim().is_empty() {
        return format!("未写日期；{WHOLE}");
    }
    let why = wrong_day(text).unwrap_or_else(|| WHOLE.to_owned());
    format!("日期有误：“{}”；{why}", echo(text))
}

/// Whether a text has the shape of a day.
fn is_shaped(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, one)| match place {
            4 | 7 => one == b'-',
            _ => one.is_ascii_digit(),
        })
}

/// What the calendar lacks of a day that is written as one.
fn wrong_day(text: &str) -> Option<String> {
    let part = |from: usize, to: usize| {
        text.get(from..to).filter(|_| is_shaped(text))?.parse::<u32>().ok()
    };
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    if !(1..=12).contains(&month) {
        return Some(format!("没有 {month} 月"));
    }
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, 1)?;
    let is_there = first.with_day(day).is_some();
    (!is_there).then(|| format!("{year} 年 {month} 月没有 {day} 日"))
}

/// Text for people; the bare number in binary snapshots, most of which are times.
impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A civil day: days since 1970-01-01. Written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// From days since 1970-01-01.
    #[must_use]
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The civil day of a year, month and day of the month, if there is one.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from_date)
    }

    /// The day as chrono writes it.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).unwrap_or_default()
    }

    /// The day of chrono's date.
    #[must_use]
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date.to_epoch_days())
    }

    /// The civil year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.date().weekday()
    }

    /// Writes the ten bytes of `YYYY-MM-DD`.
    fn write(self, into: &mut [u8]) {
        let date = self.date();
        digits(&mut into[..4], date.year().unsigned_abs());
        digits(&mut into[5..7], date.month());
        digits(&mut into[8..10], date.day());
    }

    /// This day moved by `days` natural days.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"0000-00-00";
        self.write(&mut text);
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = text.len() == 10 && text.bytes().filter(|b| *b == b'-').count() == 2;
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| shaped)
            .ok_or_else(|| no_day(text))?;
        if YEARS.contains(&date.year()) {
            Ok(Self::from_date(date))
        } else {
            Err(format!(
                "日期超出范围：“{}”；年份应在 {} 至 {} 之间",
                echo(text),
                YEARS.start(),
                YEARS.end()
            ))
        }
    }
}

/// Text for people; the bare number in binary snapshots, most of which are times.
impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i32::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The offsets of a zone over [`YEARS`], so that the civil day of an instant and the start of a
/// civil day are a lookup. A zone without clock changes (China since 1991) costs one addition.
#[derive(Clone, Debug)]
pub struct Zone {
    /// (first instant, offset in milliseconds), ascending; never empty.
    offsets: Vec<(Instant, i64)>,
}

impl Zone {
    /// Reads the offsets of a zone out of the embedded zone database.
    #[must_use]
    pub fn new(tz: Tz) -> Self {
        let offset_ms = |ms: i64| {
            let utc = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
            let local = tz.from_utc_datetime(&utc.naive_utc()).naive_local();
            local.and_utc().timestamp_millis() - ms
        };
        let first = Day::from_ymd(*YEARS.start() - 1, 1, 1).map_or(0, Day::number);
        let last = Day::from_ymd(*YEARS.end() + 2, 1, 1).map_or(0, Day::number);
        let mut known = i64::from(first) * DAY_MS;
        let mut offsets = vec![(Instant(known), offset_ms(known))];
        for day in first + 1..=last {
            let mut high = i64::from(day) * DAY_MS;
            let now = offset_ms(high);
            if offset_ms(known) != now {
                let mut low = known;
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if offset_ms(middle) == now {
                        high = middle;
                    } else {
                        low = middle;
                    }
                }
                offsets.push((Instant(high), now));
            }
            known = i64::from(day) * DAY_MS;
        }
        Self { offsets }
    }

    #[inline]
    fn offset_ms(&self, at: Instant) -> i64 {
        if let [(_, only)] = self.offsets[..] {
            return only;
        }
        let after = self.offsets.partition_point(|(from, _)| *from <= at);
        self.offsets[after.saturating_sub(1)].1
    }

    /// The civil day of an instant in this zone.
    #[must_use]
    #[inline]
    pub fn day_of(&self, at: Instant) -> Day {
        let local = at.0 + self.offset_ms(at);
        // Truncation safety: an i64 of milliseconds holds fewer days than an i32 can count
        // within the years that inputs may name.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        Day(local.div_euclid(DAY_MS) as i32)
    }

    /// The first instant of a civil day in this zone.
    #[must_use]
    #[inline]
    pub fn start_of(&self, day: Day) -> Instant {
        let midnight = i64::from(day.0) * DAY_MS;
        let guess = Instant(midnight - self.offset_ms(Instant(midnight)));
        Instant(midnight - self.offset_ms(guess))
    }

    /// Milliseconds since the civil midnight before `at`.
    #[must_use]
    pub fn ms_of_day(&self, at: Instant) -> i64 {
        (at.0 + self.offset_ms(at)).rem_euclid(DAY_MS)
    }
}
