//! The oracle: a ticket's life told day by day over plain lists, written from the regulation, our
//! answers and the state machines. Must never import anything of the program, nor read its
//! definitions: what it knows of them it knows by heart.

pub(crate) mod almanac;
mod book;
mod clock;
mod days;
mod deeds;
mod follows;
mod law;
mod paper;
pub(crate) mod ticket;
