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
        assert!(complaint.contains(part), "no “{part}” in {complaint}");
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
    check(
        "form_schema",
        &form("\n\"n\": { \"type\": \"integer\", \"minimum\": \"x\" }"),
        6,
        &["JSON Schema"],
    );
    check("form_split_keyword", &form("\n\"a\": { \"$ref\": \"#\" }"), 6, &["不得使用 $ref"]);
    check(
        "form_dialect",
        "{\n\"$schema\": \"http://json-schema.org/draft-04/schema#\",\n\"title\": \"签收\",\n\
         \"type\": \"object\", \"additionalProperties\": false }",
        2,
        &["2020-12"],
    );
    check(
        "form_pattern_properties",
        "{\n\"title\": \"签收\",\n\"type\": \"object\",\n\"patternProperties\": { \"^x\": {} },\n\
         \"additionalProperties\": false }",
        4,
        &["不得使用 patternProperties"],
    );
}

#[test]
fn what_is_no_form() {
    check("form_json", "{\n\"title\": \n}", 3, &["不是有效的 JSON"]);
    check("form_twice", "{\n\"title\": \"a\",\n\"title\": \"b\"}", 3, &["同一字段写了两次"]);
    for (nr, other) in ["[]", "1", "null", "\"x\""].iter().enumerate() {
        check(&format!("form_other_{nr}"), other, 1, &["应为一个 JSON 对象"]);
    }
    check("form_reference", "{\"$ref\": \"#/x\"}", 1, &["不得使用 $ref"]);
    check(
        "form_kind",
        &form("\n\"a\": { \"type\": \"integer\" },\n\"note\": {\n\"type\": \"strin\" }"),
        8,
        &["note.type: 应为 string"],
    );
    check(
        "form_mark",
        &form("\n\"note\": { \"type\": \"boolean\",\n\"x-privat\": true }"),
        7,
        &["note.x-privat: 没有这种标注；可用：x-private"],
    );
    for (nr, hidden) in [
        "\"type\": \"boolean\", \"anyOf\": [{\"x-privat\": true}]",
        "\"type\": \"boolean\", \"not\": {\"x-privat\": true}",
        "\"type\": \"boolean\", \"x-titles\": {\"a\": 5}",
        "\"type\": \"boolean\", \"x-titles\": {\"a\": \"b\\nc\"}",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("form_hidden_{nr}");
        check(&name, &form(&format!("\n\"note\": {{ {hidden} }}")), 6, &["note", "x-"]);
    }
    check(
        "form_slash",
        &form("\n\"a/b\": { \"type\": \"boolean\",\n\"x-privat\": true }"),
        7,
        &["a/b.x-privat: 没有这种标注"],
    );
    check(
        "form_required",
        "{\"title\": \"x\", \"type\": \"object\", \"additionalProperties\": false,\n\"required\": [\"b\"]}",
        2,
        &["required: 必填的“b”不是表单的字段"],
    );
    check(
        "form_mark_value",
        &form("\n\"note\": { \"type\": \"boolean\",\n\"x-private\": \"yes\" }"),
        7,
        &["note.x-private: 应为 true 或 false"],
    );
    check(
        "form_lines",
        &form("\n\"note\": { \"type\": \"integer\", \"title\": \"a\\nb\" }"),
        6,
        &["note", "不得含有换行"],
    );
}

/// What an action takes over into history must be a code in its form.
#[test]
fn nothing_private_is_assigned() {
    let matter = shipped("matter.toml");
    let dispatch = "{ \"title\": \"转派\", \"type\": \"object\", \"additionalProperties\": false,\n\
        \"properties\": { \"agency\": { \"type\": \"string\", \"maxLength\": 200, \"x-private\": true } } }";
    let files = [("matter.toml", matter.as_bytes()), ("forms/dispatch.json", dispatch.as_bytes())];
    let folder = Folder::new("form_assign", &files);
    let complaint = refused(&["workflow", "list", "--workflows", folder.path()]);
    let part = "表单 dispatch 的 agency 会写入历史，须是代码而非私密内容";
    assert!(complaint.contains(part), "{complaint}");
}
