//! What the JSON Schema of a form may say, and what it must, besides being a sound one. Must never
//! let through a form whose fields mean something else than they say where they say it.

use serde_json::Value;

use super::privacy;
use crate::echo::{LINE, is_line};

/// Notes every fault, each with the key that is to blame.
pub(super) fn check(schema: &Value, note: &mut impl FnMut(&str, String)) {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if schema.get("type") != Some(&Value::from("object")) || !closed {
        note("type", "表单须是封闭的对象：type 为 object，additionalProperties 为 false".into());
    }
    if schema.get("$schema").is_some_and(|dialect| *dialect != DIALECT) {
        note("$schema", format!("表单须用 {DIALECT}"));
    }
    check_keywords(schema, true, note);
    check_fields(schema, note);
    match schema.get("title").and_then(Value::as_str) {
        None | Some("") => note("title", "表单须有标题（title）".into()),
        Some(title) if !is_line(title) => note("title", LINE.to_owned()),
        Some(_) => {}
    }
}

/// The one dialect of forms: what is proven of a field holds in this one.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords that would let a form mean something else than it says where it says it.
const FORBIDDEN: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$dynamicRef",
    "$anchor",
    "$defs",
    "definitions",
    "patternProperties",
    "unevaluatedProperties",
    "propertyNames",
];

fn check_keywords(schema: &Value, is_root: bool, note: &mut impl FnMut(&str, String)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let is_dialect = is_root && key == "$schema";
                if FORBIDDEN.contains(&key.as_str()) && !is_dialect {
                    note(key, format!("表单不得使用 {key}"));
                }
                check_keywords(value, false, note);
            }
        }
        Value::Array(values) => values.iter().for_each(|one| check_keywords(one, false, note)),
        _ => {}
    }
}

/// What a schema must say of a field, besides being sound: objects are closed, lists and private
/// texts have a limit, and nothing is called public that is not proven to be a code.
fn check_fields(schema: &Value, note: &mut impl FnMut(&str, String)) {
    for (name, property) in privacy::properties(schema) {
        check_field(name, property, note);
    }
}

fn check_field(path: &str, field: &Value, note: &mut impl FnMut(&str, String)) {
    if field.get("title").and_then(Value::as_str).is_some_and(|title| !is_line(title)) {
        note(path, format!("title {LINE}"));
    }
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
