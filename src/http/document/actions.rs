//! Each action of each workflow as an operation of its own, with its form; of older versions too, as
//! long as tickets may be pinned to them. Must never leave out an action that somebody may do.

use std::collections::{BTreeMap, BTreeSet};

use duban_core::definition::{Action, Definition, Form, Shelf, Stage};
use duban_core::name::Name;
use duban_core::role::Role;
use serde_json::{Value, json};

use super::reference;

/// The operation that does any action.
const ANY: &str = "/v1/tickets/{ticket_no}/actions/{action}";

/// The tag of the operations.
const TAG: &str = "actions";

/// An action as one workflow has it.
struct Known<'s> {
    definition: &'s Definition,
    action: &'s Action,
    /// Whether there is a newer version of the workflow.
    is_old: bool,
    /// Its form's place among the schemas.
    form: String,
}

/// Adds an operation for each action, and the forms.
pub(super) fn add(document: &mut Value, shelf: &Shelf) {
    let mut actions: BTreeMap<&Name, Vec<Known<'_>>> = BTreeMap::new();
    let mut forms: BTreeMap<String, Value> = BTreeMap::new();
    let is_old = |one: &Definition| {
        shelf.by_name(one.pin.name.as_str()).is_some_and(|newest| newest.pin != one.pin)
    };
    // What is in force first.
    let (old, new): (Vec<_>, Vec<_>) = shelf.all().partition(|one| is_old(one));
    for definition in new.into_iter().chain(old.into_iter().rev()) {
        for action in &definition.actions {
            // What only duban itself does is nobody's to call.
            if action.by.iter().all(|role| *role == Role::System) {
                continue;
            }
            let Some(form) = definition.form(action.form.as_str()) else { continue };
            let form = placed(&mut forms, definition, form);
            let is_old = is_old(definition);
            actions.entry(&action.name).or_default().push(Known {
                definition,
                action,
                is_old,
                form,
            });
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

/// A form's place among the schemas. Where another form of its name has taken that, it is by its
/// version; the same form has one place.
fn placed(forms: &mut BTreeMap<String, Value>, of: &Definition, form: &Form) -> String {
    let mut schema = form.schema.clone();
    // The document is of the same dialect.
    schema.as_object_mut().map(|schema| schema.remove("$schema"));
    let place = format!("form.{}", form.name);
    let own = format!("{place}.{}-{}", of.pin.name, of.pin.version);
    let is_same = |(name, there): &(&String, &Value)| {
        (**name == place || name.starts_with(&format!("{place}."))) && **there == schema
    };
    if let Some((there, _)) = forms.iter().find(is_same) {
        return there.clone();
    }
    let place = if forms.contains_key(&place) { own } else { place };
    forms.insert(place.clone(), schema);
    place
}

fn operation(any: &Value, of: &[Known<'_>]) -> Value {
    let mut operation = any.clone();
    let title = of.first().map(|known| known.action.title.clone());
    operation["summary"] = title.into();
    operation["description"] = of.iter().map(described).collect::<Vec<_>>().join("\n\n").into();
    operation["tags"] = json!([TAG]);
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.retain(|one| one["name"] != "action");
    }
    let forms: BTreeSet<&str> = of.iter().map(|known| known.form.as_str()).collect();
    let forms: Vec<Value> = forms.into_iter().map(reference).collect();
    let schema = match forms.as_slice() {
        [one] => one.clone(),
        several => json!({"anyOf": several}),
    };
    let first = of.first();
    let form = first.and_then(|one| one.definition.form(one.action.form.as_str()));
    let example = form.map(Form::example);
    let content = json!({"application/json": {"schema": schema, "example": example}});
    operation["requestBody"] = json!({"required": true, "content": content});
    operation
}

/// Who may do it, where, and by which articles.
fn described(known: &Known<'_>) -> String {
    let Known { definition, action, is_old, .. } = known;
    let roles = action.by.iter().map(|role| role.title());
    let stages = action.stages.iter().map(|stage| match stage {
        Stage::Step(name) => {
            definition.step(name.as_str()).map_or(name.as_str(), |step| step.title.as_str())
        }
        Stage::Status(status) => status.title(),
    });
    let basis: Vec<String> = action.basis.iter().map(ToString::to_string).collect();
    let list = |words: Vec<&str>| words.join("、");
    let version = match is_old {
        true => format!("（第 {} 版，仅限按该版办理的工单）", definition.pin.version),
        false => String::new(),
    };
    format!(
        "{}{version}：由{}在{}时办理。依据：{}。",
        definition.title,
        list(roles.collect()),
        list(stages.collect()),
        basis.join("、"),
    )
}
