//! Forms of actions: JSON Schema, and which of their fields are private. Must never let free text
//! or personal data into the part of a form that goes into history.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::Fault;
use crate::name::Name;
use crate::time::Instant;

/// A form: a JSON Schema whose string properties are either codes or marked `x-private`.
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
    /// Every fault of the file: bad JSON, a schema that is none, a text field that is neither a
    /// code nor private.
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
                Ok(Self { name, title, schema, text: text.to_owned(), validator })
            }
            _ => Err(faults),
        }
    }

    /// The form's top-level properties.
    #[must_use]
    pub fn has_field(&self, field: &str) -> bool {
        self.property(field).is_some()
    }

    /// The values that an `enum` property allows; none for other properties.
    #[must_use]
    pub fn choices(&self, field: &str) -> Option<Vec<&str>> {
        let values = self.property(field)?.get("enum")?.as_array()?;
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
        let mut faults: Vec<FieldFault> = self
            .validator
            .iter_errors(filled)
            .map(|error| FieldFault {
                field: error.instance_path().to_string(),
                message: say(&error),
            })
            .collect();
        check_claims(&self.schema, filled, &mut String::new(), at, &mut faults);
        faults.sort_by(|a, b| (&a.field, &a.message).cmp(&(&b.field, &b.message)));
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Splits a filled-in form into what history may show and what stays private. A private field
    /// is left out of the first whole.
    #[must_use]
    pub fn split(&self, filled: &Value) -> (BTreeMap<Name, Value>, Value) {
        let (public, private) = split(&self.schema, filled);
        let fields = match public {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let public = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        (public, private.unwrap_or(Value::Null))
    }
}

/// The line on which a key first stands, 1 if nowhere.
fn line_of(text: &str, key: &str) -> usize {
    let quoted = format!("\"{}\"", key.rsplit('.').next().unwrap_or(key));
    let found = text.lines().position(|line| line.contains(&quoted));
    found.map_or(1, |index| index + 1)
}

/// Every text field is a code, or private: free text must not slip into history.
fn check_fields(schema: &Value, note: &mut impl FnMut(&str, String)) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        check_field(name, property, note);
    }
}

fn check_field(path: &str, field: &Value, note: &mut impl FnMut(&str, String)) {
    match field.get("type").and_then(Value::as_str) {
        Some("string") => {
            let code =
                ["enum", "const", "format", "pattern"].iter().any(|key| field.get(key).is_some());
            let private = field.get("x-private") == Some(&Value::Bool(true));
            if code == private {
                let message =
                    "文本字段须是代码（enum、const、format 或 pattern）或标明 x-private，二者取一";
                note(path, message.into());
            }
            if private && field.get("maxLength").is_none() {
                note(path, "自由文本须有长度上限（maxLength）".into());
            }
        }
        Some("object") => {
            if field.get("additionalProperties") != Some(&Value::Bool(false)) {
                note(path, "对象须封闭（additionalProperties 为 false）".into());
            }
            let properties = field.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
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
        Some("integer" | "boolean" | "number") => {}
        _ => note(path, "字段须写明 type".into()),
    }
}

fn split(schema: &Value, filled: &Value) -> (Option<Value>, Option<Value>) {
    if schema.get("x-private") == Some(&Value::Bool(true)) {
        return (None, Some(filled.clone()));
    }
    let (Some(properties), Some(fields)) =
        (schema.get("properties").and_then(Value::as_object), filled.as_object())
    else {
        return (Some(filled.clone()), None);
    };
    let (mut public, mut private) = (Map::new(), Map::new());
    for (name, value) in fields {
        // An unknown field is refused by the schema before; were it not, it would stay private.
        let (shown, kept) = match properties.get(name) {
            Some(property) => split(property, value),
            None => (None, Some(value.clone())),
        };
        shown.map(|shown| public.insert(name.clone(), shown));
        kept.map(|kept| private.insert(name.clone(), kept));
    }
    let private = (!private.is_empty()).then_some(Value::Object(private));
    (Some(Value::Object(public)), private)
}

/// Every date-time of a form is a claim about the past.
fn check_claims(
    schema: &Value,
    filled: &Value,
    path: &mut String,
    at: Instant,
    faults: &mut Vec<FieldFault>,
) {
    if let (Some(properties), Some(fields)) =
        (schema.get("properties").and_then(Value::as_object), filled.as_object())
    {
        for (name, value) in fields {
            let length = path.len();
            path.push('/');
            path.push_str(name);
            if let Some(property) = properties.get(name) {
                check_claims(property, value, path, at, faults);
            }
            path.truncate(length);
        }
    } else if schema.get("format") == Some(&Value::from("date-time"))
        && let Some(text) = filled.as_str()
    {
        let message = match text.parse::<Instant>() {
            Ok(claimed) if claimed > at => format!("不能是将来的时间：{claimed} 晚于现在 {at}"),
            Ok(_) => return,
            Err(message) => message,
        };
        faults.push(FieldFault { field: path.clone(), message });
    } else if schema.get("format") == Some(&Value::from("date"))
        && let Some(text) = filled.as_str()
        && let Err(message) = text.parse::<crate::time::Day>()
    {
        faults.push(FieldFault { field: path.clone(), message });
    }
}

/// The fault as a person reads it. Never repeats the value: it may be personal data.
fn say(error: &jsonschema::ValidationError<'_>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    match error.kind() {
        Kind::Required { property } => {
            format!("缺少 {}", property.as_str().unwrap_or_default())
        }
        Kind::AdditionalProperties { unexpected } => {
            format!("不认识的字段：{}", unexpected.join("、"))
        }
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
