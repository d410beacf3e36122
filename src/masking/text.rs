//! Free text without what names somebody: phones, identity numbers, permits, bank cards, plates and
//! e-mail addresses, also where they are written in groups or in full-width characters. Days, and the
//! numbers of tickets and of recordings, are nobody's and stay. Must never let a number of seven digits
//! or more pass of which it cannot tell what it is.

use super::number::Number;
use super::{covered, is_blank, is_invisible};

/// The most characters between two groups of one number: columns of a table stand that far apart.
const BETWEEN_MAX: usize = 12;

/// The most groups that are read as one number: each digit may stand alone.
const GROUPS_MAX: usize = 19;

/// What counts tickets or recordings on one day has no more characters.
const SUFFIX_MAX: usize = 6;

/// How much of somebody's number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// 138****1234: enough to tell it from another.
    Partly,
    /// Asterisks alone.
    Hidden,
}

/// Free text without what names somebody.
#[must_use]
pub fn text(text: &str, numbers: Numbers) -> String {
    let written: Vec<char> = text.chars().filter(|one| !is_invisible(*one)).collect();
    let plain: Vec<char> = written.iter().map(|one| narrow(*one)).collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < plain.len() {
        let (mut end, cover) = found(&plain, at);
        match cover {
            Some(cover) if numbers == Numbers::Partly => out.push_str(&cover),
            Some(cover) => out.extend(cover.chars().map(|one| match one {
                '@' => one,
                _ => '*',
            })),
            None => {
                // “周一138…”: a number may begin behind what was spoken for itself.
                let is_spoken = plain[at] != written[at] && !is_wide(written[at]);
                end = if is_spoken { at + 1 } else { end };
                out.extend(&written[at..end]);
            }
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
        _ => digit(character).unwrap_or(character),
    }
}

fn is_wide(character: char) -> bool {
    ('\u{ff01}'..='\u{ff5e}').contains(&character)
}

/// A digit in whatever script: spoken, circled, of another language.
fn digit(character: char) -> Option<char> {
    const SPOKEN: [&str; 10] =
        ["零〇", "一壹幺", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"];
    const ZEROS: [u32; 6] = [0x0660, 0x06f0, 0x0966, 0x245f, 0x2473, 0x2775];
    let spoken = SPOKEN
        .iter()
        .position(|all| all.contains(character))
        .and_then(|place| u32::try_from(place).ok());
    let code = u32::from(character);
    let of_another = || {
        let of = |zero: &u32| code.checked_sub(*zero).filter(|value| (1..10).contains(value));
        let is_zero = ZEROS[..3].contains(&code) || code == 0x24ea;
        let mathematical = || (0x1d7ce..0x1d800).contains(&code).then(|| (code - 0x1d7ce) % 10);
        ZEROS.iter().find_map(of).or_else(|| is_zero.then_some(0)).or_else(mathematical)
    };
    char::from_digit(spoken.or_else(of_another)?, 10)
}

/// What begins at a place: where it ends, and what is shown in its place unless it stays.
fn found(plain: &[char], at: usize) -> (usize, Option<String>) {
    let first = plain[at];
    if is_plate_start(first) {
        return plate(plain, at).unwrap_or((at + 1, None));
    }
    // Whoever stands before the sign is no letter of this alphabet.
    if first == '@' && plain.get(at + 1).is_some_and(char::is_ascii_alphanumeric) {
        return (run(plain, at + 1, is_of_a_word), Some("@***".to_owned()));
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
    if let Some(card) = card(plain, at) {
        return card;
    }
    // Digits behind letters are looked at for themselves.
    let letters = || run(plain, at, |one| one.is_ascii_alphabetic());
    (code(plain, at).unwrap_or_else(letters), None)
}

/// Where a run of such characters ends.
fn run(plain: &[char], at: usize, is_of_it: fn(char) -> bool) -> usize {
    plain[at..].iter().position(|one| !is_of_it(*one)).map_or(plain.len(), |length| at + length)
}

fn is_of_a_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-_.@".contains(character)
}

/// What may stand between the groups of a number: whatever is neither a letter nor a digit.
fn is_between(character: char) -> bool {
    !character.is_alphanumeric()
}

/// The characters with which plates of mainland vehicles begin.
fn is_plate_start(character: char) -> bool {
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼".contains(character)
}

/// A plate: 粤B12345, 粤B·12345, 粤BD12345.
fn plate(plain: &[char], at: usize) -> Option<(usize, Option<String>)> {
    let city_at = run(plain, at + 1, is_blank).min(at + 2);
    let city = plain.get(city_at).filter(|one| one.is_ascii_alphabetic())?;
    let start = run(plain, city_at + 1, |one| "·-. ".contains(one));
    let end = run(plain, start, |one| one.is_ascii_alphanumeric());
    let number = &plain[start..end];
    let is_plate = start - city_at <= 2
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
    if let Some(end) = day(plain, at, false) {
        return Some((end, None));
    }
    if let Some(birthday) = birthday(plain, at) {
        return Some(birthday);
    }
    let mut number = Number::begun(plain[at] == '+');
    let (mut end, mut place, mut longest) = (digits_at, digits_at, None);
    for _ in 0..GROUPS_MAX {
        let between = end..place;
        end = run(plain, place, |one| one.is_ascii_digit());
        number.push(&plain[between], &plain[place..end]);
        let check = plain.get(end).filter(|one| one.eq_ignore_ascii_case(&'x'));
        if let Some(check) = check.filter(|_| number.len() == 17) {
            return Some((end + 1, Some(number.with_check(*check))));
        }
        if let Some(cover) = number.cover() {
            longest = Some((end, Some(cover)));
        }
        let next = run(plain, end, is_between);
        let is_followed = plain.get(next).is_some_and(char::is_ascii_digit);
        // The days of a span are no part of a number.
        if !is_followed
            || next == end
            || next - end > BETWEEN_MAX
            || day(plain, next, false).is_some()
        {
            break;
        }
        place = next;
    }
    longest
}

/// Where a day ends that begins at a place: 2026-03-12, 2026/3/12, 20260312, also with a time behind
/// it. A day long past is somebody's birthday.
fn day(plain: &[char], at: usize, is_coded: bool) -> Option<usize> {
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
        (None, 6) if is_coded || is_time(&plain[end..digits_end]) => Some(digits_end),
        _ => None,
    }
}

/// Years of birth of those who rate: what was done on days since is not long past.
const BORN: std::ops::Range<u32> = 1900..2010;

/// A birthday that begins at a place: 1990-01-01, 1990/1/1, 1990年1月1日.
fn birthday(plain: &[char], at: usize) -> Option<(usize, Option<String>)> {
    let mut end = at;
    let mut part = |most: usize, signs: &str| {
        let from = end;
        let digits = run(plain, from, |one| one.is_ascii_digit());
        let value: String = plain[from..digits].iter().collect();
        let sign = run(plain, digits, is_blank);
        let is_parted = plain.get(sign).is_some_and(|one| signs.contains(*one));
        end = if is_parted { sign + 1 } else { digits };
        // Word processors part characters from digits.
        end = if signs == LAST { end } else { run(plain, end, is_blank) };
        let fits = (1..=most).contains(&(digits - from)) && (is_parted || signs == LAST);
        value.parse::<u32>().ok().filter(|_| fits)
    };
    let (year, month, date) = (part(4, "-/.年")?, part(2, "-/.月")?, part(2, LAST)?);
    let is_day = BORN.contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&date);
    let cover = |one: &char| if one.is_ascii_digit() { '*' } else { *one };
    is_day.then(|| (end, Some(plain[at..end].iter().map(cover).collect())))
}

/// What may stand behind a day.
const LAST: &str = "日号";

/// 093000
fn is_time(digits: &[char]) -> bool {
    let part = |from: usize| digits[from..from + 2].iter().collect::<String>().parse::<u32>();
    let is_below = |from: usize, most: u32| part(from).is_ok_and(|part| part < most);
    digits.len() == 6 && is_below(0, 24) && is_below(2, 60) && is_below(4, 60)
}

/// The number of a ticket or of a recording that begins at a place: letters, a day, what counts on that
/// day. What follows it may be somebody's and is looked at for itself.
fn code(plain: &[char], at: usize) -> Option<usize> {
    let letters = run(plain, at, |one| one.is_ascii_alphabetic());
    let mut end = day(plain, letters, true)?;
    for _ in 0..2 {
        let suffix = run(plain, end, |one| "-_".contains(one));
        let digits = run(plain, suffix, |one| one.is_ascii_alphanumeric());
        let is_suffix = suffix == end + 1 && (1..=SUFFIX_MAX).contains(&(digits - suffix));
        end = if is_suffix { digits } else { break };
    }
    Some(end)
}

/// A card of Hong Kong that begins at a place: A123456(7).
fn card(plain: &[char], at: usize) -> Option<(usize, Option<String>)> {
    let letters = run(plain, at, |one| one.is_ascii_alphabetic());
    let digits = run(plain, letters, |one| one.is_ascii_digit());
    let is_card = letters - at <= 2
        && digits - letters == 6
        && plain.get(digits) == Some(&'(')
        && plain.get(digits + 1).is_some_and(char::is_ascii_alphanumeric)
        && plain.get(digits + 2) == Some(&')');
    let card: String = plain.get(at..digits + 3)?.iter().collect();
    is_card.then(|| (digits + 3, Some(covered(&card, 0, 2, usize::MAX))))
}

#[cfg(test)]
mod tests {
    use super::{Numbers, text};

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
            ("一三八一二三四一二三四", "138****1234"),
            ("（0755）83501234", "（075*****1234"),
            ("0755-83501234转8001", "075*****1234转8001"),
            ("座机8350 1234", "座机******34"),
            ("座机83501234", "座机******34"),
            ("香港+852 9123 4567", "香港+85*****4567"),
            ("身份证440399199001011234。", "身份证440***********1234。"),
            ("身份证 110105 19491231 002X", "身份证 110***********002X"),
            ("身份证11010519491231002x", "身份证110***********002x"),
            ("生日19900101", "生日******01"),
            ("1990-01-01出生", "****-**-**出生"),
            ("生于1990/1/1", "生于****/*/*"),
            ("1985年12月3日生", "****年**月*日生"),
            ("1985 年 12 月 3 日生", "**** 年 ** 月 * 日生"),
            ("一九九〇年一月一日", "****年*月*日"),
            ("通行证H12345678", "通行证H******78"),
            ("A123456(7)", "********7)"),
            ("卡号6222 0200 1234 5678 901", "卡号*******************"),
            ("邮箱 a.b@example.com 谢谢", "邮箱 ***@*** 谢谢"),
            ("车牌粤B12345停在门口", "车牌粤B*****停在门口"),
            ("车牌粤B·12345", "车牌粤B*****"),
            ("车牌粤BD12345", "车牌粤B******"),
            ("R20260304-13812341234", "R20260304-138****1234"),
            ("REC20260304093000_13812341234.wav", "REC20260304093000_138****1234.wav"),
            ("tel.138-1234-1234", "tel.138****1234"),
            ("zhang_138-1234-1234", "zhang_138****1234"),
            ("138 - 1234 - 1234", "138****1234"),
            ("138—1234—1234", "138****1234"),
            ("138，1234，1234", "138****1234"),
            ("138\n1234\n1234", "138****1234"),
            ("一三八 一二三四 一二三四", "138****1234"),
            ("微信wx138 1234 1234", "微信wx138****1234"),
            ("一九九，零零零零，四三八零", "199****4380"),
            ("1三8一2三4一2三4", "138****1234"),
            ("138一二三四1234", "138****1234"),
            ("壹叁捌壹贰叁肆壹贰叁肆", "138****1234"),
            ("①③⑧①②③④①②③④", "138****1234"),
            ("١٣٨١٢٣٤١٢٣٤", "138****1234"),
            ("𝟏𝟑𝟖𝟏𝟐𝟑𝟒𝟏𝟐𝟑𝟒", "138****1234"),
            ("周一138 1234 1234", "周一138****1234"),
            ("座机8350—1234", "座机******34"),
            ("852-9123-4567", "852****4567"),
            ("440301，19900101，1234", "440***********1234"),
            ("20260304138123", "202*******8123"),
            ("车牌粤b12345", "车牌粤b*****"),
            ("车牌粤 B12345", "车牌粤B*****"),
            ("邮箱张静@qq.com", "邮箱张静@***"),
            ("编号aaaa12345678901", "编号aaaa123****8901"),
        ] {
            assert_eq!(text(said, Numbers::Partly), expected, "{said}");
        }
    }

    #[test]
    fn whatever_stands_between_its_groups_a_number_is_one() {
        for (said, expected) in [
            ("138–1234–1234", "138****1234"),
            ("138\u{2011}1234\u{200b}1234", "138****1234"),
            ("138\u{a0}1234\u{a0}1234", "138****1234"),
            ("138、1234、1234", "138****1234"),
            ("138|1234;1234", "138****1234"),
            ("138：1234：1234", "138****1234"),
            ("138:1234:1234", "138****1234"),
            ("138    1234    1234", "138****1234"),
            ("138。1234。1234", "138****1234"),
            ("138 - - 1234 - - 1234", "138****1234"),
            ("138=1234=1234", "138****1234"),
            ("138#1234…1234", "138****1234"),
            ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣1️⃣2️⃣3️⃣4️⃣", "138****1234"),
            ("1:3:8:1:2:3:4:1:2:3:4", "138****1234"),
            ("13:81:23:41:23:4", "138****1234"),
            ("13 81 23 41:23 4", "138****1234"),
            ("1:38:12:34:12:34", "138****1234"),
            ("138\u{202a}1234\u{2061}1234", "138****1234"),
            ("0755：83501234", "075*****1234"),
            ("440301：19900101：1234", "440***********1234"),
        ] {
            assert_eq!(text(said, Numbers::Partly), expected, "{said}");
        }
    }

    #[test]
    fn whoever_judges_sees_nothing_of_a_number() {
        assert_eq!(text("电13812341234，a@b.c", Numbers::Hidden), "电***********，***@***");
    }

    #[test]
    fn what_is_nobodys_stays() {
        for said in [
            "2026-03-12 13:05 已电话联系，2026/3/13 再联系",
            "2026-03-12至2026-03-15出差",
            "2026.3.12 9:00",
            "2018年12月3日领的证，2015-03-01续的",
            "20260312到场，20260312093000留言",
            "工单HCP20260304000127-5，录音R20260304-000127",
            "办件 2020-2026 年度",
            "粤省事上办了5个工作日，等了120天",
            "二〇二六年三月十二日，一一对应，三七二十一",
            "深圳市民中心B区2楼12号窗口 12345热线",
            "第24条第1款 v1.2.3 (100%)",
            "材料三份、照片2张",
            "窗口8:30-12:00，14:00-18:00，19:00-20:00开放",
            "13:30-17:30，9:00起",
            "周一13:00、14:00、15:30，周二9:10",
            "01、02、03、04、05号窗口，10、11、12、13、14、15、16、17号",
            "1200、1300元，共三千五百",
            "统一2026-03-12办",
            "一、二、三、四、五、六、七项",
            "金额1,234,567元",
            "REC20260304093000_2.wav",
            "",
        ] {
            assert_eq!(text(said, Numbers::Hidden), said);
        }
    }
}
