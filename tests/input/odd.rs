//! Arguments that nobody would give, made up at random: each ends with a code and a sentence, and none
//! with a fault of the program. `DUBAN_ODD=N` tries more of them, `DUBAN_SEED=N` others.

use std::time::{Duration, Instant};

use crate::words::commands;
use crate::{Folder, duban};

/// What takes long, waits for others or makes a database is asked for its help alone.
const SLOW: &[&str] = &["demo", "serve", "bench", "migrate", "prove"];

/// What is no command of its own, and is typed all the same.
const ODD: &[&str] = &["", "--version", "help", "help deadline", "deadline --batch"];

/// What the arguments begin with.
fn beginnings() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> =
        ODD.iter().map(|one| one.split_whitespace().map(str::to_owned).collect()).collect();
    for command in commands() {
        let is_slow = command.iter().any(|word| SLOW.contains(&word.as_str()));
        let help = is_slow.then(|| "--help".to_owned());
        all.push(command.into_iter().chain(help).collect());
    }
    all
}

const FLAGS: &[&str] = &[
    "--received",
    "--within",
    "--roll",
    "--known-on",
    "--json",
    "--explain",
    "--batch",
    "--calendars",
    "--workflows",
    "--workflow",
    "--scenario",
    "--role",
    "--agency",
    "--name",
    "--help",
    "-h",
    "-V",
    "--",
    "-",
    "--nothing",
    "--Json",
    "-j",
    "--received=",
    "--within=10wd",
    "--known-on=2026-01-01",
];

const VALUES: &[&str] = &[
    "",
    " ",
    "10wd",
    "-3wd",
    "0d",
    "99999999999999999999d",
    "7d+roll",
    "24h",
    "2026-02-13T16:30:00+08:00",
    "2026-02-30T10:00:00+08:00",
    "2026-02-13T24:00:00Z",
    "1999-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "2026-02-29",
    "２０２６-02-13",
    "matter",
    "staff",
    "no such",
    "/nowhere",
    "/dev/null",
    ".",
    "/etc/passwd",
    "SZ013",
    "supervisor",
    "\u{202e}gpj.exe",
    "\u{1b}[2J",
    "长",
    "🈳",
    "a\nb",
    "%00",
    "--",
    "{}",
    "'; DROP TABLE x",
];

#[test]
fn odd_arguments_end_with_a_code_and_a_sentence() {
    let number = |name: &str, usual: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (many, seed) = (number("DUBAN_ODD", 250), number("DUBAN_SEED", 20_261_130));
    let beginnings = beginnings();
    let folder = Folder::new("odd", &[("x", b"")]);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..many {
        let mut args = random.choice(&beginnings).expect("one").clone();
        for _ in 0..random.usize(0..6) {
            let from = if random.bool() { FLAGS } else { VALUES };
            args.push((*random.choice(from).expect("one")).to_owned());
        }
        // A database would be made where the program stands.
        if ["token", "audit", "incident"]
            .iter()
            .any(|one| args.first().is_some_and(|first| first == one))
        {
            args.push(format!("--database-url=sqlite://{}?mode=rw", folder.file("none.db")));
        }
        let (begun, args) = (Instant::now(), args.iter().map(String::as_str).collect::<Vec<_>>());
        let said = duban(&args);
        assert!(matches!(said.code, Some(0..=2)), "seed {seed}: {args:?}: {:?}", said.code);
        assert!(!said.complaint.contains("panicked"), "seed {seed}: {args:?}: {}", said.complaint);
        assert_ne!(
            said.code == Some(0),
            said.out.is_empty() && !said.complaint.is_empty(),
            "seed {seed}: {args:?}: {}",
            said.complaint
        );
        assert!(
            !(said.out + &said.complaint).contains(['\u{1b}', '\u{202e}']),
            "seed {seed}: {args:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(20), "seed {seed}: {args:?}");
    }
}
