//! Starting and stopping: what stands in the way is told in a sentence, and an end is orderly.

use std::io::BufRead;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use duban::store::{Store, StoreError};
use duban_core::role::Role;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::lives::instant;
use crate::served::{Place, review};

const START: &str = "2026-03-02T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_the_way_is_told() {
    let place = Place::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let told = place.try_serve(&["--listen", &address]).err().expect("refused");
    assert!(told.contains("端口已被占用"), "{told}");

    let nowhere = "sqlite:///proc/duban.db?mode=rwc";
    let told = place.try_serve(&["--database-url", nowhere]).err().expect("refused");
    assert!(told.ends_with("exit Some(1)") && !told.contains("panicked"), "{told}");

    // An address is looked at before anything is made.
    let file = place.path().join("fresh.db").display().to_string();
    for (url, says, code) in [
        (format!("sqlite://{file}"), "?mode=rwc", 1),
        (format!("sqlite://{file}?mode=rw"), "不存在", 1),
        (format!("sqlite://{file}?mode=all"), "sqlite://", 2),
        ("sqlite://?mode=rwc".to_owned(), "文件", 2),
        ("postgres://a:b@c:not-a-port/d".to_owned(), "postgres://", 2),
        ("mysql://a/b".to_owned(), "sqlite:// 或 postgres://", 2),
    ] {
        let told = place.try_serve(&["--database-url", &url]).err().expect("refused");
        assert!(told.contains(says) && told.ends_with(&format!("exit Some({code})")), "{told}");
    }
    let fresh = format!("sqlite://{file}?mode=rwc");
    let no_folder = ["--database-url", &fresh, "--attachments", "/dev/null"];
    let told = place.try_serve(&no_folder).err().expect("refused");
    assert!(told.contains("attachments") && told.ends_with("exit Some(2)"), "{told}");
    let made = std::fs::read_dir(place.path()).expect("a folder").flatten();
    let made = made.filter(|one| one.file_name().to_string_lossy().starts_with("fresh"));
    assert_eq!(made.count(), 0);

    let told = place.try_serve(&["--start-at", START]).err().expect("refused");
    assert!(told.contains("模拟时钟") && told.ends_with("exit Some(2)"), "{told}");

    // Which table cannot be read is said.
    let file = Place::on_sqlite().await;
    file.harm("INSERT INTO publication (day, edition, done_at) VALUES (1, x'00', 0)").await;
    let told = file.try_serve(&[]).err().expect("refused");
    assert!(told.contains("表 publication") && told.ends_with("exit Some(1)"), "{told}");

    let raw = sea_orm::Database::connect(place.url()).await.expect("a connection");
    let add = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2999_future', 0)";
    raw.execute_unprepared(add).await.expect("added");
    let told = place.try_serve(&[]).err().expect("refused");
    assert!(told.contains("更新版本") && told.contains("m2999_future"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_far_behind_is_refused_unless_it_is_accepted() {
    let place = Place::new().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let server = place.serve(&[]);
    let body = review("R1", "matter", instant(START));
    server.post("/v1/reviews", &hotline, &body).await.ok();
    assert_eq!(server.stop(), Some(0));
    let behind = ["--clock-offset-ms", "-600000"];
    let told = place.try_serve(&behind).err().expect("refused");
    assert!(told.contains("--accept-clock"), "{told}");
    let server = place.serve(&[&behind[..], &["--accept-clock"]].concat());
    let listed = server.get("/v1/tickets", &hotline).await.ok();
    assert_eq!(listed["tickets"].as_array().map(Vec::len), Some(1));
}

/// What a simulated clock has moved on cannot be moved back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_clock_is_refused_where_the_systems_is_used() {
    let place = Place::new().await;
    let simulated = ["--clock", "simulated"];
    // The other way round: what began as a trial may be gone on with.
    for flags in [&simulated[..], &[]] {
        assert_eq!(place.serve(flags).stop(), Some(0));
    }
    let told = place.try_serve(&simulated).err().expect("refused");
    assert!(told.contains("系统时钟") && told.contains("--accept-clock"), "{told}");
    let accepted = [&simulated[..], &["--accept-clock"]].concat();
    assert_eq!(place.serve(&accepted).stop(), Some(0));
    place.try_serve(&simulated).err().expect("it is accepted each time anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_there_after_a_kill() {
    let place = Place::new().await;
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let auditor = place.token(Role::Auditor, "aud", None).await;
    let mut server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let body = review("R1", "matter", instant(START));
    let number = server.post("/v1/reviews", &hotline, &body).await.ok()["ticket_no"].clone();
    let number = number.as_str().expect("a number");
    let path = format!("/v1/tickets/{number}/actions/dispatch");
    let done = server.post(&path, &hotline, &json!({"agency": "SZ013"})).await.ok();
    server.kill();
    let server = place.serve(&["--clock", "simulated"]);
    let path = format!("/v1/tickets/{number}/history");
    let history = server.get(&path, &auditor).await.ok();
    assert_eq!(history["verified"], true);
    let events = history["events"].as_array().expect("events");
    let receipt = &done["receipt"];
    assert!(
        events.iter().any(|one| one["seq"] == receipt["seq"] && one["hash"] == receipt["hash"])
    );
    let again = server.post("/v1/reviews", &hotline, &body).await;
    assert_eq!(again.status.as_u16(), 200);
    assert_eq!(again.body["ticket_no"], number);
}

/// What is true of a file alone.
mod file {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_process_serves_from_it() {
        let place = Place::new().await;
        let first = place.serve(&[]);
        let told = place.try_serve(&[]).err().expect("refused");
        assert!(told.contains("正由另一个 duban 进程使用"), "{told}");
        assert!(told.ends_with("exit Some(1)"), "{told}");
        assert_eq!(first.stop(), Some(0));
    }

    /// In the middle of whichever step: the next one goes on from there.
    #[test]
    fn whoever_makes_the_tables_may_be_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cut_off = 0;
        for nr in 0..40 {
            let file = folder.path().join(format!("{nr}.db"));
            let url = format!("sqlite://{}?mode=rwc", file.display());
            let migrate = || {
                let mut command = Command::new(env!("CARGO_BIN_EXE_duban"));
                command.args(["migrate", "--database-url", &url]);
                command.stdout(Stdio::null()).spawn().expect("started")
            };
            let mut first = migrate();
            std::thread::sleep(Duration::from_millis(10 + 4 * nr));
            cut_off += usize::from(first.try_wait().expect("its state").is_none());
            let _ = first.kill();
            first.wait().expect("its end");
            assert!(migrate().wait().expect("its end").success(), "killed after round {nr}");
        }
        assert!(cut_off > 5, "{cut_off}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn processes_that_start_together_make_the_tables_once() {
        for _ in 0..5 {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("duban.db").display());
            let opens = (0..4).map(|_| duban::store::Store::migrate(&url));
            for opened in futures::future::join_all(opens).await {
                opened.expect("tables");
            }
            assert_eq!(duban::store::Store::migrate(&url).await.expect("tables").1, 0);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_a_full_disk_nothing_acknowledged_is_lost() {
        let place = Place::new().await;
        let hotline = place.token(Role::Hotline, "h1", None).await;
        let flags = ["--clock", "simulated", "--start-at", START];
        let server = place.serve_on_a_full_disk(8_000, &flags);
        let mut accepted = Vec::new();
        let mut refused = None;
        for nr in 0..2_000 {
            let body = review(&format!("R{nr}"), "matter", instant(START));
            let answer = server.post("/v1/reviews", &hotline, &body).await;
            match answer.body["ticket_no"].as_str() {
                Some(number) if answer.status.is_success() => {
                    accepted.push((nr, number.to_owned()));
                }
                _ => {
                    refused = Some((nr, answer));
                    break;
                }
            }
        }
        let (nr, answer) = refused.expect("the disk is full");
        assert_eq!((answer.status.as_u16(), answer.problem()), (503, "busy"), "{}", answer.body);
        assert!(answer.body["detail"].as_str().is_some_and(|say| say.contains("未予办理")));
        assert!(accepted.len() > 5, "{}", accepted.len());
        // Reading goes on, and the end is orderly.
        let shown = server.get(&format!("/v1/tickets/{}", accepted[0].1), &hotline).await;
        assert!(shown.status.is_success(), "{}", shown.body);
        assert_eq!(server.stop(), Some(0));
        let server = place.serve(&flags);
        for (nr, number) in &accepted {
            let body = review(&format!("R{nr}"), "matter", instant(START));
            let again = server.post("/v1/reviews", &hotline, &body).await;
            assert_eq!(again.status.as_u16(), 200, "{number}: {}", again.body);
            assert_eq!(again.body["ticket_no"], **number);
        }
        // What was refused was not taken: its number is the next one, without a gap.
        let body = review(&format!("R{nr}"), "matter", instant(START));
        let answer = server.post("/v1/reviews", &hotline, &body).await;
        assert_eq!(answer.status.as_u16(), 201);
        let next = answer.body["ticket_no"].as_str().expect("a number");
        assert!(next.starts_with(&format!("HCP20260302{:06}-", accepted.len() + 1)), "{next}");
    }

    /// Names, phones and numbers of citizens lie in the file and in the log beside it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_database_is_its_owner_s_alone() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new().await;
        for file in ["duban.db", "duban.db-wal"] {
            let about = std::fs::metadata(place.path().join(file)).expect("it is there");
            assert_eq!(about.permissions().mode() & 0o777, 0o600, "{file}");
        }
    }

    /// Runs a command that should fail; what it says, and how long it took.
    fn refused(args: &[&str], url: &str) -> (String, Duration) {
        let begun = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_duban"));
        let ended = command.args(args).args(["--database-url", url]).output().expect("started");
        assert_eq!(ended.status.code(), Some(1), "{args:?}");
        assert!(ended.stdout.is_empty(), "{args:?}");
        (String::from_utf8(ended.stderr).expect("UTF-8"), begun.elapsed())
    }

    const COMMANDS: [&[&str]; 4] = [
        &["migrate"],
        &["token", "issue", "--role", "hotline", "--name", "h1"],
        &["token", "list"],
        &["audit", "verify"],
    ];

    #[test]
    fn one_of_another_program_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("other.db");
        let other = rusqlite::Connection::open(&file).expect("a file");
        other.execute_batch("CREATE TABLE ticket (id INTEGER)").expect("a table");
        drop(other);
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let before = std::fs::read(&file).expect("its bytes");
        for args in COMMANDS {
            let (told, took) = refused(args, &url);
            assert!(told.contains("已有其他程序的表"), "{args:?}: {told}");
            assert!(took < Duration::from_secs(3), "{args:?}: {took:?}");
        }
        assert_eq!(std::fs::read(&file).expect("its bytes"), before);
        let beside = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(beside, 1);
        // So is one with a view, or with the migrations of another.
        for (nr, sql) in [
            "CREATE VIEW v AS SELECT 1",
            "CREATE TABLE seaql_migrations (version TEXT, applied_at INTEGER);
             INSERT INTO seaql_migrations VALUES ('m20220101_000001_create_post', 0)",
        ]
        .iter()
        .enumerate()
        {
            let file = folder.path().join(format!("{nr}.db"));
            let other = rusqlite::Connection::open(&file).expect("a file");
            other.execute_batch(sql).expect("made");
            let (told, _) = refused(&["migrate"], &format!("sqlite://{}?mode=rwc", file.display()));
            assert!(told.contains("已有其他程序的表"), "{sql}: {told}");
        }
    }

    #[test]
    fn whoever_waits_for_it_is_told_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("held.db");
        let url = format!("sqlite://{}?mode=rwc", file.display());
        let holder = rusqlite::Connection::open(&file).expect("a file");
        holder.execute_batch("BEGIN EXCLUSIVE").expect("held");
        let (told, _) = refused(&["token", "list"], &url);
        assert!(told.starts_with("正在等待数据库……"), "{told}");
        assert!(told.contains("数据库正忙，请稍后重试"), "{told}");
        // A server says so in its log.
        let mut command = Command::new(env!("CARGO_BIN_EXE_duban"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
        command.env_remove("DUBAN_TEST_POSTGRES");
        let begun = Instant::now();
        let mut serving = command.stderr(Stdio::piped()).spawn().expect("started");
        let mut line = String::new();
        let log = serving.stderr.take().expect("its log");
        std::io::BufReader::new(log).read_line(&mut line).expect("a line");
        serving.kill().and_then(|()| serving.wait()).expect("its end");
        assert!(line.contains("does not answer yet"), "{line}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }
}

async fn on_a_server_another_programs_tables_are_left_alone() {
    let url = crate::served::postgres().await;
    let raw = sea_orm::Database::connect(&url).await.expect("a connection");
    raw.execute_unprepared("CREATE TABLE ticket (id int)").await.expect("a table");
    for opened in [Store::migrate(&url).await.err(), Store::open(&url).await.err()] {
        assert_eq!(opened, Some(StoreError::Foreign));
    }
}

/// What stays so is told at once, however long others are waited for.
async fn whoever_may_make_no_tables_is_told_soon() {
    let url = crate::served::postgres().await;
    let raw = sea_orm::Database::connect(&url).await.expect("a connection");
    let name = url.rsplit('/').next().expect("a name").split('?').next().expect("a name");
    let user = format!("reader_{name}");
    let made = format!(
        "CREATE ROLE {user} LOGIN PASSWORD 'p'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    );
    raw.execute_unprepared(&made).await.expect("a user");
    let begun = Instant::now();
    let (_, rest) = url.split_once('@').expect("a host");
    let told = Store::migrate(&format!("postgres://{user}:p@{rest}")).await.err();
    raw.execute_unprepared(&format!("DROP ROLE {user}")).await.expect("gone");
    assert_eq!(told, Some(StoreError::Database("42501".to_owned())));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

crate::served::on_servers!(
    on_a_server_another_programs_tables_are_left_alone,
    whoever_may_make_no_tables_is_told_soon,
);
