//! Tickets over the edge of what is known, and notices that come while they run.

use std::fs;
use std::path::{Path, PathBuf};

use super::played::{Played, play, play_with};

#[test]
fn an_estimated_instant_withholds_the_card() {
    let life = play("estimated_2027");
    // 22, 23, 24, 25, 28, 29, 30, 31 December, then, as assumed, 4 and 5 January.
    life.check_ledger(
        "completion",
        &[
            "2026-12-21T09:20 start 1 due 2027-01-06T00:00 estimated",
            "2026-12-31T00:00 rung 1.0.-3wd early_warning",
            "2027-01-05T00:00 rung 1.0.-1wd early_warning",
            "2027-01-06T00:00 withheld 1.0.end",
            "2027-01-07T00:00 rung 1.0.+1wd urge",
            "2027-01-09T00:00 rung 1.0.+3wd supervise",
            "2027-01-13T00:00 withheld 1.0.+5wd",
        ],
    );
    assert_eq!(life.run("completion", 1)["missing_years"], serde_json::json!([2027]));
    // The contact deadline lies within 2026, its red card's rung too.
    life.check_ledger(
        "contact",
        &[
            "2026-12-21T09:20 start 1 due 2026-12-25T00:00 firm",
            "2026-12-24T00:00 rung 1.0.-1wd early_warning",
            "2026-12-25T00:00 rung 1.0.end yellow_card",
            "2026-12-26T00:00 rung 1.0.+1wd urge",
            "2026-12-30T00:00 rung 1.0.+3wd supervise",
            "2027-01-01T00:00 rung 1.0.+5wd red_card",
        ],
    );
    // In place of the withheld card the agency is urged.
    let turn = life.turns().iter().find(|turn| turn["at"] == "2027-01-06T00:00:00+08:00");
    let message = &turn.expect("the end")["messages"][0];
    assert_eq!(message["about"]["rung"]["notice"], "urge");
    assert_eq!(message["about"]["rung"]["card"], serde_json::Value::Null);
}

#[test]
fn a_notice_makes_an_extended_deadline_firm() {
    let life = play("notice_2019");
    life.check_ledger(
        "completion",
        &[
            "2018-12-04T09:20 start 1 due 2018-12-19T00:00 firm",
            "2018-12-05T09:00 moved 1.1 extension 2018-12-19T00:00 to 2019-01-03T00:00 estimated",
            "2018-12-06T00:00 moved 1.1 calendar 2019-01-03T00:00 to 2019-01-03T00:00 firm",
            "2018-12-28T00:00 rung 1.1.-3wd early_warning",
            // 30 December to 1 January are off, Saturday the 29th is a working day.
            "2018-12-30T00:00 rung 1.1.-1wd early_warning",
            "2019-01-03T00:00 rung 1.1.end yellow_card",
            "2019-01-04T00:00 rung 1.1.+1wd urge",
            "2019-01-08T00:00 rung 1.1.+3wd supervise",
            "2019-01-10T00:00 rung 1.1.+5wd red_card",
        ],
    );
    let ledger = life.run("completion", 1)["ledger"].as_array().expect("a ledger").clone();
    let why: Vec<&str> = ledger.iter().filter_map(|entry| entry["reason"].as_str()).collect();
    assert_eq!(why, ["extension", "calendar"]);
}

#[test]
fn a_longer_holiday_moves_what_is_running() {
    let life = play("spring_2020");
    life.check_ledger(
        "completion",
        &[
            "2020-01-20T09:20 start 1 due 2020-02-08T00:00 firm",
            "2020-01-27T00:00 moved 1.0 calendar 2020-02-08T00:00 to 2020-02-12T00:00 firm",
            "2020-02-07T00:00 rung 1.0.-3wd early_warning",
            "2020-02-11T00:00 rung 1.0.-1wd early_warning",
            "2020-02-11T10:00 met 1",
        ],
    );
    // A recomputation of the calendar also moves the citizen's time; an extension does not.
    assert_eq!(life.ledger("citizen")[1].split(' ').nth(1), Some("moved"));
    assert_eq!(life.run("completion", 1)["original_due_at"], "2020-02-08T00:00:00+08:00");
    assert_eq!(life.run("completion", 1)["generation"], 0);
}

#[test]
fn a_notice_out_of_reach_changes_nothing() {
    let life = play("may_2019");
    assert_eq!(life.of_kind("deadline_moved").len(), 0);
    assert_eq!(life.run("completion", 1)["state"], "met");
}

/// A folder of its own for a test.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The matter workflow with thirty working days in place of ten.
fn with_thirty_days() -> PathBuf {
    let folder = fresh("thirty_days");
    let text = fs::read_to_string(repository("workflows/matter.toml")).expect("a workflow");
    let (before, after) = text.split_once("[deadlines.completion]").expect("the deadline");
    let after = after.replacen("within = \"10wd\"", "within = \"30wd\"", 1);
    let text = format!("{before}[deadlines.completion]{after}");
    fs::write(folder.join("matter.toml"), text).expect("a workflow");
    folder
}

/// The shipped calendars and a notice for 2027 that was published on `published`, with `more`.
fn with_notice_2027(name: &str, published: &str, more: &str) -> PathBuf {
    let folder = fresh(name);
    for file in fs::read_dir(repository("calendars")).expect("the calendars") {
        let path = file.expect("a file").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let text = format!(
        "year = 2027\nnotice = \"虚构的2027年通知\"\nnumber = \"虚构〔2027〕1号\"\n\
         dated = {published}\npublished = {published}\nurl = \"https://example.org/\"\n\
         text = [\"元旦：放假。\"]\n\
         off_days = [{{ name = \"元旦\", days = [2027-01-01] }}]\n{more}"
    );
    fs::write(folder.join("CN-2027.toml"), text).expect("a calendar");
    folder
}

fn play_with_folder(name: &str, flag: &str, folder: &Path) -> Played {
    play_with(name, &[flag, folder.to_str().expect("UTF-8")])
}

#[test]
fn the_amendment_of_may_2019_reaches_a_longer_deadline() {
    let life = play_with_folder("may_2019", "--workflows", &with_thirty_days());
    // Counted by the notice of 2018, the thirtieth day is 3 May. By the amendment 28 April works,
    // 2 to 4 May are off and the 5th works.
    life.check_ledger(
        "completion",
        &[
            "2019-03-20T09:20 start 1 due 2019-05-04T00:00 firm",
            "2019-03-22T00:00 moved 1.0 calendar 2019-05-04T00:00 to 2019-05-06T00:00 firm",
            "2019-04-03T10:00 met 1",
        ],
    );
}

#[test]
fn a_notice_may_move_a_deadline_earlier() {
    let weekend = "workdays = [{ name = \"元旦\", days = [2027-01-02, 2027-01-03] }]\n";
    let folder = with_notice_2027("earlier", "2026-12-28", weekend);
    let life = play_with_folder("estimated_2027", "--calendars", &folder);
    let completion = life.ledger("completion");
    assert_eq!(
        completion[..2],
        [
            "2026-12-21T09:20 start 1 due 2027-01-06T00:00 estimated",
            "2026-12-28T00:00 moved 1.0 calendar 2027-01-06T00:00 to 2027-01-04T00:00 firm",
        ]
    );
    // −3wd of the 3rd is the 30th of December, as before; nothing is withheld any more.
    assert_eq!(
        completion[2..6],
        [
            "2026-12-31T00:00 rung 1.0.-3wd early_warning",
            "2027-01-03T00:00 rung 1.0.-1wd early_warning",
            "2027-01-04T00:00 rung 1.0.end yellow_card",
            "2027-01-05T00:00 rung 1.0.+1wd urge",
        ]
    );
    assert_eq!(life.of_kind("rung_withheld").len(), 0);
}

#[test]
fn a_late_notice_leaves_the_next_working_day() {
    let weekend = "workdays = [{ name = \"元旦\", days = [2027-01-02, 2027-01-03] }]\n";
    let folder = with_notice_2027("late", "2027-01-03", weekend);
    let life = play_with_folder("estimated_2027", "--calendars", &folder);
    // Exactly counted the end would have been the night to the 4th; the notice of the 3rd leaves
    // the whole of the next working day, the 4th.
    assert_eq!(
        life.ledger("completion")[2..5],
        [
            "2027-01-03T00:00 moved 1.0 calendar 2027-01-06T00:00 to 2027-01-05T00:00 firm",
            "2027-01-04T00:00 rung 1.0.-1wd early_warning",
            "2027-01-05T00:00 rung 1.0.end yellow_card",
        ]
    );
}

#[test]
fn a_withheld_card_is_issued_when_the_notice_comes_in_time() {
    let folder = with_notice_2027("withheld", "2027-01-06", "");
    let life = play_with_folder("estimated_2027", "--calendars", &folder);
    assert_eq!(
        life.ledger("completion")[2..6],
        [
            "2027-01-05T00:00 rung 1.0.-1wd early_warning",
            "2027-01-06T00:00 withheld 1.0.end",
            "2027-01-06T00:00 moved 1.0 calendar 2027-01-06T00:00 to 2027-01-06T00:00 firm",
            "2027-01-06T00:00 rung 1.0.end yellow_card",
        ]
    );
    assert_eq!(life.run("completion", 1)["generation"], 0);
}

#[test]
fn a_breach_of_an_estimated_end_waits_for_the_notice() {
    // Published after the assumed end: the 4th turns out to have been off, so the end was a day
    // later, and only from then on was the agency late. The cards that were withheld come now.
    let folder = with_notice_2027("breached", "2027-01-08", "");
    let file = folder.join("CN-2027.toml");
    let text = fs::read_to_string(&file).expect("a calendar");
    let text = text.replace("[2027-01-01]", "[2027-01-01, 2027-01-04]");
    fs::write(&file, text).expect("a calendar");
    let life = play_with_folder("estimated_2027", "--calendars", &folder);
    let run = life.run("completion", 1);
    assert_eq!(run["original_due_at"], "2027-01-06T00:00:00+08:00");
    assert_eq!(run["due_at"], "2027-01-07T00:00:00+08:00");
    assert_eq!(run["certainty"], "firm");
    let ledger = life.ledger("completion");
    let yellow: Vec<&String> = ledger.iter().filter(|line| line.contains("yellow_card")).collect();
    assert_eq!(yellow, ["2027-01-08T00:00 rung 1.0.end yellow_card"]);
}
