//! A message without a destination: it is in duban, and that it was due stands in the log of whoever
//! wants to see that much (`duban=debug`). Must never fail.

use crate::store::{Carried, Posted};

pub(super) fn carry(message: &Posted) -> Carried {
    tracing::debug!(
        message.id = %message.id,
        message.kind = message.kind,
        message.destination = message.destination,
        "a message has no destination beyond this log"
    );
    Carried::Arrived
}
