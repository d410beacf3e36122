//! Floor 4: the control API, one endpoint a file. Must never decide about a ticket, show more than
//! the policy allows, or let a request change anything before it is wholly understood.

mod body;
mod caller;
mod cursor;
mod document;
mod drained;
mod endpoint;
mod etag;
mod keys;
mod limits;
pub mod policy;
mod problem;
mod review;
mod server;
mod sight;
mod upload;
mod view;
mod watched;

use std::sync::Arc;

use duban_core::digest::Digest;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{RwLock, watch};

pub use document::document;
pub use server::{Pages, serve};

use crate::catalog::Register;
use crate::config::{NodeRole, Settings};
use crate::engine::Engine;
use crate::vault::Vault;
use crate::wake::Presence;
use limits::Limits;

/// What every endpoint needs; clones are the same.
#[derive(Clone)]
pub struct Api {
    engine: Engine,
    register: Arc<Register>,
    vault: Vault,
    measures: PrometheusHandle,
    keys: Keys,
    limits: Limits,
    presence: Presence,
    /// Whether it answers requests, or only tells how it is.
    answers: bool,
    /// Held for reading by whoever finishes an upload, whether or not its sender waits.
    uploads: Arc<RwLock<()>>,
    /// Whether the server is about to go: it still answers.
    leaving: watch::Receiver<bool>,
    /// Whether the server is about to end.
    stopping: watch::Receiver<bool>,
}

/// Keys of the house. Have no `Debug`: they must get into no log.
#[derive(Clone)]
pub struct Keys {
    /// Of pseudonyms of staff members.
    pub pseudonyms: [u8; 32],
    /// Of places in the stream.
    pub stream: [u8; 32],
}

impl Api {
    /// Over an engine.
    #[must_use]
    pub fn new(
        engine: Engine,
        register: Register,
        vault: Vault,
        measures: PrometheusHandle,
        keys: Keys,
        presence: Presence,
        settings: &Settings,
    ) -> Self {
        let never = || watch::Sender::new(false).subscribe();
        let (leaving, stopping) = (never(), never());
        let (register, limits) = (Arc::new(register), Limits::new(settings, engine.wake().clone()));
        let (uploads, answers) = (Arc::default(), settings.does(NodeRole::Api));
        Self {
            engine,
            register,
            vault,
            measures,
            keys,
            limits,
            presence,
            answers,
            uploads,
            leaving,
            stopping,
        }
    }

    /// What is measured.
    #[must_use]
    pub fn measures(&self) -> PrometheusHandle {
        self.measures.clone()
    }

    /// What stands for a staff member in history: the same number, the same pseudonym.
    fn pseudonym(&self, staff_no: &str) -> Digest {
        Digest::commitment(&self.keys.pseudonyms, staff_no.trim().as_bytes())
    }
}
