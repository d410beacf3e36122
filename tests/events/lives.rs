//! What holds of every scenario's history: replay, numbers, and nothing private.

use std::borrow::Cow;
use std::collections::BTreeSet;

use duban_core::apply::replay;
use duban_core::command::{Command, Moment};
use duban_core::decide::{Context, decide};
use duban_core::event::{Event, Fact};
use duban_core::instance::Instance;
use duban_core::snapshot::{SCHEMA, SnapshotError};
use serde_json::Value;

use super::{CALENDAR, SHELF, folder, life, lives, scenarios};

fn snapshot(instance: &Instance) -> Vec<u8> {
    instance.to_bytes()
}

/// Replaying the stored bytes gives the snapshot, byte for byte, after every commit.
#[test]
fn replay_gives_the_same_bytes() {
    for (name, life) in lives() {
        let mut stored: Vec<Event> = Vec::new();
        for turn in &life.turns {
            for event in turn.result.iter().flatten() {
                let bytes = event.to_bytes();
                let read = Event::from_bytes(&bytes).expect("stored bytes");
                assert_eq!(read.to_bytes(), bytes, "{name} {}", event.seq);
                stored.push(read);
            }
            let replayed = replay(&stored).expect("a history");
            assert_eq!(snapshot(&replayed), snapshot(&turn.instance), "{name} {:?}", turn.moment);
        }
        let bytes = snapshot(&life.instance);
        let again = Instance::from_bytes(&bytes).expect("a snapshot");
        assert_eq!(again, life.instance, "{name}");
        let json = serde_json::to_vec(&life.instance).expect("JSON");
        assert!(bytes.len() * 4 <= json.len(), "{name}: {} of {}", bytes.len(), json.len());
    }
}

/// Bytes that an earlier program stored under today's number are today's bytes: whoever changes the
/// shape of a ticket raises `SCHEMA`, and adds a file (`DUBAN_BLESS=1`) beside the old ones.
#[test]
fn a_stored_snapshot_is_read_by_its_number() {
    let stored = folder("events/snapshots").join(format!("v{SCHEMA}.hex"));
    let shown = stored.with_extension("json");
    if std::env::var_os("DUBAN_BLESS").is_some() && !stored.exists() {
        let (_, life) = lives().iter().find(|(name, _)| name == "cards").expect("the cards");
        let bytes = life.instance.to_bytes();
        let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        std::fs::write(&stored, hex + "\n").expect("the bytes are written");
        let json = serde_json::to_string_pretty(&life.instance).expect("JSON");
        std::fs::write(&shown, json + "\n").expect("the ticket is written");
    }
    let hex = std::fs::read_to_string(&stored).expect("the bytes");
    let pairs = hex.trim().as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("ASCII"));
    let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect();
    let ticket = Instance::from_bytes(&bytes).expect("a snapshot");
    let text = std::fs::read_to_string(&shown).expect("the ticket");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(serde_json::to_value(&ticket).expect("JSON"), json);
    assert_eq!(ticket.to_bytes(), bytes);
}

/// A cache that is not this program's is told apart, and nothing is made of broken bytes.
#[test]
fn bytes_of_another_shape_are_no_ticket() {
    let (_, life) = &lives()[0];
    let bytes = life.instance.to_bytes();
    let mut other = bytes.clone();
    other[0] += 1;
    let found = SCHEMA + 1;
    assert_eq!(Instance::from_bytes(&other), Err(SnapshotError::Schema { found }));
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Instance::from_bytes(&longer), Err(SnapshotError::Trailing(1)));
    for length in 0..bytes.len() {
        let read = Instance::from_bytes(&bytes[..length]);
        assert!(matches!(read, Err(SnapshotError::Unreadable(_))), "{length}: {read:?}");
    }
}

/// What a decision says it touched is what it touched.
#[test]
fn a_decision_names_what_it_touched() {
    let hotline_agencies = BTreeSet::new();
    let context =
        Context { shelf: &SHELF, calendar: &CALENDAR, hotline_agencies: &hotline_agencies };
    for (name, life) in lives() {
        for pair in life.turns.windows(2) {
            let (before, after) = (&pair[0].instance, &pair[1].instance);
            let Some(wake) = before.next_wake() else { continue };
            let moment = Moment::now(wake);
            let decision = decide(context, before, &Command::Advance, moment).expect("a decision");
            let ran = |index: &usize| before.runs.get(*index) != decision.instance.runs.get(*index);
            let changed: BTreeSet<usize> = (0..decision.instance.runs.len()).filter(ran).collect();
            assert_eq!(decision.runs, changed, "{name} at {wake}");
            let held =
                |index: &usize| before.cards.get(*index) != decision.instance.cards.get(*index);
            let changed: BTreeSet<usize> =
                (0..decision.instance.cards.len()).filter(held).collect();
            assert_eq!(decision.cards, changed, "{name} at {wake}");
            assert_eq!(decision.fired_until, Some(wake), "{name}");
            assert!(after.at >= before.at, "{name}");
            let nothing = Moment::now(wake.plus_ms(-1).max(before.at));
            if nothing.at < wake {
                let idle = decide(context, before, &Command::Advance, nothing).expect("a decision");
                assert!(matches!(idle.instance, Cow::Borrowed(_)), "nothing to do, nothing copied");
                assert!(idle.events.is_empty() && idle.fired_until.is_none());
            }
        }
    }
}

#[test]
fn numbers_have_no_gaps_and_recording_never_goes_back() {
    for (name, life) in lives() {
        let seqs: Vec<u64> = life.history().map(|event| event.seq).collect();
        let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
        assert_eq!(seqs, expected, "{name}");
        let recorded: Vec<_> = life.history().map(|event| event.recorded_at).collect();
        assert!(recorded.is_sorted(), "{name}");
        assert!(life.history().all(|event| event.recorded_at >= event.at), "{name}");
    }
}

#[test]
fn a_broken_history_is_refused() {
    let (_, life) = &lives()[0];
    let history: Vec<Event> = life.history().cloned().collect();
    assert!(replay(&history[1..]).is_err(), "without its beginning");
    assert!(replay([]).is_err(), "of nothing");
    for gone in 1..history.len() - 1 {
        let mut broken = history.clone();
        broken.remove(gone);
        assert!(replay(&broken).is_err(), "without event {}", gone + 1);
        let mut broken = history.clone();
        broken.insert(gone, history[gone].clone());
        assert!(replay(&broken).is_err(), "with event {} twice", gone + 1);
    }
}

/// The same rung never fires twice, and no two cards share an identity.
#[test]
fn no_rung_fires_twice() {
    for (name, life) in lives() {
        let mut fired = BTreeSet::new();
        for event in life.history() {
            if let Fact::RungFired(rung) = &event.fact {
                let key = (rung.run.deadline.clone(), rung.run.run, rung.generation, rung.rung);
                assert!(fired.insert(key), "{name}: {rung:?} twice");
            }
        }
        let ids: BTreeSet<_> = life.instance.cards.iter().map(|card| &card.id).collect();
        assert_eq!(ids.len(), life.instance.cards.len(), "{name}");
    }
}

const CANARY: &str = "金丝雀13800138000";

/// Puts the canary in the place of every private text.
fn poison(form: &mut Value, private: &Value) -> usize {
    match (form, private) {
        (Value::Object(form), Value::Object(private)) => {
            let fields = private.iter();
            let poisoned = fields.map(|(name, value)| match form.get_mut(name) {
                Some(field) => poison(field, value),
                None => 0,
            });
            poisoned.sum()
        }
        (Value::String(text), Value::String(_)) => {
            CANARY.clone_into(text);
            1
        }
        _ => 0,
    }
}

#[test]
fn no_free_text_gets_into_history_snapshots_or_messages() {
    let mut poisoned = BTreeSet::new();
    for (name, mut scenario) in scenarios() {
        for step in &mut scenario.steps {
            for definition in SHELF.newest() {
                let Some(action) = definition.action(step.action.as_str()) else { continue };
                let private = definition.split_form(step.action.as_str(), &step.form).1;
                let private = private.unwrap_or(Value::Null);
                if poison(&mut step.form, &private) > 0 && step.refused.is_none() {
                    poisoned.insert(action.form.clone());
                }
            }
        }
        let life = life(&scenario);
        for turn in &life.turns {
            let place = || format!("{name} {}", turn.moment.at);
            for event in turn.result.iter().flatten() {
                let text = String::from_utf8(event.to_bytes()).expect("UTF-8");
                assert!(!text.contains(CANARY), "{}: {text}", place());
            }
            let text = String::from_utf8_lossy(&snapshot(&turn.instance)).into_owned();
            assert!(!text.contains(CANARY), "{}", place());
            let messages = serde_json::to_string(&turn.messages).expect("JSON");
            assert!(!messages.contains(CANARY), "{}", place());
            if let Err(rejection) = &turn.result {
                assert!(!rejection.to_string().contains(CANARY), "{}: {rejection}", place());
                assert!(!format!("{rejection:?}").contains(CANARY), "{}", place());
            }
        }
    }
    let forms = SHELF.newest().flat_map(|definition| &definition.forms);
    let with_text = forms.filter(|form| form.text.contains("x-private")).count();
    assert!(poisoned.len() >= 10 && poisoned.len() <= with_text, "{poisoned:?}");
}

/// A commitment stands for the text: another text, another commitment; the same text, the same.
#[test]
fn what_is_private_is_committed_to() {
    let sealed = |life: &duban_core::simulate::Life| -> Vec<String> {
        let acted = life.history().filter_map(|event| match &event.fact {
            Fact::Acted(acted) => acted.sealed.as_ref().map(|one| one.commitment.to_string()),
            _ => None,
        });
        acted.collect()
    };
    let (_, scenario) = scenarios().into_iter().find(|(name, _)| name == "smooth").expect("it");
    let before = sealed(&life(&scenario));
    assert!(before.len() >= 3, "{before:?}");
    assert_eq!(before, sealed(&life(&scenario)));
    let mut other = scenario.clone();
    for step in &mut other.steps {
        if let Some(text) = step.form.get_mut("summary") {
            *text = Value::from("另一种说法");
        }
    }
    let after = sealed(&life(&other));
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!((before.len(), changed), (after.len(), 1));
}
