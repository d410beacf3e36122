//! Floor 0: what happens to a ticket, as functions of their arguments.
//!
//! Must never do IO, read a clock, draw a random number or await: the server, the simulator, the
//! prover and the tests all call the same code and must get the same bytes.

pub mod apply;
pub mod calendar;
pub mod command;
pub mod deadline;
pub mod decide;
pub mod definition;
pub mod digest;
pub mod document;
pub mod echo;
pub mod event;
pub mod evidence;
pub mod instance;
pub mod limits;
pub mod message;
pub mod name;
pub mod prove;
pub mod purpose;
pub mod reason;
pub mod rejection;
pub mod role;
pub mod simulate;
pub mod snapshot;
pub mod system;
pub mod ticket_id;
pub mod time;
pub mod unique;
mod words;
