//! Floor 1: people made unrecognisable (脱敏): names, phones, identity numbers, and what looks like
//! them in free text. Must never show more than it was told to.

mod number;
mod text;

pub use text::{Numbers, text};

/// A name: two characters 张*, three or more 张*三; of a compound surname the first character alone.
#[must_use]
pub fn name(name: &str) -> String {
    let characters = letters(name);
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
    let mut characters = letters(name).into_iter();
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

/// The letters of a name: what stands between them by chance is none of it.
fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|one| !is_blank(*one)).collect()
}

/// A blank of any width, none included.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_invisible(character)
}

/// What takes no room, and parts what it stands in.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// A point within a name, whichever of them somebody typed.
fn is_point(character: char) -> bool {
    "·•・･．.‧∙⋅".contains(character)
}

/// What a name is told by: its letters, small ones for large, and no points.
fn spelled(name: &str) -> Vec<char> {
    letters(name).into_iter().filter(|one| !is_point(*one)).map(small).collect()
}

fn small(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Free text in which the names of known people are covered as they are elsewhere, also where blanks
/// or points stand between their characters or are left out, and in small letters or large. (A name of one character is no name here: it would be found
/// everywhere.)
#[must_use]
pub fn names(text: &str, people: &[&str], cover: impl Fn(&str) -> String) -> String {
    let people = people.iter().map(|one| (spelled(one), cover(one)));
    let people = people.filter(|(spelled, _)| spelled.len() > 1);
    people.fold(text.to_owned(), |text, (spelled, cover)| one_name(&text, &spelled, &cover))
}

fn one_name(text: &str, name: &[char], cover: &str) -> String {
    let written: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < written.len() {
        if let Some(end) = named(&written, at, name) {
            out.push_str(cover);
            at = end;
        } else {
            out.push(written[at]);
            at += 1;
        }
    }
    out
}

/// Where a name ends that begins at a place. One in Latin letters is a word: it is no part of another.
fn named(written: &[char], at: usize, name: &[char]) -> Option<usize> {
    let is_latin = name.iter().all(char::is_ascii_alphabetic);
    let is_letter = |place: usize| written.get(place).is_some_and(char::is_ascii_alphabetic);
    if is_latin && at > 0 && is_letter(at - 1) {
        return None;
    }
    let mut place = at;
    for (nth, letter) in name.iter().enumerate() {
        let mut seen = 0;
        while let Some(one) = written.get(place).filter(|_| nth > 0) {
            seen += usize::from(!is_invisible(*one));
            if !(is_blank(*one) || is_point(*one)) || seen > 2 {
                break;
            }
            place += 1;
        }
        if written.get(place).copied().map(small) != Some(*letter) {
            return None;
        }
        place += 1;
    }
    (!(is_latin && is_letter(place))).then_some(place)
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
    fn known_people_are_covered_in_free_text() {
        let said = "已联系张小三，张小三表示认可；王窗口在场";
        let people = ["张小三", "王", " "];
        assert_eq!(names(said, &people, name), "已联系张*三，张*三表示认可；王窗口在场");
        assert_eq!(names(said, &people, public_name), "已联系张**，张**表示认可；王窗口在场");
        for said in ["王 静", "王　静", "王·静", "王\u{200b}静", "王静"] {
            assert_eq!(names(said, &["王 静"], name), "王*", "{said}");
        }
        assert_eq!(name("张 三"), "张*");
        let far = "买买提·吐尔逊";
        for said in ["买买提吐尔逊", "买买提•吐尔逊", "买买提 吐尔逊", "买买提.吐尔逊", far]
        {
            assert_eq!(names(said, &[far], name), name(far), "{said}");
        }
        assert_eq!(names("john  smith来电", &["John Smith"], name), "J*******h来电");
        assert_eq!(names("applied, client, Li", &["Li"], name), "applied, client, L*");
        let family = "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}";
        assert_eq!(names(family, &["张小三"], name), family);
        assert_eq!(names("张\u{ad}\u{200b}\u{200b}\u{202e}小三", &["张小三"], name), "张*三");
    }
}
