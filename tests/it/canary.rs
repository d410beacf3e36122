//! Unmistakable invented people go through every path; afterwards nothing outside the table of
//! personal data holds a byte of them: no log, measure, error, address, event, message, and no raw
//! page of the database or its log.

use std::path::Path;

use duban_core::role::Role;
use futures::StreamExt;
use reqwest::Method;
use sea_orm::sqlx::postgres::PgPoolCopyExt;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::lives::instant;
use crate::served::{Answer, Place, Server, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// Words that occur nowhere else, each in a place of its own.
const NAME: &str = "欧阳鹮鹦";
const PHONE: &str = "19912345678";
const ID_NO: &str = "440301199001017777";
const COMMENT: &str = "鹔鹴等了很久";
const STAFF_NAME: &str = "司马鸑鷟";
const STAFF_NO: &str = "CANARY-STAFF-77";
const NOTE: &str = "鶬鶊来电";
const CANARIES: &[&str] = &[NAME, PHONE, ID_NO, COMMENT, STAFF_NAME, STAFF_NO, NOTE];

fn canary(review_id: &str, class: &str) -> Value {
    let mut body = review(review_id, class, instant(START));
    body["reviewer"] = json!({"name": NAME, "phone": PHONE, "id_no": ID_NO});
    body["comment"] = json!(COMMENT);
    if class == "staff" {
        body["staff"] = json!({"staff_no": STAFF_NO, "name": STAFF_NAME});
    }
    body
}

/// Which of them a text holds.
fn found(text: &[u8]) -> Vec<&'static str> {
    let holds = |word: &&&str| {
        let word = word.as_bytes();
        text.windows(word.len()).any(|window| window == word)
    };
    CANARIES.iter().filter(holds).copied().collect()
}

/// A server with everybody who calls it, and everything that was answered.
struct Street {
    place: Place,
    server: Server,
    hotline: String,
    agency: String,
    auditor: String,
    admin: String,
    answers: Vec<Answer>,
}

impl Street {
    async fn new() -> Self {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let agency = place.token(Role::Agency, "a1", Some("SZ013")).await;
        let auditor = place.token(Role::Auditor, "aud", None).await;
        let admin = place.token(Role::SystemAdmin, "ops", None).await;
        Self { place, server, hotline, agency, auditor, admin, answers: Vec::new() }
    }

    /// A review of each class; their numbers.
    async fn accepted(&mut self) -> Vec<String> {
        let mut numbers = Vec::new();
        for (id, class) in [("C1", "matter"), ("C2", "staff")] {
            let taken = self.server.post("/v1/reviews", &self.hotline, &canary(id, class)).await;
            numbers.push(taken.body["ticket_no"].as_str().expect("a number").to_owned());
            self.answers.push(taken);
        }
        numbers
    }

    /// What is refused says nothing of what it was given.
    async fn refused(&mut self, numbers: &[String]) {
        let mut wrong = [canary("C3", "matter"), canary("C1", "matter"), canary("C4", "matter")];
        wrong[0]["level"] = json!(NAME);
        wrong[1]["comment"] = json!(NOTE);
        wrong[2]["reviewer"][PHONE] = json!(NAME);
        for review in &wrong {
            self.answers.push(self.server.post("/v1/reviews", &self.hotline, review).await);
        }
        let batch = json!({"review_id": PHONE, "comment": COMMENT});
        let path = format!("/v1/tickets/{NAME}/attachments?kind={NAME}");
        let upload = self.server.upload(&path, &self.agency, "text/plain", NOTE.as_bytes());
        self.answers.push(upload.await);
        let path = format!("/v1/tickets/{}/attachments", numbers[0]);
        for (token, kind) in [(&self.hotline, "text/plain"), (&self.auditor, "text/plain")] {
            let upload = self.server.upload(&path, token, kind, NOTE.as_bytes());
            self.answers.push(upload.await);
        }
        self.answers.push(self.server.post("/v1/reviews/batch", &self.hotline, &batch).await);
    }

    async fn worked_on(&mut self, number: &str) {
        let path = format!("/v1/tickets/{number}");
        let reached = json!({
            "outcome": "reached", "channel": "phone", "attempted_at": START, "note": NOTE
        });
        let deeds = [
            (&self.hotline, "dispatch", json!({"agency": "SZ013"})),
            (&self.agency, "sign", json!({})),
            (&self.agency, "record_contact", reached),
            (&self.agency, "add_note", json!({"note": NOTE})),
            (&self.agency, "add_note", json!({"note": NOTE, NAME: PHONE})),
            (&self.hotline, "urge", json!({"note": NOTE})),
            (&self.hotline, "urge", json!({"note": 7, "phone": PHONE})),
        ];
        for (place, (who, action, form)) in deeds.into_iter().enumerate() {
            let (path, key) = (format!("{path}/actions/{action}"), format!("{number}-{place}"));
            let key = [("idempotency-key", key.as_str())];
            let done = self.server.call_with(Method::POST, &path, who, Some(&form), &key).await;
            self.answers.push(done.expect("an answer"));
        }
        let many = json!({"items": [{"ticket_no": number}], "form": {"note": NOTE}});
        let done = self.server.post("/v1/tickets/actions/urge", &self.hotline, &many).await;
        self.answers.push(done);
        for tail in ["", "/history", "/actions", "/forecast", "/deadlines/contact/explanation"] {
            for who in [&self.hotline, &self.agency, &self.auditor] {
                self.answers.push(self.server.get(&format!("{path}{tail}"), who).await);
            }
        }
        // The one way to see them, which is recorded; its answer alone holds them.
        let path = format!("{path}/reviewer");
        let purpose = json!({"purpose": "contact"});
        let shown = self.server.post(&path, &self.hotline, &purpose).await.ok();
        assert_eq!((&shown["name"], &shown["phone"]), (&json!(NAME), &json!(PHONE)));
        let refused = self.server.post(&path, &self.hotline, &json!({"purpose": NAME})).await;
        self.answers.push(refused);
    }

    async fn looked_at(&mut self) {
        for (path, who) in [
            ("/v1/tickets?limit=200", &self.hotline),
            ("/v1/deadlines?limit=200", &self.hotline),
            ("/v1/outbox?limit=200", &self.admin),
            ("/v1/incidents?all=true", &self.admin),
            ("/v1/board", &self.hotline),
            ("/v1/forecast?until=2026-12-31T00:00:00%2B08:00", &self.hotline),
            ("/v1/stream?after=start", &self.auditor),
            ("/v1/workflows/staff", &self.hotline),
            ("/metrics", &self.admin),
            ("/readyz", &self.admin),
            ("/openapi.json", &self.admin),
        ] {
            self.answers.push(self.server.get(path, who).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_found_outside_the_table_of_personal_data() {
    let mut street = Street::new().await;
    let numbers = street.accepted().await;
    street.refused(&numbers).await;
    for number in &numbers {
        street.worked_on(number).await;
    }
    street.server.advance(&street.admin, instant("2026-03-20T09:00:00+08:00")).await;
    street.looked_at().await;
    let Street { place, server, answers, .. } = street;
    for answer in &answers {
        let told = format!("{} {:?} {}", answer.status, answer.headers, answer.body);
        // What the reviewer wrote is shown to whoever works on it; who he is, to nobody.
        let mut found = found(told.as_bytes());
        found.retain(|one| *one != COMMENT);
        assert_eq!(found, [] as [&str; 0], "{told}");
    }
    assert!(answers.len() > 60, "{}", answers.len());
    server.stop();
    assert_eq!(found(place.log().as_bytes()), [] as [&str; 0], "in the log");
    // The rows of personal data are taken out, and nothing else: what is left holds nobody.
    let held = found(&bytes(&place, &[]).await);
    for kept in [NAME, PHONE, ID_NO, COMMENT, NOTE] {
        assert!(held.contains(&kept), "{kept} is nowhere: the test would prove nothing");
    }
    if place.is_file() {
        place.harm("UPDATE personal_data SET body = zeroblob(length(body)); VACUUM").await;
        place.harm("PRAGMA wal_checkpoint(TRUNCATE)").await;
    }
    let others = bytes(&place, &["personal_data"]).await;
    assert_eq!(found(&others), [] as [&str; 0], "in the database");
}

/// Every byte of the database's files; of a server, every row of every table but some.
async fn bytes(place: &Place, without: &[&str]) -> Vec<u8> {
    if place.is_file() {
        return bytes_of_files(place.path());
    }
    let raw = sea_orm::Database::connect(place.url()).await.expect("a connection");
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let tables = Statement::from_string(raw.get_database_backend(), tables);
    let mut all = Vec::new();
    for row in raw.query_all_raw(tables).await.expect("tables") {
        let table: String = row.try_get_by_index(0).expect("a name");
        if without.contains(&table.as_str()) {
            continue;
        }
        let copy = format!("COPY {table} TO STDOUT (FORMAT binary)");
        let mut rows = raw.get_postgres_connection_pool().copy_out_raw(&copy).await.expect("rows");
        while let Some(part) = rows.next().await {
            all.extend_from_slice(&part.expect("a part"));
        }
    }
    all
}

fn bytes_of_files(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder");
    let files = files.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
    let of_database = files.filter(|file| file.to_string_lossy().contains("duban.db"));
    of_database.flat_map(|file| std::fs::read(file).expect("read")).collect()
}
