//! `duban demo`: the first command of the README. Every step, light and card is there, and a second
//! start goes on with what is there.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use duban::store::Store;
use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::time::Instant;
use sea_orm::{ConnectionTrait, Database, Statement};

/// The program in a folder; killed when it is dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and reads what it prints until it waits for callers.
async fn demo(folder: &Path) -> (Demo, String) {
    demo_of(folder, &[]).await
}

async fn demo_of(folder: &Path, flags: &[&str]) -> (Demo, String) {
    let child = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .args(flags)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut demo = Demo(child);
    let mut out = demo.0.stdout.take().expect("a pipe");
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        let mut bytes = [0; 4096];
        while !text.contains("/v1/clock/advance") {
            match out.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(count) => text.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        text
    });
    let text = tokio::time::timeout(Duration::from_mins(3), read).await;
    (demo, text.expect("in time").expect("text"))
}

async fn texts(url: &str, query: &str) -> Vec<String> {
    let raw = Database::connect(url).await.expect("a connection");
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), query)).await;
    rows.expect("rows").iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_light_and_card_occurs_and_a_second_start_goes_on() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (first, said) = demo(folder.path()).await;
    assert!(said.contains("生成数据用时") && said.contains("supervisor=duban_"), "{said}");
    let url = format!("sqlite://{}?mode=rw", folder.path().join("duban-demo.db").display());
    let found = texts(&url, "SELECT DISTINCT workflow || ' ' || step FROM ticket").await;
    let mut missing = Vec::new();
    for definition in duban_shipped::shelf().newest() {
        for step in &definition.steps {
            let name = format!("{} {}", definition.pin.name, step.name);
            if !found.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    let mut cards = texts(&url, "SELECT DISTINCT kind || ' ' || state FROM card").await;
    cards.sort();
    for card in ["red_card issued", "yellow_card issued"] {
        assert!(cards.iter().any(|one| one == card), "{cards:?}");
    }
    for state in ["contested", "revoked"] {
        assert!(cards.iter().any(|card| card.ends_with(state)), "{cards:?}");
    }
    let store = Store::open(&url).await.expect("the database");
    let now: Instant = "2026-03-06T10:00:00+08:00".parse().expect("an instant");
    let mut lights = Vec::new();
    for (_, one) in store.due(Instant::from_ms(i64::MAX / 4), 5_000).await.expect("tickets") {
        let instance = one.expect("readable").instance;
        assert_eq!(store.replayed(instance.ticket).await.expect("a history"), *instance);
        if instance.status == Status::Open {
            lights.extend(instance.light_at(now).map(Light::word));
        }
    }
    for light in ["green", "yellow", "red"] {
        assert!(lights.contains(&light), "{light}");
    }
    assert!(store.incidents(false, None, 10).await.expect("them").is_empty());
    drop(first);
    let before = texts(&url, "SELECT ticket_no FROM ticket ORDER BY id").await;
    assert_eq!(before.len(), 300);
    let (_second, said) = demo(folder.path()).await;
    assert!(said.contains("沿用已有的数据"), "{said}");
    assert_eq!(texts(&url, "SELECT ticket_no FROM ticket ORDER BY id").await, before);
}

/// Whoever begins anew takes nothing from a process that serves the same file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_served_is_not_made_anew() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("duban-demo.db");
    std::fs::write(&file, "served").expect("written");
    // Nor what no demonstration has made.
    assert!(made_anew(folder.path()).contains("不是演示生成的"));
    std::fs::write(folder.path().join("duban-demo.db.whole"), "").expect("written");
    let held = Store::lock(&format!("sqlite://{}?mode=rwc", file.display())).expect("free");
    assert!(made_anew(folder.path()).contains("一个进程"));
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "served");
    drop(held);
}

/// Why nothing is made anew.
fn made_anew(folder: &Path) -> String {
    let mut fresh = Command::new(env!("CARGO_BIN_EXE_duban"));
    fresh.args(["demo", "--fresh", "--listen", "127.0.0.1:0"]).current_dir(folder);
    let ended = fresh.stdin(Stdio::null()).output().expect("it runs");
    assert!(!ended.status.success());
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

/// Half a town is no town: what was broken off is made anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_broken_off_is_made_anew() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let started = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(["demo", "--tickets", "50", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let broken_off = Demo(started.expect("the program starts"));
    let unfinished = folder.path().join("duban-demo.db.unfinished");
    let begun = std::time::Instant::now();
    while !unfinished.exists() && begun.elapsed() < Duration::from_mins(1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(broken_off);
    assert!(unfinished.exists(), "it has begun and not ended");
    let (_again, said) = demo_of(folder.path(), &["--tickets", "50"]).await;
    assert!(said.contains("生成数据用时"), "{said}");
    assert!(!unfinished.exists());
    let url = format!("sqlite://{}?mode=rw", folder.path().join("duban-demo.db").display());
    assert_eq!(texts(&url, "SELECT ticket_no FROM ticket").await.len(), 50);
}
