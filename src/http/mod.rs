//! Floor 4: the control API, one endpoint a file. Must never decide about a ticket, show more than
//! the policy allows, or let a request change anything before it is wholly understood.

mod body;
mod caller;
mod cursor;
mod endpoint;
mod etag;
mod keys;
pub mod policy;
mod problem;
mod review;
mod server;
mod sight;
mod unique;
mod view;

use std::sync::Arc;

use duban_core::digest::Digest;
use metrics_exporter_prometheus::PrometheusHandle;

pub use endpoint::document;
pub use server::serve;

use crate::catalog::Register;
use crate::engine::Engine;

/// What every endpoint needs; clones are the same.
#[derive(Clone)]
pub struct Api {
    engine: Engine,
    register: Arc<Register>,
    measures: PrometheusHandle,
    /// The key of pseudonyms of staff members.
    pseudonyms: [u8; 32],
}

impl Api {
    /// Over an engine.
    #[must_use]
    pub fn new(
        engine: Engine,
        register: Register,
        measures: PrometheusHandle,
        pseudonyms: [u8; 32],
    ) -> Self {
        Self { engine, register: Arc::new(register), measures, pseudonyms }
    }

    /// What stands for a staff member in history: the same number, the same pseudonym.
    fn pseudonym(&self, staff_no: &str) -> Digest {
        Digest::commitment(&self.pseudonyms, staff_no.trim().as_bytes())
    }
}
