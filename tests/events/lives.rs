//! What holds of every scenario's history: replay, numbers, and nothing private.

use std::collections::BTreeSet;

use duban_core::apply::replay;
use duban_core::event::{Event, Fact};
use duban_core::instance::Instance;
use serde_json::Value;

use super::{SHELF, life, lives, scenarios};

fn snapshot(instance: &Instance) -> String {
    serde_json::to_string(instance).expect("JSON")
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
        let text = snapshot(&life.instance);
        let again: Instance = serde_json::from_str(&text).expect("a snapshot");
        assert_eq!(snapshot(&again), text, "{name}");
        assert_eq!(again, life.instance, "{name}");
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
            assert!(!snapshot(&turn.instance).contains(CANARY), "{}", place());
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
