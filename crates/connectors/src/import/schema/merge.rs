//! Schemas that all hold, as one.

use serde_json::{Map, Value, json};

/// Makes `into` hold what `from` says as well. What cannot be said in one is said with `allOf`.
pub(super) fn into(into: &mut Map<String, Value>, from: Map<String, Value>) {
    let mut rest = Map::new();
    for (word, value) in from {
        let Some(own) = into.get_mut(&word) else {
            into.insert(word, value);
            continue;
        };
        if *own == value {
            continue;
        }
        match (word.as_str(), own, value) {
            ("properties", Value::Object(own), Value::Object(more)) => {
                for (name, schema) in more {
                    match (own.get_mut(&name), schema) {
                        (Some(Value::Object(own)), Value::Object(more)) => self::into(own, more),
                        (Some(_), _) => {}
                        (None, schema) => {
                            own.insert(name, schema);
                        }
                    }
                }
            }
            ("required", Value::Array(own), Value::Array(more)) => {
                for name in more {
                    if !own.contains(&name) {
                        own.push(name);
                    }
                }
            }
            // Each closes what the others open: what its authors mean is that none is open.
            ("additionalProperties", own, more) => {
                if more == json!(false) {
                    *own = more;
                }
            }
            ("type", own, more) => match common(own, &more) {
                Some(both) => *own = both,
                None => {
                    rest.insert("type".to_owned(), more);
                }
            },
            ("allOf", Value::Array(own), Value::Array(more)) => own.extend(more),
            (
                "description" | "title" | "default" | "examples" | "format" | "deprecated"
                | "contentEncoding" | "contentMediaType",
                _,
                _,
            ) => {}
            (_, _, value) => {
                rest.insert(word, value);
            }
        }
    }
    if rest.is_empty() {
        return;
    }
    let all = into.entry("allOf").or_insert_with(|| json!([]));
    if let Value::Array(all) = all {
        all.push(rest.into());
    }
}

/// The types that both allow.
fn common(one: &Value, other: &Value) -> Option<Value> {
    let words = |value: &Value| -> Vec<String> {
        match value {
            Value::String(word) => vec![word.clone()],
            Value::Array(all) => all
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        }
    };
    let (one, other) = (words(one), words(other));
    let mut both: Vec<String> = Vec::new();
    for word in one.iter().chain(&other) {
        let in_one =
            one.contains(word) || (word == "integer" && one.iter().any(|own| own == "number"));
        let in_other =
            other.contains(word) || (word == "integer" && other.iter().any(|own| own == "number"));
        if in_one && in_other && !both.contains(word) {
            both.push(word.clone());
        }
    }
    match both.len() {
        0 => None,
        1 => both.pop().map(Value::String),
        _ => Some(both.into()),
    }
}
