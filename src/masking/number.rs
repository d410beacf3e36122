//! What a number is that stands in free text, in whatever groups, and how it is covered. Must never let
//! one of seven digits or more pass that stands alone.

use super::{id_no, is_identity_number, phone};

/// A number of fewer digits names nobody.
const DIGITS_MIN: usize = 7;

/// The most characters that people put between the groups of a number.
const APART_MAX: usize = 3;

/// The digits of a mobile phone of the mainland.
const MOBILE: usize = 11;

/// A number as it was written.
#[derive(Default)]
pub(super) struct Number {
    /// Its digits.
    digits: String,
    /// How many of them stand together.
    groups: Vec<usize>,
    /// Whether it begins with a plus sign.
    is_abroad: bool,
    /// Whether anything but blanks and dashes stands between its groups, or more than people put there.
    is_listed: bool,
    /// Whether the sign of a time stands before each of them.
    is_timed: Vec<bool>,
}

impl Number {
    /// None so far.
    pub(super) fn begun(is_abroad: bool) -> Self {
        Self { is_abroad, ..Self::default() }
    }

    /// How many digits it has.
    pub(super) fn len(&self) -> usize {
        self.digits.len()
    }

    /// Goes on with another group, behind what stands between.
    pub(super) fn push(&mut self, between: &[char], group: &[char]) {
        self.is_listed |= between.iter().any(|one| !one.is_whitespace() && !is_dash(*one));
        self.is_listed |= between.len() > APART_MAX;
        self.is_timed.push(between.contains(&':'));
        self.groups.push(group.len());
        self.digits.extend(group);
    }

    /// How it is covered with the letter that checks an identity number.
    pub(super) fn with_check(&self, check: char) -> String {
        id_no(&format!("{}{check}", self.digits))
    }

    /// How it is covered; nothing where it is nobody's.
    pub(super) fn cover(&self) -> Option<String> {
        if self.is_times() {
            return None;
        }
        if let Some(mobile) = self.mobile() {
            return Some(phone(mobile));
        }
        let digits = self.digits.as_str();
        if is_identity_number(digits) || self.is_like_identity() {
            return Some(id_no(digits));
        }
        let is_alone = self.groups.len() == 1 && self.len() >= DIGITS_MIN;
        let is_somebodys = is_alone
            || self.is_landline()
            || self.is_foreign()
            || self.is_local()
            || self.is_card();
        is_somebodys.then(|| match self.len() {
            17..=18 => id_no(digits),
            19.. => "*".repeat(self.len()),
            _ if self.is_abroad => phone(&format!("+{digits}")),
            _ => phone(digits),
        })
    }

    /// Hours and minutes, one after another: 8:30-12:00，14:00-18:00.
    fn is_times(&self) -> bool {
        let mut from = 0;
        let values = self.groups.iter().map(|group| {
            from += group;
            self.digits[from - group..from].parse::<u32>().unwrap_or(u32::MAX)
        });
        let values: Vec<u32> = values.collect();
        let is_hour = |place: usize| values[place] < 24 && !self.is_timed[place];
        let is_minute = |place: usize| values[place] < 60 && self.groups[place] == 2;
        // Looked at from within, a list begins with minutes; and it may end with an hour.
        let first = usize::from(values.len() > 1 && !self.is_timed[1] && is_minute(0));
        let is_odd = (values.len() - first) % 2 == 1;
        values.len() - first >= 2
            && (!is_odd || self.len() != MOBILE)
            && (first..values.len()).all(|place| match (place - first) % 2 {
                0 => is_hour(place),
                _ => is_minute(place) && self.is_timed[place],
            })
    }

    /// A mobile phone of the mainland, without the country.
    fn mobile(&self) -> Option<&str> {
        let digits = self.digits.as_str();
        let local = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
        let local = local.filter(|local| local.len() == 11).unwrap_or(digits);
        let is_mobile = local.len() == 11 && local.starts_with('1') && local.as_bytes()[1] >= b'3';
        is_mobile.then_some(local)
    }

    /// 0755 8350 1234: the area stands alone, or all of it together.
    fn is_landline(&self) -> bool {
        let first = self.groups.first().copied().unwrap_or_default();
        (10..=12).contains(&self.len())
            && self.digits.starts_with('0')
            && ((3..=4).contains(&first) || first >= 10)
    }

    /// +852 9123 4567, 00852…, 852-9123-4567.
    fn is_foreign(&self) -> bool {
        let first = self.groups.first().copied().unwrap_or_default();
        let is_next_door = self.digits.starts_with("852") || self.digits.starts_with("853");
        let is_dialled = self.digits.starts_with("00") && first >= 4;
        ((self.is_abroad || is_dialled) && (9..=15).contains(&self.len()))
            || (is_next_door && self.len() == 11)
    }

    /// 8350 1234; not the years of a span, nor figures of a list.
    fn is_local(&self) -> bool {
        let is_parted = matches!(self.groups.as_slice(), [3 | 4, 4]);
        let is_year = self.digits.starts_with("19") || self.digits.starts_with("20");
        is_parted && !self.is_listed && !is_year && !self.digits.starts_with(['0', '1', '9'])
    }

    /// A bank card: groups of four.
    fn is_card(&self) -> bool {
        let last = self.groups.last().copied().unwrap_or_default();
        let are_four = self.groups.iter().rev().skip(1).all(|group| *group == 4) && last <= 4;
        (16..=19).contains(&self.len()) && are_four
    }

    /// An identity number that somebody mistyped: the birthday is in its place.
    fn is_like_identity(&self) -> bool {
        let part = |from: usize, to: usize| self.digits.get(from..to)?.parse::<u32>().ok();
        let is_in = |part: Option<u32>, from: u32, to: u32| {
            part.is_some_and(|part| (from..=to).contains(&part))
        };
        self.len() == 18
            && is_in(part(6, 10), 1900, 2029)
            && is_in(part(10, 12), 1, 12)
            && is_in(part(12, 14), 1, 31)
    }
}

/// Every dash that people type.
pub(super) fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}
