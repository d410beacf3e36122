//! What somebody has typed is not lost: to one who was faster, to a file that is refused, to a session
//! that has ended.

use duban_core::role::Role;
use reqwest::StatusCode;

use crate::browser::{Browser, seal};
use crate::lives::instant;
use crate::office::{OWN, Office, carried, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_second_keeps_what_was_typed() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let first = office.browser(Role::Agency, Some(OWN)).await;
    let second = office.browser(Role::AgencyLead, Some(OWN)).await;
    let page = second.text(&format!("{path}?do=request_return")).await;
    let own = first.text(&path).await;
    first.submit(&path, &own, &[]).await;
    let reason = [("/reason", "事项属于市公安局职责")];
    let conflict = second.submit(&path, &page, &reason).await;
    assert_eq!(conflict.status(), StatusCode::PRECONDITION_FAILED);
    let page = conflict.text().await.expect("a page");
    for says in ["事项属于市公安局职责", "已签收", "仍要提交"] {
        assert!(page.contains(says), "{says}: {page}");
    }
    // Now it is with the hotline: what the first one types on is kept for him to copy, however short;
    // what he chose is not.
    let call = first.text(&format!("{path}?do=record_contact")).await;
    assert_eq!(second.submit(&path, &page, &reason).await.status(), StatusCode::SEE_OTHER);
    let filled = [
        ("/outcome", "wrong_number"),
        ("/attempted_at", "2026-03-02T09:30"),
        ("/note", "要求书面答复"),
    ];
    let late = first.submit(&path, &call, &filled).await;
    assert!(late.status().is_client_error());
    let page = late.text().await.expect("a page");
    assert!(page.contains(">要求书面答复</textarea>") && page.contains("现在不能办理"), "{page}");
    assert!(!page.contains(">wrong_number<") && !page.contains(">2026-03-02T09:30<"), "{page}");
}

/// Of several files those that came in need not be sent again when one is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_before_a_refusal_is_kept() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&format!("{path}?do=attach")).await;
    let sent = fields(&page);
    let mut parts = carried(&page, &sent);
    parts.push(("/attachments", Some("text/plain"), "整改照片说明"));
    parts.push(("/attachments", Some("text/html"), "<script>"));
    let refused = agency.send(&path, &parts).await;
    assert!(refused.status().is_client_error(), "{}", refused.status());
    let page = refused.text().await.expect("a page");
    let (_, rest) = page.split_once("name=\"/attachments\"").expect("the field");
    assert!(rest.split('>').next().expect("its end").contains("checked"), "{page}");
    assert!(page.contains("共 2 个文件，第 2 个"), "{page}");
}

/// Files as office programs call them come in; one that is refused is named, and hinders no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_taken_by_what_its_name_says() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&path).await;
    let send = async |files: &[(&str, &str)]| {
        let mut parts = vec![("seal", None, seal(&page))];
        parts.extend(files.iter().map(|(kind, text)| ("file", Some(*kind), *text)));
        agency.send(&format!("{path}/files"), &parts).await
    };
    let known = ["pdf", "ofd", "doc", "docx", "xls", "xlsx", "zip", "txt", "jpg", "jpeg", "png"];
    for ending in known.into_iter().chain(["mp3", "m4a", "amr", "wav", "mp4", "PDF"]) {
        let kind = format!("application/wps-office.{ending} 照片说明.{ending}");
        assert_eq!(send(&[(&kind, ending)]).await.status(), StatusCode::SEE_OTHER, "{ending}");
    }
    let attached = async || agency.text(&path).await.matches("/files/").count();
    let before = attached().await;
    let three =
        [("application/pdf a.pdf", "一"), ("a/b b.exe", "二"), ("application/pdf c.pdf", "三")];
    let told = send(&three).await;
    assert_eq!(told.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let told = told.text().await.expect("a page");
    assert!(told.contains("共 3 个文件，第 2 个（.exe）未收：不能收这一类文件"), "{told}");
    assert_eq!(attached().await, before + 2);
    let told = send(&[("application/pdf empty.pdf", "")]).await;
    assert_eq!(told.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(told.text().await.expect("a page").contains("文件是空的"));
}

/// A text is as long as its form counts it, and a call may be logged in the minute in which it was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_browser_lets_through_is_taken() {
    let office = Office::new().await;
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    office.server.advance(&admin, instant("2026-03-02T10:41:37+08:00")).await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&format!("{path}?do=record_contact")).await;
    let (_, time) = page.split_once("name=\"/attempted_at\"").expect("a time");
    assert!(time.split('>').next().expect("its end").contains("value=\"2026-03-02T10:41\""));
    let note = vec!["约定下周再谈一次。"; 199].join("\r\n");
    let filled = [
        ("/outcome", "no_answer"),
        ("/channel", "phone"),
        ("/attempted_at", "2026-03-02T10:41"),
        ("/note", note.as_str()),
    ];
    let done = agency.submit(&path, &page, &filled).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER, "{}", done.text().await.expect("a page"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_too_late_is_not_done_and_told() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}?do=add_note");
    let token = office.place.token(Role::Agency, "late", Some(OWN)).await;
    let mut agency = Browser::of(&office.server);
    agency.enter(&token).await;
    let page = agency.text(&path).await;
    let note = [("/note", "请先核对预约记录")];
    let before = office.events(&number).await.len();
    let sealed = [("seal", seal(&page))];
    let copy = agency.held.clone();
    agency.post("/sign-out", &sealed, "same-origin").await;
    agency.held = copy;
    let late = agency.submit(&path, &page, &note).await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED);
    let told = late.text().await.expect("a page");
    let back =
        format!("/sign-in?next=%2Ftickets%2F{}%3Fdo%3Dadd%5Fnote", number.replace('-', "%2D"));
    assert!(told.contains("没有办理") && told.contains(&back), "{told}");
    // In another session the page is an old one.
    agency.enter(&token).await;
    let old = agency.submit(&path, &page, &note).await;
    assert_eq!(old.status(), StatusCode::FORBIDDEN);
    assert!(old.text().await.expect("a page").contains("页面已失效"));
    assert_eq!(office.events(&number).await.len(), before);
}
