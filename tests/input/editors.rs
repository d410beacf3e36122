//! The schema for editors: it accepts what ships, and marks what `workflow check` would refuse.

use serde_json::Value;

use super::shipped;

/// TOML as the JSON that an editor checks.
fn as_json(text: &str) -> Value {
    fn json(value: toml::Value) -> Value {
        match value {
            toml::Value::Datetime(date) => Value::from(date.to_string()),
            toml::Value::Array(items) => items.into_iter().map(json).collect(),
            toml::Value::Table(table) => {
                table.into_iter().map(|(key, value)| (key, json(value))).collect()
            }
            toml::Value::String(text) => Value::from(text),
            toml::Value::Integer(number) => Value::from(number),
            toml::Value::Float(number) => Value::from(number),
            toml::Value::Boolean(value) => Value::from(value),
        }
    }
    json(toml::Value::Table(text.parse().expect("TOML")))
}

#[test]
fn editors_know_what_ships() {
    let schema: Value = serde_json::from_str(&shipped("definition.schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for name in ["matter.toml", "staff.toml"] {
        let text = shipped(name);
        let faults: Vec<String> = validator
            .iter_errors(&as_json(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        let broken = [
            ("effective_from = ", "effective = "),
            ("notice = \"early_warning\"", "card = \"early_warning\""),
            ("by = \"approver\"\nbasis", "by = \"nobody\"\nbasis"),
            ("party_while = [{ deadline", "party_while = [{ dead_line"),
            ("card = { uphold", "card = { keep"),
            ("resume = true", "resume = \"yes\""),
        ];
        for (sound, instead) in broken {
            assert!(text.contains(sound), "{name}: {sound}");
            let text = text.replacen(sound, instead, 1);
            assert!(!validator.is_valid(&as_json(&text)), "{name}: {instead} is accepted");
        }
    }
}
