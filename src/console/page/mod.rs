//! The pages, one a file.

pub(super) mod board;
pub(super) mod home;
pub(super) mod live;
pub(super) mod missing;
pub(super) mod queue;
pub(super) mod ticket;
