//! Help and complaints in the words of officials: no English of libraries, no codes, no patterns.

use crate::{Folder, duban, refused, shipped};

const RECEIVED: &str = "2026-02-13T16:30:00+08:00";

/// All that a shell can be asked for help about, as the help itself names it.
pub(crate) fn commands() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut left = vec![Vec::new()];
    while let Some(command) = left.pop() {
        let asked: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = duban(&asked).out;
        let listed = help.lines().skip_while(|line| *line != "命令：").skip(1);
        let names = listed.map_while(|line| line.strip_prefix("  ")?.split(' ').next());
        let inner: Vec<Vec<String>> =
            names.map(|name| [&command[..], &[name.to_owned()]].concat()).collect();
        all.extend(inner.iter().cloned());
        left.extend(inner);
    }
    assert!(all.len() > 30, "{all:?}");
    all
}

#[test]
fn help_is_chinese_throughout_and_found_either_way() {
    let top = duban(&["help"]);
    assert_eq!((top.code, top.complaint.as_str()), (Some(0), ""));
    assert_eq!(top.out, duban(&["--help"]).out);
    for command in commands() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let one = duban(&[&["help"], &words[..]].concat());
        assert_eq!(one.code, Some(0), "{command:?}: {}", one.complaint);
        assert_eq!(one.out, duban(&[&words[..], &["--help"]].concat()).out, "{command:?}");
        for line in one.out.lines() {
            assert!(!line.ends_with(':'), "{command:?}: {line}");
            for english in
                ["Usage", "Options", "Commands", "Arguments", "Print", "default", "possible"]
            {
                assert!(!line.contains(english), "{command:?}: {line}");
            }
        }
    }
    let issue = duban(&["token", "issue", "--help"]).out;
    assert!(
        issue.contains("用法：duban token issue --role <角色> --name <代号> [选项]"),
        "{issue}"
    );
    assert!(issue.contains("hotline（12345热线）"), "{issue}");
    let herd = duban(&["bench", "herd", "--help"]).out;
    assert!(herd.contains("[默认：100000]"), "{herd}");
    let version = duban(&["--version"]);
    assert_eq!(version.out.trim(), format!("duban {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_slip_in_the_arguments_is_told_in_a_sentence() {
    for (args, says) in [
        (&["deadline", "--json", "--json"][..], "--json 只能写一次\n详见 duban deadline --help"),
        (&["deadline", "--batch", "x", "--json"], "--batch [<文件>] 不能与 --json 同用"),
        (
            &["bench", "herd", "--tickets", "0"],
            "应为 1000 至 2000000 的整数\n详见 duban bench herd --help",
        ),
        (&["bench", "herd", "--tickets", "many"], "应为 1000 至 2000000 的整数"),
        (&["token", "issue", "--role", "chef", "--name", "x"], "auditor（效能监督部门）"),
        (&["token", "revoke", "dbn_1234"], "应为 duban token list 所列的编号"),
        (&["serve", "postgres://u:4711@h/db"], "多出一个参数“（网址，不予显示）”"),
        (&["incident", "export"], "缺少参数：编号 或 --ticket <工单>"),
        (&["help", "nothing"], "没有名为“nothing”的命令"),
        (
            &["simulate", "--workflow", "", "--received", RECEIVED],
            "应写明工作流；可用：matter、staff",
        ),
    ] {
        let complaint = refused(args);
        assert!(complaint.contains(says), "{args:?}: {complaint}");
    }
    let long = "长".repeat(5_000);
    let complaint = refused(&["deadline", "--received", &long, "--within", &long]);
    assert!(complaint.chars().count() < 500, "{complaint}");
}

#[test]
fn what_is_wrong_with_a_time_is_told() {
    let complaint =
        |received: &str| refused(&["deadline", "--within", "10wd", "--received", received]);
    for (received, says) in [
        ("2026-02-13T16:30:60+08:00", "秒应为 00 至 59"),
        ("2026-02-13T24:00:00+08:00", "24:00 应写作次日 00:00"),
        ("2026-02-30T10:00:00+08:00", "2026 年 2 月没有 30 日"),
        ("2026-13-01T10:00:00+08:00", "没有 13 月"),
        ("2026-02-13T16:30:00\u{2212}08:00", "正负号应为半角"),
        ("2026-02-13 16:30", "缺少秒和时区"),
        ("2026-02-13T16:30+08:00", "缺少秒"),
        ("2026-02-13T16:30:00", "缺少时区"),
        ("2026-02-13T16:30:00+0800", "时区应写作 +08:00"),
        ("2026-02-13T25:00:00+08:00", "小时应为 00 至 23"),
        ("2026-02-13T16:60:00+08:00", "分钟应为 00 至 59"),
        ("2026-02-13T16：30：00+08:00", "数字和符号应为半角"),
        ("2026-02-13", "日期、时间和时区"),
        ("2026-3-9T09:00:00+08:00", "应写明日期、时间和时区"),
        ("2026年3月9日", "应写明日期、时间和时区"),
        ("2026\u{2212}03\u{2212}09T09:00:00+08:00", "应为半角"),
        ("", "未写时间"),
    ] {
        assert!(complaint(received).contains(says), "{received}: {}", complaint(received));
    }
    let day = refused(&[
        "deadline",
        "--within",
        "1wd",
        "--received",
        RECEIVED,
        "--known-on",
        "2026-02-29",
    ]);
    assert!(day.contains("2026 年 2 月没有 29 日"), "{day}");
}

#[test]
fn a_folder_that_is_none_is_told_and_not_passed_over() {
    let matter = shipped("matter.toml");
    let basis = Folder::new("basis_alone", &[("basis.toml", shipped("basis.toml").as_bytes())]);
    let complaint = refused(&["workflow", "check", basis.path()]);
    assert!(complaint.contains("没有工作流"), "{complaint}");
    let file = Folder::new("forms_file", &[("matter.toml", matter.as_bytes()), ("forms", b"x")]);
    assert!(refused(&["workflow", "check", file.path()]).contains("不是目录"));
    let link = Folder::new("forms_link", &[("matter.toml", matter.as_bytes())]);
    std::os::unix::fs::symlink("/nowhere/forms", link.file("forms")).expect("a link");
    assert!(refused(&["workflow", "check", link.path()]).contains("不存在"));
    let twice = matter.replacen("classes = [\"matter\",", "classes = [\"matter\", \"matter\",", 1);
    assert_ne!(twice, matter);
    let twice = Folder::new("class_twice", &[("matter.toml", twice.as_bytes())]);
    assert!(refused(&["workflow", "check", twice.path()]).contains("类别 matter 写了两次"));
}

#[test]
fn many_faults_end_with_a_count_and_no_result() {
    let mut text = shipped("matter.toml");
    let unknown: Vec<String> = (0..300).map(|nr| format!("\n[unknown_{nr}]\nx = 1\n")).collect();
    text.push_str(&unknown.concat());
    let folder = Folder::new(
        "many_faults",
        &[("matter.toml", text.as_bytes()), ("staff.toml", shipped("staff.toml").as_bytes())],
    );
    let complaint = refused(&["workflow", "check", folder.path()]);
    assert!(complaint.lines().count() <= 102, "{}", complaint.lines().count());
    assert!(complaint.contains("另有 ") && complaint.contains("行未列出\n共 3"), "{complaint}");
}

#[test]
fn a_refused_form_is_told_by_its_fields() {
    let scenario = |form: &str| {
        format!(
            "title = \"一件\"\nworkflow = \"matter\"\nreceived = 2026-03-09T09:00:00+08:00\nuntil = 2026-03-09T10:00:00+08:00\n\n\
             [[do]]\nat = 2026-03-09T09:10:00+08:00\naction = \"dispatch\"\nby = \"hotline\"\nform = {{ agency = \"SZ013\" }}\n\n\
             [[do]]\nat = 2026-03-09T09:20:00+08:00\naction = \"record_contact\"\nby = \"agency\"\nform = {form}\n"
        )
    };
    for (form, says) in [
        ("{ outcome = \"reached\" }", "“联系方式”必填"),
        (
            "{ outcome = \"gone\", channel = \"phone\", attempted_at = 2026-03-09T09:15:00+08:00 }",
            "“联系结果”取值应为：已联系上、",
        ),
        (
            "{ outcome = \"reached\", channel = \"phone\", attempted_at = 2026-03-09T09:00:00+08:00 }",
            "不得早于进入本环节的时间 2026-03-09 09:10",
        ),
    ] {
        let folder = Folder::new("form", &[("one.toml", scenario(form).as_bytes())]);
        let said = duban(&["simulate", "--scenario", &folder.file("one.toml")]);
        assert_eq!(said.code, Some(2));
        let all = said.out + &said.complaint;
        assert!(all.contains(says), "{form}: no “{says}” in {all}");
        for raw in ["/channel", "（）", "\\S", "^["] {
            assert!(!all.contains(raw), "{form}: {raw}: {all}");
        }
    }
}

/// In what people read there are no names of the definition, and agencies have theirs.
#[test]
fn a_course_is_told_by_titles() {
    let said = duban(&["simulate", "--workflow", "matter", "--received", RECEIVED]);
    assert_eq!(said.code, Some(0), "{}", said.complaint);
    for code in ["followup_window", "contact ", "completion ", "10wd", "SZ0", "「", "«"] {
        assert!(!said.out.contains(code), "{code}: {}", said.out);
    }
    assert!(said.out.contains("起算 办结反馈时限：10 个工作日"), "{}", said.out);
    let listed = duban(&["workflow", "list"]).out;
    assert!(listed.contains("第二十四条") && listed.contains("事项差评"), "{listed}");
    for code in ["article", "local_rule", "10wd", "completion"] {
        assert!(!listed.contains(code), "{code}: {listed}");
    }
    let due = duban(&["deadline", "--received", RECEIVED, "--within", "10wd"]).out;
    assert!(due.contains("依据      国办发明电〔2025〕7号\n"), "{due}");
}

#[test]
fn shells_and_man_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = duban(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{}", script.complaint);
        assert!(script.out.contains("known-on") && script.out.contains("verify"), "{shell}");
    }
    let complaint = refused(&["completions", "tcsh"]);
    assert!(complaint.contains("bash、elvish、fish、powershell、zsh"), "{complaint}");
    let page = duban(&["manual"]).out;
    assert!(
        page.contains(".SH 用法") && page.contains("duban help") && !page.contains(".SH SYNOPSIS"),
        "{page}"
    );
    let folder = Folder::new("manual", &[("x", b"")]);
    assert_eq!(duban(&["manual", "--folder", folder.path()]).code, Some(0));
    for command in commands() {
        let page = std::fs::read_to_string(folder.file(&format!("duban-{}.1", command.join("-"))));
        assert!(page.is_ok_and(|page| page.contains(".SH 名称")), "{command:?}");
    }
    assert_eq!(duban(&["manual", "--folder", "/nowhere"]).code, Some(1));
}
