//! What is read without end, or never comes, and what is written where nobody listens.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Folder, duban, shipped};

/// So much memory is enough for everything.
const MEMORY_MB_MAX: u64 = 200;

/// Nothing waits for longer without a word.
const SILENCE_MAX: Duration = Duration::from_secs(5);

const LINE: &str = r#"{"received":"2026-02-13T16:30:00+08:00","within":"10wd"}"#;

fn started(shell: &str) -> Child {
    let program = Path::new(env!("CARGO_BIN_EXE_duban"));
    let folder = program.parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.arg("-c").arg(shell).env("PATH", path).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell")
}

/// The most memory that a process had, in MB.
fn memory_mb(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}

/// Runs to its end: exit code, complaint, and the most memory.
fn ended(shell: &str) -> (Option<i32>, String, u64) {
    let mut child = started(&format!("exec {shell}"));
    let mut out = child.stdout.take().expect("piped");
    let drained = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let mut complaint = child.stderr.take().expect("piped");
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        complaint.read_to_string(&mut text).expect("UTF-8");
        text
    });
    let mut most = None;
    let code = loop {
        most = most.max(memory_mb(child.id()));
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    drained.join().expect("drained").expect("drained");
    (code, said.join().expect("said"), most.unwrap_or_else(|| panic!("{shell}: never seen to run")))
}

#[test]
fn what_has_no_end_is_refused_at_its_limit() {
    for (shell, says) in [
        ("duban simulate --scenario /dev/zero", "内容过大：不应超过 4 MiB"),
        ("duban replay /dev/zero", "内容过大：不应超过 64 MiB"),
        ("duban deadline --batch /dev/zero", "内容过大：不应超过 256 MiB"),
        ("duban deadline --batch /dev/urandom", "共 1000 行以上有误"),
        ("duban workflow check /dev/zero", "不是目录"),
        ("duban calendar check /dev/zero", "不是目录"),
    ] {
        let (code, said, most) = ended(shell);
        assert_eq!(code, Some(2), "{shell}: {said}");
        assert!(said.contains(says), "{shell}: {said}");
        assert!(most < MEMORY_MB_MAX, "{shell}: {most} MB");
        assert!(said.lines().count() <= 102, "{shell}: {} lines", said.lines().count());
    }
}

/// Nothing but faults, in as many files of the largest size as a folder may have, and in more.
#[test]
fn a_folder_takes_no_more_than_memory_has_room_for() {
    let mut text = shipped("matter.toml");
    for nr in 0.. {
        let fault = format!("\n[u{nr}]\nx = 1\n");
        if text.len() + fault.len() > 256 * 1024 {
            break;
        }
        text.push_str(&fault);
    }
    let check = |count: usize, says: &str| {
        let names: Vec<String> = (0..count).map(|nr| format!("m{nr}.toml")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
        let folder = Folder::new(&format!("faults_{count}"), &files);
        let begun = Instant::now();
        let (code, said, most) = ended(&format!("duban workflow check {}", folder.path()));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(most < MEMORY_MB_MAX, "{most} MB");
        assert!(begun.elapsed() < SILENCE_MAX, "{:?}", begun.elapsed());
    };
    check(1, "共 1000 处以上错误");
    check(7, "处以上错误");
    check(200, "合计过大：不应超过 2 MiB");
}

/// As many faults as there is room for, in files with the longest names, whoever reads them.
#[test]
fn faults_take_no_more_than_memory_has_room_for() {
    let text: String = (0..1_200).map(|nr| format!("a{nr}=1\n")).collect::<Vec<_>>().concat();
    let long = ["L", "M", "N"].map(|letter| letter.repeat(200)).join("/");
    let names: Vec<String> = (0..200).map(|nr| format!("{long}/a{nr}.toml")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
    let folder = Folder::new("long_names", &files);
    let path = folder.file(&long);
    for shell in [
        format!("duban workflow check {path}"),
        format!("duban calendar check {path}"),
        format!("duban workflow list --workflows {path}"),
        format!(
            "duban simulate --workflow matter --received 2026-03-02T10:00:00+08:00 --workflows {path}"
        ),
        format!(
            "duban deadline --received 2026-03-02T10:00:00+08:00 --within 1wd --calendars {path}"
        ),
    ] {
        let (code, said, most) = ended(&shell);
        assert_eq!(code, Some(2), "{shell}: {said}");
        assert!(said.ends_with("处以上错误\n"), "{shell}");
        assert_eq!(said.lines().count(), 102, "{shell}");
        assert!(most < MEMORY_MB_MAX, "{shell}: {most} MB");
    }
}

/// A workflow beside so many forms, each of so many fields that are described so.
fn forms(name: &str, count: usize, fields: usize, described: &str) -> Folder {
    let fields: Vec<String> = (0..fields).map(|nr| format!("\"a{nr}\":{described}")).collect();
    let form = format!(
        "{{\"title\":\"x\",\"type\":\"object\",\"additionalProperties\":false,\"properties\":{{{}}}}}",
        fields.join(",\n")
    );
    let staff = shipped("staff.toml");
    let names: Vec<String> = (0..count).map(|nr| format!("forms/f{nr}.json")).collect();
    let forms = names.iter().map(|name| (name.as_str(), form.as_bytes()));
    let files: Vec<(&str, &[u8])> = forms.chain([("staff.toml", staff.as_bytes())]).collect();
    Folder::new(name, &files)
}

/// All fields of all forms wrong, each on its own line.
#[test]
fn faults_of_forms_are_told_soon() {
    let folder = forms("wrong_forms", 30, 2_500, "{\"type\":\"foo\"}");
    let begun = Instant::now();
    let (code, said, most) = ended(&format!("duban workflow check {}", folder.path()));
    assert_eq!(code, Some(2));
    assert!(said.ends_with("处以上错误\n"), "{said}");
    assert!(most < MEMORY_MB_MAX, "{most} MB");
    assert!(begun.elapsed() < SILENCE_MAX, "{:?}", begun.elapsed());
}

/// Nothing wrong with any of it: as many fields as a folder's forms may have.
#[test]
fn forms_take_no_more_than_memory_has_room_for() {
    let folder = forms("forms", 17, 4_200, "{\"type\":\"boolean\"}");
    let (code, said, most) = ended(&format!("duban workflow check {}", folder.path()));
    assert_eq!(code, Some(0), "{said}");
    assert!(most < MEMORY_MB_MAX, "{most} MB");
}

/// What a tree or a list of faults takes most of: as much as is read, and more.
#[test]
fn a_document_takes_no_more_than_memory_has_room_for() {
    let pieces = [
        ("a=[", "1,", "]"),
        ("a=[", "{a=1},", "]"),
        ("a=[", "1979-01-01,", "]"),
        ("a=[", "9999-99-99,", "]"),
        ("a=[", "1_,", "]"),
        ("a", ".a", "=1"),
        ("", "[[a]]\n", ""),
        ("", "[[a]]\n[a.b]\n", ""),
        ("", "[[a]]\nb.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1\n", ""),
        ("[[do]]\n[do.form]\n", "[[do.form.a]]\nb.a.a.a.a.a.a.a.a.a=1\n", ""),
        ("", "a=1\n", ""),
        ("", "=\n", ""),
        ("", "\"\n", ""),
        ("", "#\n", ""),
    ];
    // Up to the most pieces that are read (two to thirteen in each of these), and up to the most bytes.
    for (nr, (begin, piece, end)) in pieces.into_iter().enumerate() {
        for count in [40_000, 90_000, 140_000, 299_000, 4 * 1024 * 1024 / piece.len() - 10] {
            let text = format!("{begin}{}{end}", piece.repeat(count));
            let folder = Folder::new(&format!("tree_{nr}_{count}"), &[("x", text.as_bytes())]);
            let begun = Instant::now();
            let (code, said, most) =
                ended(&format!("duban simulate --scenario {}", folder.file("x")));
            assert_eq!(code, Some(2), "{piece} {count}: {said}");
            assert!(said.lines().count() <= 102, "{piece} {count}: {said}");
            assert!(most < MEMORY_MB_MAX, "{piece} {count}: {most} MB");
            assert!(begun.elapsed() < SILENCE_MAX, "{piece} {count}: {:?}", begun.elapsed());
        }
    }
}

/// The file of settings, named or found.
#[test]
fn settings_are_read_with_a_limit_and_never_passed_over() {
    let folder = Folder::new("settings", &[("long", "#".repeat(300_000).as_bytes())]);
    let (code, said, _) = ended(&format!("duban token list --config {}", folder.file("long")));
    assert!(code == Some(2) && said.contains("不应超过 256 KiB"), "{said}");
    let fifo = folder.file("duban.toml");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let (code, said, _) = ended(&format!("sh -c 'cd {} && duban token list'", folder.path()));
    assert!(code == Some(2) && said.contains("不是普通文件"), "{said}");
}

#[test]
fn a_batch_takes_the_memory_of_a_line() {
    let line = format!("{LINE}\n");
    let folder = Folder::new("batch", &[("good.jsonl", line.repeat(100_000).as_bytes())]);
    let (code, said, most) =
        ended(&format!("duban deadline --batch {}", folder.file("good.jsonl")));
    assert_eq!(code, Some(0), "{said}");
    assert!(most < 40, "{most} MB");
    let (code, said, _) = ended("sh -c 'yes {} | duban deadline --batch'");
    assert_eq!(code, Some(2));
    assert!(said.contains("其余未再检查"), "{said}");
}

#[test]
fn whoever_waits_is_told_for_what() {
    let folder = Folder::new("fifo", &[("x", b"")]);
    let fifo = folder.file("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for shell in [
        format!("exec duban simulate --scenario {fifo}"),
        format!("exec duban deadline --batch {fifo}"),
        format!("exec duban replay {fifo}"),
        "sleep 20 | duban deadline --batch".to_owned(),
    ] {
        let begun = Instant::now();
        let mut child = started(&shell);
        let mut complaint = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        complaint.read_line(&mut said).expect("UTF-8");
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(said.contains("正在等待"), "{shell}: {said}");
        assert!(begun.elapsed() < SILENCE_MAX, "{shell}: {:?}", begun.elapsed());
    }
}

/// Results that nobody could read were not written: that is a failure.
#[test]
fn without_an_output_nothing_is_good() {
    for (shell, code) in [
        // Whoever wants no output opens its place for both.
        ("duban calendar check 1<>/dev/null", Some(0)),
        ("duban calendar check >&-", Some(1)),
        ("duban --help >&-", Some(1)),
        ("duban calendar check >/dev/full", Some(1)),
        ("duban calendar check >/dev/null", Some(0)),
        ("duban calendar check 2>&-", Some(0)),
    ] {
        let mut child = started(shell);
        assert_eq!(child.wait().expect("ended").code(), code, "{shell}");
    }
}

#[test]
fn what_steers_a_terminal_is_never_printed() {
    let steering = "a\u{1b}[31m\u{202e}b";
    let scenario = format!(
        "title = \"{steering}\"\nworkflow = \"{steering}\"\nreceived = 2026-02-13T16:30:00+08:00\n"
    );
    let scenario = scenario.replace('\u{1b}', "\\u001b");
    // What is good is printed no other way.
    let good =
        Folder::new("good", &[("\u{1b}[2J\u{202e}.toml", shipped("matter.toml").as_bytes())]);
    let said = duban(&["workflow", "check", good.path()]);
    assert!(said.code == Some(0) && said.out.contains("无误"), "{}", said.complaint);
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{}", said.out);
    let folder =
        Folder::new("steering", &[("a.toml", scenario.as_bytes()), ("\u{1b}[2J.toml", b"x")]);
    let file = folder.file("a.toml");
    for args in [
        vec!["workflow", "graph", steering],
        vec!["deadline", "--received", steering, "--within", steering],
        vec!["simulate", "--scenario", file.as_str()],
        vec!["calendar", "check", folder.path()],
        vec![steering],
        vec!["serve", "--listen", steering],
        vec!["token", "issue", "--role", steering, "--name", steering],
    ] {
        let said = duban(&args);
        assert_eq!(said.code, Some(2), "{args:?}");
        let all = said.out + &said.complaint;
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{args:?}: {all:?}");
    }
}

/// A token that nobody has seen is nobody's.
#[test]
fn a_token_that_cannot_be_shown_is_not_issued() {
    let folder = Folder::new("unseen", &[("x", b"")]);
    let database = format!("--database-url 'sqlite://{}?mode=rwc'", folder.file("duban.db"));
    let issue = format!("duban token issue --role hotline --name a1 {database}");
    for output in [">&-", ">/dev/full"] {
        let mut child = started(&format!("{issue} {output}"));
        assert_eq!(child.wait().expect("ended").code(), Some(1), "{output}");
    }
    let list = started(&format!("duban token list --json {database}")).wait_with_output();
    let listed = String::from_utf8(list.expect("ended").stdout).expect("UTF-8");
    assert!(listed.contains("\"a1\"") && !listed.contains("\"valid\": true"), "{listed}");
}

/// As many steps and outages as a scenario may have, each outage touching the next.
#[test]
fn the_longest_scenario_is_played_soon() {
    let start = 1_772_000_000_i64;
    let at =
        |seconds: i64| duban_core::time::Instant::from_ms((start + seconds) * 1_000).to_string();
    let mut text = format!("title = \"长\"\nworkflow = \"matter\"\nreceived = {}\n", at(0));
    for nr in 0..10_000 {
        let (done, from, to) = (at(60 + nr), at(nr * 300), at(nr * 300 + 300));
        let _ = write!(
            text,
            "[[do]]\nat = {done}\naction = \"sign\"\nby = \"agency\"\nrefused = \"not-yours\"\n\
             [[outage]]\nfrom = {from}\nto = {to}\n"
        );
    }
    let folder = Folder::new("longest", &[("long.toml", text.as_bytes())]);
    let begun = Instant::now();
    let (_, said, most) = ended(&format!("duban simulate --scenario {}", folder.file("long.toml")));
    assert!(most < MEMORY_MB_MAX, "{most} MB: {said}");
    assert!(begun.elapsed() < SILENCE_MAX, "{:?}", begun.elapsed());
}
