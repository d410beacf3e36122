//! What somebody with the database file in his hands can change, and that the audit finds and names
//! it. (A history that is rewritten or cut off consistently needs a checkpoint outside.)

use std::path::Path;
use std::process::Command;

use duban::audit::{AuditError, Checked, verify};
use duban::clock::Clock;
use duban::store::Store;
use duban_core::role::Role;
use duban_core::ticket_id::TicketId;
use sea_orm::{ConnectionTrait, Database};
use serde_json::json;
use tempfile::TempDir;

use crate::database::{Kind, TestDatabase};
use crate::house::{House, agency, hotline};
use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

/// Three tickets: one with its agency, one with a yellow card, one just opened.
async fn lived(store: &Store) -> Vec<TicketId> {
    let clock = Clock::simulated(instant(START));
    let house = House::new(store, clock).await;
    let mut tickets = Vec::new();
    for id in ["R1", "R2", "R3"] {
        tickets.push(house.review("matter", id).await.expect("opened").ticket);
    }
    for ticket in &tickets[..2] {
        let form = json!({"agency": "SZ013"});
        house.act(*ticket, "dispatch", hotline(), form).await.expect("dispatched");
    }
    house.act(tickets[0], "sign", agency("SZ013"), json!({})).await.expect("signed");
    let note = json!({"note": "已电话联系"});
    house.act(tickets[0], "add_note", agency("SZ013"), note).await.expect("noted");
    house.engine.advance_clock(instant("2026-03-06T00:00:10+08:00")).await.expect("advanced");
    tickets
}

/// What is untouched is good, on both databases.
async fn what_is_untouched_is_good(db: TestDatabase) {
    let empty = verify(&db.store, None, |_| ()).await.expect("an empty house is in order");
    assert_eq!(empty, Checked::default());
    let tickets = lived(&db.store).await;
    let mut told = 0;
    let checked = verify(&db.store, None, |_| told += 1).await.expect("good");
    assert_eq!(checked.tickets, tickets.len() as u64);
    assert_eq!(i64::try_from(checked.events), Ok(db.number("SELECT count(*) FROM event").await));
    assert!(checked.commits > 5 && told > 0);
}

crate::database::on_both!(what_is_untouched_is_good);

/// Each harm by its statements, and what the audit says.
const HARMS: &[(&str, &[&str], &str)] = &[
    (
        "an event changed",
        &[
            "UPDATE event SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"h1\"', '\"h2\"') AS BLOB) \
           WHERE seq > 1 AND ticket = $1",
        ],
        "记录与链不符",
    ),
    (
        "a hash changed",
        &["UPDATE event SET hash = zeroblob(32) WHERE seq = 3"],
        "第 3 号记录与链不符",
    ),
    ("an event removed", &["DELETE FROM event WHERE seq = 2 AND ticket = $1"], "缺第 2 号记录"),
    (
        "the last event removed",
        &["DELETE FROM event WHERE ticket = $1 AND seq = \
           (SELECT max(seq) FROM event WHERE ticket = $1)"],
        "号记录：被删除",
    ),
    (
        "an event added",
        &["INSERT INTO event (position, ticket, seq, bytes, hash) \
           SELECT (SELECT max(position) + 1 FROM event), ticket, seq + 1, bytes, hash FROM event \
           WHERE ticket = $1 ORDER BY seq DESC LIMIT 1"],
        "记录与链不符",
    ),
    (
        "two events exchanged",
        &[
            "UPDATE event SET seq = 1000 WHERE ticket = $1 AND seq = 2",
            "UPDATE event SET seq = 2 WHERE ticket = $1 AND seq = 3",
            "UPDATE event SET seq = 3 WHERE ticket = $1 AND seq = 1000",
        ],
        "第 2 号记录与链不符",
    ),
    (
        "two places exchanged",
        &[
            "CREATE TABLE was AS SELECT seq, position FROM event WHERE ticket = $1 AND seq < 3",
            "UPDATE event SET position = -seq WHERE ticket = $1 AND seq < 3",
            "UPDATE event SET position = (SELECT was.position FROM was WHERE was.seq = 3 - event.seq) \
             WHERE ticket = $1 AND seq < 3",
        ],
        "先于前一号",
    ),
    (
        "a number changed",
        &["UPDATE ticket SET ticket_no = 'HCP20260302000001-4' WHERE id = $1"],
        "校验码不符",
    ),
    ("a head changed", &["UPDATE snapshot SET head = zeroblob(32) WHERE ticket = $1"], "末端摘要"),
    (
        "a head and its last event's hash changed",
        &[
            "UPDATE snapshot SET head = zeroblob(32) WHERE ticket = $1",
            "UPDATE event SET hash = zeroblob(32) WHERE ticket = $1 AND seq = \
             (SELECT max(seq) FROM event WHERE ticket = $1)",
        ],
        "记录与链不符",
    ),
    (
        "a snapshot changed",
        &["UPDATE snapshot SET bytes = (SELECT other.bytes FROM snapshot other \
           WHERE other.ticket <> $1 LIMIT 1) WHERE ticket = $1"],
        "快照与重演历史所得不同",
    ),
    (
        "a due date changed where lists look",
        &["UPDATE ticket SET red_at = red_at + 86400000 WHERE id = $1"],
        "ticket.red_at 与其历史不符",
    ),
    (
        "time stopped",
        &["UPDATE snapshot SET wake_at = NULL WHERE ticket = $1"],
        "snapshot.wake_at 与其历史不符",
    ),
    (
        "a snapshot removed",
        &["DELETE FROM snapshot WHERE ticket = $1"],
        "快照（snapshot 表）不存在",
    ),
    (
        "another ticket's snapshot as well",
        &["INSERT INTO snapshot SELECT x'00000000000000000000000000000000', version, seq, head, \
           recorded_at, wake_at, bytes FROM snapshot WHERE ticket = $1"],
        "snapshot 表中有工单",
    ),
    (
        "another citizen in a ticket",
        &["UPDATE review SET reference = (SELECT other.reference FROM review other \
           WHERE other.ticket <> $1 LIMIT 1) WHERE ticket = $1"],
        "指向别处",
    ),
    ("a review removed", &["DELETE FROM review WHERE ticket = $1"], "评价（review 表）缺失"),
    (
        "a row of nobody",
        &[
            "INSERT INTO deadline SELECT x'00000000000000000000000000000000', place, name, run, kind, \
           party, agency, state, starts_at, yellow_at, due_at, certainty, district FROM deadline \
           WHERE ticket = $1 AND place = 0",
        ],
        "deadline 表中有工单",
    ),
    ("an agency changed", &["UPDATE ticket SET agency = 'SZ007' WHERE id = $1"], "ticket.agency"),
    ("a deadline changed", &["UPDATE deadline SET due_at = due_at + 1"], "deadline 表第"),
    ("a card removed", &["DELETE FROM card"], "card 表第 1 行 与其历史不符"),
    ("a ticket removed", &["DELETE FROM ticket WHERE id = $1"], "不存在：被删除"),
    (
        "a ticket removed with all that is its own",
        &[
            "DELETE FROM ticket WHERE id = $1",
            "DELETE FROM snapshot WHERE ticket = $1",
            "DELETE FROM event WHERE ticket = $1",
            "DELETE FROM deadline WHERE ticket = $1",
            "DELETE FROM card WHERE ticket = $1",
            "DELETE FROM review WHERE ticket = $1",
            "DELETE FROM personal_data WHERE ticket = $1",
        ],
        "与总账不符",
    ),
    (
        "private data changed",
        &["UPDATE personal_data SET body = CAST('{}x' AS BLOB) WHERE ticket = $1"],
        "私密内容被改动",
    ),
    (
        "the bound of two commits moved",
        &[
            "UPDATE commit_log SET last_position = last_position + 1 WHERE number = \
             (SELECT max(number) - 1 FROM commit_log)",
            "UPDATE commit_log SET first_position = first_position + 1 WHERE number = \
             (SELECT max(number) FROM commit_log)",
        ],
        "总序被改动",
    ),
    (
        "the time of a commit changed",
        &["UPDATE commit_log SET recorded_at = recorded_at + 1"],
        "总序被改动",
    ),
    ("a commit removed", &["DELETE FROM commit_log WHERE number = 2"], "缺第 2 次提交"),
    ("the ledger changed", &["UPDATE ledger SET events = events + 1"], "与总账不符"),
];

fn url(file: &Path) -> String {
    format!("sqlite://{}?mode=rw", file.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_tampered_with_is_found_and_named() {
    let db = TestDatabase::new(Kind::Sqlite).await;
    let tickets = lived(&db.store).await;
    db.store.fold().await.expect("folded");
    let file = db.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc").to_owned();
    let folder = TempDir::new().expect("a folder");
    let id = format!("x'{}'", tickets[0].0.simple());
    for (place, (what, statements, says)) in HARMS.iter().enumerate() {
        let copy = folder.path().join(format!("{place}.db"));
        std::fs::copy(&file, &copy).expect("copied");
        let raw = Database::connect(url(&copy)).await.expect("a connection");
        for statement in *statements {
            let harmed = raw.execute_unprepared(&statement.replace("$1", &id)).await;
            harmed.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        raw.close().await.expect("closed");
        let store = Store::open(&url(&copy)).await.expect("opened");
        let found = verify(&store, None, |_| ()).await;
        let Err(AuditError::Wrong(wrong)) = found else { panic!("{what}: {found:?}") };
        assert!(wrong.to_string().contains(says), "{what}: {wrong}");
        store.close().await;
    }
    // A column of another type, that looks the same, is no good database either.
    let copy = folder.path().join("type.db");
    std::fs::copy(&file, &copy).expect("copied");
    let raw = Database::connect(url(&copy)).await.expect("a connection");
    let harm = "UPDATE ticket SET red_at = CAST(CAST(red_at AS TEXT) AS BLOB)";
    raw.execute_unprepared(harm).await.expect("harmed");
    raw.close().await.expect("closed");
    let store = Store::open(&url(&copy)).await.expect("opened");
    let found = verify(&store, None, |_| ()).await;
    let Err(AuditError::Wrong(wrong)) = found else { panic!("{found:?}") };
    let told = wrong.to_string();
    assert!(told.contains("HCP20260302000001-3") && told.contains("red_at"), "{told}");
    store.close().await;
    // The command says the same, and ends so that a script hears of it.
    let check = |copy: &Path, code: i32, says: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_duban"));
        program.args(["audit", "verify", "--database-url", &url(copy)]);
        let ended = program.output().expect("it runs");
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    };
    check(&folder.path().join("0.db"), 1, "记录与链不符");
    check(Path::new(&file), 0, "全部相符：3 件工单");
    check(&folder.path().join("nowhere.db"), 1, "");
    assert!(!folder.path().join("nowhere.db").exists(), "an audit makes no database");
}

/// Flags that say what of files is audited.
const NAMES_FILES: [&str; 3] = ["--attachments", "--without-files", "--config"];

/// Files that are not what was uploaded, and forms that name what nobody has uploaded any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_audited_too() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let body = review("R1", "matter", instant(START));
    let accepted = server.post("/v1/reviews", &hotline, &body).await.ok();
    let number = accepted["ticket_no"].as_str().expect("a number").to_owned();
    let path = format!("/v1/tickets/{number}/attachments");
    let sent = server.upload(&path, &hotline, "text/plain", b"abc").await.ok();
    let sm3 = sent["attachment"]["sm3"].as_str().expect("a digest");
    drop(server);
    let audit = |flags: &[&str], code: i32, says: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_duban"));
        program.args(["audit", "verify", "--database-url", &place.url()]).args(flags);
        // Beside a file the audit finds them by itself.
        if !place.is_file() && !flags.iter().any(|flag| NAMES_FILES.contains(flag)) {
            program.env("DUBAN_ATTACHMENTS", place.attachments());
        }
        let ended = program.output().expect("it runs");
        let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    };
    audit(&[], 0, "1 个附件");
    audit(&["--without-files"], 0, "未核对附件文件");
    audit(&["--json"], 0, "\"files\":1");
    let file = place.attachments().join(&sm3[..2]).join(sm3);
    for harm in [&b"abd"[..], b"abcd", b""] {
        std::fs::write(&file, harm).expect("harmed");
        audit(&[], 1, &format!("（SM3 {sm3}）的文件缺失或被改动"));
    }
    std::fs::remove_file(&file).expect("removed");
    audit(&[], 1, "的文件缺失或被改动");
    audit(&["--attachments", "nowhere"], 2, "附件目录 nowhere 不存在");
    assert!(!Path::new("nowhere").exists(), "an audit makes no folder");
    std::fs::write(&file, b"abc").expect("put back");
    // Where the service keeps them stands in its settings.
    let config = place.path().join("service.toml");
    let elsewhere = place.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(&config, format!("attachments = {elsewhere:?}\n")).expect("written");
    audit(&["--config", &config.display().to_string()], 1, "的文件缺失或被改动");
    audit(&["--config", &config.display().to_string(), "--without-files"], 0, "全部相符");
    place.harm("UPDATE attachment SET bytes = 4").await;
    audit(&[], 1, "的文件缺失或被改动");
    place.harm("DELETE FROM attachment").await;
    audit(&["--without-files"], 1, &format!("号记录所引的附件 {sm3} 没有登记"));
}
