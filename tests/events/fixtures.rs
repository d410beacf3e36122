//! A fixture of every kind and version: history of today is read for ever.
//!
//! `DUBAN_BLESS=1` adds missing fixtures; it never rewrites one, because stored history cannot be
//! rewritten either.

use std::collections::{BTreeMap, BTreeSet};

use duban_core::command::{Command, Disclose, Moment};
use duban_core::decide::{Context, decide};
use duban_core::event::{Event, EventError, Fact, UPCASTS, Upcast};
use duban_core::purpose::Purpose;
use duban_core::role::{Actor, Role};
use serde_json::{Value, json};

use super::{folder, lives};

fn file_of(kind: &str, version: u16) -> std::path::PathBuf {
    folder("events").join(format!("{kind}.v{version}.json"))
}

fn fixture(kind: &str, version: u16) -> Vec<u8> {
    let file = file_of(kind, version);
    std::fs::read(&file).unwrap_or_else(|_| panic!("no fixture {}", file.display()))
}

/// Of each kind the event that says most, out of all scenarios.
fn fullest() -> BTreeMap<&'static str, Vec<u8>> {
    let mut fullest: BTreeMap<&'static str, Vec<u8>> = BTreeMap::new();
    // A look is no step of a scenario: it changes nothing.
    fullest.insert("disclosed", looked());
    for (_, life) in lives() {
        for event in life.history() {
            let bytes = event.to_bytes();
            let kept = fullest.entry(event.fact.kind().0).or_default();
            if bytes.len() > kept.len() {
                *kept = bytes;
            }
        }
    }
    fullest
}

/// Somebody looks at the reviewer of a ticket that was just opened.
fn looked() -> Vec<u8> {
    let (_, life) = lives().iter().next().expect("a scenario");
    let agency = life.instance.agency.clone();
    let actor = Actor { subject: "a1".into(), role: Role::Agency, agency };
    let look = Command::Disclose(Disclose { actor, purpose: Purpose::Contact });
    let (shelf, calendar, nobody) =
        (duban_shipped::shelf(), duban_shipped::calendar(), BTreeSet::new());
    let context = Context { shelf: &shelf, calendar: &calendar, hotline_agencies: &nobody };
    let decided = decide(context, &life.instance, &look, Moment::now(life.instance.recorded_at));
    decided.expect("shown").events.pop().expect("an event").to_bytes()
}

#[test]
fn every_kind_has_its_fixture_and_happens_in_some_scenario() {
    let bless = std::env::var_os("DUBAN_BLESS").is_some_and(|value| value == "1");
    let happened = fullest();
    for (kind, version) in Fact::KINDS {
        let bytes = happened.get(kind);
        let bytes = bytes.unwrap_or_else(|| panic!("no scenario brings about {kind}"));
        let file = file_of(kind, *version);
        if bless && !file.exists() {
            std::fs::write(&file, bytes).expect("the fixture is written");
        }
        fixture(kind, *version);
    }
}

#[test]
fn every_fixture_is_of_a_known_kind_and_version() {
    for file in std::fs::read_dir(folder("events")).expect("the fixtures") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (kind, version) = name.split_once(".v").expect("kind and version");
        let version: u16 = version.parse().expect("a version");
        let known = Fact::KINDS.iter().find(|(known, _)| *known == kind);
        let (_, newest) = known.unwrap_or_else(|| panic!("{name}: no such kind"));
        assert!((1..=*newest).contains(&version), "{name}");
        let stored: Value = serde_json::from_slice(&fixture(kind, version)).expect("JSON");
        assert_eq!((&stored["kind"], &stored["v"]), (&json!(kind), &json!(version)), "{name}");
    }
}

/// The newest versions read and write back to the same bytes; older ones are lifted.
#[test]
fn fixtures_read_and_write_back() {
    for (kind, newest) in Fact::KINDS {
        for version in 1..=*newest {
            let stored = fixture(kind, version);
            let event =
                Event::from_bytes(&stored).unwrap_or_else(|e| panic!("{kind} {version}: {e}"));
            assert_eq!(event.fact.kind(), (*kind, *newest));
            if version == *newest {
                let written = String::from_utf8(event.to_bytes()).expect("UTF-8");
                assert_eq!(written, String::from_utf8(stored).expect("UTF-8"));
            }
            let again = Event::from_bytes(&event.to_bytes()).expect("what was written");
            assert_eq!(again, event);
        }
    }
}

/// Each old version has the step to the next, and no step leads nowhere.
#[test]
fn every_old_version_has_its_upcast() {
    for (kind, newest) in Fact::KINDS {
        for version in 1..*newest {
            let steps = UPCASTS.iter().filter(|(of, from, _)| of == kind && *from == version);
            assert_eq!(steps.count(), 1, "{kind} {version}");
        }
    }
    for (kind, from, _) in UPCASTS {
        let known = Fact::KINDS.iter().find(|(known, _)| known == kind);
        assert!(known.is_some_and(|(_, newest)| from < newest), "{kind} {from}");
    }
}

/// A fixture as JSON, changed, as bytes.
fn changed(kind: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(&fixture(kind, 1)).expect("JSON");
    change(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

#[test]
fn what_is_not_understood_is_an_error() {
    let unreadable = |bytes: Vec<u8>, part: &str| {
        let error = Event::from_bytes(&bytes).expect_err("an error");
        assert!(matches!(error, EventError::Unreadable(_)), "{error}");
        assert!(error.to_string().contains(part), "no “{part}” in {error}");
    };
    let unknown = changed("acted", |event| event["kind"] = json!("acted_twice"));
    match Event::from_bytes(&unknown) {
        Err(EventError::UnknownKind { kind }) => assert_eq!(kind, "acted_twice"),
        other => panic!("{other:?}"),
    }
    unreadable(changed("acted", |event| event["note"] = json!("x")), "note");
    for field in ["seq", "kind", "v", "at", "recorded_at", "actor", "data"] {
        let without = changed("acted", |event| {
            event.as_object_mut().expect("an object").remove(field);
        });
        unreadable(without, field);
    }
    for field in ["action", "role", "change"] {
        let without = changed("acted", |event| {
            event["data"].as_object_mut().expect("an object").remove(field);
        });
        unreadable(without, field);
    }
    unreadable(changed("acted", |event| event["data"]["role"] = json!("king")), "king");
    unreadable(changed("acted", |event| event["at"] = json!("2026-02-13T16:30:00")), "缺少时区");
    unreadable(b"[]".to_vec(), "");
    unreadable(b"".to_vec(), "");
    unreadable(b"\xff".to_vec(), "");
    let mut twice = fixture("acted", 1);
    twice.extend(fixture("acted", 1));
    unreadable(twice, "trailing");
}

#[test]
fn every_required_field_of_every_kind_is_required() {
    for (kind, version) in Fact::KINDS {
        let stored: Value = serde_json::from_slice(&fixture(kind, *version)).expect("JSON");
        let data = stored["data"].as_object().expect("an object");
        let without = |field: &String| {
            let mut value = stored.clone();
            value["data"].as_object_mut().expect("an object").remove(field);
            Event::from_bytes(&serde_json::to_vec(&value).expect("JSON"))
        };
        let required = data.keys().filter(|field| without(field).is_err()).count();
        assert!(required > 0, "{kind} can be read out of nothing");
        // What may be missing reads as another event, never as the same.
        let whole = Event::from_bytes(&fixture(kind, *version)).expect("an event");
        for field in data.keys() {
            if let Ok(event) = without(field) {
                assert_ne!(event, whole, "{kind}: {field} means nothing");
            }
        }
    }
}

#[test]
fn a_newer_version_is_too_new() {
    for (kind, newest) in Fact::KINDS {
        let bytes = changed(kind, |event| event["v"] = json!(newest + 1));
        match Event::from_bytes(&bytes) {
            Err(EventError::TooNew { kind: of, version }) => {
                assert_eq!((of.as_str(), version), (*kind, newest + 1));
            }
            other => panic!("{kind}: {other:?}"),
        }
    }
}

/// A made-up past: version 0 called the action `what`, and before that there was no role.
#[test]
fn upcasts_run_one_after_the_other() {
    fn rename(mut data: Value) -> Value {
        let map = data.as_object_mut().expect("an object");
        let what = map.remove("what").expect("what");
        map.insert("action".to_owned(), what);
        data
    }
    const PAST: &[Upcast] = &[("acted", 0, rename), ("moved", 0, |_| Value::Null)];
    let old = changed("acted", |event| {
        event["v"] = json!(0);
        let data = event["data"].as_object_mut().expect("an object");
        let action = data.remove("action").expect("action");
        data.insert("what".to_owned(), action);
    });
    assert!(Event::from_bytes(&old).is_err(), "there was no version 0");
    let lifted = Event::from_bytes_with(&old, PAST).expect("lifted");
    assert_eq!(lifted.to_bytes(), fixture("acted", 1));
    // Upcasts are for their own kind and version only.
    let today = Event::from_bytes_with(&fixture("moved", 1), PAST).expect("today's");
    assert_eq!(today.to_bytes(), fixture("moved", 1));
}
