//! Addresses and forms that no page of the console has made: each is told in a page, in the language of
//! whoever reads it, and changes nothing.

use duban_core::role::Role;
use reqwest::StatusCode;

use crate::browser::{Browser, seal};
use crate::lives::instant;
use crate::office::{OWN, Office, carried, fields, hidden};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_page_has_asked_for_is_told_in_a_page() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let supervisor = office.browser(Role::Supervisor, None).await;
    let addresses = [
        ("/board?by=street", 422),
        ("/tickets?light=blue", 422),
        ("/tickets?light=red&light=green", 422),
        ("/tickets?colour=red", 422),
        ("/tickets?due_before=2026-03-05T00:00:00Z", 422),
        ("/board?light=red", 422),
        ("/desk?light=red", 422),
        ("/compare?months=5", 422),
        ("/compare?from=2026-02-30", 422),
        ("/registers/overdue?light=green", 422),
        ("/tonight?until=2026-03-05", 422),
        ("/tickets?cursor=x", 422),
        ("/tonight?cursor=x", 422),
        ("/registers/cards?kind=blue_card", 422),
        ("/calendar?year=soon", 422),
        ("/calendar?year=999999", 404),
        ("/tickets/HCP20260302000001-5/why/nothing", 404),
        ("/tickets/nothing", 404),
        ("/tickets/nothing/reviewer", 404),
        ("/export/nothing.csv", 404),
        ("/export/tickets.pdf", 404),
        ("/bulk", 404),
        ("/nowhere", 404),
        // As an old system writes 深圳, and what is text nowhere.
        ("/tickets?q=%C9%EE%DB%DA", 422),
        ("/tickets/%C9%EE", 422),
        ("/board?agency=%00", 422),
    ];
    for (address, status) in addresses {
        let answer = supervisor.get(address).await;
        let (told, page) = (answer.status().as_u16(), answer.text().await.expect("a page"));
        assert_eq!(told, status, "{address}: {page}");
        assert!(page.contains("回到首页"), "{address}: {page}");
        for raw in ["{\"", "请按 errors", "取值应为", "Failed to"] {
            assert!(!page.contains(raw), "{address}: {raw}: {page}");
        }
    }
    let wrong = supervisor.get(&format!("/tickets/{number}?as_of=yesterday")).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_fields_that_somebody_has_changed_do_nothing() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&path).await;
    let before = office.events(&number).await.len();
    let sent = fields(&page);
    for (name, value) in [
        ("key", "a\u{0}b"),
        ("key", "a\r\nb"),
        ("revision", "1\u{0}"),
        ("revision", "x"),
        ("action", "no\u{0}ne"),
        ("action", "../x"),
    ] {
        let changed = |(own, is): &(String, String)| {
            let is = if own == name { value.to_owned() } else { is.clone() };
            (own.clone(), is)
        };
        let changed: Vec<_> = sent.iter().map(changed).collect();
        let answer = agency.send(&path, &carried(&page, &changed)).await;
        let status = answer.status();
        assert!(status.is_client_error(), "{name} {value:?}: {status}");
        assert!(
            answer.text().await.expect("a page").contains("role=\"alert\""),
            "{name} {value:?}"
        );
    }
    assert_eq!(office.events(&number).await.len(), before);
}

/// A queue with one ticket in it, and a supervisor before it.
async fn queue() -> (Office, String, Browser) {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let supervisor = office.browser(Role::Supervisor, None).await;
    (office, number, supervisor)
}

/// However few a house gives at once, every page is shown, and every file is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_of_short_pages_shows_all_of_them() {
    let office = Office::with("page_max = 2\n").await;
    let mut numbers = Vec::new();
    for id in ["R1", "R2", "R3", "R4", "R5"] {
        numbers.push(office.ticket(id, OWN).await);
    }
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    office.server.advance(&admin, instant("2026-03-12T09:00:00+08:00")).await;
    let whole = [
        (Role::Supervisor, "/export/tickets.csv"),
        (Role::Supervisor, "/export/overdue.csv?light=red"),
        (Role::Auditor, "/export/cards.csv"),
        (Role::SystemAdmin, "/export/outbox.csv"),
    ];
    for (role, path) in whole {
        let file = office.browser(role, None).await.text(path).await;
        for number in &numbers {
            assert!(file.contains(number), "{path}: {file}");
        }
        // What only programs can use is in no file.
        for raw in ["notify", "agency:SZ013", "supervise"] {
            assert!(!file.contains(raw), "{path}: {raw}: {file}");
        }
        // The register tells how far each has come, whatever an older link asks for.
        assert!(path.starts_with("/export/overdue") <= file.contains("督办,2026-03-11"), "{file}");
    }
    let security = office.browser(Role::SecurityAdmin, None).await;
    let file = security.text("/export/tokens.csv").await;
    assert!(file.contains("h1,12345热线") && !file.contains(",system_admin,"), "{file}");
    for (role, paths) in [
        (Role::Supervisor, &["/board", "/tickets", "/tonight", "/desk", "/compare"][..]),
        (Role::Auditor, &["/registers/cards", "/registers/overdue"]),
        (Role::SystemAdmin, &["/outbox", "/incidents"]),
        (Role::SecurityAdmin, &["/tokens"]),
    ] {
        let browser = office.browser(role, None).await;
        for path in paths {
            browser.text(path).await;
        }
    }
}

/// What cannot be read is in the file all the same: a row that is missing would not be missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_names_what_cannot_be_read() {
    let office = Office::new().await;
    let (broken, other) = (office.ticket("R1", OWN).await, office.ticket("R2", OWN).await);
    let own = format!("(SELECT id FROM ticket WHERE ticket_no = '{broken}')");
    let event = format!("UPDATE event SET bytes = hash WHERE seq = 1 AND ticket = {own}");
    let snapshot = format!("UPDATE snapshot SET bytes = head WHERE ticket = {own}");
    office.place.harm(&event).await;
    office.place.harm(&snapshot).await;
    let file = office.browser(Role::Supervisor, None).await.text("/export/tickets.csv").await;
    assert!(file.contains(&format!("{broken},暂时读不出")) && file.contains(&other), "{file}");
}

/// What is wrong with a text is told beside it, for whoever writes it and not for programs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_for_all_of_many_is_told_once() {
    let (_office, number, supervisor) = queue().await;
    let page = supervisor.text("/tickets").await;
    let parts = [
        ("seal", None, seal(&page)),
        ("action", None, "supervise"),
        ("stage", None, "try"),
        ("/note", None, " "),
        ("ticket", None, number.as_str()),
    ];
    let tried = supervisor.send("/bulk", &parts).await.text().await.expect("a page");
    assert!(tried.contains("不能办理 1 件") && !tried.contains("errors"), "{tried}");
    assert!(tried.contains("id=\"f-note-fault\""), "{tried}");
}

/// Whoever goes back and writes something else does something else, and what was not tried is not done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_done_as_they_were_tried_and_anew_if_not() {
    let office = Office::new().await;
    let (first, second) = (office.ticket("R1", OWN).await, office.ticket("R2", OWN).await);
    let supervisor = office.browser(Role::Supervisor, None).await;
    let page = supervisor.text("/tickets").await;
    let send = async |page: &str, ticket: &str, stage: &str, note: &str| {
        let kept =
            |name: &str| page.contains(&format!("name=\"{name}\"")).then(|| hidden(page, name));
        let [key, tried, schema] = ["key", "tried", "schema"]
            .map(|name| kept(name).unwrap_or_default().replace("&quot;", "\""));
        let parts = [
            ("seal", None, seal(page)),
            ("action", None, "supervise"),
            ("stage", None, stage),
            ("key", None, key.as_str()),
            ("tried", None, tried.as_str()),
            ("schema", None, schema.as_str()),
            ("/note", None, note),
            ("ticket", None, ticket),
        ];
        let answer = supervisor.send("/bulk", &parts).await;
        (answer.status(), answer.text().await.expect("a page"))
    };
    let (_, tried) = send(&page, &first, "try", "请于今日办结").await;
    let (_, other) = send(&tried, &second, "do", "请于今日办结").await;
    assert!(other.contains("尚未办理"), "{other}");
    let (status, done) = send(&tried, &first, "do", "请于今日办结").await;
    assert!(status == StatusCode::OK && done.contains("已办理 1 件"), "{done}");
    let (_, again) = send(&tried, &first, "try", "请于明日办结").await;
    let (status, told) = send(&again, &first, "do", "请于明日办结").await;
    assert!(status.is_client_error() && told.contains("已经提交过"), "{status}: {told}");
    let (status, done) = send(&told, &first, "do", "请于明日办结").await;
    assert!(status == StatusCode::OK && done.contains("已办理 1 件"), "{done}");
}

/// A ticket that two of its deadlines bring into a list is one ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_chosen_twice_is_done_once() {
    let (_office, number, supervisor) = queue().await;
    let page = supervisor.text("/tickets").await;
    let parts = [
        ("seal", None, seal(&page)),
        ("action", None, "urge"),
        ("ticket", None, number.as_str()),
        ("ticket", None, number.as_str()),
    ];
    let tried = supervisor.send("/bulk", &parts).await.text().await.expect("a page");
    assert!(tried.contains("可以办理 1 件，不能办理 0 件"), "{tried}");
}
