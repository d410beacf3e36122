//! A service on a benchmark's database, in this process, and somebody who calls it. Must never count
//! an answer that was not good.

use std::time::Instant as Stopwatch;

use duban_core::role::Role;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::scratch::Scratch;
use crate::access::Holder;
use crate::catalog::{Register, Source};
use crate::cli::Failure;
use crate::cli::service::Service;
use crate::cli::token::issue;
use crate::config::Settings;
use crate::crypto;
use crate::store::Store;

/// A service that runs until [`Served::stop`].
pub(super) struct Served {
    pub(super) store: Store,
    pub(super) address: String,
    pub(super) http: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Failure>>,
}

impl Served {
    /// With settings beside those that every benchmark needs.
    pub(super) async fn start(scratch: &Scratch, settings: Value) -> Result<Self, Failure> {
        let mut flags = json!({
            "listen": "127.0.0.1:0", "database_url": scratch.url,
            "attachments": scratch.file("attachments"), "token_requests_per_s": 1_000_000,
        });
        if let (Value::Object(flags), Value::Object(settings)) = (&mut flags, settings) {
            flags.extend(settings);
        }
        let service = Service::ready(Settings::alone(flags)?, crypto::identity()).await?;
        let address = service.address().map(|address| format!("http://{address}"));
        let address = address.ok_or_else(|| Failure::Machine("没有地址".to_owned()))?;
        let store = service.engine.store().clone();
        let (stop, told) = oneshot::channel::<()>();
        let running = tokio::spawn(service.run(async {
            let _ = told.await;
        }));
        Ok(Self { store, address, http: client()?, stop, running })
    }

    /// A token of a role.
    pub(super) async fn token(&self, role: Role) -> Result<String, Failure> {
        token(&self.store, role).await
    }

    /// Ends it.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        self.running.await.unwrap_or_else(|_| Err(Failure::Machine("服务中断".to_owned())))
    }
}

/// A token of a role, for a day.
pub(super) async fn token(store: &Store, role: Role) -> Result<String, Failure> {
    let register = Register::read(&Source::Embedded)?;
    let subject = format!("bench-{role}");
    let holder = Holder { role, subject, agency: None, district: None, days: 1 };
    Ok(issue(store, &register, holder).await?.0)
}

/// A client that takes no detour.
pub(super) fn client() -> Result<reqwest::Client, Failure> {
    // One provider for the process; whoever was first stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build();
    http.map_err(|_| Failure::Machine("没有客户端".to_owned()))
}

/// How long a read takes, in microseconds.
pub(super) async fn get(http: &reqwest::Client, url: &str, token: &str) -> Result<u64, Failure> {
    let begun = Stopwatch::now();
    let answer = http.get(url).bearer_auth(token).send().await.map_err(|_| broken(url))?;
    let status = answer.status();
    answer.bytes().await.map_err(|_| broken(url))?;
    if !status.is_success() {
        return Err(Failure::Machine(format!("{url}：{status}")));
    }
    Ok(begun.elapsed().as_micros().try_into().unwrap_or(u64::MAX))
}

/// The service did not answer.
pub(super) fn broken(url: &str) -> Failure {
    Failure::Machine(format!("{url}：服务没有应答"))
}
