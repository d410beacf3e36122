//! Free text without what names somebody: phones, identity numbers, permits, bank cards, plates and
//! e-mail addresses, also where they are written in groups or in full-width characters. Days, and the
//! numbers of tickets and of recordings, are nobody's and stay. Must never let a number of seven digits
//! or more pass of which it cannot tell what it is.

use super::{covered, id_no, is_identity_number, phone};

/// The most characters between two groups of one number.
const BETWEEN_MAX: usize = 2;

/// The most groups that are read as one number: each digit may stand alone.
const GROUPS_MAX: usize = 19;

/// A number of fewer digits names nobody.
const NUMBER_DIGITS: usize = 7;

/// Free text without what names somebody.
#[must_use]
pub fn text(text: &str) -> String {
    let written: Vec<char> = text.chars().collect();
    let plain: Vec<char> = written.iter().map(|one| narrow(*one)).collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < plain.len() {
        let (end, cover) = found(&plain, at);
        match cover {
            Some(cover) => out.push_str(&cover),
            None => out.extend(&written[at..end]),
        }
        at = end;
    }
    out
}

/// A full-width letter, digit or sign as people type it otherwise.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
        }
        '\u{3000}' => ' ',
        _ => character,
    }
}

/// What begins at a place: where it ends, and what is shown in its place unless it stays.
fn found(plain: &[char], at: usize) -> (usize, Option<String>) {
    let first = plain[at];
    if is_plate_start(first) {
        return plate(plain, at).unwrap_or((at + 1, None));
    }
    if is_chinese_digit(first) {
        let end = run(plain, at, is_chinese_digit);
        return (end, (end - at >= NUMBER_DIGITS).then(|| "*".repeat(end - at)));
    }
    if first != '+' && !first.is_ascii_alphanumeric() {
        return (at + 1, None);
    }
    let word_end = run(plain, at, is_of_a_word);
    let word = &plain[at..word_end];
    if word.contains(&'@') {
        return (word_end, Some("***@***".to_owned()));
    }
    if let Some(number) = number(plain, at) {
        return number;
    }
    if !first.is_ascii_alphabetic() {
        return (run(plain, at + 1, |one| one.is_ascii_digit()), None);
    }
    let end = run(plain, at, |one| one.is_ascii_alphanumeric() || "-_.".contains(one));
    code(plain, at, end)
}

/// Where a run of such characters ends.
fn run(plain: &[char], at: usize, is_of_it: fn(char) -> bool) -> usize {
    plain[at..].iter().position(|one| !is_of_it(*one)).map_or(plain.len(), |length| at + length)
}

fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-_.@".contains(character)
}

fn is_chinese_digit(character: char) -> bool {
    "〇零一二三四五六七八九幺".contains(character)
}

/// The characters with which plates of mainland vehicles begin.
fn is_plate_start(character: char) -> bool {
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼".contains(character)
}

/// A plate: 粤B12345, 粤B·12345, 粤BD12345.
fn plate(plain: &[char], at: usize) -> Option<(usize, Option<String>)> {
    let city = plain.get(at + 1).filter(|one| one.is_ascii_uppercase())?;
    let start = run(plain, at + 2, |one| "·-. ".contains(one));
    let end = run(plain, start, |one| one.is_ascii_alphanumeric());
    let number = &plain[start..end];
    let is_plate = start - at - 2 <= 1
        && (4..=6).contains(&number.len())
        && number.iter().any(char::is_ascii_digit);
    is_plate.then(|| (end, Some(format!("{}{city}{}", plain[at], "*".repeat(number.len())))))
}

/// A number that begins at a place, in whatever groups: a day, which stays, or somebody's.
fn number(plain: &[char], at: usize) -> Option<(usize, Option<String>)> {
    let digits_at = if plain[at] == '+' { at + 1 } else { at };
    if !plain.get(digits_at)?.is_ascii_digit() {
        return None;
    }
    if let Some(end) = day(plain, at) {
        return Some((end, None));
    }
    let mut digits = if plain[at] == '+' { "+".to_owned() } else { String::new() };
    let mut place = digits_at;
    let mut longest = None;
    for nth in 0..GROUPS_MAX {
        let end = run(plain, place, |one| one.is_ascii_digit());
        digits.extend(&plain[place..end]);
        let check = plain.get(end).filter(|one| one.eq_ignore_ascii_case(&'x'));
        if let Some(check) = check.filter(|_| digits.len() == 17) {
            return Some((end + 1, Some(id_no(&format!("{digits}{check}")))));
        }
        if let Some(cover) = cover(&digits, nth) {
            longest = Some((end, Some(cover)));
        }
        let next = run(plain, end, |one| " -._·()/".contains(one));
        if next == end || next - end > BETWEEN_MAX || !plain.get(next)?.is_ascii_digit() {
            break;
        }
        // The days of a span are no part of a number.
        if day(plain, next).is_some() {
            break;
        }
        place = next;
    }
    longest
}

/// How somebody's number is covered that was written in several groups; nothing where it is none.
fn cover(digits: &str, further_groups: usize) -> Option<String> {
    let abroad = digits.starts_with('+') || digits.starts_with("00");
    let plain = digits.trim_start_matches('+');
    let local = plain.strip_prefix("0086").or_else(|| plain.strip_prefix("86")).unwrap_or(plain);
    let is_mobile = local.len() == 11 && local.starts_with('1') && local.as_bytes()[1] >= b'3';
    if is_mobile {
        return Some(phone(local));
    }
    let is_landline = (10..=12).contains(&local.len()) && local.starts_with('0');
    let is_abroad = abroad && (9..=15).contains(&plain.len());
    if is_identity_number(plain) {
        return Some(id_no(plain));
    }
    let is_alone = further_groups == 0 && plain.len() >= NUMBER_DIGITS;
    let is_year = plain.starts_with("19") || plain.starts_with("20");
    let is_of_here = further_groups == 1 && (7..=8).contains(&plain.len()) && !is_year;
    let is_card = (16..=19).contains(&plain.len());
    if is_landline || is_abroad || is_of_here || is_alone || is_card {
        return Some(match plain.len() {
            17..=18 => id_no(plain),
            19.. => "*".repeat(plain.len()),
            _ => phone(digits),
        });
    }
    None
}

/// Where a day ends that begins at a place: 2026-03-12, 2026/3/12, 20260312, also with a time behind
/// it. A day long past is somebody's birthday.
fn day(plain: &[char], at: usize) -> Option<usize> {
    let part = |place: usize, most: usize| {
        let end = run(plain, place, |one| one.is_ascii_digit()).min(place + most);
        let value: String = plain[place..end].iter().collect();
        Some((end, value.parse::<u32>().ok()?))
    };
    let (end, year) = part(at, 4)?;
    if end != at + 4 || !(2020..2050).contains(&year) {
        return None;
    }
    let parted = plain.get(end).copied().filter(|one| "-/.".contains(*one));
    let after = |end: usize| if parted.is_some() { end + 1 } else { end };
    if parted.is_some_and(|_| !plain.get(end + 1).is_some_and(char::is_ascii_digit)) {
        return None;
    }
    let (end, month) = part(after(end), 2)?;
    if plain.get(end).copied().filter(|one| "-/.".contains(*one)) != parted {
        return None;
    }
    let (end, date) = part(after(end), 2)?;
    let is_day = (1..=12).contains(&month) && (1..=31).contains(&date);
    if !is_day {
        return None;
    }
    let digits_end = run(plain, end, |one| one.is_ascii_digit());
    match (parted, digits_end - end) {
        (_, 0) => Some(end),
        // 20260304093000: a time; 20260304000127: the number of a day.
        (None, 6) => Some(digits_end),
        _ => None,
    }
}

/// A word that begins with a letter: the number of a ticket or of a recording stays, for the day in
/// it; of others each long run of digits is covered.
fn code(plain: &[char], at: usize, end: usize) -> (usize, Option<String>) {
    let word: String = plain[at..end].iter().collect();
    let letters = run(plain, at, |one| one.is_ascii_alphabetic());
    if day(plain, letters).is_some() {
        return (end, None);
    }
    // A card of Hong Kong: A123456(7).
    let digits = run(plain, letters, |one| one.is_ascii_digit());
    if letters - at <= 2 && digits - letters == 6 && plain.get(digits) == Some(&'(') {
        let shut = run(plain, digits + 1, |one| one.is_ascii_alphanumeric());
        if plain.get(shut) == Some(&')') && shut == digits + 2 {
            let card: String = plain[at..=shut].iter().collect();
            return (shut + 1, Some(covered(&card, 0, 2, usize::MAX)));
        }
    }
    let (mut shown, mut place) = (String::new(), at);
    while place < end {
        let stop = run(plain, place, |one| one.is_ascii_digit()).min(end);
        let digits: String = plain[place..stop].iter().collect();
        if digits.len() >= NUMBER_DIGITS {
            shown.push_str(&cover(&digits, 0).unwrap_or_else(|| phone(&digits)));
        } else {
            shown.push_str(&digits);
        }
        let next = run(plain, stop, |one| !one.is_ascii_digit()).min(end);
        shown.extend(&plain[stop..next]);
        place = next;
    }
    (end, (shown != word).then_some(shown))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn free_text_loses_what_names_somebody() {
        for (said, expected) in [
            ("我的电话是13812341234，请回电", "我的电话是138****1234，请回电"),
            ("号码 138-1234-1234", "号码 138****1234"),
            ("打138 1234 1234没人接", "打138****1234没人接"),
            ("打１３８１２３４１２３４没人接", "打138****1234没人接"),
            ("1 3 8 1 2 3 4 1 2 3 4", "138****1234"),
            ("+86 138 1234 1234", "138****1234"),
            ("微信wx13812341234x", "微信wx138****1234x"),
            ("一三八一二三四一二三四", "***********"),
            ("（0755）83501234", "（075*****1234"),
            ("0755-83501234转8001", "075*****1234转8001"),
            ("座机8350 1234", "座机******34"),
            ("座机83501234", "座机******34"),
            ("香港+852 9123 4567", "香港+85*****4567"),
            ("身份证440399199001011234。", "身份证440***********1234。"),
            ("身份证 110105 19491231 002X", "身份证 110***********002X"),
            ("身份证11010519491231002x", "身份证110***********002x"),
            ("生日19900101", "生日******01"),
            ("通行证H12345678", "通行证H******78"),
            ("A123456(7)", "********7)"),
            ("卡号6222 0200 1234 5678 901", "卡号*******************"),
            ("邮箱 a.b@example.com 谢谢", "邮箱 ***@*** 谢谢"),
            ("车牌粤B12345停在门口", "车牌粤B*****停在门口"),
            ("车牌粤B·12345", "车牌粤B*****"),
            ("车牌粤BD12345", "车牌粤B******"),
            ("编号aaaa12345678901", "编号aaaa123****8901"),
        ] {
            assert_eq!(text(said), expected, "{said}");
        }
    }

    #[test]
    fn what_is_nobodys_stays() {
        for said in [
            "2026-03-12 13:05 已电话联系，2026/3/13 再联系",
            "2026-03-12至2026-03-15出差",
            "2026.3.12 9:00",
            "20260312到场，20260312093000留言",
            "工单HCP20260304000127-5，录音R20260304-000127",
            "办件 2020-2026 年度",
            "粤省事上办了5个工作日，等了120天",
            "二〇二六年三月十二日，一一对应，三七二十一",
            "深圳市民中心B区2楼12号窗口 12345热线",
            "第24条第1款 v1.2.3 (100%)",
            "材料三份、照片2张",
            "",
        ] {
            assert_eq!(text(said), said);
        }
    }
}
