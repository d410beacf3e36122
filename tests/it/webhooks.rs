//! Webhooks against a receiver of our own: signed, in order, tried again, never redirected, and with
//! nothing about people in them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use duban_core::role::Role;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::lives::instant;
use crate::served::{Place, Server, review};

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";
const START: &str = "2026-03-02T10:00:00+08:00";

/// A call as it came.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    body: String,
}

/// Answers each call with the next of its answers, and with 204 when there is none left.
pub(crate) struct Receiver {
    pub(crate) address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Receiver {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/hook", listener.local_addr().expect("its address"));
        let (calls, answers) = (Arc::default(), Arc::default());
        let receiver = Self { address, calls: Arc::clone(&calls), answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (calls, answers) = (Arc::clone(&calls), Arc::clone(&answers));
                tokio::spawn(receive(stream, calls, answers));
            }
        });
        receiver
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    pub(crate) fn answers(&self, answers: &[&'static str]) {
        self.answers.lock().expect("answers").extend(answers);
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Call> {
        for _ in 0..200 {
            if self.calls().len() >= count {
                return self.calls();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} of {count} calls", self.calls().len());
    }
}

/// One call, whole, and its answer.
async fn receive(
    mut stream: TcpStream,
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
) {
    let mut text = String::new();
    let mut bytes = [0; 8192];
    let (headers, body) = loop {
        let Ok(count) = stream.read(&mut bytes).await else { return };
        if count == 0 {
            return;
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let headers = headers(head);
        let length = headers["content-length"].to_str().expect("text").parse::<usize>();
        if body.len() >= length.expect("a length") {
            break (headers, body.to_owned());
        }
    };
    calls.lock().expect("calls").push(Call { headers, body });
    let answer = answers.lock().expect("answers").pop_front().unwrap_or("204 No Content");
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn headers(head: &str) -> HeaderMap {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let one = |(name, value): (&str, &str)| {
        let name = name.trim().to_ascii_lowercase();
        (name.parse().expect("a name"), value.trim().parse().expect("a value"))
    };
    lines.map(one).collect::<Vec<(reqwest::header::HeaderName, _)>>().into_iter().collect()
}

struct House {
    server: Server,
    hotline: String,
    admin: String,
    _place: Place,
}

async fn house(receiver: &Receiver) -> House {
    let place = Place::new().await;
    let config = format!(
        "[[destinations]]\nto = \"agency:SZ013\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\nprivate = true\n",
        receiver.address
    );
    let file = place.path().join("hooks.toml");
    std::fs::write(&file, config).expect("written");
    let file = file.display().to_string();
    let flags = ["--clock", "simulated", "--start-at", START, "--config", &file];
    let server = place.serve(&flags);
    let hotline = place.token(Role::Hotline, "h1", None).await;
    let admin = place.token(Role::SystemAdmin, "s1", None).await;
    House { server, hotline, admin, _place: place }
}

impl House {
    async fn dispatched(&self, review_id: &str) -> String {
        let body = review(review_id, "matter", instant(START));
        let number = self.server.post("/v1/reviews", &self.hotline, &body).await.ok();
        let number = number["ticket_no"].as_str().expect("a number").to_owned();
        let path = format!("/v1/tickets/{number}/actions/dispatch");
        self.server.post(&path, &self.hotline, &json!({"agency": "SZ013"})).await.ok();
        number
    }

    async fn messages(&self, number: &str) -> Vec<Value> {
        let path = format!("/v1/outbox?ticket_no={number}");
        let shown = self.server.get(&path, &self.admin).await.ok();
        let all = shown["messages"].as_array().expect("messages").clone();
        all.into_iter().filter(|one| one["destination"] == "agency:SZ013").collect()
    }

    async fn state(&self, number: &str, state: &str) -> Value {
        for _ in 0..200 {
            if let Some(one) =
                self.messages(number).await.into_iter().find(|one| one["state"] == state)
            {
                return one;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no message is {state}: {:?}", self.messages(number).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_signed_and_names_nobody() {
    let receiver = Receiver::new().await;
    let house = house(&receiver).await;
    let number = house.dispatched("R1").await;
    let call = receiver.wait_for(1).await.remove(0);
    let signer = Webhook::new(SECRET).expect("a secret");
    signer.verify(call.body.as_bytes(), &call.headers).expect("the signature");
    let mut forged = call.body.clone();
    forged.push(' ');
    assert!(signer.verify(forged.as_bytes(), &call.headers).is_err());
    let body: Value = serde_json::from_str(&call.body).expect("JSON");
    assert_eq!(body["data"]["ticket_no"], number.as_str());
    assert!(body["type"].as_str().is_some_and(|kind| kind.starts_with("ticket.")), "{body}");
    for said in ["张小三", "19900000001", "等了很久"] {
        assert!(!call.body.contains(said), "{body}");
    }
    let delivered = house.state(&number, "delivered").await;
    assert_eq!(call.headers["webhook-id"], delivered["id"].as_str().expect("an id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_tried_again_and_a_redirect_is_not_followed() {
    let receiver = Receiver::new().await;
    receiver.answers(&["500 Oops", "302 Found\r\nlocation: /elsewhere"]);
    let house = house(&receiver).await;
    let number = house.dispatched("R1").await;
    receiver.wait_for(1).await;
    let waiting = house.state(&number, "waiting").await;
    let id = waiting["id"].clone();
    // The second attempt after ten seconds, the third after twenty more.
    for (to, failure) in [("10:00:10", "redirect"), ("10:00:30", "")] {
        let to = format!("2026-03-02T{to}+08:00");
        house.server.advance(&house.admin, instant(&to)).await;
        if failure.is_empty() {
            break;
        }
        let waiting = house.state(&number, "waiting").await;
        assert_eq!((&waiting["id"], &waiting["failure"]), (&id, &json!(failure)));
    }
    let delivered = house.state(&number, "delivered").await;
    assert_eq!((&delivered["id"], &delivered["attempts"]), (&id, &json!(3)));
    let ids: Vec<_> =
        receiver.calls().iter().map(|call| call.headers["webhook-id"].clone()).collect();
    assert!(ids[..3].iter().all(|one| *one == ids[0]), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_that_is_gone_gets_nothing_more_until_somebody_redelivers() {
    let receiver = Receiver::new().await;
    receiver.answers(&["410 Gone"]);
    let house = house(&receiver).await;
    let number = house.dispatched("R1").await;
    let dead = house.state(&number, "dead").await;
    assert_eq!(dead["failure"], "gone");
    let path = format!("/v1/outbox/{}/redeliver", dead["id"].as_str().expect("an id"));
    let answer = house.server.post(&path, &house.admin, &json!({})).await;
    assert_eq!(answer.status.as_u16(), 202);
    let delivered = house.state(&number, "delivered").await;
    assert_eq!(delivered["id"], dead["id"]);
}
