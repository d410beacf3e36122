//! Closes every object of the document: what is not described is not there. Must never be let at a
//! form's own schema, in whose conditions an object stands for a part of one.

use serde_json::{Map, Value};

/// Closes all schemas of a document.
pub(super) fn schemas(schemas: &mut Value) {
    let Some(names) = schemas.as_object() else { return };
    let names: Vec<String> = names.keys().cloned().collect();
    for name in names {
        let mut schema = schemas[&name].take();
        close(&mut schema, schemas);
        schemas[&name] = schema;
    }
}

fn close(schema: &mut Value, all: &Value) {
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let whole = joined(parts, all);
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("allOf");
            fields.extend(whole);
        }
    }
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(|inner| close(inner, all));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| close(inner, all)),
        _ => {}
    }
}

/// One object out of several that are written into one another (`flatten`): closed ones could never
/// hold together.
fn joined(parts: &[Value], all: &Value) -> Map<String, Value> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        // One that may be missing has nothing that must be there.
        let may_miss = part["oneOf"].is_array();
        let part = if may_miss { &part["oneOf"][0] } else { part };
        let named = part["$ref"].as_str().and_then(|at| at.rsplit('/').next());
        let part = named.map_or(part, |name| &all[name]);
        let found = part["properties"].as_object().into_iter().flatten();
        properties.extend(found.map(|(name, schema)| (name.clone(), schema.clone())));
        if !may_miss {
            required.extend(part["required"].as_array().into_iter().flatten().cloned());
        }
    }
    Map::from_iter([
        ("type".to_owned(), "object".into()),
        ("required".to_owned(), Value::Array(required)),
        ("properties".to_owned(), Value::Object(properties)),
    ])
}
