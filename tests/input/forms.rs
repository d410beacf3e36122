//! Broken forms beside a sound workflow.

use super::{Folder, refused, shipped};

fn check(name: &str, form: &str, line: usize, parts: &[&str]) {
    let matter = shipped("matter.toml");
    let files = [("matter.toml", matter.as_bytes()), ("forms/sign.json", form.as_bytes())];
    let folder = Folder::new(name, &files);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    let place = format!("{}:{line}: ", folder.file("forms/sign.json"));
    assert!(complaint.contains(&place), "no {place} in {complaint}");
    for part in parts {
        assert!(complaint.contains(part), "no «{part}» in {complaint}");
    }
}

/// A form whose properties begin on its sixth line.
fn form(properties: &str) -> String {
    format!(
        "{{\n\"title\": \"签收\",\n\"type\": \"object\",\n\"additionalProperties\": false,\n\
         \"properties\": {{{properties}}}\n}}\n"
    )
}

#[test]
fn broken_forms() {
    check(
        "form_public",
        &form("\n\"note\": { \"type\": \"string\", \"maxLength\": 9, \"x-private\": false }"),
        6,
        &["note", "x-private", "pattern"],
    );
    check(
        "form_pattern",
        &form(
            "\n\"note\": { \"type\": \"string\", \"pattern\": \"^.*$\", \"x-private\": false, \"maxLength\": 9 }",
        ),
        6,
        &["note", "不能证明该字段是代码"],
    );
    check(
        "form_long",
        &form("\n\"note\": { \"type\": \"string\", \"x-private\": true }"),
        6,
        &["maxLength"],
    );
    check(
        "form_list",
        &form("\n\"list\": { \"type\": \"array\", \"items\": { \"type\": \"integer\" } }"),
        6,
        &["maxItems"],
    );
    check("form_type", &form("\n\"note\": {}"), 6, &["note", "type"]);
    check(
        "form_inner",
        &form("\n\"a\": { \"type\": \"object\", \"properties\": {} }"),
        6,
        &["封闭"],
    );
    check(
        "form_open",
        "{\n\"title\": \"签收\",\n\"type\": \"object\"\n}",
        3,
        &["additionalProperties"],
    );
    check(
        "form_untitled",
        "{\n\"type\": \"object\", \"additionalProperties\": false }",
        1,
        &["标题"],
    );
    check("form_json", "{\n\"title\": \n}", 3, &["JSON 语法有误"]);
    check(
        "form_schema",
        &form("\n\"n\": { \"type\": \"integer\", \"minimum\": \"x\" }"),
        1,
        &["JSON Schema"],
    );
}
