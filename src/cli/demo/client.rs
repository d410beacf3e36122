//! The demonstration's hands: the control API, called as anybody calls it. Must never go past it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use duban_core::role::Role;
use duban_core::time::Instant;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::cli::Failure;

/// Calls the API as whoever is needed.
pub(super) struct Client {
    http: reqwest::Client,
    address: String,
    tokens: BTreeMap<(Role, Option<String>), String>,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        // One provider for the process; whoever was first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        Self { http, address: format!("http://{address}"), tokens: BTreeMap::new() }
    }

    /// Whose token it has.
    pub(super) fn knows(&mut self, role: Role, agency: Option<&str>, token: &str) {
        let key = (role, agency.map(str::to_owned));
        self.tokens.entry(key).or_insert_with(|| token.to_owned());
    }

    fn token(&self, role: Role, agency: Option<&str>) -> &str {
        let key = (role, agency.map(str::to_owned));
        self.tokens.get(&key).map(String::as_str).unwrap_or_default()
    }

    pub(super) async fn post(
        &self,
        role: Role,
        agency: Option<&str>,
        path: &str,
        body: &Value,
    ) -> Result<(u16, Value), Failure> {
        let call = self.http.post(format!("{}{path}", self.address));
        answer(call.bearer_auth(self.token(role, agency)).json(body)).await
    }

    /// Uploads a text.
    pub(super) async fn upload(
        &self,
        role: Role,
        agency: Option<&str>,
        path: &str,
        text: String,
    ) -> Result<(u16, Value), Failure> {
        let call = self.http.post(format!("{}{path}", self.address)).body(text);
        let call = call.bearer_auth(self.token(role, agency));
        answer(call.header("content-type", "text/plain")).await
    }

    pub(super) async fn get(&self, role: Role, path: &str) -> Result<Value, Failure> {
        let call = self.http.get(format!("{}{path}", self.address));
        Ok(answer(call.bearer_auth(self.token(role, None))).await?.1)
    }

    /// The clock moves on.
    pub(super) async fn advance(&self, to: Instant) -> Result<(), Failure> {
        let body = json!({"to": to});
        let (status, said) = self.post(Role::SystemAdmin, None, "/v1/clock/advance", &body).await?;
        if status == 200 {
            Ok(())
        } else {
            Err(Failure::Machine(format!("时钟无法拨动：{said}")))
        }
    }
}

/// Status and body of what is answered.
async fn answer(call: RequestBuilder) -> Result<(u16, Value), Failure> {
    let broken = |_| Failure::Machine("演示服务没有应答".to_owned());
    let answer = call.send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.unwrap_or_default()))
}
