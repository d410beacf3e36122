//! The shapes of what the core writes (events, days, forms), which nothing derives. Must never be
//! looser than what is written.

use std::borrow::Cow;

use duban_core::calendar::Certainty;
use duban_core::deadline::{CardState, LedgerReason};
use duban_core::definition::{CardKind, Finding, Kind, Notice, Outcome, Status};
use duban_core::purpose::Purpose;
use duban_core::role::{Party, Role};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::view::event::EventView;

/// Declares names of shapes that endpoints refer to.
macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident),+) => {
        $($(#[$doc])* pub(crate) struct $name; refers!($name);)+
    };
}

/// A type of which the document knows the name; what stands under it comes from the file.
macro_rules! refers {
    ($name:ident) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Object::new().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

shapes! {
    /// What a message is about.
    About,
    /// A day of the walk to a due date.
    ExplainedDay,
    /// JSON Schema of a form.
    Form,
    /// A change of a due date.
    LedgerEntry,
    /// A review's codes.
    ReviewCodes,
    /// The filled-in form of some action.
    Filled
}

refers!(EventView);

const SHAPES: &str = include_str!("shapes.json");

/// Adds the shapes to a document, and the closed sets of words that they are made of.
pub(super) fn add(document: &mut Value) {
    let shapes: Value = serde_json::from_str(SHAPES).unwrap_or_default();
    let schemas = &mut document["components"]["schemas"];
    for (name, shape) in shapes.as_object().into_iter().flatten() {
        schemas[name] = shape.clone();
    }
    macro_rules! words {
        ($($name:literal = $words:ty),+ $(,)?) => {
            $(schemas[$name] = {
                let words = <$words>::ALL.iter().map(|one| one.word());
                let titles = <$words>::ALL.iter().map(|one| format!("{}（{}）", one.word(), one.title()));
                let titles = titles.collect::<Vec<_>>().join("、");
                json!({"type": "string", "description": titles, "enum": words.collect::<Vec<_>>()})
            };)+
        };
    }
    words! {
        "CardKind" = CardKind,
        "CardState" = CardState,
        "Certainty" = Certainty,
        "DeadlineKind" = Kind,
        "Finding" = Finding,
        "LedgerReason" = LedgerReason,
        "Notice" = Notice,
        "Outcome" = Outcome,
        "Party" = Party,
        "Purpose" = Purpose,
        "Role" = Role,
        "Status" = Status,
    }
}
