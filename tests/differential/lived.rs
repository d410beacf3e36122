//! Many lives in one house, beside what the core says of each.

use std::path::Path;

use duban::audit;
use duban::clock::Clock;
use duban::crypto;
use duban::engine::{Declined, Task};
use duban::store::Attachment;
use duban_core::digest::Digest;
use duban_core::event::{Event, Fact};
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use duban_core::simulate::{Scenario, Step, simulate};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::database::TestDatabase;
use crate::house::{House, new_review};

/// What is left of many lives.
pub(crate) struct Lived {
    /// Deeds that were done, and those that were refused.
    pub(crate) deeds: usize,
    pub(crate) refused: usize,
    /// Every row of every ticket, in words that do not depend on identities.
    pub(crate) rows: Vec<String>,
}

/// One of the lives in the house.
struct One {
    scenario: Scenario,
    ticket: Option<TicketId>,
    /// What came of each step: nothing, or the refusal's code.
    refusals: Vec<Option<String>>,
}

/// Lives all of these at once, each at its own time, and compares each with the core's.
pub(crate) async fn live(
    db: &TestDatabase,
    calendars: Option<&Path>,
    scenarios: &[Scenario],
) -> Lived {
    let calendar = calendars.map_or_else(duban_shipped::calendar, duban_shipped::calendar_of);
    let start = scenarios.iter().map(|one| one.received).min().expect("a life");
    let house = House::with(&db.store, Clock::simulated(start), calendar.clone()).await;
    let mut lives: Vec<One> = scenarios.iter().map(One::of).collect();
    let mut moments: Vec<(Instant, usize, Option<usize>)> = Vec::new();
    for (nr, life) in lives.iter().enumerate() {
        moments.push((life.scenario.received, nr, None));
        let steps = life.scenario.steps.iter().enumerate();
        moments.extend(steps.map(|(step, one)| (one.at, nr, Some(step))));
    }
    moments.sort();
    let ends = scenarios.iter().filter_map(|one| one.until);
    let end = ends.chain(moments.last().map(|(at, ..)| *at)).max().expect("an end");
    for (at, nr, step) in moments {
        house.engine.advance_clock(at).await.expect("advanced");
        match step {
            None => lives[nr].open(&house, nr).await,
            Some(step) => lives[nr].act(&house, step).await,
        }
    }
    house.engine.advance_clock(end).await.expect("advanced");
    let open = db.store.incidents(true, None, 10).await.expect("incidents");
    assert!(open.is_empty(), "{open:?}");
    audit::verify(&db.store, None, |_| ()).await.expect("in order");
    let shelf = duban_shipped::shelf();
    for life in &lives {
        let events = house.events(life.ticket.expect("a ticket")).await;
        let scenario = life.as_it_went(&events, end);
        let expected = simulate(&shelf, &calendar, &scenario).expect("a life");
        let name = format!("seed {}", scenario.title);
        for turn in &expected.turns {
            let Some(step) = turn.step.map(|place| &scenario.steps[place]) else { continue };
            if step.by == Role::System {
                continue;
            }
            let refusal = turn.result.as_ref().err().map(|one| one.code().to_owned());
            let (action, at) = (&step.action, step.at);
            assert_eq!(life.refusals[step.line], refusal, "{name}: {action} at {at}");
        }
        let (found, expected) = (events.iter(), expected.history());
        let (found, expected): (Vec<_>, Vec<_>) =
            (found.map(plain).collect(), expected.map(plain).collect());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}: {:?}", found.last());
    }
    let all = || lives.iter().flat_map(|life| &life.refusals);
    Lived {
        deeds: all().filter(|refusal| refusal.is_none()).count(),
        refused: all().filter(|refusal| refusal.is_some()).count(),
        rows: rows(db).await,
    }
}

impl One {
    fn of(scenario: &Scenario) -> Self {
        let mut scenario = scenario.clone();
        // The house archives by itself: nobody can ask for it.
        scenario.steps.retain(|step| step.by != Role::System);
        scenario.steps.sort_by_key(|step| step.at);
        for (place, step) in scenario.steps.iter_mut().enumerate() {
            step.line = place;
        }
        let refusals = vec![None; scenario.steps.len()];
        Self { scenario, ticket: None, refusals }
    }

    async fn open(&mut self, house: &House, nr: usize) {
        let arrival = house.engine.arrive().await;
        let class = self.scenario.class.as_ref().map_or("matter", Name::as_str);
        let mut review = new_review(class, &format!("R{nr}"), "content", arrival.at);
        review.opening.reviewed_at = self.scenario.reviewed;
        review.opening.flags.clone_from(&self.scenario.flags);
        let task = Task::Open(Box::new(review));
        let done = house.engine.submit(&arrival, task, None).await.expect("a ticket");
        self.ticket = Some(done.ticket);
        // The file that forms of random lives name.
        let attachment = Attachment {
            id: crypto::identity(),
            ticket: done.ticket,
            sm3: Digest([0x0a; 32]),
            bytes: 1,
            content_type: "application/pdf".to_owned(),
            agency: None,
            uploaded_by: "scan".into(),
            uploaded_at: arrival.at,
        };
        house.engine.store().add_attachment(&attachment).await.expect("added");
    }

    async fn act(&mut self, house: &House, place: usize) {
        let Step { action, by, subject, agency, form, revision, .. } =
            self.scenario.steps[place].clone();
        let ticket = self.ticket.expect("it is open");
        let loaded = house.engine.store().load(&[ticket]).await.expect("it").remove(0).1;
        let own = loaded.expect("readable").instance.agency.clone();
        let agency = agency.or(own.filter(|_| by.is_bound_to_agency()));
        let actor = Actor { subject, role: by, agency };
        let arrival = house.engine.arrive().await;
        let (fault, original) = (None, None);
        let task = Task::Act { ticket, action, actor, form, revision, fault, original };
        self.refusals[place] = match house.engine.submit(&arrival, task, None).await {
            Ok(_) => None,
            Err(Declined::Rejected(rejection)) => Some(rejection.code().to_owned()),
            Err(other) => panic!("seed {}: {other}", self.scenario.title),
        };
    }

    /// The scenario with what the house did by itself, to the end of all.
    fn as_it_went(&self, events: &[Event], end: Instant) -> Scenario {
        let mut scenario = self.scenario.clone();
        for event in events {
            if let Fact::Acted(acted) = &event.fact
                && acted.role == Role::System
            {
                scenario.steps.push(Step {
                    at: event.at,
                    recorded_at: event.at,
                    action: acted.action.clone(),
                    by: Role::System,
                    subject: event.actor.clone(),
                    agency: None,
                    form: json!({}),
                    revision: None,
                    refused: None,
                    line: usize::MAX,
                });
            }
        }
        scenario.steps.sort_by_key(|step| step.at);
        scenario.until = Some(end);
        scenario
    }
}

/// An event without what the house adds: identities, commitments, and when it was recorded.
fn plain(event: &Event) -> Value {
    let mut event: Value = serde_json::from_slice(&event.to_bytes()).expect("JSON");
    let fields = event.as_object_mut().expect("an object");
    fields.remove("recorded_at");
    let data = fields.get_mut("data").and_then(Value::as_object_mut).expect("data");
    data.remove("ticket");
    if data.contains_key("sealed") {
        data.remove("sealed");
    }
    event
}

/// What is compared of each table: everything but identities, keys and hashes.
const TABLES: [(&str, &str, &[&str]); 9] = [
    (
        "ticket",
        "id",
        &[
            "revision",
            "class",
            "workflow",
            "workflow_version",
            "step",
            "step_since",
            "status",
            "agency",
            "district",
            "flags",
            "finding",
            "outcome",
            "source",
            "matter",
            "received_at",
            "yellow_at",
            "red_at",
        ],
    ),
    ("snapshot", "ticket", &["version", "seq", "recorded_at", "wake_at"]),
    (
        "deadline",
        "ticket",
        &[
            "place",
            "name",
            "run",
            "kind",
            "party",
            "agency",
            "district",
            "state",
            "starts_at",
            "yellow_at",
            "due_at",
            "certainty",
        ],
    ),
    (
        "card",
        "ticket",
        &["place", "name", "kind", "deadline", "party", "agency", "state", "due_at", "fired_at"],
    ),
    ("event", "ticket", &["seq"]),
    ("review", "ticket", &["source", "review_id", "codes"]),
    ("personal_data", "ticket", &["created_at"]),
    ("incident", "ticket", &["command", "code", "seq", "at"]),
    (
        "outbox",
        "ticket",
        &["seq", "nth", "kind", "destination", "about", "created_at", "state", "attempts"],
    ),
];

async fn rows(db: &TestDatabase) -> Vec<String> {
    let raw = db.raw().await;
    let mut all = Vec::new();
    for (table, key, columns) in TABLES {
        let shown = columns.iter().map(|one| format!("COALESCE(CAST(x.{one} AS TEXT), '-')"));
        let shown = shown.collect::<Vec<_>>().join(" || ' ' || ");
        let query = format!(
            "SELECT '{table} ' || t.ticket_no || ' ' || {shown} \
             FROM {table} x JOIN ticket t ON t.id = x.{key}"
        );
        let statement = Statement::from_string(raw.get_database_backend(), query);
        let found = raw.query_all_raw(statement).await.expect("rows");
        all.extend(found.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")));
    }
    all.sort();
    all
}
