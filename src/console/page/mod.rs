//! The pages, one a file.

pub(super) mod board;
pub(super) mod bulk;
pub(super) mod compare;
pub(super) mod desk;
pub(super) mod home;
pub(super) mod house;
pub(super) mod live;
pub(super) mod missing;
pub(super) mod queue;
pub(super) mod registers;
pub(super) mod rules;
pub(super) mod ticket;
pub(super) mod tonight;
