//! What the JSON Schema of a form may say, and what it must, besides being a sound one. Must never
//! let through a form whose fields mean something else than they say where they say it.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::privacy;
use crate::document::{LINE, is_line};

/// Notes every fault, each with the place that is to blame: a JSON pointer into the schema.
pub(super) fn check(schema: &Value, note: &mut impl FnMut(&str, String)) {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if schema.get("type") != Some(&Value::from("object")) || !closed {
        note("/type", "表单须是封闭的对象：type 为 object，additionalProperties 为 false".into());
    }
    if schema.get("$schema").is_some_and(|dialect| *dialect != DIALECT) {
        note("/$schema", format!("表单须用 {DIALECT}"));
    }
    check_keywords("", schema, note);
    check_fields("", schema, note);
    match schema.get("title").and_then(Value::as_str) {
        None | Some("") => note("/title", "表单须有标题（title）".into()),
        Some(title) if !is_line(title) => note("/title", LINE.to_owned()),
        Some(_) => {}
    }
}

/// Notes what is asked of files besides: no mark that says nothing. One that is misspelt would leave
/// public what its author holds to be private.
pub(super) fn check_marks(at: &str, schema: &Value, note: &mut impl FnMut(&str, String)) {
    for (key, value) in schema.as_object().into_iter().flatten() {
        let place = format!("{at}/{key}");
        match (key.as_str(), value) {
            ("x-private", Value::Bool(_)) | ("x-titles", Value::Object(_)) => {}
            ("x-private", _) => note(&place, "应为 true 或 false".into()),
            ("x-titles", _) => note(&place, "应为一个对象：代码到名称".into()),
            (other, _) if other.starts_with("x-") => {
                note(&place, "没有这种标注；可用：x-private、x-titles".into());
            }
            _ => {}
        }
    }
    for (name, field) in privacy::properties(schema) {
        check_marks(&format!("{at}/properties/{name}"), field, note);
    }
    if let Some(items) = schema.get("items") {
        check_marks(&format!("{at}/items"), items, note);
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

fn check_keywords(at: &str, schema: &Value, note: &mut impl FnMut(&str, String)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let place = format!("{at}/{key}");
                let is_dialect = place == "/$schema";
                if FORBIDDEN.contains(&key.as_str()) && !is_dialect {
                    note(&place, format!("表单不得使用 {key}"));
                }
                check_keywords(&place, value, note);
            }
        }
        Value::Array(values) => {
            for (nr, value) in values.iter().enumerate() {
                check_keywords(&format!("{at}/{nr}"), value, note);
            }
        }
        _ => {}
    }
}

/// What a schema must say of a field, besides being sound: objects are closed, lists and private
/// texts have a limit, and nothing is called public that is not proven to be a code.
fn check_fields(at: &str, schema: &Value, note: &mut impl FnMut(&str, String)) {
    for (name, property) in privacy::properties(schema) {
        check_field(&format!("{at}/properties/{name}"), property, note);
    }
}

fn check_field(at: &str, field: &Value, note: &mut impl FnMut(&str, String)) {
    if field.get("title").and_then(Value::as_str).is_some_and(|title| !is_line(title)) {
        note(&format!("{at}/title"), LINE.to_owned());
    }
    let is_code = privacy::is_code(field);
    if field.get("x-private") == Some(&Value::Bool(false)) && !is_code {
        let message = "不能证明该字段是代码（enum、const、date、date-time、有界的 pattern 或数值），\
                       只能作为私密内容保存，不得标明 x-private 为 false";
        note(&format!("{at}/x-private"), message.into());
    }
    match field.get("type").map(|kind| kind.as_str().unwrap_or_default()) {
        Some("string") if !is_code && field.get("maxLength").is_none() => {
            note(at, "自由文本须有长度上限（maxLength）".into());
        }
        Some("object") => {
            if !privacy::is_closed_object(field) {
                note(at, "对象须封闭（additionalProperties 为 false）".into());
            }
            check_fields(at, field, note);
        }
        Some("array") => {
            if field.get("maxItems").is_none() {
                note(at, "列表须有个数上限（maxItems）".into());
            }
            if let Some(items) = field.get("items") {
                check_field(&format!("{at}/items"), items, note);
            }
        }
        Some("string" | "integer" | "boolean" | "number") => {}
        Some(_) => {
            let kinds = "应为 string、integer、number、boolean、array、object 之一";
            note(&format!("{at}/type"), kinds.into());
        }
        None => note(at, "字段须写明 type".into()),
    }
}

/// A place as a person calls it: the fields that lead to it, and the keyword, if there is one.
pub(super) fn named(pointer: &str) -> String {
    let mut segments = pointer.split('/').skip(1);
    let mut names = Vec::new();
    while let Some(segment) = segments.next() {
        match segment {
            "properties" => names.extend(segments.next()),
            "items" => {}
            keyword => names.push(keyword),
        }
    }
    names.join(".")
}

/// The line on which a place stands in the schema's text, or the last that leads to it.
pub(super) fn line_of(text: &str, pointer: &str) -> usize {
    let start = |value: &RawValue| value.get().as_ptr().addr() - text.as_ptr().addr();
    let root = serde_json::from_str::<&RawValue>(text).ok();
    let (mut at, mut inner) = (root.map_or(0, start), root);
    for segment in pointer.split('/').skip(1) {
        inner = inner.and_then(|inner| within(inner.get(), segment));
        let Some(inner) = inner else { break };
        at = start(inner);
    }
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// A field of an object, or an item of a list, as it stands in the text.
fn within<'t>(text: &'t str, segment: &str) -> Option<&'t RawValue> {
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return items.get(segment.parse::<usize>().ok()?).copied();
    }
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    fields.remove(segment)
}

#[cfg(test)]
mod tests {
    use super::{line_of, named};

    #[test]
    fn a_place_is_found_and_named() {
        let text = "{\n\"type\": \"object\",\n\"properties\": {\n\"a\": {\n\"type\": \"x\",\n\
                    \"items\": [1,\n2]}}}";
        let check = |pointer, line, name| {
            assert_eq!(
                (line_of(text, pointer), named(pointer).as_str()),
                (line, name),
                "{pointer}"
            );
        };
        check("", 1, "");
        check("/type", 2, "type");
        check("/title", 1, "title");
        check("/properties/a", 4, "a");
        check("/properties/a/type", 5, "a.type");
        check("/properties/a/items/1", 7, "a.1");
        check("/properties/a/maxLength", 4, "a.maxLength");
    }
}
