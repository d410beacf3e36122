//! The rows as sea-orm reads them, one table a file; what the columns mean stands in `migrations`.
//! Must never be seen outside `store`.

#![expect(unreachable_pub, reason = "the derive writes public items")]

pub(super) mod attachment;
pub(super) mod card;
pub(super) mod commit_log;
pub(super) mod deadline;
pub(super) mod definition;
pub(super) mod event;
pub(super) mod idempotency;
pub(super) mod incident;
pub(super) mod outbox;
pub(super) mod personal_data;
pub(super) mod publication;
pub(super) mod review;
pub(super) mod secret;
pub(super) mod snapshot;
pub(super) mod ticket;
pub(super) mod token;
