//! Floor 0: what happens to a ticket, as functions of their arguments.
//!
//! Must never do IO, read a clock, draw a random number or await: the server, the simulator, the
//! prover and the tests all call the same code and must get the same bytes.

pub mod document;
pub mod name;
pub mod time;
