//! Broken scenarios.

use super::{Folder, duban, line_of, refused, replaced};

const SOUND: &str = r#"title = "一件"
workflow = "matter"
received = 2026-03-09T09:00:00+08:00
reviewed = 2026-03-08T20:00:00+08:00
flags = ["anonymous"]
until = 2026-03-31T00:00:00+08:00

[[outage]]
from = 2026-03-20T00:00:00+08:00
to = 2026-03-21T00:00:00+08:00

[[do]]
at = 2026-03-09T09:20:00+08:00
action = "dispatch"
by = "hotline"
form = { agency = "SZ013" }
revision = 3

[[do]]
at = 2026-03-09T10:00:00+08:00
recorded_at = 2026-03-09T10:00:01+08:00
action = "sign"
by = "agency"
refused = "stale-revision"
revision = 1
"#;

fn simulated(name: &str, text: &str) -> (String, String) {
    let folder = Folder::new(name, &[("one.toml", text.as_bytes())]);
    let file = folder.file("one.toml");
    (refused(&["simulate", "--scenario", &file]), file)
}

/// What is no TOML is told as exactly as what stands between quotation marks.
#[test]
fn a_slip_of_the_syntax_is_told_with_its_reason() {
    let text = "title = “x”\nworkflow ＝ \"matter\"\nreceived = 2026-02-30T10:00:00+08:00\n\
                until = 2026-03-09T24:00:00+08:00\nreviewed = 2026-03-09T10:00:00\u{2212}08:00\n\
                flags = [1,,2]\nb = \"“\" x\n";
    let folder = Folder::new("slips", &[("one.toml", text.as_bytes())]);
    let told = refused(&["simulate", "--scenario", &folder.file("one.toml")]);
    let says = [
        "有全角的 “",
        "有全角的 ＝",
        "2026 年 2 月没有 30 日",
        "24:00 应写作次日 00:00",
        "应为半角的 + 或 -",
        "请核对这一行的引号、括号和等号",
        "请核对这一行的引号、括号和等号",
    ];
    for (line, says) in (1..).zip(says) {
        let place = format!("one.toml:{line}: ");
        let said: Vec<&str> = told.lines().filter(|one| one.contains(&place)).collect();
        assert!(said.len() == 1 && said[0].contains(says), "{line}: {told}");
    }
}

#[test]
fn the_sound_one_is_played() {
    let folder = Folder::new("sound", &[("one.toml", SOUND.as_bytes())]);
    let said = duban(&["simulate", "--scenario", &folder.file("one.toml")]);
    assert_eq!(said.code, Some(0), "{}", said.complaint);
    assert!(said.out.starts_with("一件\n"), "{}", said.out);
}

fn check(from: &str, to: &str, line: &str, key: &str, parts: &[&str]) {
    let text = replaced(SOUND, "", from, to);
    let (complaint, file) = simulated("scenario", &text);
    let place = format!("{file}:{}: {key}", line_of(&text, &[line]));
    assert!(complaint.contains(&place), "{from} → {to}: no “{place}” in {complaint}");
    for part in parts {
        assert!(complaint.contains(part), "{from} → {to}: no “{part}” in {complaint}");
    }
}

#[test]
fn a_broken_scenario_names_line_and_key() {
    check("title = \"一件\"\n", "", "workflow", "", &["缺少 title"]);
    check("title", "titel", "titel", "titel: ", &["没有这个键", "title"]);
    check("workflow = \"matter\"", "workflow = 1", "workflow", "workflow: ", &["应为文本"]);
    check(
        "received = 2026-03-09T09:00:00+08:00",
        "received = 2026-03-09",
        "received",
        "received: ",
        &["日期、时间和时区"],
    );
    check("received = 2026-", "received = 1926-", "received", "received: ", &["2000 至 2099"]);
    check(
        "[\"anonymous\"]",
        "[\"famous\"]",
        "flags",
        "flags: ",
        &["famous", "anonymous（匿名评价）、hotline_self（涉热线）"],
    );
    check("2026-03-08T20:00", "2026-03-09T20:00", "reviewed", "reviewed: ", &["最多可比收到时间"]);
    check("until = 2026-03-31", "until = 2026-03-08", "until", "until: ", &["不得早于最后一步"]);
    check("to = 2026-03-21", "to = 2026-03-20", "to = ", "outage[1].to: ", &["晚于开始时间"]);
    check(
        "by = \"hotline\"",
        "by = \"king\"",
        "by = \"king\"",
        "do[1].by: ",
        &["没有名为“king”的角色", "hotline"],
    );
    check("action = \"sign\"\n", "", "[[do]]\nat = 2026-03-09T10", "do[2]", &["缺少 action"]);
    check("revision = 3", "revision = -4", "revision = -4", "do[1].revision: ", &["整数"]);
    check(
        "form = { agency = \"SZ013\" }",
        "form = \"SZ013\"",
        "form = ",
        "do[1].form: ",
        &["应为表"],
    );
    check(
        "refused = \"stale-revision\"",
        "refused = \"stale\"",
        "refused",
        "do[2].refused: ",
        &["没有名为“stale”的不能办理的原因", "stale-revision（工单已有变化）"],
    );
    check("refused = ", "refuses = ", "refuses", "do[2].refuses: ", &["没有这个键", "refused"]);
    check(
        "recorded_at = 2026-03-09",
        "recorded_at = 2026-03-08",
        "recorded_at",
        "do[2].recorded_at: ",
        &["不得早于办理时间"],
    );
    check(
        "at = 2026-03-09T09:20",
        "at = 2026-03-09T08:20",
        "at = 2026-03-09T08:20",
        "do[1].at: ",
        &["早于收到时间"],
    );
    check(
        "at = 2026-03-09T09:20",
        "at = 2026-03-10T09:20",
        "at = 2026-03-09T10:00",
        "do[2].at: ",
        &["先后排列"],
    );
    check("[[do]]", "[[do]", "[[do]", "", &["TOML"]);
}

#[test]
fn several_faults_are_told_at_once() {
    let text = SOUND.replace("title", "titel").replace("\"hotline\"", "\"king\"");
    let text = text.replace("to = 2026-03-21", "to = 2026-03-20");
    let (complaint, _) = simulated("several_scenario", &text);
    for key in ["titel", "do[1].by", "outage[1].to", "缺少 title"] {
        assert!(complaint.contains(key), "no “{key}” in {complaint}");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = Folder::new("unreadable", &[("latin.toml", b"title = \"\xe9\"")]);
    let complaint = refused(&["simulate", "--scenario", &folder.file("latin.toml")]);
    assert!(complaint.contains("latin.toml") && complaint.contains("UTF-8"), "{complaint}");
    let complaint = refused(&["simulate", "--scenario", &folder.file("nothing.toml")]);
    assert!(complaint.contains("nothing.toml") && complaint.contains("不存在"), "{complaint}");
    let complaint = refused(&["simulate", "--scenario", folder.path()]);
    assert!(complaint.contains("目录"), "{complaint}");
}

#[test]
fn a_workflow_or_class_that_is_not_there() {
    let (complaint, _) = simulated("workflow", &SOUND.replace("\"matter\"", "\"masters\""));
    assert!(complaint.contains("没有名为“masters”的工作流；可用：matter、staff"), "{complaint}");
    let text = SOUND.replace("workflow = \"matter\"", "workflow = \"matter\"\nclass = \"weather\"");
    let (complaint, _) = simulated("class", &text);
    assert!(complaint.contains("类别“weather”不由工作流 matter 受理"), "{complaint}");
    // Another workflow's class is a contradiction, not a hint.
    let text = SOUND.replace("workflow = \"matter\"", "workflow = \"matter\"\nclass = \"staff\"");
    let (complaint, _) = simulated("foreign_class", &text);
    assert!(
        complaint.contains("类别“人员差评”不由工作流 matter 受理；可用：matter（事项差评）"),
        "{complaint}"
    );
}

/// A scenario is a test: what it does not expect is a failure that names the step.
#[test]
fn an_unexpected_refusal_or_success_is_a_failure() {
    let played = |name: &str, text: &str| {
        let folder = Folder::new(name, &[("one.toml", text.as_bytes())]);
        let said = duban(&["simulate", "--scenario", &folder.file("one.toml")]);
        assert_eq!(said.code, Some(2), "{}", said.out);
        said.complaint
    };
    let text = SOUND.replace("refused = \"stale-revision\"\n", "");
    let line = line_of(&text, &["[[do]]\nat = 2026-03-09T10"]);
    let complaint = played("unexpected", &text);
    assert!(complaint.contains(&format!("one.toml:{line}: 签收：预期办成")), "{complaint}");
    assert!(complaint.contains("工单已有变化"), "{complaint}");
    let text = SOUND.replace("revision = 1\n", "");
    let complaint = played("success", &text);
    assert!(complaint.contains("预期不能办理（工单已有变化），实际办成了"), "{complaint}");
    let text = SOUND.replace("\"stale-revision\"", "\"guarded\"");
    let complaint = played("other", &text);
    assert!(complaint.contains("预期不能办理（条件不具备）"), "{complaint}");
}
