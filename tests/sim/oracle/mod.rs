//! The oracle: what a ticket should be, written a second time and apart from the program.
//!
//! Slow and plain on purpose. Must never import anything of the program: it reads the calendar
//! files by itself and knows the two workflows by heart, not from their definitions.

pub(crate) mod almanac;
mod clocks;
mod events;
mod forms;
mod permits;
mod rules;
mod schedule;
pub(crate) mod ticket;
mod work;
