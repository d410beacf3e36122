//! Where forms name files. Must never know what lies in them.

use serde_json::Value;

use crate::digest::Digest;

/// The field of a piece of evidence that names its file by the SM3 of its bytes.
pub const DIGEST: &str = "sm3";

/// The files that a form, or a part of one, names: JSON pointer and digest, at whatever depth.
#[must_use]
pub fn named_in(form: &Value) -> Vec<(String, Digest)> {
    let mut named = Vec::new();
    collect(form, "", &mut named);
    named
}

fn collect(value: &Value, place: &str, named: &mut Vec<(String, Digest)>) {
    match value {
        Value::Array(items) => {
            for (nth, item) in items.iter().enumerate() {
                collect(item, &format!("{place}/{nth}"), named);
            }
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                let place = format!("{place}/{field}");
                let digest = value.as_str().filter(|_| field == DIGEST);
                match digest.and_then(|digest| digest.parse().ok()) {
                    Some(digest) => named.push((place, digest)),
                    None => collect(value, &place, named),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_found_wherever_a_form_names_them() {
        let (one, other) = ("0".repeat(64), "a".repeat(64));
        let form = json!({
            "note": one,
            "evidence": [{"sm3": one, "kind": "photo"}, {"sm3": "no digest"}],
            "more": {"deep": [[{"sm3": other}]], "sm3": {"sm3": one}},
        });
        let found = named_in(&form);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/evidence/0/sm3", "/more/deep/0/0/sm3", "/more/sm3/sm3"]);
        assert_eq!(found[1].1.to_string(), other);
        assert!(named_in(&json!("sm3")).is_empty());
    }
}
