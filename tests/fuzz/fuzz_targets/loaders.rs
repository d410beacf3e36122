//! Arbitrary bytes through every loader: the first byte says which, the rest is the file. What is
//! refused must name a place; what is read must read again to the same; nothing may panic.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use duban_core::calendar::{Within, Year};
use duban_core::definition::{Form, Library, read_basis_texts, read_definition};
use duban_core::document::Faults;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::simulate::Scenario;
use duban_core::time::{Day, Instant};
use libfuzzer_sys::fuzz_target;

static SHIPPED: LazyLock<Library> = LazyLock::new(duban_shipped::library);

/// The forms of all shipped definitions.
static FORMS: LazyLock<BTreeMap<Name, Arc<Form>>> = LazyLock::new(|| {
    let forms = SHIPPED.definitions.iter().flat_map(|one| &one.forms);
    forms.map(|form| (form.name.clone(), Arc::clone(form))).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    match which {
        b'e' => return event(rest),
        b'i' => return snapshot(rest),
        _ => {}
    }
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match which {
        b'c' => named(Year::read("f", text).map(drop), text),
        b'd' => named(read_definition("f", text, &FORMS, &SHIPPED.texts).map(drop), text),
        b'f' => form(text),
        b's' => named(Scenario::read("f", text).map(drop), text),
        b'b' => named(read_basis_texts("f", text).map(drop), text),
        b'w' => words(text),
        _ => {}
    }
});

/// A refusal names the file, a line that is there, and says something.
fn named(outcome: Result<(), Faults>, text: &str) {
    let Err(Faults(faults)) = outcome else { return };
    assert!(!faults.is_empty());
    for fault in faults {
        assert_eq!(fault.file, "f");
        assert!((1..=text.lines().count() + 1).contains(&fault.line), "{fault}");
        assert!(!fault.message.is_empty());
    }
}

fn form(text: &str) {
    match Form::read("f".into(), "f", text) {
        Ok(form) => {
            let value = form.schema.clone();
            let at = Instant::from_ms(1_770_971_400_000);
            let _ = form.check(&value, at);
            let _ = form.split(&value);
        }
        Err(faults) => named(Err(Faults(faults)), text),
    }
}

/// What can be read can be written, and reads again to the same.
fn event(bytes: &[u8]) {
    if let Ok(event) = Event::from_bytes(bytes) {
        let written = event.to_bytes();
        let again = Event::from_bytes(&written).expect("what was written can be read");
        assert_eq!(again.to_bytes(), written);
    }
}

/// Stored bytes of a ticket: refused, or a ticket that writes and reads to the same.
fn snapshot(bytes: &[u8]) {
    if let Ok(instance) = Instance::from_bytes(bytes) {
        let again = Instance::from_bytes(&instance.to_bytes());
        assert_eq!(again.as_ref(), Ok(&instance));
    }
}

/// Periods, days and instants as flags and batch lines give them.
fn words(text: &str) {
    if let Ok(within) = text.parse::<Within>() {
        assert_eq!(within.to_string().parse(), Ok(within));
        let _ = within.rolled();
    }
    if let Ok(day) = text.parse::<Day>() {
        assert_eq!(day.to_string().parse(), Ok(day));
    }
    if let Ok(at) = text.parse::<Instant>() {
        assert_eq!(at.to_string().parse(), Ok(at));
    }
}
