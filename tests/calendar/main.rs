//! The calendar through the program itself (all vectors, bad input, explanations, the year grid,
//! broken calendar files), and its tables against counting on one's fingers.

mod files;
mod program;
mod tables;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use duban::catalog::{self, Source};
use duban_core::calendar::Calendar;
use duban_core::time::{Day, Instant};

fn duban(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    // A program that refuses its arguments does not read its input.
    let _ = writer.join();
    output
}

fn good(args: &[&str], input: &str) -> String {
    let output = duban(args, input);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {complaint}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Exit code 2, nothing on the standard output, and a message with all of `parts`.
fn refused(args: &[&str], input: &str, parts: &[&str]) {
    let output = duban(args, input);
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{args:?} {input}: {complaint}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?} {input}");
    for part in parts {
        assert!(complaint.contains(part), "{args:?} {input}: no “{part}” in: {complaint}");
    }
}

fn embedded() -> &'static Calendar {
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
        catalog::calendar(&Source::Embedded).expect("the embedded calendar is good")
    });
    &CALENDAR
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}
