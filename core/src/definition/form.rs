//! Forms of actions: JSON Schema, and which of their fields are private. Must never let free text
//! or personal data into the part of a form that goes into history.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::privacy::{self, Shape, Time};
use crate::document::Fault;
use crate::limits::FORM_BYTES_MAX;
use crate::name::Name;
use crate::time::{Day, Instant, YEARS};

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
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| fault(error.line().max(1), "", format!("JSON 语法有误：{error}")))?;
        let mut faults = Vec::new();
        let mut note = |key: &str, message: String| {
            let line = line_of(text, key);
            faults.push(Fault { file: file.to_owned(), line, key: key.to_owned(), message });
        };
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if schema.get("type") != Some(&Value::from("object")) || !closed {
            note(
                "type",
                "表单须是封闭的对象：type 为 object，additionalProperties 为 false".into(),
            );
        }
        check_fields(&schema, &mut note);
        let title = schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        if title.is_empty() {
            note("title", "表单须有标题（title）".into());
        }
        let validator = match jsonschema::options().should_validate_formats(true).build(&schema) {
            Ok(validator) => Some(validator),
            Err(error) => {
                note("", format!("不是有效的 JSON Schema：{error}"));
                None
            }
        };
        match validator {
            Some(validator) if faults.is_empty() => {
                let shape = Shape::of(&schema);
                Ok(Self { name, title, schema, text: text.to_owned(), shape, validator })
            }
            _ => Err(faults),
        }
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

    /// Whether a property is of this `format`.
    #[must_use]
    pub fn is_format(&self, field: &str, format: &str) -> bool {
        self.property(field).and_then(|property| property.get("format")) == Some(&format.into())
    }

    fn property(&self, field: &str) -> Option<&Value> {
        self.schema.get("properties")?.get(field)
    }

    /// Checks a filled-in form: the schema, and that no claimed instant lies after `at`.
    ///
    /// # Errors
    /// Every fault, in order of the fields.
    pub fn check(&self, filled: &Value, at: Instant) -> Result<(), Vec<FieldFault>> {
        if weight(filled) > FORM_BYTES_MAX {
            let message = format!("表单内容过长：不得超过 {} KiB", FORM_BYTES_MAX / 1024);
            return Err(vec![FieldFault { field: String::new(), message }]);
        }
        let mut faults: Vec<FieldFault> = self
            .validator
            .iter_errors(filled)
            .map(|error| FieldFault {
                field: error.instance_path().to_string(),
                message: say(&error),
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

    /// The form with every claim that lies after `at` taken as `at`.
    #[must_use]
    pub fn taken_at<'v>(&self, filled: &'v Value, at: Instant) -> Cow<'v, Value> {
        if !lies_ahead(&self.shape, filled, at) {
            return Cow::Borrowed(filled);
        }
        let mut taken = filled.clone();
        clamp(&self.shape, &mut taken, at);
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

/// The line on which a key first stands, 1 if nowhere.
fn line_of(text: &str, key: &str) -> usize {
    let quoted = format!("\"{}\"", key.rsplit('.').next().unwrap_or(key));
    let found = text.lines().position(|line| line.contains(&quoted));
    found.map_or(1, |index| index + 1)
}

/// What a schema must say of a field, besides being sound: objects are closed, lists and private
/// texts have a limit, and nothing is called public that is not proven to be a code.
fn check_fields(schema: &Value, note: &mut impl FnMut(&str, String)) {
    for (name, property) in privacy::properties(schema) {
        check_field(name, property, note);
    }
}

fn check_field(path: &str, field: &Value, note: &mut impl FnMut(&str, String)) {
    let kind = field.get("type").and_then(Value::as_str);
    let is_code = privacy::is_code(field);
    if field.get("x-private") == Some(&Value::Bool(false)) && !is_code {
        let message = "不能证明该字段是代码（enum、const、date、date-time、有界的 pattern 或数值），\
                       只能作为私密内容保存，不得标明 x-private 为 false";
        note(path, message.into());
    }
    match kind {
        Some("string") if !is_code && field.get("maxLength").is_none() => {
            note(path, "自由文本须有长度上限（maxLength）".into());
        }
        Some("object") => {
            if !privacy::is_closed_object(field) {
                note(path, "对象须封闭（additionalProperties 为 false）".into());
            }
            for (name, property) in privacy::properties(field) {
                check_field(&format!("{path}.{name}"), property, note);
            }
        }
        Some("array") => {
            if field.get("maxItems").is_none() {
                note(path, "列表须有个数上限（maxItems）".into());
            }
            if let Some(items) = field.get("items") {
                check_field(path, items, note);
            }
        }
        Some("string" | "integer" | "boolean" | "number") => {}
        _ => note(path, "字段须写明 type".into()),
    }
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
                format!("不能是将来的时间（现在是 {at}）")
            }
            Ok(_) => return,
            Err(_) => format!("不是时刻，或年份不在 {} 至 {} 之间", YEARS.start(), YEARS.end()),
        }
    } else if shape.time == Some(Time::Date) && text.parse::<Day>().is_err() {
        format!("不是日期，或年份不在 {} 至 {} 之间", YEARS.start(), YEARS.end())
    } else {
        return;
    };
    faults.push(FieldFault { field: path.clone(), message });
}

/// Whether some claim lies after `at`.
fn lies_ahead(shape: &Shape, filled: &Value, at: Instant) -> bool {
    match filled {
        Value::Object(fields) => shape.fields.iter().any(|(name, field)| {
            fields.get(name).is_some_and(|value| lies_ahead(field, value, at))
        }),
        Value::Array(values) => {
            let items = shape.items.as_deref();
            items.is_some_and(|items| values.iter().any(|value| lies_ahead(items, value, at)))
        }
        Value::String(text) => {
            let is_claim = shape.time == Some(Time::Claim);
            is_claim && text.parse::<Instant>().is_ok_and(|claimed| claimed > at)
        }
        _ => false,
    }
}

/// Claims that lie after `at` become `at`.
fn clamp(shape: &Shape, filled: &mut Value, at: Instant) {
    match filled {
        Value::Object(fields) => {
            for (name, field) in &shape.fields {
                if let Some(value) = fields.get_mut(name) {
                    clamp(field, value, at);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = &shape.items {
                for value in values {
                    clamp(items, value, at);
                }
            }
        }
        Value::String(text)
            if shape.time == Some(Time::Claim)
                && text.parse::<Instant>().is_ok_and(|claimed| claimed > at) =>
        {
            *text = at.to_string();
        }
        _ => {}
    }
}

/// The bytes of the texts of a form.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        _ => 8,
    }
}

/// The fault as a person reads it. Never repeats the value: it may be personal data.
fn say(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    match error.kind() {
        Kind::Required { property } => {
            format!("缺少 {}", property.as_str().unwrap_or_default())
        }
        Kind::AdditionalProperties { .. } => "含有表单没有的字段".to_owned(),
        Kind::Enum { options } => {
            let words = options.as_array().into_iter().flatten().filter_map(Value::as_str);
            format!("取值应为：{}", words.collect::<Vec<_>>().join("、"))
        }
        Kind::Constant { expected_value } => format!("取值应为：{expected_value}"),
        Kind::Type { .. } => "类型不对".to_owned(),
        Kind::Format { format } => match format.as_str() {
            "date-time" => "应为带时区的时刻，例如 2026-02-13T16:30:00+08:00".to_owned(),
            "date" => "应为日期，例如 2026-02-14".to_owned(),
            other => format!("格式应为 {other}"),
        },
        Kind::Pattern { pattern } => format!("格式应为 {pattern}"),
        Kind::MaxLength { limit } => format!("不得超过 {limit} 个字"),
        Kind::MinLength { limit } => format!("不得少于 {limit} 个字"),
        Kind::MaxItems { limit } => format!("不得超过 {limit} 项"),
        Kind::MinItems { limit } => format!("不得少于 {limit} 项"),
        Kind::UniqueItems => "各项不得重复".to_owned(),
        Kind::FalseSchema => "此处不得填写".to_owned(),
        _ => "不符合表单要求".to_owned(),
    }
}
