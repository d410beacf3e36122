//! What is wrong with a field of a filled-in form, as a person reads it. Must never repeat what was
//! filled in: it may be personal data.

use serde_json::Value;

/// The pattern of a text in which something must stand.
const VISIBLE: &str = "\\S";

/// A fault, told by what the form says of the field.
pub(super) fn of(error: &jsonschema::ValidationError<'_>, field: Option<&Value>) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    match error.kind() {
        Kind::Required { .. } => "必填".to_owned(),
        Kind::AdditionalProperties { .. } => "含有表单没有的字段，请删去".to_owned(),
        Kind::Enum { options } => {
            let words = options.as_array().into_iter().flatten().filter_map(Value::as_str);
            let words: Vec<&str> = words.map(|word| titled(field, word)).collect();
            format!("取值应为：{}", words.join("、"))
        }
        Kind::Constant { expected_value } => {
            let word = expected_value.as_str().map(|word| titled(field, word).to_owned());
            format!("取值应为：{}", word.unwrap_or_else(|| expected_value.to_string()))
        }
        Kind::Type { .. } => format!("应为{}", kind(field)),
        Kind::Format { format } => match format.as_str() {
            "date-time" => "应为带时区的时刻，例如 2026-02-13T16:30:00+08:00".to_owned(),
            "date" => "应为日期，例如 2026-02-14".to_owned(),
            _ => shaped(field),
        },
        Kind::Pattern { pattern } if pattern == VISIBLE => "不能为空".to_owned(),
        Kind::Pattern { .. } => shaped(field),
        Kind::MaxLength { limit } => format!("不得超过 {limit} 个字"),
        Kind::MinLength { limit: 1 } => "不能为空".to_owned(),
        Kind::MinLength { limit } => format!("不得少于 {limit} 个字"),
        Kind::MaxItems { limit } => format!("不得超过 {limit} 项"),
        Kind::MinItems { limit } => format!("不得少于 {limit} 项"),
        Kind::Maximum { limit } => format!("不得大于 {limit}"),
        Kind::Minimum { limit } => format!("不得小于 {limit}"),
        Kind::UniqueItems => "各项不得重复".to_owned(),
        Kind::FalseSchema => "此处不得填写".to_owned(),
        _ => "不符合表单要求".to_owned(),
    }
}

/// A word of the form by its title.
fn titled<'t>(field: Option<&'t Value>, word: &'t str) -> &'t str {
    let titles = |schema: &'t Value| schema.get("x-titles")?.get(word)?.as_str();
    let items = field.and_then(|field| field.get("items"));
    [field, items].into_iter().flatten().find_map(titles).unwrap_or(word)
}

/// What kind of thing a field holds.
fn kind(field: Option<&Value>) -> &'static str {
    match field.and_then(|field| field.get("type")?.as_str()) {
        Some("string") => "文字",
        Some("integer") => "整数",
        Some("number") => "数字",
        Some("boolean") => "是或否（true 或 false）",
        Some("array") => "列表",
        _ => "一组字段",
    }
}

/// A form that a pattern asks for, by an example of it.
fn shaped(field: Option<&Value>) -> String {
    let example = field.and_then(|field| field.get("examples")?.as_array()?.first()?.as_str());
    match example {
        Some(example) => format!("格式不对，应如 {example}"),
        None => "格式不对".to_owned(),
    }
}
