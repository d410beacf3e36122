//! Each action of each workflow as an operation of its own, with its form. Must never leave out an
//! action that somebody may do.

use std::collections::BTreeMap;

use duban_core::definition::{Action, Definition, Form, Shelf, Stage};
use duban_core::name::Name;
use duban_core::role::Role;
use serde_json::{Value, json};

use super::reference;

/// The operation that does any action.
const ANY: &str = "/v1/tickets/{ticket_no}/actions/{action}";

/// The tag of the operations.
const TAG: &str = "actions";

/// An action as its workflows have it.
type InWorkflows<'s> = Vec<(&'s Definition, &'s Action)>;

/// Adds an operation for each action, and the forms.
pub(super) fn add(document: &mut Value, shelf: &Shelf) {
    let mut actions: BTreeMap<&Name, InWorkflows<'_>> = BTreeMap::new();
    let mut forms: BTreeMap<String, Value> = BTreeMap::new();
    for definition in shelf.newest() {
        for action in &definition.actions {
            // What only duban itself does is nobody's to call.
            if action.by.iter().all(|role| *role == Role::System) {
                continue;
            }
            actions.entry(&action.name).or_default().push((definition, action));
            if let Some(form) = definition.form(action.form.as_str()) {
                let mut schema = form.schema.clone();
                // The document is of the same dialect.
                schema.as_object_mut().map(|schema| schema.remove("$schema"));
                forms.insert(named(&action.form), schema);
            }
        }
    }
    let names = forms.keys().map(|name| reference(name)).collect();
    let filled = json!({"description": "某一动作的表单", "anyOf": Value::Array(names)});
    let schemas = &mut document["components"]["schemas"];
    schemas["Filled"] = filled;
    for (name, schema) in forms {
        schemas[name] = schema;
    }
    let any = document["paths"][ANY]["post"].clone();
    for (name, of) in actions {
        let operation = operation(&any, &of);
        let path = ANY.replace("{action}", name.as_str());
        document["paths"][path] = json!({"post": operation});
    }
    if let Some(tags) = document["tags"].as_array_mut() {
        // Behind the tickets that they are done on.
        let place = tags.iter().position(|tag| tag["name"] == "tickets").map_or(0, |at| at + 1);
        tags.insert(place, json!({"name": TAG, "description": "各工作流的动作，逐一列出"}));
    }
}

/// A form's place among the schemas.
fn named(form: &Name) -> String {
    format!("form.{form}")
}

fn operation(any: &Value, of: &InWorkflows<'_>) -> Value {
    let mut operation = any.clone();
    let title = of.first().map(|(_, action)| action.title.clone());
    operation["summary"] = title.into();
    operation["description"] = of.iter().map(described).collect::<Vec<_>>().join("\n\n").into();
    operation["tags"] = json!([TAG]);
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.retain(|one| one["name"] != "action");
    }
    let mut forms: Vec<String> = of.iter().map(|(_, action)| named(&action.form)).collect();
    forms.dedup();
    let schema = match forms.as_slice() {
        [one] => reference(one),
        several => json!({"anyOf": several.iter().map(|one| reference(one)).collect::<Vec<_>>()}),
    };
    let first = of.first().and_then(|(definition, action)| definition.form(action.form.as_str()));
    let example = first.map(Form::example);
    let content = json!({"application/json": {"schema": schema, "example": example}});
    operation["requestBody"] = json!({"required": true, "content": content});
    operation
}

/// Who may do it, where, and by which articles.
fn described((definition, action): &(&Definition, &Action)) -> String {
    let roles = action.by.iter().map(|role| role.title());
    let stages = action.stages.iter().map(|stage| match stage {
        Stage::Step(name) => {
            definition.step(name.as_str()).map_or(name.as_str(), |step| step.title.as_str())
        }
        Stage::Status(status) => status.title(),
    });
    let basis: Vec<String> = action.basis.iter().map(ToString::to_string).collect();
    let list = |words: Vec<&str>| words.join("、");
    format!(
        "{}：由{}在{}时办理。依据：{}。",
        definition.title,
        list(roles.collect()),
        list(stages.collect()),
        basis.join("、"),
    )
}
