//! What the commands print for good and bad input.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{duban, good, refused};

/// What is known unless a vector says otherwise: the day the vectors were made.
const VECTORS_KNOWN_ON: &str = "2026-11-23";

#[test]
fn every_vector_holds() {
    let text = include_str!("../vectors/deadline-vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(text).expect("JSON");
    assert_eq!(vectors.len(), 818);
    let input: String = vectors.iter().map(|vector| request(vector).to_string() + "\n").collect();
    let output = good(&["deadline", "--batch"], &input);
    let answers: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), vectors.len());
    for (vector, answer) in vectors.iter().zip(&answers) {
        agrees(vector, answer);
    }
}

fn request(vector: &Value) -> Value {
    let natural = vector["kind"] == "natural_days_art203";
    let unit = if natural { "d" } else { "wd" };
    json!({
        "received": vector["received"],
        "within": format!("{}{unit}", vector["n"]),
        "known_on": vector.get("as_of").cloned().unwrap_or(json!(VECTORS_KNOWN_ON)),
        "roll": natural,
    })
}

fn agrees(vector: &Value, answer: &Value) {
    if let Some(error) = vector.get("error").and_then(Value::as_str) {
        let year: i64 =
            error.strip_prefix("no_calendar:").and_then(|y| y.parse().ok()).expect("year");
        assert_eq!(answer["certainty"], "estimated", "{vector} {answer}");
        assert_eq!(answer["missing_years"][0], year, "{vector} {answer}");
        return;
    }
    let due = vector["due"].as_str().expect("a date");
    assert_eq!(answer["due_date"], due, "{vector} {answer}");
    let backwards = vector["n"].as_i64() < Some(0);
    if backwards {
        assert_eq!(answer["due_at"], format!("{due}T00:00:00+08:00"), "{vector} {answer}");
    } else if let Some(end) = vector.get("due_end_exclusive") {
        assert_eq!(answer["due_at"], *end, "{vector} {answer}");
    }
    let provisional = vector["provisional"] == true;
    assert_eq!(answer["certainty"] == "provisional", provisional, "{vector} {answer}");
    assert_ne!(answer["certainty"], "estimated", "{vector} {answer}");
    assert_eq!(answer["missing_years"], json!([]), "{vector} {answer}");
}

#[test]
fn a_batch_answers_with_four_fields_a_line() {
    let lines = concat!(
        r#"{"received":"2026-02-13T16:30:00+08:00","within":"10wd"}"#,
        "\r\n",
        r#"{"within":"24h","received":"2026-02-13T16:30:00.500Z","known_on":null}"#,
        "\n\n",
    );
    let expected = concat!(
        r#"{"due_date":"2026-03-05","due_at":"2026-03-06T00:00:00+08:00","certainty":"firm","missing_years":[]}"#,
        "\n",
        r#"{"due_date":"2026-02-15","due_at":"2026-02-15T00:30:00.500+08:00","certainty":"firm","missing_years":[]}"#,
        "\n",
    );
    assert_eq!(good(&["deadline", "--batch"], lines), expected);
    assert_eq!(good(&["deadline", "--batch", "-"], ""), "");
}

#[test]
fn a_bad_line_refuses_the_whole_batch() {
    let good = r#"{"received":"2026-02-13T16:30:00+08:00","within":"10wd"}"#;
    let check = |line: &str, parts: &[&str]| {
        let parts: Vec<&str> = [":2: "].iter().chain(parts).copied().collect();
        refused(&["deadline", "--batch"], &format!("{good}\n{line}\n{good}\n"), &parts);
    };
    check("{", &["JSON"]);
    check("[]", &["JSON 对象"]);
    check("", &["空行"]);
    refused(
        &["deadline", "--batch"],
        &format!("{good}\n\n \n{good}"),
        &[":2: ", ":3: ", "共 2 行"],
    );
    let far = " ".repeat(5_000);
    check(&format!("{far}{good}"), &["一行过长"]);
    refused(&["deadline", "--batch"], &format!("{good}\n{far}{good}"), &[":2: ", "一行过长"]);
    check(r#"{"received":"2026-02-13T16:30:00+08:00"}"#, &["缺少 within"]);
    check(r#"{"within":"1wd"}"#, &["缺少 received"]);
    check(r#"{"received":"2026-02-13","within":"1wd"}"#, &["received", "日期、时间和时区"]);
    check(r#"{"received":"1999-02-13T00:00:00Z","within":"1wd"}"#, &["received", "2000"]);
    check(r#"{"received":1,"within":"1wd"}"#, &["received", "文本", "数字"]);
    let with = |rest: &str| format!(r#"{{"received":"2026-02-13T16:30:00+08:00",{rest}}}"#);
    check(&with(r#""within":"10""#), &["within", "10wd"]);
    check(&with(r#""within":"0wd""#), &["within", "不能为 0"]);
    check(&with(r#""within":"99999999999d""#), &["within", "超出范围"]);
    check(&with(r#""within":"1wd","within":"2wd""#), &["within", "写了两次"]);
    check(
        &with(r#""within":"1wd","Within":"2wd""#),
        &["Within", "没有名为“Within”的字段", "known_on"],
    );
    check(&with(r#""within":"1wd","roll":true"#), &["roll", "自然日"]);
    check(&with(r#""within":"-7d","roll":true"#), &["roll", "倒推"]);
    check(&with(r#""within":"7d","roll":"yes""#), &["roll", "true 或 false"]);
    check(&with(r#""within":"7d","known_on":"2026-2-1""#), &["known_on", "年-月-日"]);
    check(r#"{"received":"2099-12-31T00:00:00+08:00","within":"9wd"}"#, &["within", "2099"]);
}

#[test]
fn a_batch_reports_every_bad_line_up_to_a_number() {
    let lines = "{}\n".repeat(500);
    let output = duban(&["deadline", "--batch"], &lines);
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(complaint.contains(":1: ") && complaint.contains(":2: "), "{complaint}");
    assert!(complaint.contains("共 500 行有误"), "{complaint}");
    assert!(complaint.lines().count() <= 102, "{complaint}");
}

#[test]
fn bad_arguments_are_refused_in_chinese() {
    let received = ["deadline", "--received", "2026-02-13T16:30:00+08:00"];
    let check = |more: &[&str], parts: &[&str]| refused(&[&received, more].concat(), "", parts);
    check(&[], &["缺少参数", "--within"]);
    check(&["--within", "ten"], &["--within", "ten", "10wd"]);
    check(&["--within", "10wd", "--roll"], &["--roll", "自然日"]);
    check(&["--within", "10wd", "--known-on", "soon"], &["--known-on", "年-月-日"]);
    check(&["--within", "10wd", "--batch"], &["不能与", "同用"]);
    check(&["--within", "10wd", "--wat"], &["没有名为", "--wat"]);
    check(&["--within", "10wd", "--calendars", "/nowhere"], &["/nowhere", "不存在"]);
    refused(&["deadline", "--batch", "/nowhere"], "", &["/nowhere", "不存在"]);
    refused(&["calendar", "show", "1999"], "", &["1999", "2000"]);
    refused(
        &["calendar", "show", "--known-on", "2010-01-01"],
        "",
        &["尚无已公布的放假通知；请写明年份"],
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(["calendar", "show", "2026"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_deadline_is_told_and_explained() {
    let check = |name: &str, args: &[&str]| {
        let mut all = vec!["deadline"];
        all.extend(args);
        insta::assert_snapshot!(name, good(&all, ""));
    };
    let spring = "2026-02-13T16:30:00+08:00";
    check("explain_spring", &["--received", spring, "--within", "3wd", "--explain"]);
    check("explain_json", &["--received", spring, "--within", "2wd", "--explain", "--json"]);
    let winter = "2026-12-29T09:00:00+08:00";
    check("explain_assumed", &["--received", winter, "--within", "3wd", "--explain"]);
    let march = "2026-03-28T09:00:00+08:00";
    check("explain_rolled", &["--received", march, "--within", "7d", "--roll", "--explain"]);
    check("explain_backwards", &["--received", spring, "--within", "-3wd", "--explain"]);
    check("told_hours", &["--received", spring, "--within", "24h", "--known-on", "2026-02-01"]);
    check("told_provisional", &["--received", winter, "--within", "1wd"]);
}

#[test]
fn a_year_is_shown_as_known_on_a_day() {
    insta::assert_snapshot!("show_2026", good(&["calendar", "show", "2026"], ""));
    let before = ["calendar", "show", "2020", "--known-on", "2020-01-26"];
    insta::assert_snapshot!("show_2020_known_on_2020_01_26", good(&before, ""));
    let shown = good(&["calendar", "show", "2027", "--json"], "");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["covered"], false);
    assert_eq!(shown["off_days"].as_array().map(Vec::len), Some(6));
    assert!(good(&["calendar", "show", "2027"], "").contains("推定"));
    // The notice of 2019 names days of December 2018.
    assert!(good(&["calendar", "show", "2018"], "").contains("国办发明电〔2018〕15号"));
}

#[test]
fn the_embedded_files_are_good() {
    insta::assert_snapshot!("check", good(&["calendar", "check"], ""));
}
