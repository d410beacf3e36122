//! The OpenAPI document: what the endpoints say of themselves, with everything closed, each action
//! of the shelf as an operation of its own, and every error. Must never describe what is not there.

mod actions;
mod close;
mod shapes;

use duban_core::definition::Shelf;
use serde_json::{Map, Value, json};

use super::endpoint;
use super::problem::Kind;
pub(crate) use shapes::{About, ExplainedDay, Filled, Form, LedgerEntry, ReviewCodes};

/// Where a schema of the document stands.
fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The document of a shelf.
#[must_use]
pub fn document(shelf: &Shelf) -> Value {
    let described = endpoint::all().1;
    let mut document = serde_json::to_value(described).unwrap_or_default();
    shapes::add(&mut document);
    problems(&mut document);
    close::schemas(&mut document["components"]["schemas"]);
    actions::add(&mut document, shelf);
    files(&mut document);
    stream(&mut document);
    links(&mut document);
    responses(&mut document);
    each_operation(&mut document, |path, method, operation| {
        operation["operationId"] = identity(method, path).into();
        parameters(operation);
        errors(path, operation);
    });
    document
}

/// Calls somebody with each operation, its path and its method.
fn each_operation(document: &mut Value, mut with: impl FnMut(&str, &str, &mut Value)) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            with(path, method, operation);
        }
    }
}

/// A name for an operation that no other has.
fn identity(method: &str, path: &str) -> String {
    let mut identity = method.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != "v1") {
        identity.push('_');
        identity.push_str(part.trim_matches(['{', '}']));
    }
    identity
}

/// Bodies that are files, in each type that there is.
fn files(document: &mut Value) {
    const UPLOAD: &str = "/v1/tickets/{ticket_no}/attachments";
    const DOWNLOAD: &str = "/v1/tickets/{ticket_no}/attachments/{id}";
    let types = || endpoint::attachments::media_types().map(str::to_owned);
    let file = json!({"schema": {"type": "string", "format": "binary"}});
    let sent = types().map(|name| {
        let mut file = file.clone();
        if name.starts_with("text/") {
            file["example"] = "调查核实记录".into();
        }
        (name, file)
    });
    document["paths"][UPLOAD]["post"]["requestBody"]["content"] = Value::Object(sent.collect());
    let got = types().map(|name| (name, file.clone()));
    document["paths"][DOWNLOAD]["get"]["responses"]["200"]["content"] =
        Value::Object(got.collect());
}

/// An event of the stream as it is sent: fields of text, of which one holds the JSON.
fn stream(document: &mut Value) {
    let content = &mut document["paths"]["/v1/stream"]["get"]["responses"]["200"]["content"];
    let commit = content["text/event-stream"]["schema"].clone();
    let media = "application/json";
    let data = json!({"type": "string", "contentMediaType": media, "contentSchema": commit});
    content["text/event-stream"]["schema"] = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "event": {"const": "commit"},
            "retry": {"type": "integer"},
            "data": data,
        },
        "additionalProperties": false,
    });
}

/// Where one answer leads: what a list or an upload names can be asked for.
fn links(document: &mut Value) {
    let ticket = |from: &str| json!({"ticket_no": format!("$response.body#/{from}")});
    let about = ["", "/history", "/actions", "/forecast", "/attachments"];
    let of_ticket = |from: &str| {
        let each = about.into_iter().map(|tail| {
            let operation = identity("get", &format!("/v1/tickets/{{ticket_no}}{tail}"));
            (operation.clone(), json!({"operationId": operation, "parameters": ticket(from)}))
        });
        Value::Object(each.collect())
    };
    let paths = &mut document["paths"];
    paths["/v1/tickets"]["get"]["responses"]["200"]["links"] = of_ticket("tickets/0/ticket_no");
    paths["/v1/reviews"]["post"]["responses"]["201"]["links"] = of_ticket("ticket_no");
    let attachments = &mut paths["/v1/tickets/{ticket_no}/attachments"];
    let download = identity("get", "/v1/tickets/{ticket_no}/attachments/{id}");
    let kept = json!({
        "ticket_no": "$request.path.ticket_no", "id": "$response.body#/attachment/id",
    });
    attachments["post"]["responses"]["201"]["links"] =
        json!({(download.clone()): {"operationId": download, "parameters": kept}});
}

/// What headers may be: the endpoints say only that they are text.
fn header(name: &str) -> Option<Value> {
    match name {
        "Idempotency-Key" => Some(json!({"type": "string", "pattern": "^[!-~]{1,128}$"})),
        "If-Match" => Some(json!({"type": "string", "pattern": "^(\\*|\"[0-9]{1,9}\")$"})),
        "Last-Event-ID" => Some(json!({"type": "string", "pattern": "^[0-9a-f]{32}$"})),
        _ => None,
    }
}

/// A parameter that is not given is not null.
fn parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if let Some(schema) = parameter["name"].as_str().and_then(header) {
            parameter["schema"] = schema;
            continue;
        }
        let schema = &mut parameter["schema"];
        let kinds = schema.get("type").and_then(Value::as_array);
        if let Some(kind) = kinds.and_then(|all| all.iter().find(|kind| *kind != "null")).cloned() {
            schema["type"] = kind;
        }
        if let Some(first) = schema.get("oneOf").and_then(|all| all.get(0)).cloned() {
            *schema = first;
        }
    }
}

/// What can go wrong with any request: status, and when.
const ERRORS: &[(&str, &str)] = &[
    ("400", "请求无法识别：见 errors"),
    ("401", "没有令牌，或令牌已失效"),
    ("403", "本令牌的角色无权调用"),
    ("404", "没有，或不在本单位、本辖区"),
    ("408", "请求体未及时传完"),
    ("409", "同一个 Idempotency-Key 的请求还在办理"),
    ("413", "请求体过大"),
    ("415", "类型不支持"),
    ("422", "填写有误：见 errors"),
    ("429", "请求过多"),
    ("500", "程序出错，或工单的异常待处理"),
    ("503", "暂时不能办理，请重试"),
];

/// The closed set of problems.
fn problems(document: &mut Value) {
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| kind.urn()).collect();
    let kind = &mut document["components"]["schemas"]["ProblemDetails"]["properties"]["type"];
    kind["enum"] = json!(kinds);
}

const PROBLEM_JSON: &str = "application/problem+json";

/// What else an answer says in its head.
fn headers(status: &str, is_keyed: bool, response: &mut Value) {
    let said = |name: &str, description: &str, schema: Value| {
        (name.to_owned(), json!({"description": description, "schema": schema}))
    };
    let text = || json!({"type": "string"});
    let mut headers = Map::new();
    match status {
        "409" | "429" | "503" => {
            let seconds = json!({"type": "integer", "minimum": 1});
            headers.extend([said("Retry-After", "多少秒后再试（如有）", seconds)]);
        }
        "401" => headers.extend([said("WWW-Authenticate", "Bearer", text())]),
        _ if status.starts_with('2') => {
            if is_keyed {
                let replayed = json!({"const": "true"});
                headers.extend([said("Idempotent-Replayed", "此前办理过的同一请求", replayed)]);
            }
            let schema = response.pointer("/content/application~1json/schema");
            if schema == Some(&reference("TicketView")) {
                headers.extend([said("ETag", "工单的修订，供 If-Match 使用", text())]);
            }
            if response.pointer("/content/application~1pdf").is_some() {
                headers.extend([said("Content-Disposition", "attachment，附文件名", text())]);
            }
        }
        _ => {}
    }
    if !headers.is_empty() {
        response["headers"] = Value::Object(headers);
    }
}

fn responses(document: &mut Value) {
    let content = json!({PROBLEM_JSON: {"schema": reference("Problem")}});
    let named = ERRORS.iter().map(|(status, description)| {
        let mut response = json!({"description": description, "content": content});
        headers(status, false, &mut response);
        ((*status).to_owned(), response)
    });
    document["components"]["responses"] = Value::Object(named.collect());
}

/// Gives an operation the errors that it does not tell itself.
fn errors(path: &str, operation: &mut Value) {
    let is_open = operation.get("security").is_some();
    let (has_body, has_place) = (operation.get("requestBody").is_some(), path.contains('{'));
    let has_query = operation.get("parameters").is_some();
    let named = |one: &Value| one["name"] == "Idempotency-Key";
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let is_keyed = parameters.is_some_and(|all| all.iter().any(named));
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses.iter_mut() {
        headers(status, is_keyed, response);
        let schema = response.pointer("/content/application~1json/schema");
        if schema == Some(&reference("Problem")) {
            let content =
                response["content"].as_object_mut().and_then(|all| all.remove("application/json"));
            response["content"] = Value::Object(Map::from_iter([(
                PROBLEM_JSON.to_owned(),
                content.unwrap_or_default(),
            )]));
        }
    }
    for (status, _) in ERRORS {
        let can_be = match *status {
            "401" | "403" | "429" | "503" => !is_open,
            "404" => has_place,
            "408" | "413" | "415" => has_body || is_keyed,
            "409" => is_keyed,
            "422" => has_query || has_body,
            _ => true,
        };
        if can_be && !responses.contains_key(*status) {
            let named = format!("#/components/responses/{status}");
            responses.insert((*status).to_owned(), json!({"$ref": named}));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use duban_core::definition::{Form, read_definition};
    use duban_core::time::Instant;

    use super::*;
    use crate::catalog::{self, Source};

    fn shipped() -> (Shelf, Value) {
        let shelf = catalog::shelf(&Source::Embedded).expect("the shelf");
        let document = document(&shelf);
        (shelf, document)
    }

    /// Calls somebody with every part of a document, and where it stands.
    fn walk(part: &Value, at: &str, with: &mut impl FnMut(&str, &Value)) {
        with(at, part);
        match part {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, inner)| walk(inner, &format!("{at}/{name}"), with));
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(place, inner)| walk(inner, &format!("{at}/{place}"), with)),
            _ => {}
        }
    }

    #[test]
    fn everything_is_closed_and_every_reference_leads_somewhere() {
        let (_, document) = shipped();
        let mut objects = 0;
        walk(&document, "", &mut |at, part| {
            if let Some(named) = part["$ref"].as_str() {
                let place = named.strip_prefix('#').expect("of this document");
                assert!(document.pointer(place).is_some(), "{at}: {named}");
            }
            // Conditions of forms are no objects, only parts of what is said of one; and names of
            // fields are no keywords.
            let is_condition = at.contains("/if") || at.contains("/then");
            if part["type"] != "object" || is_condition || at.ends_with("/properties") {
                return;
            }
            objects += 1;
            match &part["additionalProperties"] {
                Value::Bool(false) => assert!(part["properties"].is_object(), "{at}"),
                typed => assert!(typed.is_object(), "{at} is open"),
            }
        });
        assert!(objects > 150, "{objects}");
    }

    #[test]
    fn nothing_is_null() {
        walk(&shipped().1, "", &mut |at, part| {
            let is_word = at.contains("/example") || at.contains("/enum");
            assert!(is_word || !part.is_null(), "{at}");
        });
    }

    #[test]
    fn every_operation_has_a_name_and_an_example() {
        let (_, mut document) = shipped();
        let mut names = BTreeSet::new();
        each_operation(&mut document, |path, method, operation| {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let has_example = !parameter["example"].is_null();
                let may_miss = parameter["required"] != true;
                assert!(may_miss || has_example, "{method} {path} {}", parameter["name"]);
            }
            let body = &operation["requestBody"];
            if body.is_object() {
                let mut content = body["content"].as_object().expect("content").values();
                let by_reference = |content: &Value| {
                    let named = content["schema"]["$ref"].as_str().unwrap_or_default().to_owned();
                    named.starts_with("#/components/schemas/")
                };
                let has = |one: &Value| !one["example"].is_null() || by_reference(one);
                assert!(content.any(has), "{method} {path}");
            }
        });
        assert!(names.len() > 60, "{}", names.len());
    }

    #[test]
    fn examples_are_forms_that_are_taken() {
        let (shelf, document) = shipped();
        let now: Instant = "2026-03-04T10:00:00+08:00".parse().expect("an instant");
        for definition in shelf.newest() {
            for action in &definition.actions {
                let path = format!("/v1/tickets/{{ticket_no}}/actions/{}", action.name);
                let operation = &document["paths"][&path]["post"];
                let Some(form) = definition.form(action.form.as_str()) else { continue };
                if operation.is_null() {
                    assert_eq!(action.by, [duban_core::role::Role::System], "{path}");
                    continue;
                }
                let body = &operation["requestBody"]["content"]["application/json"];
                let schema = reference(&format!("form.{}", action.form));
                if body["schema"] == schema {
                    assert_eq!(form.check(&body["example"], now), Ok(()), "{path}");
                } else {
                    let several = body["schema"]["anyOf"].as_array().expect("several forms");
                    assert!(several.contains(&schema), "{path}");
                }
            }
        }
    }

    /// Tickets that are pinned to an older version are still worked on.
    #[test]
    fn what_only_an_older_version_has_is_described_too() {
        let (mut shelf, _) = shipped();
        let definition = shelf.by_name("matter").expect("it").clone();
        let now = definition.pin.version;
        let text = definition
            .text
            .replace(&format!("\nversion = {now}\n"), &format!("\nversion = {}\n", now + 1));
        let text = text.replace("[actions.urge]", "[actions.press]");
        let mut forms = std::collections::BTreeMap::new();
        for form in &definition.forms {
            let text = match form.name.as_str() {
                "dispatch" => form.text.replacen("\"title\": \"", "\"title\": \"新", 1),
                _ => form.text.clone(),
            };
            let read = Form::read(form.name.clone(), "next", &text).expect("a form");
            forms.insert(form.name.clone(), std::sync::Arc::new(read));
        }
        let next = read_definition("next", &text, &forms, shelf.texts()).expect("a definition");
        shelf.add(next).expect("added");
        let document = document(&shelf);
        let of = |action: &str| {
            let path = format!("/v1/tickets/{{ticket_no}}/actions/{action}");
            document["paths"][&path]["post"].clone()
        };
        let old = of("urge")["description"].to_string();
        assert!(old.contains(&format!("（第 {now} 版，仅限按该版办理的工单）")), "{old}");
        assert!(of("press")["summary"].is_string());
        let body = &of("dispatch")["requestBody"]["content"]["application/json"]["schema"];
        // The other workflow has it too, and is in force.
        let other = shelf.by_name("staff").expect("it").pin.version;
        let older = format!("form.dispatch.staff-{other}");
        assert_eq!(*body, json!({"anyOf": [reference("form.dispatch"), reference(&older)]}));
        assert!(document["components"]["schemas"][&older].is_object());
    }

    /// Every kind of event that history has ever held is described, field by field.
    #[test]
    fn events_are_described_as_they_are_stored() {
        let (_, document) = shipped();
        let schema = json!({
            "$ref": "#/components/schemas/EventView", "components": document["components"],
        });
        let schema =
            jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
        let mut kinds = 0;
        for entry in std::fs::read_dir(folder).expect("the fixtures").flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            let mut event: Value = serde_json::from_str(&text).expect("JSON");
            event["hash"] = "0".repeat(64).into();
            let faults: Vec<_> = schema.iter_errors(&event).map(|one| one.to_string()).collect();
            assert!(faults.is_empty(), "{}: {faults:?}", path.display());
            event["data"]["more"] = 1.into();
            assert!(!schema.is_valid(&event), "{} is open", path.display());
            kinds += 1;
        }
        assert!(kinds >= duban_core::event::Fact::KINDS.len());
    }
}
