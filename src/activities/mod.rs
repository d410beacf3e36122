//! Floor 3: what happens outside: one kind of effect a file. Which one a message takes follows from
//! its destination. Must never send personal data, nor decide anything about a ticket.

mod log;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use duban_core::role::Audience;

use crate::config::Destination;
use crate::store::{Carried, Posted, Store};
use webhook::Webhook;

/// Carries messages to where they go.
#[derive(Clone)]
pub struct Activities {
    webhooks: Arc<BTreeMap<String, Webhook>>,
}

impl Activities {
    /// With these destinations.
    ///
    /// # Errors
    /// A destination with an address or key that is none, in Chinese.
    pub fn new(destinations: &[Destination]) -> Result<Self, String> {
        let mut webhooks = BTreeMap::new();
        for destination in destinations {
            let to = destination.to.clone();
            let audience = to.split(':').next().unwrap_or_default();
            audience.parse::<Audience>().map_err(|why| format!("目的地 {to} 的 to 有误：{why}"))?;
            let webhook = Webhook::new(destination)
                .map_err(|why| format!("目的地 {to} 的配置有误：{why}"))?;
            if webhooks.insert(to.clone(), webhook).is_some() {
                return Err(format!("目的地 {to} 配置了两次"));
            }
        }
        Ok(Self { webhooks: Arc::new(webhooks) })
    }

    /// Carries a message of a house: by the webhook of its destination, else into the log.
    pub async fn carry(&self, store: &Store, message: Posted) -> Carried {
        let audience = message.destination.split(':').next().unwrap_or_default();
        let webhook = self.webhooks.get(&message.destination);
        let webhook = webhook.or_else(|| self.webhooks.get(audience));
        let carried = match webhook {
            Some(webhook) => webhook.carry(store, &message).await,
            None => log::carry(&message),
        };
        let outcome = match carried {
            // It goes nowhere: it is in duban.
            Carried::Arrived if webhook.is_none() => "kept",
            Carried::Arrived => "arrived",
            Carried::Failed(_) => "failed",
            Carried::Refused(_) => "refused",
        };
        metrics::counter!("duban_deliveries_total", "outcome" => outcome).increment(1);
        carried
    }
}
