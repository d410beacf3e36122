//! An example of a filled-in form out of its schema, alone or around what is known of it. Must never
//! give one that the form refuses.

use serde_json::{Map, Value, json};

/// Dates of examples: they hang together, and lie on working days.
const AT: &str = "2026-03-04T09:12:00+08:00";
const DAY: &str = "2026-03-25";

/// Text where any will do.
const TEXT: &str = "已核实有关情况，并向评价人说明";

/// A value that a schema allows, with nothing in it that need not be.
pub(super) fn of(schema: &Value) -> Value {
    let given = [&schema["examples"][0], &schema["const"], &schema["enum"][0]];
    if let Some(given) = given.into_iter().find(|one| !one.is_null()) {
        return given.clone();
    }
    match schema["type"].as_str() {
        Some("object") => object(schema),
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            (0..least).map(|_| of(&schema["items"])).collect()
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        _ => match schema["format"].as_str() {
            Some("date-time") => AT.into(),
            Some("date") => DAY.into(),
            _ => text(schema).into(),
        },
    }
}

fn text(schema: &Value) -> String {
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let most = schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok());
    let length = TEXT.chars().count().max(least).min(most.unwrap_or(usize::MAX));
    TEXT.chars().cycle().take(length).collect()
}

fn object(schema: &Value) -> Value {
    around(schema, &Value::Null)
}

/// A value of a schema that has what is known of it, and an example wherever more must be there.
pub(super) fn around(schema: &Value, known: &Value) -> Value {
    if schema["type"] != "object" {
        return if known.is_null() { of(schema) } else { known.clone() };
    }
    let mut filled = Map::new();
    for (name, value) in known.as_object().into_iter().flatten() {
        filled.insert(name.clone(), around(&schema["properties"][name], value));
    }
    fill(&mut filled, schema, &schema["required"], &Value::Null);
    for rule in schema["allOf"].as_array().into_iter().flatten() {
        if holds(&rule["if"], &filled) {
            fill(&mut filled, schema, &rule["then"]["required"], &rule["then"]);
        }
    }
    Value::Object(filled)
}

/// Fills in what must be there and is not.
fn fill(filled: &mut Map<String, Value>, schema: &Value, required: &Value, rules: &Value) {
    for name in required.as_array().into_iter().flatten().filter_map(Value::as_str) {
        if filled.contains_key(name) {
            continue;
        }
        let own = &schema["properties"][name];
        let value = match rules["properties"].get(name) {
            // What a condition asks for, in the shape that the form gives it.
            Some(Value::Object(rule)) => {
                let mut both = own.as_object().cloned().unwrap_or_default();
                both.extend(rule.clone());
                of(&Value::Object(both))
            }
            _ => of(own),
        };
        filled.insert(name.to_owned(), value);
    }
}

/// Whether a condition of the kind that forms use holds.
fn holds(condition: &Value, filled: &Map<String, Value>) -> bool {
    let mut required = condition["required"].as_array().into_iter().flatten();
    let mut properties = condition["properties"].as_object().into_iter().flatten();
    required.all(|name| name.as_str().is_some_and(|name| filled.contains_key(name)))
        && properties.all(|(name, rule)| {
            filled.get(name).is_none_or(|value| {
                let allowed = rule["enum"].as_array();
                rule["const"] == *value || allowed.is_some_and(|all| all.contains(value))
            })
        })
}
