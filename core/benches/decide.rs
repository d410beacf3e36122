//! Decisions a second, one JSON line each: `cargo bench --bench decide`.
//!
//! What is measured is a deadline falling due: the shipped `matter` workflow, delivered, contact's
//! warning fired, and now its end, which issues a yellow card and tells two audiences.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant as Stopwatch;

use duban_core::calendar::Calendar;
use duban_core::command::{Act, Command, Moment, Opening};
use duban_core::decide::{Context, Decision, decide, open};
use duban_core::definition::Shelf;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::rejection::Refusal;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;

/// Runs per figure; the best shows what the code can do, the median what to expect.
const RUNS: usize = 15;
/// Operations per run: long enough that the stopwatch does not matter.
const OPERATIONS: usize = 50_000;
/// Tickets, in turn: a batch of a few hundred is what the engine locks at once.
const TICKETS: usize = 512;

const RECEIVED: &str = "2026-02-13T16:30:00+08:00";
const WARNED: &str = "2026-02-25T00:00:00+08:00";
const DUE: &str = "2026-02-26T00:00:00+08:00";

fn main() {
    let outcome = bench(&duban_shipped::shelf(), &duban_shipped::calendar());
    if let Err(error) = outcome {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn bench(shelf: &Shelf, calendar: &Calendar) -> Result<(), String> {
    let nobody = BTreeSet::new();
    let context = Context { shelf, calendar, hotline_agencies: &nobody };
    let warned = tickets(context).map_err(|error| error.to_string())?;
    let due = Moment::now(DUE.parse()?);
    let advance = Command::Advance;
    let one = decide(context, &warned[0], &advance, due).map_err(|error| error.to_string())?;
    if one.events.len() != 1 || one.messages.len() != 2 {
        return Err(format!("not the decision that is meant: {:?}", one.events));
    }
    let size = |decision: &Result<Decision<'_>, Refusal>| {
        decision.as_ref().map_or(0, |one| one.events.len() + one.messages.len())
    };
    measure("rung_due", "Advance at contact's end", |index| {
        size(&decide(context, &warned[index % TICKETS], &advance, due))
    });
    measure("rung_due_stored", "the same, event and snapshot as bytes", |index| {
        let decision = decide(context, &warned[index % TICKETS], &advance, due);
        let Ok(decision) = &decision else { return 0 };
        let events: usize = decision.events.iter().map(|event| event.to_bytes().len()).sum();
        events + decision.instance.to_bytes().len()
    });
    let stored: Vec<Vec<u8>> = warned.iter().map(Instance::to_bytes).collect();
    measure("read_decide_write", "stored ticket in; event and snapshot as bytes out", |index| {
        let Ok(ticket) = Instance::from_bytes(&stored[index % TICKETS]) else { return 0 };
        let Ok(decision) = decide(context, &ticket, &advance, due) else { return 0 };
        let events: usize = decision.events.iter().map(|event| event.to_bytes().len()).sum();
        events + decision.instance.to_bytes().len()
    });
    let before = Moment::now(due.at.plus_ms(-1));
    measure("nothing_due", "Advance a millisecond before", |index| {
        size(&decide(context, &warned[index % TICKETS], &advance, before))
    });
    let contact = act("record_contact", Role::Agency, &contact_form());
    measure("act_after_rung", "record_contact with a form, contact's end first", |index| {
        size(&decide(context, &warned[index % TICKETS], &contact, due))
    });
    measure("clone", "a copy of the ticket alone", |index| {
        let copy = warned[index % TICKETS].clone();
        black_box(&copy).runs.len()
    });
    read_back(&one);
    Ok(())
}

/// Tickets in `delivered` with contact's warning fired.
fn tickets(context: Context<'_>) -> Result<Vec<Instance>, Refusal> {
    let ticket = |number: usize| {
        let received = instant(RECEIVED);
        let opening = Opening {
            ticket: TicketId::from_number(number as u128),
            parent: None,
            rated: None,
            class: "matter".into(),
            reviewed_at: received,
            district: Some("440304".into()),
            flags: Vec::new(),
            sealed: None,
            actor: Actor { subject: "intake".into(), role: Role::Intake, agency: None },
        };
        let opened = open(context, &opening, Moment::now(received))?;
        let dispatch = act("dispatch", Role::Hotline, &serde_json::json!({ "agency": "SZ013" }));
        let step = |ticket: &Instance, command: &Command, at| {
            let decision = decide(context, ticket, command, Moment::now(at))?;
            Ok::<_, Refusal>(decision.instance.into_owned())
        };
        let delivered = step(&opened.instance, &dispatch, received)?;
        step(&delivered, &Command::Advance, instant(WARNED))
    };
    (0..TICKETS).map(ticket).collect()
}

fn act(action: &str, role: Role, form: &serde_json::Value) -> Command {
    let agency = role.is_bound_to_agency().then(|| Name::from("SZ013"));
    Command::Act(Act {
        action: action.into(),
        actor: Actor { subject: "officer".into(), role, agency },
        form: form.clone(),
        sealed: None,
        revision: None,
    })
}

fn contact_form() -> serde_json::Value {
    serde_json::json!({ "outcome": "reached", "channel": "phone", "attempted_at": WARNED })
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap_or(Instant::from_ms(0))
}

/// Stored bytes back into an event and a ticket: what recovery costs.
fn read_back(decision: &Decision<'_>) {
    let event = decision.events[0].to_bytes();
    measure("read_event", "stored bytes of a fired rung", |_| {
        Event::from_bytes(black_box(&event)).map_or(0, |event| usize::from(event.seq > 0))
    });
    let snapshot = decision.instance.to_bytes();
    let json = serde_json::to_vec(&*decision.instance).map_or(0, |bytes| bytes.len());
    println!(r#"{{"figure":"snapshot_bytes","bytes":{},"as_json":{json}}}"#, snapshot.len());
    measure("read_snapshot", "stored bytes of the ticket", |_| {
        Instance::from_bytes(black_box(&snapshot)).map_or(0, |one| one.runs.len())
    });
}

fn measure(figure: &str, conditions: &str, operation: impl Fn(usize) -> usize) {
    let mut seconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = Stopwatch::now();
            let mut sum = 0_usize;
            for index in 0..OPERATIONS {
                sum = sum.wrapping_add(black_box(operation(black_box(index))));
            }
            black_box(sum);
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a count of a few millions")]
    let per_second = |seconds: f64| OPERATIONS as f64 / seconds;
    let (best, median) = (per_second(seconds[0]), per_second(seconds[RUNS / 2]));
    println!(
        r#"{{"figure":"{figure}","conditions":"{conditions}, {TICKETS} tickets in turn, one thread, {RUNS} runs of {OPERATIONS}","best_per_s":{best:.0},"median_per_s":{median:.0}}}"#
    );
}
