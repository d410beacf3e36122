//! A house for tests: the engine over a test's database, with the shipped definitions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use duban::clock::Clock;
use duban::crypto;
use duban::engine::{Carrier, Declined, Done, Engine, Keyed, Knowledge, NewReview, Task};
use duban::store::{Carried, PersonalRow, Posted, RequestKey, ReviewRow, Store};
use duban::wake::Wake;
use duban_core::calendar::Calendar;
use duban_core::command::Opening;
use duban_core::digest::Digest;
use duban_core::event::{Event, Sealed};
use duban_core::limits::EVENTS_MAX;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde_json::Value;

/// What the carrier was given, and what it says of each.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) carried: Arc<Mutex<Vec<Posted>>>,
    pub(crate) says: Arc<Mutex<Carried>>,
    /// Destinations that never answer.
    pub(crate) hangs: Arc<Mutex<BTreeSet<String>>>,
}

impl Post {
    fn new() -> Self {
        let says = Arc::new(Mutex::new(Carried::Arrived));
        Self { carried: Arc::default(), says, hangs: Arc::default() }
    }

    fn carrier(&self) -> Carrier {
        let post = self.clone();
        Arc::new(move |message| {
            let hangs = post.hangs.lock().expect("a post").contains(&message.destination);
            post.carried.lock().expect("a post").push(message);
            let says = *post.says.lock().expect("a post");
            Box::pin(async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                says
            })
        })
    }
}

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) post: Post,
}

impl House {
    pub(crate) async fn new(store: &Store, clock: Clock) -> Self {
        Self::with(store, clock, duban_shipped::calendar()).await
    }

    pub(crate) async fn with(store: &Store, clock: Clock, calendar: Calendar) -> Self {
        let shelf = duban_shipped::shelf();
        let hotline = BTreeSet::from(["SZ002".into()]);
        let knowledge = Knowledge::gather(shelf, calendar, hotline, store).await.expect("known");
        let post = Post::new();
        let carrier = post.carrier();
        let engine = Engine::start(store.clone(), knowledge, clock, Wake::default(), carrier);
        Self { engine, post }
    }

    /// A review comes in now.
    pub(crate) async fn review(&self, class: &str, review_id: &str) -> Result<Done, Declined> {
        self.review_saying(class, review_id, "content").await
    }

    pub(crate) async fn review_saying(
        &self,
        class: &str,
        review_id: &str,
        content: &str,
    ) -> Result<Done, Declined> {
        let arrival = self.engine.arrive().await;
        let review = new_review(class, review_id, content, arrival.at);
        self.engine.submit(&arrival, Task::Open(Box::new(review)), None).await
    }

    /// Somebody does something now.
    pub(crate) async fn act(
        &self,
        ticket: TicketId,
        action: &str,
        actor: Actor,
        form: Value,
    ) -> Result<Done, Declined> {
        let arrival = self.engine.arrive().await;
        let task = Task::Act {
            ticket,
            action: action.into(),
            actor,
            form,
            revision: None,
            fault: None,
            original: None,
        };
        self.engine.submit(&arrival, task, None).await
    }

    pub(crate) async fn events(&self, ticket: TicketId) -> Vec<Event> {
        let history = self.engine.store().history(ticket, 0, EVENTS_MAX).await.expect("history");
        history.iter().map(|one| one.event().expect("an event")).collect()
    }
}

pub(crate) fn new_review(class: &str, review_id: &str, content: &str, at: Instant) -> NewReview {
    let (key, reference) = (crypto::key(), crypto::identity().to_string());
    let personal = PersonalRow { reference: reference.clone().into(), key, body: b"{}".to_vec() };
    let sealed = Sealed {
        reference: reference.as_str().into(),
        commitment: Digest::commitment(&key, &personal.body),
    };
    NewReview {
        opening: Opening {
            ticket: TicketId(crypto::identity()),
            parent: None,
            class: class.into(),
            reviewed_at: at,
            district: None,
            rated: None,
            flags: Vec::new(),
            sealed: Some(sealed),
            actor: Actor { subject: "intake".into(), role: Role::Intake, agency: None },
        },
        review: ReviewRow {
            source: "test".into(),
            review_id: review_id.to_owned(),
            commitment: Digest::commitment(&key, content.as_bytes()),
            codes: "{}".to_owned(),
            reference: reference.into(),
            matter: "M1".into(),
        },
        personal,
        content: content.as_bytes().to_vec(),
    }
}

pub(crate) fn hotline() -> Actor {
    Actor { subject: "h1".into(), role: Role::Hotline, agency: None }
}

pub(crate) fn agency(code: &str) -> Actor {
    Actor { subject: "a1".into(), role: Role::Agency, agency: Some(code.into()) }
}

pub(crate) fn keyed(key: &str, body: &str) -> Keyed {
    let key = RequestKey { subject: "h1".into(), operation: "POST x".into(), key: key.into() };
    Keyed { key, body: body.as_bytes().into(), status: 200 }
}
