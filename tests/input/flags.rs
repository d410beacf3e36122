//! Wrong flags of `simulate` and `workflow`.

use std::path::Path;
use std::process::Command;

use super::{Folder, duban, refused, shipped};

const RECEIVED: &str = "2026-02-13T16:30:00+08:00";

/// A register of one's own: each file known, not empty, each code once.
#[test]
fn a_register_of_ones_own_is_read_whole() {
    let issue = |files: &[(&str, &[u8])]| {
        let folder = Folder::new("register", files);
        let database = format!("sqlite://{}?mode=rwc", folder.file("duban.db"));
        let role = ["token", "issue", "--role", "agency", "--name", "a1", "--agency", "SZ013"];
        refused(&[&role[..], &["--register", folder.path(), "--database-url", &database]].concat())
    };
    let twice = br#"{"agencies":[{"code":"A1","name":"x"},{"code":"A1","name":"y"}]}"#;
    let told = issue(&[("agencies.json", twice), ("district.json", b"{}"), ("tags.json", b"{}")]);
    for part in ["代码“A1”写了两次", "请核对文件名", "须有 code 和 text"] {
        assert!(told.contains(part), "no “{part}” in {told}");
    }
    assert!(issue(&[("agencies.json", br#"{"agencies":[]}"#)]).contains("名册是空的"));
}

#[test]
fn wrong_flags_are_refused_in_chinese() {
    let check = |args: &[&str], parts: &[&str]| {
        let complaint = refused(args);
        for part in parts {
            assert!(complaint.contains(part), "{args:?}: no “{part}” in {complaint}");
        }
        for english in ["error:", "required", "invalid", "Usage"] {
            assert!(!complaint.contains(english), "{args:?}: “{english}” in {complaint}");
        }
    };
    check(&["simulate"], &["缺少参数", "--workflow", "--received"]);
    check(&["simulate", "--workflow", "matter"], &["缺少参数", "--received"]);
    check(&["simulate", "--received", RECEIVED], &["缺少参数", "--workflow"]);
    check(
        &["simulate", "--workflow", "matter", "--received", "soon"],
        &["--received", "soon", "日期、时间和时区"],
    );
    check(
        &["simulate", "--workflow", "masters", "--received", RECEIVED],
        &["masters", "matter、staff"],
    );
    check(&["simulate", "--workflow", "", "--received", RECEIVED], &["matter、staff"]);
    check(&["simulate", "--workflow"], &["--workflow", "缺少值"]);
    check(&["simulate", "--speed", "9"], &["没有名为", "--speed"]);
    let both = ["simulate", "--workflow", "matter", "--received", RECEIVED];
    check(&[&both[..], &["--workflows", "/nowhere"]].concat(), &["/nowhere", "不存在"]);
    check(&[&both[..], &["--calendars", "/nowhere"]].concat(), &["/nowhere", "不存在"]);
    check(&["workflow"], &["用法", "check"]);
    check(&["workflow", "chek"], &["没有名为“chek”的命令", "chek", "check"]);
    check(&["workflow", "graph"], &["缺少参数"]);
    check(&["workflow", "graph", "masters"], &["没有名为“masters”的工作流", "matter、staff"]);
    check(&["workflow", "check", "/nowhere"], &["/nowhere", "不存在"]);
    check(&["workflow", "list", "--workflows", "/nowhere"], &["/nowhere", "不存在"]);
}

/// Wherever an address is put by mistake: its password is nowhere in the complaint.
#[test]
fn an_address_in_the_wrong_place_keeps_its_password() {
    const URL: &str = "postgres://u:4711@h/db";
    for args in [
        &[URL][..],
        &["help", URL],
        &["token", URL],
        &["token", "revoke", URL],
        &["token", "list", "--config", URL],
        &["token", "issue", "--role", URL, "--name", "a1"],
        &["simulate", "--workflow", URL, "--received", RECEIVED],
        &["simulate", "--scenario", URL],
        &["deadline", "--received", URL, "--within", "1wd"],
        &["deadline", "--batch", URL],
        &["workflow", "graph", URL],
        &["workflow", "check", URL],
        &["workflow", "list", "--workflows", URL],
        &["calendar", "check", URL],
        &["serve", "--listen", URL],
        &["serve", "--redis-url", URL],
        &["replay", URL],
        &["completions", URL],
    ] {
        let complaint = refused(args);
        assert!(!complaint.contains("4711"), "{args:?}: {complaint}");
    }
}

#[test]
fn a_folder_without_workflows_is_refused() {
    let folder = Folder::new("no_workflow", &[("notes.txt", b"x")]);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    assert!(complaint.contains("没有 .toml 文件"), "{complaint}");
}

#[test]
fn a_scenario_cannot_be_moved_behind_its_steps() {
    let text = "title = \"一件\"\nworkflow = \"matter\"\nreceived = 2026-03-09T09:00:00+08:00\n\n\
                [[do]]\nat = 2026-03-09T09:20:00+08:00\naction = \"dispatch\"\nby = \"hotline\"\n\
                form = { agency = \"SZ013\" }\n";
    let folder = Folder::new("moved", &[("one.toml", text.as_bytes())]);
    let file = folder.file("one.toml");
    let complaint =
        refused(&["simulate", "--scenario", &file, "--received", "2026-03-10T09:00:00+08:00"]);
    assert!(complaint.contains("第 5 行的 at 早于收到时间"), "{complaint}");
    let said = duban(&["simulate", "--scenario", &file, "--received", "2026-03-06T09:00:00+08:00"]);
    assert_eq!(said.code, Some(0), "{}", said.complaint);
    let ends = "title = \"一件\"\nworkflow = \"matter\"\nreceived = 2026-03-09T09:00:00+08:00\n\
                until = 2026-03-09T18:00:00+08:00\n";
    let folder = Folder::new("ends", &[("one.toml", ends.as_bytes())]);
    let file = folder.file("one.toml");
    let complaint =
        refused(&["simulate", "--scenario", &file, "--received", "2026-03-10T09:00:00+08:00"]);
    assert!(complaint.contains("晚于情景文件中的 until"), "{complaint}");
}

#[test]
fn what_is_too_large_is_refused() {
    let mut text = shipped("matter.toml");
    text.push_str(&"# 督办\n".repeat(40_000));
    let folder = Folder::new("large", &[("matter.toml", text.as_bytes())]);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    assert!(complaint.contains("matter.toml") && complaint.contains("256 KiB"), "{complaint}");
}

/// Commands about a house find the one that a server in their folder would serve, and no other.
#[test]
fn every_command_reads_the_settings_of_its_folder() {
    let folder =
        Folder::new("settings", &[("duban.toml", b"database_url = \"sqlite://here.db?mode=rwc\"")]);
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duban"));
        command.args(args).current_dir(folder.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DUBAN_")) {
            command.env_remove(name);
        }
        let ran = command.output().expect("it runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let exists = |name: &str| Path::new(folder.path()).join(name).exists();
    // Whoever only looks makes none.
    for args in [&["token", "list"][..], &["audit", "verify"], &["incident", "list"]] {
        assert_ne!(run(args).0, Some(0), "{args:?}");
        assert!(!exists("here.db") && !exists("duban.db"), "{args:?}");
    }
    for args in [
        &["migrate"][..],
        &["token", "issue", "--role", "auditor", "--name", "a1"],
        &["token", "list"],
        &["audit", "verify"],
        &["incident", "list"],
    ] {
        let (code, said) = run(args);
        assert_eq!(code, Some(0), "{args:?}: {said}");
        assert!(exists("here.db") && !exists("duban.db"), "{args:?}");
    }
}
