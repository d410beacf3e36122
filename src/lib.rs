//! duban (督办): each bad review of a government service runs as a durable workflow with
//! business-day deadlines. `ARCHITECTURE.md` tells the floors and the invariants.

pub mod access;
pub mod activities;
pub mod audit;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod crypto;
pub mod engine;
pub mod http;
pub mod jobs;
pub mod masking;
pub mod replay;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod wake;
