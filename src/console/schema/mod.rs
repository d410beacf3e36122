//! The form of an action, out of its JSON Schema: what is asked, drawn as fields, read back as the JSON
//! that the API takes. Must never decide whether a form is right: the API does.

mod draw;
mod read;

use serde_json::Value;

pub(super) use draw::{Choices, Draw};
pub(super) use read::{File, Files, Sent, material};

/// Longer texts get more than a line.
const LINE: u64 = 200;

/// A form.
pub(super) struct Form {
    pub(super) description: Option<String>,
    pub(super) fields: Vec<Field>,
}

/// A field, and what is asked in it.
pub(super) struct Field {
    /// JSON pointer of its place, and its name in the page.
    pub(super) pointer: String,
    title: String,
    description: Option<String>,
    is_required: bool,
    longest: Option<u64>,
    kind: Kind,
    needed: Vec<Needed>,
}

/// Where a field is required only if another one has one of these values.
struct Needed {
    by: String,
    among: Vec<String>,
}

/// What a field holds.
enum Kind {
    Line,
    Text,
    Number,
    Flag,
    Instant,
    Day,
    /// One of these: value and title.
    Choice(Vec<(String, String)>),
    /// Any of these.
    Several(Vec<(String, String)>),
    /// An agency's code.
    Agency,
    /// A card of the ticket.
    Card,
    /// Attachments by their digests.
    Files,
    Group(Vec<Field>),
}

impl Form {
    /// Reads a schema.
    pub(super) fn of(schema: &Value) -> Self {
        Self { description: text(schema, "description"), fields: fields(schema, "") }
    }

    /// Whether it may be sent empty.
    pub(super) fn needs_nothing(&self) -> bool {
        self.fields.iter().all(|field| !field.is_required)
    }
}

fn fields(schema: &Value, place: &str) -> Vec<Field> {
    let required = words(&schema["required"]);
    let conditions = conditions(schema, place);
    let all = schema["properties"].as_object().into_iter().flatten();
    let mut fields: Vec<Field> = all
        .map(|(name, one)| {
            let needed = conditions.iter().filter(|(field, _)| field == name);
            Field {
                pointer: format!("{place}/{name}"),
                title: text(one, "title").unwrap_or_else(|| name.clone()),
                description: text(one, "description"),
                is_required: required.contains(name),
                longest: one["maxLength"].as_u64(),
                kind: kind(one, name, &format!("{place}/{name}")),
                needed: needed
                    .map(|(_, (by, among))| Needed { by: by.clone(), among: among.clone() })
                    .collect(),
            }
        })
        .collect();
    // What must be filled in comes first, in the order of the schema.
    let place = |field: &Field| {
        let name = field.pointer.rsplit('/').next().unwrap_or_default();
        required.iter().position(|one| one == name).unwrap_or(usize::MAX)
    };
    fields.sort_by_key(place);
    fields
}

fn kind(schema: &Value, name: &str, place: &str) -> Kind {
    let items = &schema["items"];
    match schema["type"].as_str() {
        Some("object") => Kind::Group(fields(schema, place)),
        Some("array") if items["properties"]["sm3"].is_object() => Kind::Files,
        Some("array") => Kind::Several(choices(items)),
        Some("integer" | "number") => Kind::Number,
        Some("boolean") => Kind::Flag,
        _ if schema["enum"].is_array() => Kind::Choice(choices(schema)),
        _ if name == "agency" || name.ends_with("_agency") => Kind::Agency,
        _ if name == "card" => Kind::Card,
        _ => match schema["format"].as_str() {
            Some("date-time") => Kind::Instant,
            Some("date") => Kind::Day,
            _ if schema["maxLength"].as_u64().is_some_and(|longest| longest > LINE) => Kind::Text,
            _ => Kind::Line,
        },
    }
}

/// Values with their titles.
fn choices(schema: &Value) -> Vec<(String, String)> {
    let titled = |value: String| {
        let title = schema["x-titles"][&value].as_str().unwrap_or(&value).to_owned();
        (value, title)
    };
    words(&schema["enum"]).into_iter().map(titled).collect()
}

/// What is required only under a condition on one other field: the name of the field, the pointer of
/// the other, and its values.
fn conditions(schema: &Value, place: &str) -> Vec<(String, (String, Vec<String>))> {
    let mut found = Vec::new();
    for rule in schema["allOf"].as_array().into_iter().flatten() {
        let Some(conditions) = rule["if"]["properties"].as_object() else { continue };
        let Some((by, condition)) = conditions.iter().next().filter(|_| conditions.len() == 1)
        else {
            continue;
        };
        let among = match condition["const"].as_str() {
            Some(value) => vec![value.to_owned()],
            None => words(&condition["enum"]),
        };
        for field in words(&rule["then"]["required"]) {
            found.push((field, (format!("{place}/{by}"), among.clone())));
        }
    }
    found
}

fn text(schema: &Value, key: &str) -> Option<String> {
    schema[key].as_str().map(str::to_owned)
}

fn words(all: &Value) -> Vec<String> {
    let all = all.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
}
