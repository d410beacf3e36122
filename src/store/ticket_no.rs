//! The number that people use for a ticket: `HCP20260304000127-5`. Must never be part of hashed
//! bytes: it is given at the commit.

use duban_core::time::Day;

/// The letters with which every number begins.
pub const NUMBER_LETTERS: &str = "HCP";

/// The number of the `sequence`th ticket of a day (from 1): `HCP`, the date, six digits or more,
/// and the check character of ISO 7064 MOD 11-2 over all digits.
pub(super) fn ticket_no(day: Day, sequence: i64) -> String {
    let digits = format!("{}{sequence:06}", day.date().format("%Y%m%d"));
    let check = check_character(&digits);
    format!("{NUMBER_LETTERS}{digits}-{check}")
}

/// Whether a text could be such a number.
pub(super) fn is_ticket_no(text: &str) -> bool {
    let parts = text.strip_prefix(NUMBER_LETTERS).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(digits, check)| {
        digits.len() >= 14
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && check.chars().eq([check_character(digits)])
    })
}

fn check_character(digits: &str) -> char {
    let sum = digits.bytes().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        check => char::from_digit(check, 10).unwrap_or('X'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_the_field_writes_them() {
        let check = |day: (i32, u32, u32), sequence, expected: &str| {
            let day = Day::from_ymd(day.0, day.1, day.2).unwrap();
            assert_eq!(ticket_no(day, sequence), expected);
            assert!(is_ticket_no(expected));
        };
        check((2026, 3, 4), 127, "HCP20260304000127-5");
        check((2026, 3, 4), 1_000_000, "HCP202603041000000-7");
    }

    #[test]
    fn what_is_no_number_is_seen() {
        for text in [
            "",
            "HCP",
            "HCP20260304000127",
            "HCP20260304000127-",
            "HCP20260304000127-4",
            "HCP20260304000127-5 ",
            "HCP20260304000127-55",
            "hcp20260304000127-5",
            "HCP2026030400012七-5",
            "HCP2026030400-1",
        ] {
            assert!(!is_ticket_no(text), "{text}");
        }
    }

    #[test]
    fn every_wrong_digit_and_swap_is_seen() {
        let digits = "20260304000127";
        let check = check_character(digits);
        for place in 0..digits.len() {
            for digit in '0'..='9' {
                let mut wrong = digits.to_owned();
                wrong.replace_range(place..=place, &digit.to_string());
                assert_eq!(wrong == digits, check_character(&wrong) == check, "{wrong}");
            }
        }
    }
}
