//! A schema with its references in their places.

use super::JsonObject;
use serde_json::{Map, Value, json};

/// Schemas made of more pieces than this are cut: a few references can multiply into millions.
const MOST_NODES: usize = 20_000;
const DEEPEST: usize = 48;

/// The schema without `$ref`, `$defs` and `definitions`. A reference in a cycle, out of the schema or
/// to nowhere becomes an empty schema, which allows anything. Words beside a reference win over it.
pub(super) fn inline(schema: &JsonObject) -> JsonObject {
    let root = Value::Object(schema.clone());
    let mut left = MOST_NODES;
    match placed(&root, &root, &mut Vec::new(), &mut left, 0) {
        Value::Object(made) => made,
        _ => Map::new(),
    }
}

fn placed(
    root: &Value,
    schema: &Value,
    within: &mut Vec<String>,
    left: &mut usize,
    depth: usize,
) -> Value {
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    if *left == 0 || depth > DEEPEST {
        return json!({});
    }
    *left -= 1;
    let mut made = Map::new();
    if let Some(to) = map
        .get("$ref")
        .or_else(|| map.get("$dynamicRef"))
        .and_then(Value::as_str)
        && let Some(target) = target(root, to)
        && !within.iter().any(|own| own == to)
    {
        within.push(to.to_owned());
        if let Value::Object(found) = placed(root, target, within, left, depth + 1) {
            made = found;
        }
        within.pop();
    }
    for (word, value) in map {
        let value = match (word.as_str(), value) {
            (
                "$ref" | "$dynamicRef" | "$defs" | "definitions" | "$schema" | "$id" | "$anchor"
                | "$dynamicAnchor" | "$comment",
                _,
            ) => continue,
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                let named = named.iter().map(|(name, inner)| {
                    (name.clone(), placed(root, inner, within, left, depth + 1))
                });
                Value::Object(named.collect())
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(list)) => list
                .iter()
                .map(|inner| placed(root, inner, within, left, depth + 1))
                .collect(),
            (
                "items"
                | "additionalProperties"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                inner,
            ) => placed(root, inner, within, left, depth + 1),
            (_, other) => other.clone(),
        };
        made.insert(word.clone(), value);
    }
    Value::Object(made)
}

fn target<'r>(root: &'r Value, to: &str) -> Option<&'r Value> {
    let pointer = to.strip_prefix('#')?;
    if pointer.is_empty() {
        return Some(root);
    }
    let decoded = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
    root.pointer(&decoded)
        .filter(|found| found.is_object() || found.is_boolean())
}
