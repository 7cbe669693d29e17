//! Schemas of input and result: JSON Schema 2020-12 within what the vendors of models take and what
//! costs little to check.

use crate::format::Flow;
use quaymaster_core::schema::{Checker, shorten};
use quaymaster_core::tool::JsonObject;
use quaymaster_yaml::{Report, Spot};
use serde_json::{Map, Value, json};

/// Bytes of a schema, as JSON.
const LARGEST: usize = 16 << 10;
/// Schemas within schemas.
const DEEPEST: usize = 16;
const LONGEST_PATTERN: usize = 1_000;

pub(super) fn input(flow: &Flow, root: &Spot, report: &mut Report) {
    let Some(schema) = &flow.input else { return };
    let at = root.key("input");
    if !object(schema, "input", &at, report) {
        return;
    }
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    for (name, property) in properties {
        let at = at.key("properties").key(name);
        let good = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        report.unless(
            good,
            &at,
            "Models take no such name: letters, digits and `_`, at most 64, no digit first.",
        );
        default_fits(name, property, &at, report);
    }
}

pub(super) fn output(flow: &Flow, root: &Spot, report: &mut Report) {
    if let Some(schema) = &flow.output {
        object(schema, "output", &root.key("output"), report);
    }
}

/// Whether a schema of an object may be used.
fn object(schema: &JsonObject, what: &str, at: &Spot, report: &mut Report) -> bool {
    let before = report.found().len();
    let bytes = Value::Object(schema.clone()).to_string().len();
    report.unless(
        bytes <= LARGEST,
        at,
        format!("The schema has {bytes} bytes; at most {LARGEST} are possible."),
    );
    report.unless(
        schema.get("type") == Some(&json!("object")),
        at,
        format!("The {what} is an object: it begins with `type: object`."),
    );
    for word in ["oneOf", "anyOf", "allOf", "not", "enum", "if"] {
        report.unless(
            !schema.contains_key(word),
            &at.key(word),
            format!(
                "At the top of a tool's schema models take no `{word}`. Use it within a property."
            ),
        );
    }
    within(schema, at, 1, report);
    if report.found().len() > before {
        return false;
    }
    if let Err(error) = Checker::new(schema) {
        report.say(
            at,
            format!(
                "It is no JSON Schema: {}.",
                shorten(error.trim_end_matches('.'))
            ),
        );
        return false;
    }
    true
}

/// Rules of every schema, before anything follows it.
fn within(schema: &Map<String, Value>, at: &Spot, depth: usize, report: &mut Report) {
    if depth > DEEPEST {
        report.say(
            at,
            format!("Schemas stand at most {DEEPEST} deep within each other."),
        );
        return;
    }
    for word in [
        "$ref",
        "$dynamicRef",
        "$recursiveRef",
        "$defs",
        "definitions",
    ] {
        report.unless(
            !schema.contains_key(word),
            &at.key(word),
            format!("`{word}` is not possible here: models and their vendors take schemas that are written out."),
        );
    }
    if let Some(Value::String(pattern)) = schema.get("pattern") {
        report.unless(
            pattern.len() <= LONGEST_PATTERN,
            &at.key("pattern"),
            format!("A pattern has at most {LONGEST_PATTERN} bytes."),
        );
    }
    let is_list = match schema.get("type") {
        Some(Value::String(name)) => name == "array",
        Some(Value::Array(names)) => names.contains(&json!("array")),
        _ => false,
    };
    report.unless(
        !is_list || schema.contains_key("items"),
        at,
        "A list needs `items`: some vendors of models refuse the whole tool otherwise.",
    );
    if let (Some(Value::Object(properties)), Some(Value::Array(required))) =
        (schema.get("properties"), schema.get("required"))
    {
        for (index, name) in required.iter().enumerate() {
            let known = name
                .as_str()
                .is_some_and(|name| properties.contains_key(name));
            report.unless(
                known,
                &at.key("required").item(index),
                format!("There is no property {name}."),
            );
        }
    }
    for (word, value) in schema {
        let at = at.key(word);
        match (word.as_str(), value) {
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                for (name, schema) in schemas {
                    if let Value::Object(schema) = schema {
                        within(schema, &at.key(name), depth + 1, report);
                    }
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    if let Value::Object(schema) = schema {
                        within(schema, &at.item(index), depth + 1, report);
                    }
                }
            }
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
                Value::Object(schema),
            ) => within(schema, &at, depth + 1, report),
            _ => {}
        }
    }
}

/// A default that does not fit would fail every call that leaves the input out.
fn default_fits(name: &str, property: &Value, at: &Spot, report: &mut Report) {
    let Some(default) = property.get("default") else {
        return;
    };
    let mut schema = Map::new();
    schema.insert("properties".to_owned(), json!({ name: property }));
    let mut value = Map::new();
    value.insert(name.to_owned(), default.clone());
    if let Ok(checker) = Checker::new(&schema)
        && checker.check(&value).is_err()
    {
        report.say(
            &at.key("default"),
            "It does not fit the schema that it stands in.",
        );
    }
}
