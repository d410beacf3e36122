//! A message as a signed call (Standard Webhooks): identities and codes only. Must never follow a
//! redirect, call into a private network that was not allowed, or keep what the other side said.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use duban_core::time::Instant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Client, Url, redirect};
use serde_json::{Value, json};
use standardwebhooks::Webhook as Signer;

use crate::clock;
use crate::config::Destination;
use crate::store::{Carried, Posted, Store};
use crate::telemetry::traces;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the whole call may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// 24 bytes as Base64: less than that can be guessed.
const SECRET_CHARACTERS_MIN: usize = 32;

/// One destination.
pub(super) struct Webhook {
    url: Url,
    signer: Signer,
    client: Client,
}

impl Webhook {
    /// Of a destination; what is wrong with it, in Chinese.
    pub(super) fn new(destination: &Destination) -> Result<Self, String> {
        let url: Url = destination.url.parse().map_err(|_| "url 不是网址".to_owned())?;
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err("url 应以 https:// 开头".to_owned());
        }
        if url.scheme() == "http" && !destination.private {
            return Err("公网目的地须用 https；内网目的地请写明 private = true".to_owned());
        }
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        if literal.is_some_and(|ip| !destination.private && is_private(ip)) {
            return Err("url 指向内网地址；确属内网目的地请写明 private = true".to_owned());
        }
        let secret = destination.secret.strip_prefix("whsec_");
        let secret = secret.ok_or("secret 应以 whsec_ 开头，其后为 Base64".to_owned())?;
        if secret.len() < SECRET_CHARACTERS_MIN {
            return Err("secret 过短：whsec_ 之后应为至少 24 字节的 Base64".to_owned());
        }
        let signer = Signer::new(secret).map_err(|_| "secret 不是 Base64".to_owned())?;
        // One provider for the process; whoever was first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .no_proxy()
            .user_agent(concat!("duban/", env!("CARGO_PKG_VERSION")));
        if !destination.private {
            client = client.dns_resolver(Arc::new(PublicOnly));
        }
        let client = client.build().map_err(|_| "无法建立 TLS 客户端".to_owned())?;
        Ok(Self { url, signer, client })
    }

    /// Calls it.
    pub(super) async fn carry(&self, store: &Store, message: &Posted) -> Carried {
        let ticket = message.id.ticket;
        let Ok(numbers) = store.ticket_numbers(&[ticket]).await else {
            return Carried::Failed("database");
        };
        let ticket_no = numbers.get(&ticket).map(String::as_str).unwrap_or_default();
        let body = body(message, ticket_no).to_string();
        let id = message.id.to_string();
        let seconds = clock::wall().ms() / 1_000;
        let Ok(signature) = self.signer.sign(&id, seconds, body.as_bytes()) else {
            return Carried::Refused("signature");
        };
        let call = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .headers(traced())
            .body(body);
        match call.send().await {
            Ok(answer) if answer.status().is_success() => Carried::Arrived,
            Ok(answer) if answer.status().is_redirection() => Carried::Failed("redirect"),
            Ok(answer) if answer.status().as_u16() == 410 => Carried::Refused("gone"),
            Ok(answer) if answer.status().is_client_error() => Carried::Failed("status-4xx"),
            Ok(_) => Carried::Failed("status-5xx"),
            Err(error) if error.is_timeout() => Carried::Failed("timeout"),
            Err(error) if error.is_connect() => Carried::Failed("connect"),
            Err(_) => Carried::Failed("call"),
        }
    }
}

/// By which the receiver can go on with the trace.
fn traced() -> HeaderMap {
    let mut headers = HeaderMap::new();
    traces::name(&mut headers);
    headers
}

/// What is sent: identities and codes; whoever wants more asks the API with his own rights.
fn body(message: &Posted, ticket_no: &str) -> Value {
    let about: Value = serde_json::from_str(&message.about).unwrap_or_default();
    let timestamp: Instant = message.created_at;
    json!({
        "type": format!("ticket.{}", message.kind),
        "timestamp": timestamp,
        "data": {
            "ticket_no": ticket_no,
            "seq": message.id.seq,
            "destination": message.destination,
            "about": about,
        },
    })
}

/// Names that resolve into private networks are not called: whoever can set a name of a destination
/// must not reach the house's own machines.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|one| !is_private(one.ip())).collect();
            if public.is_empty() {
                return Err("no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is not of the public internet.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
        }
        IpAddr::V6(ip) => {
            let mapped = ip.to_ipv4_mapped().or_else(|| nat64(ip.segments()));
            mapped.is_some_and(|ip| is_private(IpAddr::V4(ip)))
                || ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || (ip.segments()[0] & 0xfe00) == 0xfc00
                || (ip.segments()[0] & 0xffc0) == 0xfe80
        }
    }
}

/// The address of the old internet within one of the new (64:ff9b::/96, and 2002::/16).
fn nat64(segments: [u16; 8]) -> Option<std::net::Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        std::net::Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        let check = |ip: &str, expected: bool| {
            assert_eq!(is_private(ip.parse().expect("an address")), expected, "{ip}");
        };
        for ip in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1"] {
            check(ip, true);
        }
        for ip in ["0.0.0.0", "::1", "fc00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"] {
            check(ip, true);
        }
        for ip in ["8.8.8.8", "114.114.114.114", "2400:3200::1", "::ffff:8.8.8.8"] {
            check(ip, false);
        }
    }

    #[test]
    fn a_destination_that_is_none_is_told_so() {
        let check = |url: &str, secret: &str, private: bool, says: Option<&str>| {
            let (to, url) = ("agency".to_owned(), url.to_owned());
            let destination = Destination { to, url, secret: secret.to_owned(), private };
            let told = Webhook::new(&destination).err();
            match says {
                None => assert_eq!(told, None),
                Some(says) => assert!(told.is_some_and(|told| told.contains(says)), "{says}"),
            }
        };
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        check("https://example.org/hook", secret, false, None);
        check("http://10.0.0.1/hook", secret, true, None);
        check("http://example.org/hook", secret, false, Some("https"));
        check("https://10.0.0.1/hook", secret, false, Some("内网"));
        check("https://[::1]/hook", secret, false, Some("内网"));
        check("ftp://example.org", secret, true, Some("https://"));
        check("nonsense", secret, true, Some("网址"));
        check("https://example.org", "plain", false, Some("whsec_"));
        let none = "whsec_********************************";
        check("https://example.org", none, false, Some("Base64"));
        check("https://example.org", "whsec_", false, Some("过短"));
    }
}
