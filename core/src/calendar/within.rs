//! A period of time as rules give it: so many working days, natural days or hours. Must never
//! accept an amount that no rule could mean.

use std::fmt;

use crate::echo::echo;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount, in either direction: ten years of days. No rule reaches so far; what does
/// is a slip of the pen.
pub const AMOUNT_MAX: i32 = 3_660;

/// What a period is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// 工作日: working days by the calendar.
    WorkingDays,
    /// 自然日: days as they come.
    NaturalDays,
    /// 自然日, where a last day off gives way to the next working day (民法典第二百零三条).
    NaturalDaysRolled,
    /// 小时: hours from the instant.
    Hours,
}

impl Unit {
    /// The Chinese word for it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::WorkingDays => "个工作日",
            Self::NaturalDays => "个自然日",
            Self::NaturalDaysRolled => "个自然日（末日为休息日的，顺延至下一工作日）",
            Self::Hours => "小时",
        }
    }
}

/// A period, written `10wd`, `7d`, `7d+roll`, `24h` or, backwards, `-3wd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Within {
    /// How many; below zero counts backwards.
    pub amount: i32,
    /// Of what.
    pub unit: Unit,
}

impl Within {
    /// The same period whose last day, if it is off, gives way to the next working day.
    ///
    /// # Errors
    /// A Chinese sentence if this is not a number of natural days counted forwards.
    pub fn rolled(self) -> Result<Self, String> {
        match self.unit {
            Unit::NaturalDays | Unit::NaturalDaysRolled if self.amount > 0 => {
                Ok(Self { unit: Unit::NaturalDaysRolled, ..self })
            }
            Unit::NaturalDays | Unit::NaturalDaysRolled => {
                Err(format!("倒推的期限不能顺延：“{self}”；只有向后计算的自然日可以顺延"))
            }
            Unit::WorkingDays | Unit::Hours => {
                Err(format!("“{self}”不能顺延：只有自然日（例如 7d）可以顺延"))
            }
        }
    }
}

impl Within {
    /// As officials say it: 10 个工作日.
    #[must_use]
    pub fn said(self) -> String {
        let back = if self.amount < 0 { "倒推 " } else { "" };
        format!("{back}{} {}", self.amount.unsigned_abs(), self.unit.title())
    }
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (plain, roll) = text.strip_suffix("+roll").map_or((text, false), |rest| (rest, true));
        let (digits, unit) = if let Some(digits) = plain.strip_suffix("wd") {
            (digits, Unit::WorkingDays)
        } else if let Some(digits) = plain.strip_suffix('d') {
            (digits, Unit::NaturalDays)
        } else if let Some(digits) = plain.strip_suffix('h') {
            (digits, Unit::Hours)
        } else {
            return Err(misspelt(text));
        };
        let bare = digits.strip_prefix('-').unwrap_or(digits);
        if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(misspelt(text));
        }
        let amount = digits
            .parse::<i32>()
            .ok()
            .filter(|amount| *amount != 0 && (-AMOUNT_MAX..=AMOUNT_MAX).contains(amount));
        let amount = amount.ok_or_else(|| {
            format!(
                "期限的数量超出范围：“{}”；应为 1 至 {AMOUNT_MAX}（倒推写负数），不能为 0",
                echo(text)
            )
        })?;
        let within = Self { amount, unit };
        if roll { within.rolled() } else { Ok(within) }
    }
}

fn misspelt(text: &str) -> String {
    if text.trim().is_empty() {
        return format!("未写期限；{FORMS}");
    }
    if text.contains('\u{2212}') {
        return format!("期限有误：“{}”；负号应为半角的 -", echo(text));
    }
    format!("期限有误：“{}”；{FORMS}", echo(text))
}

const FORMS: &str = "应写作 10wd（工作日）、7d（自然日）或 24h（小时），倒推写 -3wd";

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.unit {
            Unit::WorkingDays => "wd",
            Unit::NaturalDays => "d",
            Unit::NaturalDaysRolled => "d+roll",
            Unit::Hours => "h",
        };
        f.pad(&format!("{}{suffix}", self.amount))
    }
}

impl Serialize for Within {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.amount, self.unit).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Within {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (amount, unit) = <(i32, Unit)>::deserialize(deserializer)?;
            return Ok(Self { amount, unit });
        }
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
