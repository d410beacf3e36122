//! Floor 1: people made unrecognisable (脱敏): names, phones, identity numbers, and what looks like
//! them in free text. Must never show more than it was told to.

/// A name: two characters 张*, three or more 张*三; a compound surname stays one.
#[must_use]
pub fn name(name: &str) -> String {
    let characters: Vec<char> = name.trim().chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [_] => "*".to_owned(),
        [first, _] => format!("{first}*"),
        [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
    }
}

/// A name for whom it need not tell apart: 张**, however long it is.
#[must_use]
pub fn public_name(name: &str) -> String {
    let mut characters = name.trim().chars();
    match (characters.next(), characters.next()) {
        (None, _) => String::new(),
        (Some(_), None) => "**".to_owned(),
        (Some(first), Some(_)) => format!("{first}**"),
    }
}

/// A phone: 138****1234; of another kind all but the last two digits are covered.
#[must_use]
pub fn phone(phone: &str) -> String {
    covered(phone, 3, 4, 11)
}

/// An identity number: 440***********1234.
#[must_use]
pub fn id_no(number: &str) -> String {
    covered(number, 3, 4, 15)
}

/// The first and the last characters of something of a usual length; less of a shorter one.
fn covered(text: &str, first: usize, last: usize, usual: usize) -> String {
    let characters: Vec<char> = text.trim().chars().collect();
    let count = characters.len();
    let (first, last) = if count >= usual { (first, last) } else { (0, 2.min(count / 3)) };
    let shown = |(place, one): (usize, &char)| {
        if place < first || place + last >= count { *one } else { '*' }
    };
    characters.iter().enumerate().map(shown).collect()
}

/// Free text without phones, identity numbers, plates and e-mail addresses.
#[must_use]
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    // A word here is what such numbers are made of; everything else parts them.
    for character in text.chars() {
        if is_of_a_number(character) {
            word.push(character);
        } else if is_plate_start(character) {
            out.push_str(&masked(&word));
            word.clear();
            word.push(character);
        } else {
            out.push_str(&masked(&word));
            word.clear();
            out.push(character);
        }
    }
    out.push_str(&masked(&word));
    out
}

fn is_of_a_number(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-_.@·".contains(character)
}

/// The characters with which plates of mainland vehicles begin.
fn is_plate_start(character: char) -> bool {
    "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼".contains(character)
}

fn masked(word: &str) -> String {
    if word.contains('@') {
        return "***@***".to_owned();
    }
    if let Some(plate) = word.strip_prefix(is_plate_start) {
        let is_plate =
            (5..=8).contains(&plate.len()) && plate.bytes().any(|one| one.is_ascii_digit());
        if is_plate && plate.starts_with(|one: char| one.is_ascii_uppercase()) {
            let first: String = word.chars().take(2).collect();
            return format!("{first}{}", "*".repeat(plate.len() - 1));
        }
        let start: String = word.chars().take(1).collect();
        return start + &masked(plate);
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    match digits {
        // Identity numbers first: they contain what looks like a phone.
        17..=18 => id_no(word),
        7..=16 => phone(word),
        19.. => "*".repeat(word.chars().count()),
        _ => word.to_owned(),
    }
}

/// Whether a code could be the number of somebody: a phone, or an identity number whose check digit
/// is right.
#[must_use]
pub fn is_somebodys(code: &str) -> bool {
    let plain: String = code.chars().filter(|one| !"-_. ".contains(*one)).collect();
    let digits = plain.bytes().all(|one| one.is_ascii_digit());
    let mobile = plain.strip_prefix("86").unwrap_or(&plain);
    let is_mobile = mobile.len() == 11 && mobile.starts_with('1');
    let is_landline = (10..=12).contains(&plain.len()) && plain.starts_with('0');
    (digits && (is_mobile || is_landline)) || is_identity_number(&plain)
}

fn is_identity_number(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let Some((digits, check)) = text.split_at_checked(17) else { return false };
    if !digits.bytes().all(|one| one.is_ascii_digit()) {
        return false;
    }
    let sum: u32 =
        digits.bytes().zip(WEIGHTS).map(|(one, weight)| u32::from(one - b'0') * weight).sum();
    let expected = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(sum % 11) as usize];
    check.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_phones_and_numbers_are_covered() {
        let check = |masked: String, expected: &str| assert_eq!(masked, expected);
        check(name("张三"), "张*");
        check(name("张小三"), "张*三");
        check(name("欧阳小三"), "欧**三");
        check(name("阿卜杜拉·买买提"), "阿******提");
        check(name("王"), "*");
        check(name(""), "");
        check(public_name("张三"), "张**");
        check(public_name("张小小三"), "张**");
        check(public_name("王"), "**");
        check(public_name(" "), "");
        check(phone("13812341234"), "138****1234");
        check(phone("+85291234567"), "+85*****4567");
        check(phone("83501234"), "******34");
        check(id_no("440399199001011234"), "440***********1234");
        check(id_no("H12345678"), "*******78");
    }

    #[test]
    fn numbers_of_people_are_no_codes() {
        for code in ["13800001234", "86-138-0000-1234", "0755_83219900", "11010519491231002X"] {
            assert!(is_somebodys(code), "{code}");
        }
        for code in ["SZ013", "440300001", "R20260304-000127", "114403000075432321", "", "12345"] {
            assert!(!is_somebodys(code), "{code}");
        }
    }

    #[test]
    fn free_text_loses_what_names_somebody() {
        let check = |said: &str, expected: &str| assert_eq!(text(said), expected);
        check("我的电话是13812341234，请回电", "我的电话是138****1234，请回电");
        check("身份证440399199001011234。", "身份证440***********1234。");
        check("邮箱 a.b@example.com 谢谢", "邮箱 ***@*** 谢谢");
        check("车牌粤B12345停在门口", "车牌粤B*****停在门口");
        check("粤省事上办了5个工作日", "粤省事上办了5个工作日");
        check("等了120天", "等了120天");
        check("号码 138-1234-1234", "号码 138******1234");
    }
}
