//! The floors above the core against real databases: what is true of one is true of both.

mod api;
mod attachments;
mod board;
mod canary;
mod conflicts;
mod database;
mod day;
mod demo;
mod document;
mod engine;
mod house;
mod keys;
mod limits;
mod lives;
mod matrix;
mod past;
mod published;
mod reviewer;
mod scenarios;
mod served;
mod starting;
mod store;
mod stream;
mod tampering;
mod tokens;
mod webhooks;
