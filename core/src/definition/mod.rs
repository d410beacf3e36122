//! A workflow as data: steps, actions, deadlines, ladders and effects, read from TOML and checked
//! as a whole. Must never hold a rule that a customer could want otherwise.
//!
//! Each file knows only those before it: classes and words, citations, conditions, privacy, an
//! example of a form, what is said of one and what its schema may say, forms, actions, deadlines,
//! the model of all of them, who may do what and where it leads, its checks, its reading, and what
//! is kept of many.

mod class;
mod vocabulary;

mod basis;
mod predicate;

mod privacy;

mod example;
mod said;
mod schema;

mod form;

mod action;
mod deadline;

mod model;

mod permission;
mod ways;

mod check;

mod read;

mod library;
mod shelf;

pub use action::{Action, CardStep, Case, DateCheck, Extension, Finish, Next, Stage, Tallying};
pub use basis::{Basis, BasisText, read_basis_texts};
pub use check::FLAGS_FROM_OUTSIDE;
pub use class::class_title;
pub use deadline::{DeadlineRule, Kind, Rung, RungAt, Start};
pub use form::{FUTURE_MS_MAX, FieldFault, Form};
pub use library::{Library, LibraryError, Text};
pub use model::{Definition, DomainEvent, ENGINE_LEVEL, Effect, Pin, StandIn, Step, Tally};
pub use predicate::{Guard, Predicate};
pub use read::read_definition;
pub use shelf::{Shelf, ShelfError};
pub use vocabulary::{CardKind, EffectKind, Finding, Notice, Outcome, Status};
pub use ways::Ways;
