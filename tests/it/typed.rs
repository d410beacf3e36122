//! What somebody has typed is not lost: to one who was faster, to a file that is refused, to a session
//! that has ended.

use duban_core::role::Role;
use reqwest::StatusCode;

use crate::browser::{Browser, seal};
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
