//! Broken workflows: matter.toml with one snippet changed, and what must be said about it.

use super::broken::{Broken, LADDERS, NAMES, SENSE, VALUES};
use super::{Folder, duban, line_of, refused, replaced, shipped};

fn check(number: usize, table: &str, case: &Broken) {
    let text = replaced(&shipped("matter.toml"), case.header, case.from, case.to);
    let folder = Folder::new(&format!("{table}_{number}"), &[("matter.toml", text.as_bytes())]);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    let line = if case.line == ["format", "\n"] {
        1 + line_of(&text, &["format"])
    } else {
        key_line(&text, line_of(&text, case.line), case.key)
    };
    let file = folder.file("matter.toml");
    let place = if case.key.is_empty() {
        format!("{file}:{line}: ")
    } else {
        format!("{file}:{line}: {}: ", case.key)
    };
    let said = complaint.lines().filter(|fault| fault.starts_with(&place));
    let said = said.collect::<Vec<_>>().join("\n");
    assert!(!said.is_empty(), "{} → {}: nothing at {place} in\n{complaint}", case.from, case.to);
    for part in case.parts {
        assert!(said.contains(part), "{} → {}: no “{part}” in {said}", case.from, case.to);
    }
    // The same through the command that checks.
    let checked = refused(&["workflow", "check", folder.path()]);
    assert!(checked.contains(&place), "{checked}");
}

/// It can be read here, and carried out by a newer program only: neither sound nor broken.
#[test]
fn a_definition_of_a_newer_engine_is_called_so() {
    let text = replaced(&shipped("matter.toml"), "", "engine_level = 1", "engine_level = 99");
    let folder = Folder::new("newer", &[("matter.toml", text.as_bytes())]);
    let said = duban(&["workflow", "check", folder.path()]);
    assert_eq!(said.code, Some(0), "{}", said.complaint);
    assert!(said.out.contains("请升级程序") && !said.out.contains("无误"), "{}", said.out);
    let told = refused(&["workflow", "prove", "matter", "--workflows", folder.path()]);
    assert!(told.contains("请升级程序"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

/// A line break in a title would draw another diagram.
#[test]
fn a_title_is_one_line() {
    let text = shipped("matter.toml");
    let text = replaced(&text, "", "title = \"", "title = \"一\\n二");
    let folder = Folder::new("lines", &[("matter.toml", text.as_bytes())]);
    let told = refused(&["workflow", "check", folder.path()]);
    assert!(told.contains("title: 不得含有换行"), "{told}");
}

/// The line of the faulty key itself, in or below the table that begins on a line; that line where the
/// table has no such key.
fn key_line(text: &str, table: usize, key: &str) -> usize {
    let name = key.rsplit('.').next().unwrap_or_default();
    let lines = || (1..).zip(text.lines()).skip(table - 1);
    let is_it = |line: &str| {
        let line = line.trim_start();
        let own = line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='));
        own || (line.starts_with('[')
            && line.trim_matches(['[', ']']).ends_with(&format!(".{name}")))
    };
    // Up to the next table that is none of this one's.
    let header = lines().next().map(|(_, line)| line.trim_matches(['[', ']']).to_owned());
    let below = header.map(|header| format!("[{header}."));
    let within = lines().enumerate().take_while(|(nth, (_, line))| {
        *nth == 0
            || !line.starts_with('[')
            || below.as_ref().is_some_and(|own| line.trim_start_matches('[').starts_with(&own[1..]))
    });
    let found = within.map(|(_, line)| line).find(|(_, line)| is_it(line));
    found.map_or(table, |(number, _)| number)
}

fn check_all(table: &str, cases: &[Broken]) {
    for (number, case) in cases.iter().enumerate() {
        check(number, table, case);
    }
}

#[test]
fn names_that_lead_nowhere() {
    check_all("names", NAMES);
}

#[test]
fn what_can_never_work() {
    check_all("sense", SENSE);
}

#[test]
fn ladders_and_deadlines_that_cannot_be() {
    check_all("ladders", LADDERS);
}

#[test]
fn keys_and_values_that_are_not_what_they_should_be() {
    check_all("values", VALUES);
}

#[test]
fn several_faults_are_told_at_once() {
    let text = replaced(&shipped("matter.toml"), "name", "version = 5", "version = 0");
    let text = replaced(&text, "[deadlines.citizen]", "once = true", "onse = true");
    let text = replaced(&text, "[deadlines.rework]", "within = \"5wd\"", "within = \"5\"");
    let text = replaced(&text, "[actions.sign]", "form = \"sign\"\n", "");
    let other = shipped("staff.toml").replace("[steps.measures]", "[steps.Measures]");
    let files = [("matter.toml", text.as_bytes()), ("staff.toml", other.as_bytes())];
    let folder = Folder::new("several", &files);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    for key in [
        ": version: ",
        ": deadlines.citizen.onse: ",
        ": deadlines.rework.within: ",
        ": actions.sign: ",
        ": steps.Measures: ",
    ] {
        assert!(complaint.contains(key), "no “{key}” in {complaint}");
    }
    let checked = duban(&["workflow", "check", folder.path()]);
    assert!(checked.complaint.contains("处错误"), "{}", checked.complaint);
    // What does not fit together is told at once as well.
    let text = replaced(&shipped("matter.toml"), "[actions.sign]", "[\"signed\"]", "[\"sighed\"]");
    let text = replaced(&text, "[deadlines.rework]", "step:reworking", "step:working");
    let folder = Folder::new("several_names", &[("matter.toml", text.as_bytes())]);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    assert!(complaint.contains("sighed") && complaint.contains("working"), "{complaint}");
}

#[test]
fn a_start_that_is_no_step() {
    let text = replaced(&shipped("matter.toml"), "starts_in", "pending_dispatch", "nowhere");
    let folder = Folder::new("start", &[("matter.toml", text.as_bytes())]);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    assert!(complaint.contains(": starts_in: 没有名为“nowhere”的环节"), "{complaint}");
}

#[test]
fn two_definitions_that_contradict_one_another() {
    let matter = shipped("matter.toml");
    let other = matter.replacen("name = \"matter\"", "name = \"other\"", 1);
    let files = [("matter.toml", matter.as_bytes()), ("other.toml", other.as_bytes())];
    let folder = Folder::new("same_class", &files);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    assert!(complaint.contains(&folder.file("other.toml")), "{complaint}");
    assert!(complaint.contains("类别 matter 已由工作流 matter 受理"), "{complaint}");
    let other = format!("{matter}\n# 改了一个字\n");
    let files = [("matter.toml", matter.as_bytes()), ("other.toml", other.as_bytes())];
    let folder = Folder::new("same_version", &files);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    for part in [&folder.file("other.toml"), &folder.file("matter.toml"), "第 5 版已有另一份文本"]
    {
        assert!(complaint.contains(part), "no “{part}” in {complaint}");
    }
    // Another version of the same workflow is no contradiction, nor is the same text twice.
    let newer = matter.replacen("version = 5", "version = 6", 1);
    let files = [
        ("a.toml", matter.as_bytes()),
        ("b.toml", matter.as_bytes()),
        ("c.toml", newer.as_bytes()),
    ];
    let folder = Folder::new("versions", &files);
    let said = duban(&["workflow", "list", "--workflows", folder.path()]);
    assert_eq!(said.code, Some(0), "{}", said.complaint);
    assert!(said.out.contains("第 6 版（matter）\n"), "{}", said.out);
}
