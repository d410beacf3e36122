//! Forms of actions: JSON Schema, and which of their fields are private. Must never let free text
//! or personal data into the part of a form that goes into history.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::privacy::{self, Shape, Time};
use super::schema::{self, Places};
use super::{example, said};
use crate::document::{self, Fault};
use crate::limits::{FAULTS_MAX, FORM_BYTES_MAX};
use crate::name::Name;
use crate::time::{Day, Instant, YEARS};
use crate::unique::{self, Malformed};

/// How far a claim may lie in the future: clocks differ, forms are filled in on somebody's phone.
pub const FUTURE_MS_MAX: i64 = 5 * 60_000;

/// A form: a JSON Schema. What it does not prove to be a code is private.
#[derive(Debug)]
pub struct Form {
    /// Its name.
    pub name: Name,
    /// Its Chinese title.
    pub title: String,
    /// The schema as published.
    pub schema: Value,
    /// The file's text, part of a definition's hash.
    pub text: String,
    shape: Shape,
    validator: jsonschema::Validator,
}

/// What is wrong with one field of a filled-in form.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldFault {
    /// The field as a JSON pointer; empty for the form as a whole.
    pub field: String,
    /// What is wrong and what is allowed, in Chinese.
    pub message: String,
    /// What the form calls the field; empty where that is not known.
    #[serde(skip)]
    pub title: String,
}

impl FieldFault {
    /// A fault of a field, by its JSON pointer.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), title: String::new() }
    }
}

impl Form {
    /// Reads a form from the text of its JSON Schema.
    ///
    /// # Errors
    /// Every fault of the file: bad JSON, a schema that is none, a field without limits, one
    /// that is called public without being provably a code.
    pub fn read(name: Name, file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let fault = |line: usize, key: &str, message: String| {
            vec![Fault { file: file.to_owned(), line, key: key.to_owned(), message }]
        };
        let schema = unique::read(text).map_err(|Malformed { what, line, column }| {
            fault(line, "", format!("{what}：第 {column} 列附近"))
        })?;
        if !schema.is_object() {
            return Err(fault(
                1,
                "",
                "文件内容应为一个 JSON 对象，即表单的 JSON Schema".to_owned(),
            ));
        }
        let (mut faults, places) = (Vec::new(), Places::new(text));
        let mut note = |place: &str, message: String| {
            document::note(&mut faults, || fault_at(file, &places, place, message));
        };
        schema::check(&schema, &mut note);
        let title = schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        let validator = validator(&schema).map_err(|error| error.instance_path().to_string());
        if let Err(place) = &validator {
            let message = "不合 JSON Schema（2020-12）的规定";
            let fault = fault_at(file, &places, place, message.to_owned());
            // What has been said already is not said again in other words.
            let is_known = |known: &Fault| fault.key.is_empty() || known.key == fault.key;
            if !faults.iter().any(is_known) {
                document::note(&mut faults, || fault);
            }
        }
        match validator {
            Ok(validator) if faults.is_empty() => {
                let shape = Shape::of(&schema);
                Ok(Self { name, title, schema, text: text.to_owned(), shape, validator })
            }
            _ => Err(document::told(faults)),
        }
    }

    /// Asks more of a file than of a text that tickets are pinned to already: documents show forms
    /// filled in, nobody but its author knows what a pattern means, and a mark that is misspelt says
    /// nothing.
    ///
    /// # Errors
    /// Each mark that is none; the field of which no good example can be given.
    pub fn fit_for_a_file(self, file: &str) -> Result<Self, Vec<Fault>> {
        let (mut faults, places) = (Vec::new(), Places::new(&self.text));
        let mut note = |place: &str, message: String| {
            document::note(&mut faults, || fault_at(file, &places, place, message));
        };
        schema::check_marks("", &self.schema, &mut note);
        let example = self.example();
        if let Some(error) = self.validator.iter_errors(&example).next() {
            let pointer = error.instance_path().to_string();
            let title = self.title_of(&pointer).unwrap_or(&self.title);
            let message = format!("“{title}”推不出合格的示例，请为它写 examples");
            note(&self.place_of(&pointer), message);
        }
        if faults.is_empty() { Ok(self) } else { Err(document::told(faults)) }
    }

    /// Where the schema describes a field of a filled-in form; both as JSON pointers.
    fn place_of(&self, pointer: &str) -> String {
        let mut place = String::new();
        let mut schema = Some(&self.schema);
        for segment in schema::steps(pointer) {
            let is_field = schema.is_some_and(|schema| {
                schema.get("properties").is_some_and(|fields| fields.get(&segment).is_some())
            });
            let into = if is_field { "properties" } else { "items" };
            place = schema::step(&place, into);
            if is_field {
                place = schema::step(&place, &segment);
            }
            schema = schema.and_then(|schema| inner(schema, &segment));
        }
        place
    }

    /// The form's top-level properties.
    #[must_use]
    pub fn has_field(&self, field: &str) -> bool {
        self.property(field).is_some()
    }

    /// The values that an `enum` property allows, or the items of a list; none for others.
    #[must_use]
    pub fn choices(&self, field: &str) -> Option<Vec<&str>> {
        let property = self.property(field)?;
        let values = property.get("items").unwrap_or(property).get("enum")?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    /// Whether a property is a code, which history may show.
    #[must_use]
    pub fn is_code(&self, field: &str) -> bool {
        self.shape.field(field).is_some_and(|field| field.is_code)
    }

    /// Whether a property is of this `format`.
    #[must_use]
    pub fn is_format(&self, field: &str, format: &str) -> bool {
        self.property(field).and_then(|property| property.get("format")) == Some(&format.into())
    }

    /// What the form calls a field, by its JSON pointer: the innermost that has a title.
    #[must_use]
    pub fn title_of(&self, pointer: &str) -> Option<&str> {
        let mut title = None;
        let mut schema = Some(&self.schema);
        for segment in pointer.split('/').skip(1) {
            schema = schema.and_then(|schema| inner(schema, segment));
            title = schema.and_then(|schema| schema.get("title")?.as_str()).or(title);
        }
        title
    }

    /// The schema of a field, by its JSON pointer.
    fn described(&self, pointer: &str) -> Option<&Value> {
        pointer.split('/').skip(1).try_fold(&self.schema, inner)
    }

    fn property(&self, field: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(field)
    }

    /// An example of a filled-in form, with nothing in it that need not be.
    #[must_use]
    pub fn example(&self) -> Value {
        example::of(&self.schema)
    }

    /// A form that says what history shows of one, with examples in place of its private part: a
    /// decision cannot tell the two apart. Has no private part if `is_sealed` is false and none is
    /// asked for.
    #[must_use]
    pub fn around(&self, codes: &BTreeMap<Name, Value>, is_sealed: bool) -> Value {
        let known = codes.iter().map(|(name, value)| (name.to_string(), value.clone()));
        let mut filled = example::around(&self.schema, &Value::Object(known.collect()));
        if is_sealed && self.split(&filled).1.is_none() {
            let private = privacy::properties(&self.schema);
            let private = private.filter(|(name, _)| !self.is_code(name));
            let mut missing = private.filter(|(name, _)| filled.get(name).is_none());
            if let Some((name, schema)) = missing.next() {
                let (name, value) = (name.clone(), example::of(schema));
                filled[name] = value;
            }
        }
        filled
    }

    /// Checks a filled-in form: the schema, and that no claimed instant lies after `at`.
    ///
    /// # Errors
    /// Every fault, in order of the fields.
    pub fn check(&self, filled: &Value, at: Instant) -> Result<(), Vec<FieldFault>> {
        if weight(filled) > FORM_BYTES_MAX {
            let message = format!("表单内容过长：不得超过 {} KiB", FORM_BYTES_MAX / 1024);
            return Err(vec![FieldFault::new("", message)]);
        }
        let mut faults: Vec<FieldFault> = self
            .validator
            .iter_errors(filled)
            .take(FAULTS_MAX)
            .map(|error| {
                let field = known_path(&self.shape, &place(&error));
                let message = said::of(&error, self.described(&field));
                FieldFault::new(field, message)
            })
            .collect();
        let mut claims = Vec::new();
        check_claims(&self.shape, filled, &mut String::new(), at, &mut claims);
        claims.retain(|claim| faults.iter().all(|fault| fault.field != claim.field));
        faults.append(&mut claims);
        faults.sort_by(|a, b| (&a.field, &a.message).cmp(&(&b.field, &b.message)));
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The form with every claim as an instant and nothing more, taken as `at` if it lies after it.
    #[must_use]
    pub fn taken_at<'v>(&self, filled: &'v Value, at: Instant) -> Cow<'v, Value> {
        if !differs(&self.shape, filled, at) {
            return Cow::Borrowed(filled);
        }
        let mut taken = filled.clone();
        take_claims(&self.shape, &mut taken, at);
        Cow::Owned(taken)
    }

    /// Splits a filled-in form into what history may show and what stays private. A private field
    /// is left out of the first whole.
    #[must_use]
    pub fn split(&self, filled: &Value) -> (BTreeMap<Name, Value>, Option<Value>) {
        let (public, private) = self.shape.split(filled);
        let fields = match public {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let public = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        (public, private)
    }
}

/// A field of an object, or what the items of a list are.
fn inner<'s>(schema: &'s Value, segment: &str) -> Option<&'s Value> {
    match schema.get("properties").and_then(|fields| fields.get(segment)) {
        Some(field) => Some(field),
        None => schema.get("items"),
    }
}

/// A fault of a schema, at a place in it.
fn fault_at(file: &str, places: &Places<'_>, place: &str, message: String) -> Fault {
    let (line, key) = (places.line_of(place), schema::named(place));
    Fault { file: file.to_owned(), line, key, message }
}

fn validator(
    schema: &Value,
) -> Result<jsonschema::Validator, jsonschema::ValidationError<'static>> {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    options.should_validate_formats(true).build(schema)
}

/// Every date-time of a form is a claim about the past: it may lie a little in the future, because
/// clocks differ, and is then taken as now.
fn check_claims(
    shape: &Shape,
    filled: &Value,
    path: &mut String,
    at: Instant,
    faults: &mut Vec<FieldFault>,
) {
    if let Some(fields) = filled.as_object() {
        for (name, field) in &shape.fields {
            let Some(value) = fields.get(name) else { continue };
            let length = path.len();
            path.push('/');
            path.push_str(name);
            check_claims(field, value, path, at, faults);
            path.truncate(length);
        }
        return;
    }
    if let (Some(items), Some(filled)) = (&shape.items, filled.as_array()) {
        for value in filled {
            check_claims(items, value, path, at, faults);
        }
        return;
    }
    let Some(text) = filled.as_str() else { return };
    let message = if shape.time == Some(Time::Claim) {
        match text.parse::<Instant>() {
            Ok(claimed) if claimed > at.plus_ms(FUTURE_MS_MAX) => {
                format!("不能是将来的时间（现在是 {}）", at.said())
            }
            Ok(_) => return,
            Err(_) => format!("不是时间，或年份不在 {} 至 {} 之间", YEARS.start(), YEARS.end()),
        }
    } else if shape.time == Some(Time::Date) && text.parse::<Day>().is_err() {
        format!("不是日期，或年份不在 {} 至 {} 之间", YEARS.start(), YEARS.end())
    } else {
        return;
    };
    faults.push(FieldFault::new(path.clone(), message));
}

/// Whether some claim is not taken as it was sent.
fn differs(shape: &Shape, filled: &Value, at: Instant) -> bool {
    match filled {
        Value::Object(fields) => shape
            .fields
            .iter()
            .any(|(name, field)| fields.get(name).is_some_and(|value| differs(field, value, at))),
        Value::Array(values) => {
            let items = shape.items.as_deref();
            items.is_some_and(|items| values.iter().any(|value| differs(items, value, at)))
        }
        Value::String(text) if shape.time == Some(Time::Claim) => {
            taken(text, at).is_some_and(|taken| taken != *text)
        }
        _ => false,
    }
}

/// A claim as it is taken; none if the text is no instant.
fn taken(text: &str, at: Instant) -> Option<String> {
    let claimed = text.parse::<Instant>().ok()?;
    Some(claimed.min(at).to_string())
}

/// Every claim as history writes an instant, and not after `at`: what is more than an instant in the
/// text that was sent (RFC 3339 allows any number of digits) is no claim and is not kept.
fn take_claims(shape: &Shape, filled: &mut Value, at: Instant) {
    match filled {
        Value::Object(fields) => {
            for (name, field) in &shape.fields {
                if let Some(value) = fields.get_mut(name) {
                    take_claims(field, value, at);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = &shape.items {
                for value in values {
                    take_claims(items, value, at);
                }
            }
        }
        Value::String(text) if shape.time == Some(Time::Claim) => {
            if let Some(taken) = taken(text, at) {
                *text = taken;
            }
        }
        _ => {}
    }
}

/// Where a fault is: what is missing is named as if it were there.
fn place(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    let place = error.instance_path().as_str();
    match error.kind() {
        Kind::Required { property } => {
            format!("{place}/{}", property.as_str().unwrap_or_default())
        }
        _ => place.to_owned(),
    }
}

/// The part of a JSON pointer that the form itself knows: what comes after may have been sent.
fn known_path(shape: &Shape, pointer: &str) -> String {
    let mut known = String::new();
    let mut shape = Some(shape);
    for segment in pointer.split('/').skip(1) {
        let field = shape.and_then(|shape| shape.field(segment));
        let item = shape.filter(|_| segment.bytes().all(|byte| byte.is_ascii_digit()));
        let item = item.and_then(|shape| shape.items.as_deref());
        let Some(inner) = field.or(item) else { break };
        known.push('/');
        known.push_str(segment);
        shape = Some(inner);
    }
    known
}

/// About the bytes of a form as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => 2 + values.iter().map(|value| 1 + weight(value)).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>()
        }
        _ => 8,
    }
}
