//! What callers see of tickets: one shape each, made by one function that knows who looks. Must
//! never show an agency a ticket that it never had, nor anybody a reviewer unmasked.

pub(crate) mod commit;
pub(crate) mod deadline;
pub(crate) mod event;
pub(crate) mod forecast;
pub(crate) mod ticket;
pub(crate) mod told;
