//! What somebody has typed is not lost: to one who was faster, to a file that is refused, to a session
//! that has ended.

use duban_core::role::Role;
use reqwest::StatusCode;

use crate::browser::{Browser, seal};
use crate::pages::{House, OWN, carried, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_second_keeps_what_was_typed() {
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let first = house.browser(Role::Agency, Some(OWN)).await;
    let second = house.browser(Role::AgencyLead, Some(OWN)).await;
    let page = second.text(&format!("{path}?do=request_return")).await;
    let sent = fields(&page);
    let own = first.text(&path).await;
    first.send(&path, &carried(&own, &fields(&own))).await;
    let mut parts = carried(&page, &sent);
    parts.push(("/reason", None, "事项属于市公安局职责"));
    let conflict = second.send(&path, &parts).await;
    assert_eq!(conflict.status(), StatusCode::PRECONDITION_FAILED);
    let page = conflict.text().await.expect("a page");
    for says in ["事项属于市公安局职责", "已签收", "仍要提交"] {
        assert!(page.contains(says), "{says}: {page}");
    }
    let sent = fields(&page);
    let mut parts = carried(&page, &sent);
    parts.push(("/reason", None, "事项属于市公安局职责"));
    assert_eq!(second.send(&path, &parts).await.status(), StatusCode::SEE_OTHER);
    // Now it is with the hotline: what the first one types on is kept for him to copy.
    let mut parts = carried(&own, &[]);
    let stale = [
        ("action", "record_contact"),
        ("revision", "2"),
        ("key", "k1"),
        ("/note", "评价人要求书面答复"),
    ];
    parts.extend(stale.map(|(name, value)| (name, None, value)));
    let late = first.send(&path, &parts).await;
    assert!(late.status().is_client_error());
    let page = late.text().await.expect("a page");
    assert!(page.contains("评价人要求书面答复") && page.contains("现在不能办理"), "{page}");
}

/// Of several files those that came in need not be sent again when one is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_before_a_refusal_is_kept() {
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = house.browser(Role::Agency, Some(OWN)).await;
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
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}?do=add_note");
    let token = house.place.token(Role::Agency, "late", Some(OWN)).await;
    let mut agency = Browser::of(&house.server);
    agency.enter(&token).await;
    let page = agency.text(&path).await;
    let sent = fields(&page);
    let mut parts = carried(&page, &sent);
    parts.push(("/note", None, "请先核对预约记录"));
    let before = house.events(&number).await.len();
    let sealed = [("seal", seal(&page))];
    let copy = agency.held.clone();
    agency.post("/sign-out", &sealed, "same-origin").await;
    agency.held = copy;
    let late = agency.send(&path, &parts).await;
    assert_eq!(late.status(), StatusCode::UNAUTHORIZED);
    let told = late.text().await.expect("a page");
    let back =
        format!("/sign-in?next=%2Ftickets%2F{}%3Fdo%3Dadd%5Fnote", number.replace('-', "%2D"));
    assert!(told.contains("没有办理") && told.contains(&back), "{told}");
    // In another session the page is an old one.
    agency.enter(&token).await;
    let old = agency.send(&path, &parts).await;
    assert_eq!(old.status(), StatusCode::FORBIDDEN);
    assert!(old.text().await.expect("a page").contains("页面已失效"));
    assert_eq!(house.events(&number).await.len(), before);
}
