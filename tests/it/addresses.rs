//! Addresses and forms that no page of the console has made: each is told in a page, in the language of
//! whoever reads it, and changes nothing.

use duban_core::role::Role;
use reqwest::StatusCode;

use crate::browser::seal;
use crate::pages::{House, OWN, carried, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_page_has_asked_for_is_told_in_a_page() {
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let supervisor = house.browser(Role::Supervisor, None).await;
    let addresses = [
        ("/board?by=street", 422),
        ("/tickets?light=blue", 422),
        ("/tickets?light=red&light=green", 422),
        ("/tickets?colour=red", 422),
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
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = house.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&path).await;
    let before = house.events(&number).await.len();
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
    assert_eq!(house.events(&number).await.len(), before);
}

/// A ticket that two of its deadlines bring into a list is one ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_chosen_twice_is_done_once() {
    let house = House::new().await;
    let number = house.ticket("R1", OWN).await;
    let supervisor = house.browser(Role::Supervisor, None).await;
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
