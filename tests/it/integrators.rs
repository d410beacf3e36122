//! What the integrators' page shows is run as it stands there: the life of a ticket, and the check
//! of a webhook's signature in each language that this machine speaks.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use duban_core::role::Role;

use crate::served::Place;

const START: &str = "2026-03-02T10:00:00+08:00";
const PAGES: &[&str] = &["docs/integrators.md", "docs/integrators.zh-CN.md"];

/// The blocks of a language on a page, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).expect("the page");
    let opening = format!("```{language}\n");
    let parts = text.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn run(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Whoever refuses early does not read to the end.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("an end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_life_of_a_ticket_goes_as_it_is_told() {
    for page in PAGES {
        let place = Place::new().await;
        let server = place.serve(&["--clock", "simulated", "--start-at", START]);
        let life = blocks(page, "sh").swap_remove(0);
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(life).env("api", format!("{}/v1", server.address));
        shell.env("no_proxy", "*");
        for (name, role, agency) in [
            ("intake", Role::Intake, None),
            ("hotline", Role::Hotline, None),
            ("agency", Role::Agency, Some("SZ013")),
            ("admin", Role::SystemAdmin, None),
        ] {
            shell.env(name, place.token(role, name, agency).await);
        }
        let ran = tokio::task::spawn_blocking(move || run(shell, b"")).await.expect("ran");
        let (said, wrong) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{page}: {said}\n{wrong}");
        for told in
            ["delivered", "contacting", "\"receipt\":{\"seq\":", "rectified", "\"verified\":true"]
        {
            assert!(said.contains(told), "{page} {told}: {said}");
        }
    }
}

/// The example of the Standard Webhooks specification's own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: &str = "1614265330";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn check(language: &str, program: &str, file: &str) {
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("{language} is not checked: there is no {program} on this machine");
        return;
    }
    for page in PAGES {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join(file);
        std::fs::write(&path, &blocks(page, language)[0]).expect("written");
        let is_good = |signature: &str, body: &[u8]| {
            let mut command = Command::new(program);
            command.arg(&path).args([SECRET, ID, AT, signature]);
            run(command, body).status.code() == Some(0)
        };
        assert!(is_good(SIGNATURE, BODY), "{page} {language}");
        assert!(is_good(&format!("v1,bm9uc2Vuc2U= {SIGNATURE}"), BODY), "{page} {language}");
        assert!(!is_good(SIGNATURE, br#"{"test": 2432232315}"#), "{page} {language}");
        assert!(!is_good("v1,bm9uc2Vuc2U=", BODY), "{page} {language}");
    }
}

#[test]
fn signatures_are_checked_in_python() {
    check("python", "python3", "verify.py");
}

#[test]
fn signatures_are_checked_in_javascript() {
    check("javascript", "node", "verify.js");
}

#[test]
fn signatures_are_checked_in_java() {
    check("java", "java", "Verify.java");
}
