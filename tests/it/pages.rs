//! The pages of the console over the API: what is done on them is done once and on what was seen, and
//! nothing appears in a page that the API would not show.

use duban_core::role::Role;
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::browser::{Browser, seal};
use crate::lives::instant;
use crate::office::{OWN, Office, START, carried, fields, hidden};
use crate::served::review;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_expected_is_a_form_that_does_it_once() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let path = format!("/tickets/{number}");
    let page = agency.text(&path).await;
    assert_eq!(hidden(&page, "action"), "sign");
    let sent = fields(&page);
    let before = office.events(&number).await.len();
    let answer = agency.submit(&path, &page, &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let done = answer.headers()[LOCATION].to_str().expect("text").to_owned();
    assert_eq!(done, format!("{path}?done={}", before + 1));
    assert!(agency.text(&done).await.contains(&format!("记为第 {} 号记录", before + 1)));
    // The same form again, as a second click or a reload sends it.
    let again = agency.submit(&path, &page, &[]).await;
    assert_eq!(again.headers()[LOCATION].to_str().expect("text"), done);
    assert_eq!(office.events(&number).await.len(), before + 1);
    // Without the seal nothing is done.
    let page = agency.text(&path).await;
    let bare: Vec<_> = carried(&page, &sent).into_iter().skip(1).collect();
    assert_eq!(agency.send(&path, &bare).await.status(), StatusCode::FORBIDDEN);
    // What belongs to a field is told beside it, and what was typed stays.
    assert_eq!(hidden(&page, "action"), "record_contact");
    let filled = [("/outcome", "reached"), ("/note", "约定周三上午再谈")];
    let refused = agency.submit(&path, &page, &filled).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.expect("a page");
    assert!(page.contains("约定周三上午再谈") && page.contains("id=\"f-channel-fault\""), "{page}");
    assert_eq!(office.events(&number).await.len(), before + 1);
    // Put right and clicked twice: the second click is the first, though the action is over by then.
    let filled =
        [("/outcome", "reached"), ("/channel", "phone"), ("/attempted_at", "2026-03-02T10:00")];
    let done = agency.submit(&path, &page, &filled).await;
    let (status, to) = (done.status(), done.headers().get(LOCATION).cloned());
    assert_eq!(status, StatusCode::SEE_OTHER, "{}", done.text().await.expect("a page"));
    let count = office.events(&number).await.len();
    let again = agency.submit(&path, &page, &filled).await;
    assert_eq!(again.headers().get(LOCATION), to.as_ref());
    assert_eq!(office.events(&number).await.len(), count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_comes_in_with_the_form_and_goes_out_as_a_download() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text(&format!("{path}?do=attach")).await;
    let sent = fields(&page);
    let mut parts = carried(&page, &sent);
    parts.push(("/attachments", Some("text/plain"), "整改照片说明"));
    assert_eq!(agency.send(&path, &parts).await.status(), StatusCode::SEE_OTHER);
    let page = agency.text(&path).await;
    let (_, rest) = page.split_once(&format!("href=\"{path}/files/")).expect("a file");
    let id = rest.split('"').next().expect("its end");
    let file = agency.get(&format!("{path}/files/{id}")).await;
    let shown = file.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert!(shown.starts_with("attachment"), "{shown}");
    assert_eq!(file.text().await.expect("text"), "整改照片说明");
    // What is no evidence is told, and the page still stands.
    let mut parts = carried(&page, &sent);
    parts.push(("file", Some("text/html"), "<script>"));
    let refused = agency.send(&format!("{path}/files"), &parts).await;
    assert!(refused.status().is_client_error(), "{}", refused.status());
}

/// A day off is none of a deadline's days: it is not today's block, nor does the count go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_off_is_no_day_of_a_deadline() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let admin = office.place.token(Role::SystemAdmin, "op", None).await;
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    for (to, is_worked) in
        [("2026-03-03T10:00:00+08:00", true), ("2026-03-07T10:00:00+08:00", false)]
    {
        office.server.advance(&admin, instant(to)).await;
        let me = office.server.get("/v1/me", &office.hotline).await.ok();
        assert_eq!(me["working_day"], is_worked);
        for path in ["/desk".to_owned(), format!("/tickets/{number}")] {
            let page = agency.text(&path).await;
            assert_eq!(page.contains("<i class=\"today\">"), is_worked, "{path} {to}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_person_is_recorded_before_it_is_shown() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let path = format!("/tickets/{number}");
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let api = office.server.get(&format!("/v1{path}"), &office.hotline).await.ok();
    let masked = api["reviewer"]["phone"].as_str().expect("a phone").to_owned();
    let page = agency.text(&path).await;
    assert!(page.contains(&masked), "{page}");
    let asked = agency.text(&format!("{path}/reviewer")).await;
    assert!(!asked.contains("19900000001"));
    let form = [("seal", seal(&asked)), ("purpose", "contact")];
    let shown = agency.post(&format!("{path}/reviewer"), &form, "same-origin").await;
    let shown = shown.text().await.expect("a page");
    let events = office.events(&number).await;
    let last = events.last().expect("an event");
    assert_eq!((&last["kind"], &last["data"]["purpose"]), (&json!("disclosed"), &json!("contact")));
    assert!(shown.contains(&format!("第 {} 号记录", last["seq"])), "{shown}");
    // An approver may not, and is not led there.
    let approver = office.browser(Role::Approver, None).await;
    let page = approver.text(&path).await;
    assert!(!page.contains("/reviewer\""));
    let form = [("seal", seal(&page)), ("purpose", "contact")];
    let refused = approver.post(&format!("{path}/reviewer"), &form, "same-origin").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}

/// Each page as each role, on what is its own and what is not: what the API refuses the page refuses in
/// the same way, and nothing of a foreign ticket is in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_shows_what_the_api_would_not() {
    let office = Office::new().await;
    let (own, foreign) = (office.ticket("R1", OWN).await, office.ticket("R2", "SZ007").await);
    let note = json!({"note": "张小三来电19900000001，要求回复"});
    let path = format!("/v1/tickets/{own}/actions/add_note");
    office.server.post(&path, &office.hotline, &note).await.ok();
    for role in Role::ALL.iter().copied().filter(|role| *role != Role::System) {
        let agency = role.is_bound_to_agency().then_some(OWN);
        let token = office.place.token(role, &format!("api_{role}"), agency).await;
        let browser = office.browser(role, agency).await;
        for number in [&own, &foreign] {
            for (page, api) in [
                (format!("/tickets/{number}"), format!("/v1/tickets/{number}")),
                (
                    format!("/tickets/{number}/why/contact"),
                    format!("/v1/tickets/{number}/deadlines/contact/explanation"),
                ),
            ] {
                let (shown, said) =
                    (browser.get(&page).await, office.server.get(&api, &token).await);
                assert_eq!(shown.status(), said.status, "{role} {page}");
                let text = shown.text().await.expect("a page");
                // Nor does it name a person: he is shown on a page of his own, on the record.
                assert!(!text.contains("张小三") && !text.contains("19900000001"), "{role} {page}");
                if said.status != StatusCode::OK {
                    let detail = said.body["detail"].as_str().expect("a detail");
                    assert!(text.contains(detail), "{role} {page}: {text}");
                }
            }
        }
        let tonight = "/v1/forecast?until=2026-03-03T00:00:00%2B08:00";
        for (page, api) in [
            ("/board", "/v1/board"),
            ("/tickets", "/v1/tickets"),
            ("/tonight", tonight),
            ("/desk", "/v1/deadlines"),
            ("/registers/cards", "/v1/cards"),
            ("/registers/overdue", "/v1/deadlines"),
            ("/compare", "/v1/statistics?from=2026-03-01&until=2026-03-02"),
            ("/export/tickets.csv", "/v1/tickets"),
            ("/export/overdue.csv", "/v1/deadlines"),
            ("/outbox", "/v1/outbox"),
            ("/export/outbox.csv", "/v1/outbox"),
            ("/incidents", "/v1/incidents"),
            ("/nodes", "/v1/nodes"),
            ("/tokens", "/v1/tokens"),
            ("/calendar", "/v1/calendars"),
            ("/workflows", "/v1/workflows"),
        ] {
            let (shown, said) = (browser.get(page).await, office.server.get(api, &token).await);
            assert_eq!(shown.status(), said.status, "{role} {page}");
            let text = String::from_utf8_lossy(&shown.bytes().await.expect("a page")).into_owned();
            let is_narrow = role.is_bound_to_agency() || said.status != StatusCode::OK;
            assert!(!(is_narrow && text.contains(&foreign)), "{role} {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_tried_before_they_are_done() {
    let office = Office::new().await;
    let mut numbers = vec![office.ticket("R1", OWN).await, office.ticket("R2", "SZ007").await];
    let body = review("R3", "matter", instant(START));
    let kept = office.server.post("/v1/reviews", &office.hotline, &body).await.ok();
    numbers.push(kept["ticket_no"].as_str().expect("a number").to_owned());
    let supervisor = office.browser(Role::Supervisor, None).await;
    let page = supervisor.text("/tickets").await;
    let chosen = |page: &str, number: &str| {
        let (_, rest) = page.split_once(&format!("value=\"{number} ")).expect("a box");
        format!("{number} {}", rest.split('"').next().expect("its end"))
    };
    let tickets: Vec<String> = numbers.iter().map(|number| chosen(&page, number)).collect();
    let parts = |page: &str, action: &str, more: &[(&'static str, String)]| {
        let mut parts = vec![("seal", seal(page).to_owned()), ("action", action.to_owned())];
        parts.extend(tickets.iter().map(|ticket| ("ticket", ticket.clone())));
        parts.extend(more.iter().cloned());
        parts
    };
    let send = async |parts: Vec<(&'static str, String)>| {
        let parts: Vec<_> =
            parts.iter().map(|(name, value)| (*name, None, value.as_str())).collect();
        let answer = supervisor.send("/bulk", &parts).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.expect("a page")
    };
    let events = async || {
        let mut all = 0;
        for number in &numbers {
            all += office.events(number).await.len();
        }
        all
    };
    // Nothing has to be filled in for an urge: it is tried at once, and only that.
    let before = events().await;
    let tried = send(parts(&page, "urge", &[])).await;
    assert!(tried.contains("可以办理 3 件，不能办理 0 件"), "{tried}");
    assert_eq!(events().await, before);
    let plain = |text: String| text.replace("&quot;", "\"");
    let (key, was) = (hidden(&tried, "key"), plain(hidden(&tried, "tried")));
    let done = [("stage", "do".to_owned()), ("key", key), ("tried", was)];
    let done = parts(&tried, "urge", &done);
    assert!(send(done.clone()).await.contains("已办理 3 件"), "done");
    let after = events().await;
    assert!(after >= before + 3, "{before} {after}");
    // Once more under the same key is the same.
    assert!(send(done).await.contains("已办理 3 件"), "again");
    assert_eq!(events().await, after);
    // A dispatch asks for an agency first; what is dispatched already is told of each.
    let asked = send(parts(&page, "dispatch", &[])).await;
    assert!(asked.contains("name=\"/agency\"") && !asked.contains("预演："), "{asked}");
    let tried =
        parts(&page, "dispatch", &[("stage", "try".to_owned()), ("/agency", OWN.to_owned())]);
    let tried = send(tried).await;
    assert!(tried.contains("可以办理 1 件，不能办理 2 件"), "{tried}");
    // What was tried is done, and nothing else: another agency is tried anew.
    let before = events().await;
    let (key, was) = (hidden(&tried, "key"), plain(hidden(&tried, "tried")));
    let other = parts(
        &tried,
        "dispatch",
        &[("stage", "do".into()), ("key", key), ("tried", was), ("/agency", "SZ007".into())],
    );
    assert!(send(other).await.contains("尚未办理"), "tried anew");
    assert_eq!(events().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_logged_in_two_clicks() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let agency = office.browser(Role::Agency, Some(OWN)).await;
    let page = agency.text("/desk").await;
    assert!(page.contains(&format!("/tickets/{number}?do=sign")), "{page}");
    let page = agency.text(&format!("/tickets/{number}")).await;
    agency.submit(&format!("/tickets/{number}"), &page, &[]).await;
    let desk = agency.text("/desk").await;
    let (_, form) =
        desk.split_once(&format!("action=\"/tickets/{number}/contact\"")).expect("a form");
    let (revision, key) = (hidden(form, "revision"), hidden(form, "key"));
    let sent =
        [("seal", seal(&desk)), ("revision", &revision), ("key", &key), ("outcome", "no_answer")];
    let answer = agency.post(&format!("/tickets/{number}/contact"), &sent, "same-origin").await;
    assert_eq!(answer.headers()[LOCATION], format!("/desk?done={number}"));
    let events = office.events(&number).await;
    let last = events.iter().rev().find(|event| event["kind"] == "acted").expect("one");
    assert_eq!(last["data"]["form"]["outcome"], "no_answer");
    // On what has changed meanwhile it is not logged: what happened last is told, and where it is.
    let form = json!({"outcome": "reached", "channel": "phone", "attempted_at": START});
    let act = format!("/v1/tickets/{number}/actions/record_contact");
    let lead = office.place.token(Role::AgencyLead, "l1", Some(OWN)).await;
    office.server.post(&act, &lead, &form).await.ok();
    let second =
        [("seal", seal(&desk)), ("revision", &revision), ("key", "k2"), ("outcome", "reached")];
    let late = {
        let answer =
            agency.post(&format!("/tickets/{number}/contact"), &second, "same-origin").await;
        assert_eq!(answer.status(), StatusCode::PRECONDITION_FAILED);
        answer.text().await.expect("a page")
    };
    assert!(late.contains("工单最近的变化") && late.contains("核实中"), "{late}");
    assert!(late.contains(&format!("data-here=\"/tickets/{number}\"")), "{late}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decides_reads_what_the_other_side_wrote() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let agency = office.place.token(Role::Agency, "a1", Some(OWN)).await;
    let form = json!({"reason": "属市公安局职责，电话13912345678", "suggested_agency": "SZ007"});
    let path = format!("/v1/tickets/{number}/actions/request_return");
    office.server.post(&path, &agency, &form).await.ok();
    let supervisor = office.browser(Role::Supervisor, None).await;
    let page = supervisor.text(&format!("/tickets/{number}")).await;
    assert_eq!(hidden(&page, "action"), "approve_return");
    assert!(page.contains("属市公安局职责") && !page.contains("13912345678"), "{page}");
    let desk = supervisor.text("/desk").await;
    assert!(desk.contains("退单审核时限") && desk.contains(&number), "{desk}");
    // Back with the hotline, whom they named is suggested, and why.
    let act = format!("/v1/tickets/{number}/actions/approve_return");
    office.server.post(&act, &office.hotline, &json!({})).await.ok();
    let page = supervisor.text(&format!("/tickets/{number}")).await;
    assert_eq!(hidden(&page, "action"), "dispatch");
    assert!(page.contains("<option value=\"SZ007\" selected>"), "{page}");
    assert!(page.contains("申请退单的单位建议"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_and_ends_with_its_sessions() {
    let office = Office::new().await;
    let keeper = office.browser(Role::SecurityAdmin, None).await;
    let page = keeper.text("/tokens").await;
    let key = hidden(&page, "key");
    let form = [
        ("seal", seal(&page)),
        ("key", &key),
        ("role", "agency"),
        ("subject", "liu"),
        ("agency", OWN),
    ];
    let issued = keeper.post("/tokens", &form, "same-origin").await.text().await.expect("a page");
    let (_, token) = issued.split_once("<code>duban_").expect("a token");
    let token = format!("duban_{}", token.split('<').next().expect("its end"));
    let again = keeper.post("/tokens", &form, "same-origin").await.text().await.expect("a page");
    assert!(!again.contains(&token) && again.contains("令牌不再显示"), "{again}");
    assert!(!keeper.text("/tokens").await.contains(&token));
    let mut liu = Browser::of(&office.server);
    assert!(liu.enter(&token).await.is_some());
    liu.text("/desk").await;
    let listed = office
        .server
        .get("/v1/tokens?limit=200", &office.place.token(Role::AuditAdmin, "aa", None).await)
        .await
        .ok();
    let all = listed["tokens"].as_array().expect("tokens");
    let own = all.iter().find(|one| one["subject"] == "liu").expect("his");
    let path = format!("/tokens/{}", own["id"].as_str().expect("an id"));
    let refused = keeper.post(&path, &[("seal", "x")], "same-origin").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let revoked = keeper.post(&path, &[("seal", seal(&page))], "same-origin").await;
    assert_eq!(revoked.headers()[LOCATION], "/tokens");
    assert_eq!(liu.get("/desk").await.headers()[LOCATION], "/sign-in?next=%2Fdesk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_registered_with_their_delivery_and_lists_are_files() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    office.server.advance(&admin, instant("2026-03-12T09:00:00+08:00")).await;
    let auditor = office.browser(Role::Auditor, None).await;
    let page = auditor.text("/registers/cards").await;
    for says in [&number, "黄牌", "联系评价人时限", "✓ 已送达", "承办单位 深圳市社会保险基金管理局"]
    {
        assert!(page.contains(says), "{says}: {page}");
    }
    assert!(!auditor.text("/registers/cards?kind=red_card").await.contains(&number));
    // By now it has come to supervision, and those who are told of that have been told.
    let page = auditor.text("/registers/overdue").await;
    let (_, row) = page.split_once(&format!(">{number}</a>")).expect("the ticket");
    let row = row.split("</tr>").next().expect("its end");
    for says in ["督办", "✓ 已送达", "热线督导"] {
        assert!(row.contains(says), "{says}: {row}");
    }
    let file = auditor
        .get("/export/overdue.csv?light=red&escalation=true")
        .await
        .text()
        .await
        .expect("text");
    assert!(file.contains("督办进展") && file.contains("督办,2026-03-11 00:00"), "{file}");
    let file = auditor.get("/export/cards.csv?kind=yellow_card").await;
    let named = file.headers()["content-disposition"].to_str().expect("text").to_owned();
    assert_eq!(named, "attachment; filename=\"cards-2026-03-12.csv\"");
    let text = file.text().await.expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("\u{FEFF}发牌时间,牌,工单编号"), "{text}");
    assert!(
        lines[1].starts_with("2026-03-06 00:00,黄牌,") && lines[1].contains("2026-03-05 24:00"),
        "{text}"
    );
    let book = auditor.get("/export/tickets.xlsx?light=red").await.bytes().await.expect("bytes");
    assert!(book.starts_with(b"PK"), "{} bytes", book.len());
    let wrong = auditor.get("/export/tickets.csv?light=blue").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(auditor.get("/export/nothing.csv").await.status(), StatusCode::NOT_FOUND);
}

/// What ended is counted in the month of its last day, for whom it was charged to, and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_agencies_kept_their_times_is_compared() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    office.ticket("R2", "SZ007").await;
    let agency = office.place.token(Role::Agency, "a1", Some(OWN)).await;
    let form = json!({"outcome": "reached", "channel": "phone", "attempted_at": START});
    let act = format!("/v1/tickets/{number}/actions/record_contact");
    office.server.post(&act, &agency, &form).await.ok();
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    let auditor = office.place.token(Role::Auditor, "a2", None).await;
    let counted = async |token: &str| {
        let path = "/v1/statistics?from=2026-03-05&until=2026-03-31";
        let told = office.server.get(path, token).await.ok();
        let lines = told["lines"].as_array().expect("lines").clone();
        let of = |line: &Value, name: &str| line[name].as_u64().expect("a count");
        let names = ["due", "in_time", "late", "overdue", "yellow_cards"];
        lines
            .iter()
            .map(|line| {
                (
                    line["agency"].as_str().expect("a code").to_owned(),
                    names.map(|name| of(line, name)),
                )
            })
            .collect::<Vec<_>>()
    };
    // Contact is due at the end of the fifth: kept by one already, owed by the other until then.
    assert!(counted(&auditor).await.is_empty());
    office.server.advance(&admin, instant("2026-03-06T09:00:00+08:00")).await;
    let own = (OWN.to_owned(), [1, 1, 0, 0, 0]);
    assert_eq!(counted(&auditor).await, [("SZ007".to_owned(), [1, 0, 0, 1, 1]), own.clone()]);
    assert_eq!(counted(&agency).await, [own]);
    let browser = office.browser(Role::Auditor, None).await;
    let page = browser.text("/compare").await;
    for says in ["深圳市公安局", "50.0%", "100.0%", "2026-03", "class=\"chart\""] {
        assert!(page.contains(says), "{says}: {page}");
    }
    for query in
        ["from=2026-03-05&until=2026-03-04", "from=2020-01-01&until=2026-01-01", "from=2026-03-01"]
    {
        let wrong = office.server.get(&format!("/v1/statistics?{query}"), &auditor).await;
        assert!(wrong.status.is_client_error(), "{query}: {}", wrong.body);
    }
}

/// What the citizen waits for is counted on, however late it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_days_go_on_beyond_the_last_of_a_period() {
    let office = Office::new().await;
    let number = office.ticket("R1", OWN).await;
    let admin = office.place.token(Role::SystemAdmin, "ops", None).await;
    let supervisor = office.browser(Role::Supervisor, None).await;
    for (at, day) in [("03-16", 10), ("03-17", 11), ("03-30", 20), ("04-30", 42)] {
        office.server.advance(&admin, instant(&format!("2026-{at}T10:00:00+08:00"))).await;
        let page = supervisor.text(&format!("/tickets/{number}")).await;
        assert!(page.contains(&format!("第 {day} 个工作日")), "{at}: {page}");
    }
}
