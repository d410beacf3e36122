//! What the JSON Schema of a form may say, and what it must, besides being a sound one. Must never
//! let through a form whose fields mean something else than they say where they say it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::privacy;
use crate::document::{LINE, is_line};
use crate::echo::echo;

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
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !privacy::properties(schema).any(|(known, _)| known == name) {
            note("/required", format!("必填的“{}”不是表单的字段", echo(name)));
        }
    }
    match schema.get("title").and_then(Value::as_str) {
        None | Some("") => note("/title", "表单须有标题（title）".into()),
        Some(title) if !is_line(title) => note("/title", LINE.to_owned()),
        Some(_) => {}
    }
}

/// Notes what is asked of files besides: no mark that says nothing. One that is misspelt would leave
/// public what its author holds to be private.
pub(super) fn check_marks(at: &str, schema: &Value, note: &mut impl FnMut(&str, String)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let place = step(at, key);
                match key.as_str() {
                    // Here stand names.
                    "properties" => {
                        for (name, field) in value.as_object().into_iter().flatten() {
                            check_marks(&step(&place, name), field, note);
                        }
                    }
                    "x-private" if !value.is_boolean() => {
                        note(&place, "应为 true 或 false".into());
                    }
                    "x-titles" if !are_titles(value) => {
                        note(&place, "应为一个对象：代码到名称，名称各占一行".into());
                    }
                    // Sound marks; and where values stand, not what is said of them.
                    "x-private" | "x-titles" | "enum" | "const" | "examples" | "default" => {}
                    mark if mark.starts_with("x-") => {
                        note(&place, "没有这种标注；可用：x-private、x-titles".into());
                    }
                    _ => check_marks(&place, value, note),
                }
            }
        }
        Value::Array(values) => {
            for (nr, value) in values.iter().enumerate() {
                check_marks(&step(at, &nr.to_string()), value, note);
            }
        }
        _ => {}
    }
}

fn are_titles(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|titles| titles.values().all(|title| title.as_str().is_some_and(is_line)))
}

/// A place one step further in: a JSON pointer (RFC 6901).
pub(super) fn step(at: &str, segment: &str) -> String {
    format!("{at}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

/// The steps of a place.
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
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
                let place = step(at, key);
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
        check_field(&step(&format!("{at}/properties"), name), property, note);
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
    let mut segments = steps(pointer);
    let mut names = Vec::new();
    while let Some(segment) = segments.next() {
        match segment.as_str() {
            "properties" => names.extend(segments.next()),
            "items" => {}
            _ => names.push(segment),
        }
    }
    echo(&names.join("."))
}

/// Where the places of a schema stand in its text. What has been looked into once is kept: a form may
/// have as many faults as are told.
pub(super) struct Places<'t> {
    text: &'t str,
    root: Option<&'t RawValue>,
    /// What stands in an object or a list, by its place.
    within: RefCell<BTreeMap<String, BTreeMap<String, &'t RawValue>>>,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, root: serde_json::from_str(text).ok(), within: RefCell::default() }
    }

    /// The line on which a place stands, or the last that leads to it.
    pub(super) fn line_of(&self, pointer: &str) -> usize {
        let start = |value: &RawValue| value.get().as_ptr().addr() - self.text.as_ptr().addr();
        let mut inner = self.root;
        let (mut at, mut place) = (inner.map_or(0, start), String::new());
        for segment in steps(pointer) {
            inner = inner.and_then(|outer| self.within(&place, outer, &segment));
            let Some(inner) = inner else { break };
            at = start(inner);
            place = step(&place, &segment);
        }
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    /// A field of an object, or an item of a list, as it stands in the text.
    fn within(&self, place: &str, outer: &'t RawValue, segment: &str) -> Option<&'t RawValue> {
        let mut within = self.within.borrow_mut();
        let known = within.entry(place.to_owned()).or_insert_with(|| inside(outer.get()));
        known.get(segment).copied()
    }
}

/// What stands in an object by its keys, or in a list by its numbers.
fn inside(text: &str) -> BTreeMap<String, &RawValue> {
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        return items.into_iter().enumerate().map(|(nr, one)| (nr.to_string(), one)).collect();
    }
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Places, named};

    #[test]
    fn a_place_is_found_and_named() {
        let text = "{\n\"type\": \"object\",\n\"properties\": {\n\"a\": {\n\"type\": \"x\",\n\
                    \"items\": [1,\n2]},\n\"b/c\": {\"type\": 1}}}";
        let check = |pointer, line, name| {
            assert_eq!(
                (Places::new(text).line_of(pointer), named(pointer).as_str()),
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
        check("/properties/b~1c/type", 8, "b/c.type");
    }
}
