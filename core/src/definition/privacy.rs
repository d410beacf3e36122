//! Which part of a filled-in form history may show. Fail-closed: a field is public only where its
//! schema proves it a code; all else is private. Must never be argued into the opposite by a
//! schema that it does not understand.

use serde_json::{Map, Value};

/// The longest text that may be a code: an SM3 digest has 64 digits.
const CODE_CHARS_MAX: usize = 64;

/// The largest number that may be a code: shorter than any phone or identity number.
const CODE_NUMBER_MAX: f64 = 1_000_000.0;

/// The most codes that a list may hold: more could spell something out.
const CODE_ITEMS_MAX: u64 = 32;

/// Keywords under which a value could be more than its own schema says.
const NOT_UNDERSTOOD: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "prefixItems",
    "contains",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "dependentSchemas",
];

/// Whether a schema marks its field as private.
pub(super) fn is_marked(schema: &Value) -> bool {
    schema.get("x-private") == Some(&Value::Bool(true))
}

/// Whether every value that a schema allows is a code.
pub(super) fn is_code(schema: &Value) -> bool {
    if is_marked(schema) || NOT_UNDERSTOOD.iter().any(|keyword| schema.get(keyword).is_some()) {
        return false;
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return options.iter().all(is_short);
    }
    if let Some(only) = schema.get("const") {
        return is_short(only);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("boolean") => true,
        Some("integer") => is_bounded(schema),
        Some("number") => is_bounded(schema) && has_few_steps(schema),
        Some("string") => match (schema.get("format"), schema.get("pattern")) {
            (Some(format), _) => format == "date" || format == "date-time",
            (None, Some(Value::String(pattern))) => is_closed(pattern),
            _ => false,
        },
        Some("array") => {
            let most = schema.get("maxItems").and_then(Value::as_u64);
            let is_bounded = most.is_some_and(|most| most <= CODE_ITEMS_MAX);
            is_bounded && schema.get("items").is_some_and(is_code)
        }
        Some("object") => {
            is_closed_object(schema) && properties(schema).all(|(_, one)| is_code(one))
        }
        _ => false,
    }
}

/// What of time a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// An instant that somebody claims.
    Claim,
    /// A civil day.
    Date,
}

/// What a schema says of a field, worked out once: decisions ask for it with every form.
#[derive(Debug)]
pub(super) struct Shape {
    /// Whether every value is a code.
    pub(super) is_code: bool,
    /// Whether a text is an instant that somebody claims, or a date.
    pub(super) time: Option<Time>,
    /// The fields of an object that is split field by field.
    pub(super) fields: Vec<(String, Shape)>,
    is_split: bool,
    /// What a list holds.
    pub(super) items: Option<Box<Shape>>,
}

impl Shape {
    pub(super) fn of(schema: &Value) -> Self {
        let fields = properties(schema).map(|(name, one)| (name.clone(), Self::of(one)));
        Self {
            is_code: is_code(schema),
            time: match schema.get("format").and_then(Value::as_str) {
                Some("date-time") => Some(Time::Claim),
                Some("date") => Some(Time::Date),
                _ => None,
            },
            fields: fields.collect(),
            is_split: schema.get("type") == Some(&Value::from("object")) && !is_marked(schema),
            items: schema.get("items").map(|items| Box::new(Self::of(items))),
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// Splits a filled-in form into what history may show and what stays private. Objects are
    /// split field by field, everything else is the one or the other whole.
    pub(super) fn split(&self, filled: &Value) -> (Option<Value>, Option<Value>) {
        let (true, Some(fields)) = (self.is_split, filled.as_object()) else {
            let value = Some(filled.clone());
            return if self.is_code { (value, None) } else { (None, value) };
        };
        let (mut public, mut private) = (Map::new(), Map::new());
        for (name, value) in fields {
            // An unknown field is refused by the schema before; were it not, it would stay private.
            let (shown, kept) = match self.field(name) {
                Some(field) => field.split(value),
                None => (None, Some(value.clone())),
            };
            shown.map(|shown| public.insert(name.clone(), shown));
            kept.map(|kept| private.insert(name.clone(), kept));
        }
        let private = (!private.is_empty()).then_some(Value::Object(private));
        (Some(Value::Object(public)), private)
    }
}

/// The properties of an object's schema.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Whether an object may hold nothing but its properties.
pub(super) fn is_closed_object(schema: &Value) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() <= CODE_CHARS_MAX,
        Value::Bool(_) | Value::Null => true,
        Value::Number(number) => number.as_f64().is_some_and(|one| one.abs() <= CODE_NUMBER_MAX),
        Value::Array(_) | Value::Object(_) => false,
    }
}

fn is_bounded(schema: &Value) -> bool {
    let bound = |keys: [&str; 2]| {
        let bounds = keys.iter().filter_map(|key| schema.get(key)).filter_map(Value::as_f64);
        bounds.into_iter().any(|bound| bound.abs() <= CODE_NUMBER_MAX)
    };
    bound(["minimum", "exclusiveMinimum"]) && bound(["maximum", "exclusiveMaximum"])
}

/// Whether a number has so few values that none can stand for somebody.
fn has_few_steps(schema: &Value) -> bool {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let low = number("minimum").or_else(|| number("exclusiveMinimum"));
    let high = number("maximum").or_else(|| number("exclusiveMaximum"));
    match (low, high, number("multipleOf")) {
        (Some(low), Some(high), Some(step)) => (high - low) / step <= CODE_NUMBER_MAX,
        _ => false,
    }
}

/// Whether a pattern allows only short words over letters, digits and a few marks. What is
/// understood: literals, classes that are listed out, and repetitions with an upper bound, all of it
/// between `^` and `$`.
fn is_closed(pattern: &str) -> bool {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let Some(inner) = inner.filter(|inner| !inner.ends_with('\\')) else { return false };
    let mut rest = inner;
    let mut longest = 0_usize;
    while !rest.is_empty() {
        let Some(after) = atom(rest) else { return false };
        let Some((times, after)) = repetition(after) else { return false };
        longest = longest.saturating_add(times);
        rest = after;
    }
    (1..=CODE_CHARS_MAX).contains(&longest)
}

/// What follows one literal or class; none if it is neither.
fn atom(pattern: &str) -> Option<&str> {
    if let Some(class) = pattern.strip_prefix('[') {
        let (members, after) = class.split_once(']')?;
        return is_listed(members).then_some(after);
    }
    if let Some(escaped) = pattern.strip_prefix('\\') {
        let first = escaped.chars().next()?;
        let known = first == 'd' || first == '.' || first == '-';
        return known.then(|| &escaped[first.len_utf8()..]);
    }
    let first = pattern.chars().next()?;
    let literal = is_code_char(first) && !".+".contains(first);
    literal.then(|| &pattern[first.len_utf8()..])
}

/// Whether the members of a class are characters of codes, or ranges of digits or of letters.
fn is_listed(members: &str) -> bool {
    let chars: Vec<char> = members.chars().collect();
    let is_range = |at: usize| match chars.get(at..at + 3) {
        Some([from, '-', to]) => [('0', '9'), ('a', 'z'), ('A', 'Z')]
            .iter()
            .any(|(low, high)| low <= from && from <= to && to <= high),
        _ => false,
    };
    let mut at = 0;
    while at < chars.len() {
        let is_dash = chars[at] == '-';
        if is_range(at) {
            at += 3;
        } else if is_code_char(chars[at]) && (!is_dash || at == 0 || at + 1 == chars.len()) {
            at += 1;
        } else {
            return false;
        }
    }
    !chars.is_empty()
}

fn is_code_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-_.:/+".contains(char)
}

/// How often at most the atom before is repeated, and what follows; none without an upper bound.
fn repetition(pattern: &str) -> Option<(usize, &str)> {
    if let Some(after) = pattern.strip_prefix('?') {
        return Some((1, after));
    }
    let Some(braced) = pattern.strip_prefix('{') else {
        let unbounded = pattern.starts_with(['*', '+']);
        return (!unbounded).then_some((1, pattern));
    };
    let (bounds, after) = braced.split_once('}')?;
    let most = bounds.split_once(',').map_or(bounds, |(_, most)| most);
    Some((most.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_proven_is_a_code() {
        let codes = [
            json!({ "type": "string", "enum": ["reached", "no_answer"] }),
            json!({ "const": "sms" }),
            json!({ "type": "string", "format": "date" }),
            json!({ "type": "string", "format": "date-time" }),
            json!({ "type": "string", "pattern": "^[A-Z0-9_-]{2,32}$" }),
            json!({ "type": "string", "pattern": "^HCP[0-9]{8}[0-9]{6,12}-[0-9X]$" }),
            json!({ "type": "string", "pattern": "^\\d{4}/\\d?$" }),
            json!({ "type": "integer", "minimum": 0, "maximum": 100 }),
            json!({ "type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.5 }),
            json!({ "type": "boolean" }),
            json!({ "type": "array", "maxItems": 3, "items": { "enum": ["talk"] } }),
        ];
        for schema in codes {
            assert!(is_code(&schema), "{schema}");
        }
        let private = [
            json!({ "type": "string" }),
            json!({ "type": "string", "maxLength": 20 }),
            json!({ "type": "string", "pattern": "^.*$" }),
            json!({ "type": "string", "pattern": "^[^x]{1,9}$" }),
            json!({ "type": "string", "pattern": "[a-z]{1,9}" }),
            json!({ "type": "string", "pattern": "^[a-z]+$" }),
            json!({ "type": "string", "pattern": "^[a-z]{3,}$" }),
            json!({ "type": "string", "pattern": "^[a-z]{1,65}$" }),
            json!({ "type": "string", "pattern": "^(a|.)$" }),
            json!({ "type": "string", "pattern": "^[\\u4e00-\\u9fff]{1,9}$" }),
            json!({ "type": "string", "pattern": "^.$" }),
            json!({ "type": "string", "pattern": "^\\w{1,9}$" }),
            json!({ "type": "string", "pattern": "^[+-z]{1,9}$" }),
            json!({ "type": "string", "pattern": "^[A-z]{1,9}$" }),
            json!({ "type": "string", "pattern": "^[0-9-z]{1,9}$" }),
            json!({ "type": "string", "enum": ["a"], "$ref": "#" }),
            json!({ "type": "string", "enum": ["a"], "if": {} }),
            json!({ "type": "string", "enum": ["a"], "dependentSchemas": {} }),
            json!({ "type": "string", "format": "email" }),
            json!({ "type": "string", "format": "uri", "pattern": "^[a-z]{1,9}$" }),
            json!({ "type": "string", "enum": ["a"], "x-private": true }),
            json!({ "type": "string", "enum": ["a"], "anyOf": [{}] }),
            json!({ "type": "integer" }),
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "integer", "minimum": 0, "maximum": 19_900_009_999_u64 }),
            json!({ "type": "number", "minimum": 0, "maximum": 1 }),
            json!({ "type": "number", "minimum": 0, "maximum": 1, "multipleOf": 1e-11 }),
            json!({ "type": "array", "maxItems": 3, "items": { "type": "string" } }),
            json!({ "type": "array", "items": { "enum": ["talk"] } }),
            json!({ "type": "array", "maxItems": 33, "items": { "enum": ["talk"] } }),
            json!({ "type": ["string", "null"], "format": "date" }),
            json!({}),
        ];
        for schema in private {
            assert!(!is_code(&schema), "{schema}");
        }
    }

    #[test]
    fn a_list_with_anything_private_is_private_whole() {
        let schema = json!({ "type": "object", "additionalProperties": false, "properties": {
            "people": { "type": "array", "maxItems": 3, "items": { "type": "object",
                "additionalProperties": false, "properties": {
                    "kind": { "enum": ["witness"] }, "name": { "type": "string" } } } },
            "place": { "type": "object", "additionalProperties": false, "properties": {
                "kind": { "enum": ["hall"] }, "name": { "type": "string" } } } } });
        let filled = json!({ "people": [{ "kind": "witness", "name": "某人" }],
            "place": { "kind": "hall", "name": "某处" }, "unknown": 1 });
        let (public, private) = Shape::of(&schema).split(&filled);
        assert_eq!(public, Some(json!({ "place": { "kind": "hall" } })));
        let kept = json!({ "people": filled["people"], "place": { "name": "某处" }, "unknown": 1 });
        assert_eq!(private, Some(kept));
    }
}
