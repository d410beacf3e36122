//! The quick and repeatable part of the fuzzing: seeded mutations of the shipped files through the
//! loaders. Nothing may panic, and a refusal names a line that is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use duban::catalog::{Source, workflows};
use duban_core::calendar::Year;
use duban_core::definition::{Form, read_basis_texts, read_definition};
use duban_core::document::Faults;
use duban_core::event::Event;
use duban_core::simulate::Scenario;

/// Mutations of each file: all together take a few seconds.
const MUTATIONS: u64 = 40;

/// Numbers without pattern (xorshift), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).expect("below the limit")
    }
}

/// What tends to upset readers.
const TOKENS: &[&str] = &[
    "\"",
    "'''",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ",",
    "\n",
    "\0",
    "\u{feff}",
    "督",
    "-1",
    "0",
    "99999999999999999999",
    "nan",
    "1e999",
    "true",
    "null",
    "2026-02-30",
    "9999-12-31T23:59:59Z",
    "-99wd",
    "end",
    "step:",
    "[steps.a]",
    "\\u0000",
    "\u{202e}",
    "é",
];

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut text = text.to_owned();
    for _ in 0..=numbers.below(3) {
        let at = |text: &str, numbers: &mut Numbers| {
            let at = numbers.below(text.len() + 1);
            (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
        };
        let one = at(&text, numbers);
        let other = at(&text, numbers);
        let (from, to) = (one.min(other), one.max(other));
        match numbers.below(5) {
            0 => text.insert_str(from, TOKENS[numbers.below(TOKENS.len())]),
            1 => text.truncate(to),
            2 => {
                let end = (from + 40).min(to);
                let end = (from..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(from);
                text.replace_range(from..end, "");
            }
            3 => {
                let token = TOKENS[numbers.below(TOKENS.len())];
                let end = (from..=to).find(|at| *at > from && text.is_char_boundary(*at));
                text.replace_range(from..end.unwrap_or(from), token);
            }
            _ => {
                let lines: Vec<&str> = text.lines().collect();
                if !lines.is_empty() {
                    let (from, to) = (numbers.below(lines.len()), numbers.below(lines.len()));
                    let mut lines = lines.clone();
                    lines.insert(to, lines[from]);
                    text = lines.join("\n");
                }
            }
        }
    }
    text
}

/// The files of a folder that end so, by name.
fn texts(folder: &str, end: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut texts = Vec::new();
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|one| one == end) {
            let text = std::fs::read_to_string(&path).expect("a text");
            texts.push((path.display().to_string(), text));
        }
    }
    texts.sort();
    assert!(!texts.is_empty());
    texts
}

fn mutate(folder: &str, end: &str, seed: u64, read: impl Fn(&str) -> Result<(), Faults>) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ seed);
    let mut refused = 0_u32;
    for (file, text) in texts(folder, end) {
        for _ in 0..MUTATIONS {
            let text = mutated(&text, &mut numbers);
            let Err(Faults(faults)) = read(&text) else { continue };
            refused += 1;
            assert!(!faults.is_empty(), "{file}: refused without a word:\n{text}");
            for fault in faults {
                let lines = text.lines().count() + 1;
                assert!((1..=lines).contains(&fault.line), "{file}: {fault}\n{text}");
                assert!(!fault.message.is_empty(), "{file}:\n{text}");
            }
        }
    }
    assert!(refused > 10, "{folder}: only {refused} mutations were refused");
}

#[test]
fn calendars() {
    mutate("calendars", "toml", 1, |text| Year::read("f", text).map(drop));
}

#[test]
fn definitions_and_basis() {
    let reading = workflows::read(&Source::Embedded).expect("the shipped files are good");
    let forms = reading.definitions.iter().flat_map(|one| &one.forms);
    let forms: BTreeMap<_, _> = forms.map(|form| (form.name.clone(), Arc::clone(form))).collect();
    // Each file of the folder as either: a definition is no legal text, and the other way round.
    for seed in 2..4 {
        mutate("workflows", "toml", seed, |text| {
            read_definition("f", text, &forms, &reading.texts).map(drop)
        });
    }
    mutate("workflows", "toml", 6, |text| read_basis_texts("f", text).map(drop));
}

#[test]
fn forms() {
    mutate("workflows/forms", "json", 7, |text| {
        Form::read("f".into(), "f", text).map(drop).map_err(Faults)
    });
}

#[test]
fn scenarios() {
    mutate("tests/scenarios", "toml", 8, |text| Scenario::read("f", text).map(drop));
}

#[test]
fn events() {
    let mut numbers = Numbers(9);
    let mut refused = 0_u32;
    for (file, text) in texts("tests/events", "json") {
        for _ in 0..20 * MUTATIONS {
            let text = mutated(&text, &mut numbers);
            match Event::from_bytes(text.as_bytes()) {
                Ok(event) => {
                    let written = event.to_bytes();
                    let again = Event::from_bytes(&written).expect("what was written can be read");
                    assert_eq!(again.to_bytes(), written, "{file}: {text}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
    assert!(refused > 100, "only {refused} mutations were refused");
}
