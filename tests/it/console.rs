//! The door of the console and what holds for all its pages; how pages look and behave is told by a
//! browser.

use duban_core::role::Role;
use reqwest::StatusCode;
use reqwest::header::LOCATION;

use crate::browser::{Browser, seal};
use crate::served::Place;

const START: &str = "2026-03-02T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_comes_in_by_a_token_and_goes_out_for_good() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let token = place.token(Role::Supervisor, "s1", None).await;
    let mut browser = Browser::of(&server);
    let answer = browser.get("/board?by=district").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[LOCATION], "/sign-in?next=%2Fboard%3Fby%3Ddistrict");
    assert_eq!(browser.enter(&token).await.as_deref(), Some("/"));
    let answer = browser.get("/").await;
    assert_eq!(answer.headers()[LOCATION], "/board");
    let answer = browser.get("/board").await;
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.expect("a page");
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("热线督导 · s1"), "{page}");
    // What the page is dressed with lies where it says.
    for (before, kind) in
        [("rel=\"stylesheet\" href=\"", "text/css"), ("<script src=\"", "text/javascript")]
    {
        let (_, rest) = page.split_once(before).expect(before);
        let path = rest.split('"').next().expect("its end");
        let asset = browser.get(path).await;
        assert!(asset.headers()["content-type"].to_str().expect("text").starts_with(kind));
        assert!(asset.headers()["cache-control"].to_str().expect("text").contains("immutable"));
    }
    // A copy of the cookie is worth nothing once its holder has gone.
    let copy = browser.held.clone();
    let sealed = [("seal", seal(&page))];
    let answer = browser.post("/sign-out", &sealed, "cross-site").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    browser.text("/board").await;
    let answer = browser.post("/sign-out", &sealed, "same-origin").await;
    assert_eq!(answer.headers()[LOCATION], "/sign-in");
    browser.held = copy;
    assert_eq!(browser.get("/board").await.status(), StatusCode::SEE_OTHER);
    assert!(!place.log().contains(&token), "a token in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_ends_its_sessions_at_once() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let token = place.token(Role::Auditor, "a1", None).await;
    let keeper = place.token(Role::SecurityAdmin, "k1", None).await;
    let mut browser = Browser::of(&server);
    browser.enter(&token).await.expect("in");
    browser.text("/board").await;
    let listed = server.get("/v1/tokens", &keeper).await.ok();
    let tokens = listed["tokens"].as_array().expect("tokens");
    let own = tokens.iter().find(|one| one["subject"] == "a1").expect("his");
    let path = format!("/v1/tokens/{}", own["id"].as_str().expect("an id"));
    server.call(reqwest::Method::DELETE, &path, &keeper, None).await;
    assert_eq!(browser.get("/board").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_guesses_is_locked_out_for_a_while() {
    let place = Place::new().await;
    let mut server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let token = place.token(Role::Supervisor, "s1", None).await;
    let guess = [("token", "duban_0000")];
    let browser = Browser::of(&server);
    for left in [4, 3, 2, 1] {
        let answer = browser.post("/sign-in", &guess, "same-origin").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let page = answer.text().await.expect("a page");
        assert!(page.contains(&format!("还可以再试 {left} 次")), "{page}");
    }
    assert_eq!(browser.post("/sign-in", &guess, "same-origin").await.status(), 429);
    // Neither a right token nor a restart opens it.
    assert_eq!(Browser::of(&server).enter(&token).await, None);
    server.kill();
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    assert_eq!(Browser::of(&server).enter(&token).await, None);
    // Time does.
    place
        .harm("UPDATE refusal SET locked_until = locked_until - 900000, since = since - 900000")
        .await;
    assert!(Browser::of(&server).enter(&token).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_old_sessions_are_over() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let token = place.token(Role::Supervisor, "s1", None).await;
    for (column, over) in [("seen_at", 30 * 60_000_i64), ("created_at", 12 * 3_600_000)] {
        let mut browser = Browser::of(&server);
        browser.enter(&token).await.expect("in");
        let nearly = over - 60_000;
        place.harm(&format!("UPDATE session SET {column} = {column} - {nearly}")).await;
        // What a page asks for by itself keeps nobody in.
        assert_eq!(browser.by_itself("/board").await.status(), StatusCode::OK);
        let rest = if column == "seen_at" { 60_000 } else { 0 };
        if rest > 0 {
            place.harm(&format!("UPDATE session SET {column} = {column} - {rest}")).await;
            assert_eq!(browser.by_itself("/board").await.status(), StatusCode::UNAUTHORIZED);
            place.harm(&format!("UPDATE session SET {column} = {column} + {rest}")).await;
        }
        browser.text("/board").await;
        let rest = if column == "seen_at" { over } else { 60_000 };
        place.harm(&format!("UPDATE session SET {column} = {column} - {rest}")).await;
        assert_eq!(browser.get("/board").await.status(), StatusCode::SEE_OTHER, "{column}");
    }
}

/// Whoever comes from elsewhere is told so, in a page, and nothing is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_site_sends_is_told_and_not_done() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let token = place.token(Role::Supervisor, "s1", None).await;
    let browser = Browser::of(&server);
    let answer = browser.post("/sign-in", &[("token", &token)], "cross-site").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.headers().contains_key("set-cookie"));
    let page = answer.text().await.expect("a page");
    assert!(page.contains("来源不明") && page.contains("没有办理"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_is_told_as_it_was_asked_for() {
    let place = Place::new().await;
    let server = place.serve(&["--clock", "simulated", "--start-at", START]);
    let browser = Browser::of(&server);
    let page = browser.get("/nowhere").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.text().await.expect("a page").contains("没有这个页面"));
    let answer = server.get("/v1/nowhere", "").await;
    assert_eq!((answer.status, answer.problem()), (StatusCode::NOT_FOUND, "not-found"));
    assert_eq!(browser.get("/assets/console-000.css").await.status(), StatusCode::NOT_FOUND);
    for path in ["/sign-in", "/nowhere"] {
        assert!(
            browser.get(path).await.headers().contains_key("content-security-policy"),
            "{path}"
        );
    }
}
