//! Calendar files that contradict themselves, each other, or all sense.

use std::path::{Path, PathBuf};

use duban_core::calendar::{Calendar, Year};
use duban_core::time::SHANGHAI;
use proptest::prelude::*;

use super::{duban, good, refused};

const SOUND: &str = r#"year = 2030
notice = "关于2030年部分节假日安排的通知"
number = "〔2029〕1号"
dated = 2029-11-01
published = 2029-11-02
url = "https://www.gov.cn/"
text = ["元旦：放假。"]
off_days = [{ name = "元旦", days = [2029-12-31, 2030-01-01] }]
workdays = [{ name = "元旦", days = [2030-01-05] }]
"#;

const AMENDMENT: &str = r#"
[[amendments]]
notice = "关于调整元旦假期的通知"
number = "〔2029〕2号"
dated = 2029-12-01
published = 2029-12-01
url = "https://www.gov.cn/"
text = ["元旦：调整。"]
off_days_added = [{ name = "元旦", days = [2030-01-05] }]
workdays_removed = [2030-01-05]
"#;

#[test]
fn a_broken_file_names_line_and_key() {
    let sound = format!("{SOUND}{AMENDMENT}");
    assert!(Year::read("x.toml", &sound).is_ok());
    let check = |from: &str, to: &str, place: &str, part: &str| {
        assert!(sound.contains(from), "{from}");
        let faults = Year::read("x.toml", &sound.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(faults.contains(place) && faults.contains(part), "{place} {part}: {faults}");
    };
    check("year = 2030", "year = 1930", "x.toml:1: year", "2000");
    check("year = 2030", "", "x.toml:1", "缺少 year");
    check("number", "nummer", "x.toml:3: nummer", "没有这个键");
    check("2029-11-01", "2029-11-31", "x.toml:4", "11 月没有 31 日");
    check("2029-11-02", "2029-10-31", "x.toml:5: published", "成文日期");
    check("https://www", "www", "x.toml:6: url", "网址");
    check("\"元旦：放假。\"", "", "x.toml:7: text", "正文");
    check("2029-12-31", "2029-11-30", "x.toml:8: off_days[1].days", "2029-11-30");
    check("2029-12-31", "2030-01-01", "x.toml:8: off_days[1].days", "重复");
    check("2029-12-31", "2030-01-05", "x.toml:9: workdays[1].days", "既放假又上班");
    check(
        "days = [2030-01-05] }]\n\n",
        "days = [2030-01-04] }]\n\n",
        "workdays[1].days",
        "周六或周日",
    );
    check("published = 2029-12-01", "published = 2029-10-01", "amendments[1].published", "早于");
    check("workdays_removed = [2030-01-05]", "", "off_days_added[1].days", "既放假又上班");
    check(
        "workdays_removed = [2030-01-05]",
        "workdays_removed = [2030-01-06]",
        "x.toml:19: amendments[1].workdays_removed",
        "无从取消",
    );
    check(
        "off_days = [{ name = \"元旦\", days = [2029-12-31, 2030-01-01] }]",
        "",
        "off_days",
        "不能为空",
    );
    check("[{ name", "[{ title", "off_days[1]", "name");
}

#[test]
fn files_that_contradict_each_other_are_refused() {
    let year = |file: &str, text: &str| Year::read(file, text).expect("sound alone");
    let first = year("a.toml", SOUND);
    let check = |text: String, parts: &[&str]| {
        let years = vec![first.clone(), year("b.toml", &text)];
        let faults = Calendar::new(SHANGHAI, years).expect_err("a fault").to_string();
        for part in parts {
            assert!(faults.contains(part), "no “{part}” in {faults}");
        }
    };
    check(SOUND.replace("1号", "9号"), &["b.toml:1: year", "a.toml"]);
    let next = SOUND.replace("2030", "2031").replace("2029", "2030");
    check(next.replace("〔2030〕1号", "〔2029〕1号"), &["b.toml:3: number", "a.toml"]);
    let last = SOUND.replace("year = 2030", "year = 2029").replace("〔2029〕1号", "〔2028〕1号");
    let last = last.replace("[2029-12-31, 2030-01-01]", "[2029-01-01]");
    let last = last.replace("[2030-01-05]", "[2029-12-30]");
    let clash =
        vec![year("a.toml", &SOUND.replace("2029-12-31", "2029-12-30")), year("c.toml", &last)];
    let faults = Calendar::new(SHANGHAI, clash).expect_err("a fault").to_string();
    assert!(faults.contains("2029-12-30 既放假又上班"), "{faults}");
}

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (file, bytes) in files {
            std::fs::write(folder.join(file), bytes).expect("a file");
        }
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_folder_replaces_the_embedded_files() {
    let folder = Folder::new("sound", &[("2030.toml", SOUND.as_bytes()), ("notes.txt", b"\xff")]);
    let checked = good(&["calendar", "check", folder.path()], "");
    assert!(checked.contains("共 1 年、1 份通知") && checked.contains("2030"), "{checked}");
    let line = r#"{"received":"2029-12-29T10:00:00+08:00","within":"1wd"}"#;
    let answer = good(&["deadline", "--batch", "--calendars", folder.path()], line);
    assert!(answer.contains(r#""due_date":"2030-01-02""#), "{answer}");
    assert!(answer.contains(r#""missing_years":[2029]"#), "{answer}");
}

#[test]
fn a_broken_folder_is_refused_with_every_fault() {
    let empty = Folder::new("empty", &[("notes.txt", b"x")]);
    refused(&["calendar", "check", empty.path()], "", &["没有 .toml 文件"]);
    let broken = SOUND.replace("number", "nummer");
    let files: [(&str, &[u8]); 3] =
        [("a.toml", broken.as_bytes()), ("b.toml", b"x = 1\n\xff"), ("c.toml", SOUND.as_bytes())];
    let folder = Folder::new("broken", &files);
    let output = duban(&["calendar", "check", folder.path()], "");
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint.contains("a.toml:3: nummer"), "{complaint}");
    assert!(complaint.contains("b.toml:2: 不是 UTF-8"), "{complaint}");
    assert!(output.stdout.is_empty(), "what is wrong has no result");
    refused(
        &["calendar", "show", "--calendars", folder.path()],
        "",
        &["a.toml:3: nummer", "b.toml:2"],
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_not_feared(text in "\\PC{0,200}", at in 0..400_usize) {
        let _ = Year::read("x.toml", &text);
        let mut sound = format!("{SOUND}{AMENDMENT}");
        let at = (0..=at).rev().find(|at| sound.is_char_boundary(*at)).unwrap_or(0);
        sound.insert_str(at, &text);
        let _ = Year::read("x.toml", &sound);
    }
}
