//! Whoever sees one district sees its tickets on every page, and of other districts nothing.

use duban_core::role::Role;
use reqwest::StatusCode;
use serde_json::json;

use crate::browser::Browser;
use crate::lives::instant;
use crate::office::{OWN, Office, START};
use crate::served::review;

/// The district of tickets as tests make them.
const HERE: &str = "440304";
const THERE: &str = "440305";

/// Two tickets in each of both districts: one with an agency, one that nobody has dispatched.
async fn both(office: &Office) -> [[String; 2]; 2] {
    let mut numbers = Vec::new();
    for (id, district) in [("R1", HERE), ("R2", THERE), ("R3", HERE), ("R4", THERE)] {
        let mut body = review(id, "matter", instant(START));
        body["district"] = json!(district);
        let accepted = office.server.post("/v1/reviews", &office.hotline, &body).await.ok();
        numbers.push(accepted["ticket_no"].as_str().expect("a number").to_owned());
    }
    for number in &numbers[..2] {
        let act = format!("/v1/tickets/{number}/actions/dispatch");
        office.server.post(&act, &office.hotline, &json!({"agency": OWN})).await.ok();
    }
    let [first, second, third, fourth] = numbers.try_into().expect("four");
    [[first, third], [second, fourth]]
}

/// Every number in a file of counts.
fn counts(file: &str) -> Vec<u64> {
    file.lines()
        .skip(1)
        .flat_map(|line| line.split(',').skip(2))
        .map(|one| one.parse().expect("a count"))
        .collect()
}

/// Whoever sees one district.
async fn bound(office: &Office) -> Vec<(Role, Browser)> {
    let expires = instant("2099-01-01T00:00:00+08:00");
    let roles = [Role::Supervisor, Role::Hotline, Role::Auditor, Role::Approver];
    let mut browsers = Vec::new();
    for role in roles {
        let token =
            office.place.token_of(role, &format!("d_{role}"), None, Some(HERE), expires).await;
        let mut browser = Browser::of(&office.server);
        browser.enter(&token).await.expect("in");
        browsers.push((role, browser));
    }
    browsers
}

/// Pages of single tickets: its own are shown as far as its role goes, and others are nowhere.
async fn reaches(role: Role, browser: &Browser, [here, there]: [&String; 2]) {
    for path in ["", "/why/dispatch", "/reviewer"] {
        let may = role != Role::Approver || path != "/reviewer";
        let is = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
        let answer = browser.get(&format!("/tickets/{here}{path}")).await;
        assert_eq!(answer.status(), is, "{role} {path}");
        let is = if may { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
        let answer = browser.get(&format!("/tickets/{there}{path}")).await;
        assert_eq!(answer.status(), is, "{role} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_district_is_all_that_its_people_see() {
    let office = Office::new().await;
    let [here, there] = both(&office).await;
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    let browsers = bound(&office).await;
    let shows = async |(role, browser): &(Role, Browser), path: &str, which: &[usize]| {
        let page = browser.text(path).await;
        for number in &there {
            assert!(!page.contains(number), "{role} {path}: {page}");
        }
        for which in which {
            assert!(page.contains(&here[*which]), "{role} {path}: {page}");
        }
    };
    // One turns red at midnight, and the hotline owes the other.
    office.server.advance(&admin, instant("2026-03-05T10:00:00+08:00")).await;
    for browser in &browsers {
        shows(browser, "/tonight", &[0]).await;
        let owes = matches!(browser.0, Role::Supervisor | Role::Hotline);
        shows(browser, "/desk", if owes { &[1] } else { &[] }).await;
    }
    // All are overdue, with cards.
    office.server.advance(&admin, instant("2026-03-20T10:00:00+08:00")).await;
    let whole = office.browser(Role::Auditor, None).await;
    for browser in &browsers {
        let (role, own) = (browser.0, &browser.1);
        for path in ["/tickets", "/tickets?q=HCP", "/export/tickets.csv"] {
            shows(browser, path, &[0, 1]).await;
        }
        for path in
            ["/registers/overdue", "/export/overdue.csv", "/registers/cards", "/export/cards.csv"]
        {
            shows(browser, path, &[0]).await;
        }
        for (path, link) in [
            ("/board", format!("agency={OWN}")),
            ("/board?by=district", format!("district={HERE}")),
        ] {
            let open = format!("href=\"/tickets?{link}&amp;status=open\">");
            let count = if path == "/board" { "1</a>" } else { "2</a>" };
            let page = own.text(path).await;
            assert!(page.contains(&format!("{open}{count}")), "{role} {path}: {page}");
            assert!(!page.contains(&format!("district={THERE}&amp;status=open")), "{role}: {page}");
        }
        // Of what is only counted it is one half.
        let path = "/export/statistics.csv?from=2026-03-01&until=2026-03-19";
        let (half, all) = (counts(&own.text(path).await), counts(&whole.text(path).await));
        let double: Vec<u64> = half.iter().map(|count| count * 2).collect();
        assert_eq!(double, all, "{role}");
        assert!(
            half.iter().sum::<u64>() > 0 && own.text("/compare").await.contains("红牌"),
            "{role}"
        );
        reaches(role, own, [&here[0], &there[0]]).await;
        // Asked for by name, the other one is refused, and no filter offers it.
        let asked = own.get(&format!("/tickets?district={THERE}")).await;
        assert!(asked.status().is_client_error(), "{role}: {}", asked.status());
        assert!(!asked.text().await.expect("a page").contains(&there[0]));
        assert!(!own.text("/tickets").await.contains("name=\"district\""), "{role}");
    }
}
