//! One schema as every vendor accepts it.

use super::flat::Flat;
use super::text::text;
use super::{JsonObject, Limits};
use crate::surface::texts::{join, line};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Types of JSON Schema in the order in which they are offered.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

pub(super) fn plain(schema: &Value, limits: &Limits, depth: usize) -> JsonObject {
    let empty = Map::new();
    let merged;
    let schema = match schema {
        Value::Object(map) if map.contains_key("allOf") => {
            merged = all_of(map, 0);
            &merged
        }
        Value::Object(map) => map,
        _ => &empty,
    };
    let text = text(schema, limits, depth);
    let branches = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Value::as_array);
    let mut made = match branches {
        Some(branches) if !schema.contains_key("properties") => {
            any_of(schema, branches, limits, depth)
        }
        _ => typed(schema, limits, depth),
    };
    describe(&mut made, &text);
    made
}

/// The text goes into the first branch of an `anyOf`, beside which nothing may stand.
fn describe(made: &mut JsonObject, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Value::Array(branches)) = made.get_mut("anyOf") {
        if let Some(Value::Object(first)) = branches.first_mut() {
            let own = first
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let both = join(text, own);
            first.insert("description".to_owned(), json!(both));
        }
        return;
    }
    let own = made.shift_remove("description");
    let both = join(
        text,
        own.as_ref().and_then(Value::as_str).unwrap_or_default(),
    );
    let mut first = Map::new();
    if let Some(kind) = made.shift_remove("type") {
        first.insert("type".to_owned(), kind);
    }
    first.insert("description".to_owned(), json!(both));
    first.append(made);
    *made = first;
}

fn all_of(schema: &JsonObject, depth: usize) -> JsonObject {
    let mut made = schema.clone();
    let Some(Value::Array(list)) = made.shift_remove("allOf") else {
        return made;
    };
    if depth > 16 {
        return made;
    }
    for branch in list.iter().filter_map(Value::as_object) {
        for (word, value) in all_of(branch, depth + 1) {
            match (made.get_mut(&word), value) {
                (Some(Value::Object(own)), Value::Object(other)) if word == "properties" => {
                    for (name, inner) in other {
                        own.entry(name).or_insert(inner);
                    }
                }
                (Some(Value::Array(own)), Value::Array(other)) if word == "required" => {
                    own.extend(other);
                }
                (Some(_), _) => {}
                (None, value) => {
                    made.insert(word, value);
                }
            }
        }
    }
    made
}

fn any_of(schema: &JsonObject, branches: &[Value], limits: &Limits, depth: usize) -> JsonObject {
    let mut made: Vec<JsonObject> = Vec::new();
    for branch in branches {
        // What stands beside the branches holds for each.
        let mut whole = schema.clone();
        for word in [
            "anyOf",
            "oneOf",
            "description",
            "title",
            "default",
            "examples",
            "deprecated",
        ] {
            whole.shift_remove(word);
        }
        match branch {
            Value::Object(branch) => {
                for (word, value) in branch {
                    whole.insert(word.clone(), value.clone());
                }
            }
            Value::Bool(false) => continue,
            _ => {}
        }
        if is_null(&whole) {
            continue;
        }
        let one = plain(&Value::Object(whole), limits, depth);
        // Branches of branches stand beside them.
        let flat = match one.get("anyOf") {
            Some(Value::Array(inner)) => {
                inner.iter().filter_map(Value::as_object).cloned().collect()
            }
            _ => vec![one],
        };
        for one in flat {
            if !made.contains(&one) {
                made.push(one);
            }
        }
    }
    made.truncate(limits.branches.max(1));
    match made.len() {
        0 => anything(),
        1 => made.remove(0),
        _ => Map::from_iter([("anyOf".to_owned(), json!(made))]),
    }
}

pub(super) fn is_null(schema: &JsonObject) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
        || schema.get("const").is_some_and(Value::is_null)
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|some| !some.is_empty() && some.iter().all(Value::is_null))
}

/// What may be anything has a type nevertheless.
fn anything() -> JsonObject {
    Map::from_iter([(
        "anyOf".to_owned(),
        json!([{ "type": "string" }, { "type": "number" }, { "type": "boolean" }, { "type": "object" }]),
    )])
}

pub(super) fn kinds(schema: &JsonObject) -> Vec<&'static str> {
    let named = |name: &str| TYPES.into_iter().find(|known| *known == name);
    let of_value = |value: &Value| match value {
        Value::String(_) => Some("string"),
        Value::Number(number) => Some(if number.is_f64() { "number" } else { "integer" }),
        Value::Bool(_) => Some("boolean"),
        Value::Array(_) => Some("array"),
        Value::Object(_) => Some("object"),
        Value::Null => None,
    };
    let mut kinds: Vec<&'static str> = match schema.get("type") {
        Some(Value::String(name)) => named(name).into_iter().collect(),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter_map(named)
            .collect(),
        _ => Vec::new(),
    };
    if kinds.is_empty() {
        if let Some(only) = schema.get("const") {
            kinds.extend(of_value(only));
        } else if let Some(Value::Array(values)) = schema.get("enum") {
            kinds.extend(values.iter().filter_map(of_value));
        } else {
            let by_word = [
                ("properties", "object"),
                ("additionalProperties", "object"),
                ("patternProperties", "object"),
                ("required", "object"),
                ("items", "array"),
                ("prefixItems", "array"),
                ("minItems", "array"),
                ("pattern", "string"),
                ("minLength", "string"),
                ("maxLength", "string"),
                ("format", "string"),
                ("contentEncoding", "string"),
                ("minimum", "number"),
                ("maximum", "number"),
            ];
            kinds.extend(
                by_word
                    .iter()
                    .find(|(word, _)| schema.contains_key(*word))
                    .map(|(_, kind)| *kind),
            );
        }
    }
    let mut seen = BTreeSet::new();
    kinds.retain(|kind| seen.insert(*kind));
    if kinds.contains(&"number") {
        kinds.retain(|kind| *kind != "integer");
    }
    kinds
}

fn typed(schema: &JsonObject, limits: &Limits, depth: usize) -> JsonObject {
    let kinds = kinds(schema);
    match kinds.as_slice() {
        [] => anything(),
        [only] => of_kind(schema, only, limits, depth, true),
        several => {
            let branches: Vec<JsonObject> = several
                .iter()
                .take(limits.branches.max(1))
                .map(|kind| of_kind(schema, kind, limits, depth, false))
                .collect();
            match branches.len() {
                1 => branches.into_iter().next().unwrap_or_default(),
                _ => Map::from_iter([("anyOf".to_owned(), json!(branches))]),
            }
        }
    }
}

fn of_kind(
    schema: &JsonObject,
    kind: &str,
    limits: &Limits,
    depth: usize,
    alone: bool,
) -> JsonObject {
    let mut made = Map::from_iter([("type".to_owned(), json!(kind))]);
    let keep = |made: &mut JsonObject, words: &[&str]| {
        for word in words {
            if let Some(value @ Value::Number(_)) = schema.get(*word) {
                made.insert((*word).to_owned(), value.clone());
            }
        }
    };
    match kind {
        "string" => {
            let values = texts(schema);
            if !values.is_empty() && values.len() <= limits.values {
                made.insert("enum".to_owned(), json!(values));
            } else if limits.details {
                if let Some(pattern) = schema
                    .get("pattern")
                    .and_then(Value::as_str)
                    .filter(|pattern| pattern.len() <= 120)
                {
                    made.insert("pattern".to_owned(), json!(pattern));
                }
                if schema
                    .get("format")
                    .is_some_and(|format| format == "date-time")
                {
                    made.insert("format".to_owned(), json!("date-time"));
                }
                keep(&mut made, &["minLength", "maxLength"]);
            }
        }
        "integer" | "number" if limits.details => bounds(schema, kind, &mut made),
        "array" => {
            let items = if depth >= limits.depth {
                anything_shallow(schema.get("items"))
            } else {
                items(schema, limits, depth)
            };
            made.insert("items".to_owned(), Value::Object(items));
            if limits.details {
                keep(&mut made, &["minItems", "maxItems"]);
            }
        }
        "object" if depth < limits.depth => {
            let flat = Flat::of(schema);
            let mut properties = Map::new();
            for (name, inner) in flat.properties.iter().take(limits.inputs) {
                properties.insert(name.clone(), Value::Object(plain(inner, limits, depth + 1)));
            }
            if !properties.is_empty() {
                let required: Vec<&String> = flat
                    .required
                    .iter()
                    .filter(|name| properties.contains_key(*name))
                    .collect();
                if !required.is_empty() {
                    made.insert("required".to_owned(), json!(required));
                }
                made.insert("properties".to_owned(), Value::Object(properties));
            }
            if !flat.notes.is_empty() && limits.inner_text > 0 {
                made.insert(
                    "description".to_owned(),
                    json!(line(&flat.notes.join(" "), limits.inner_text)),
                );
            }
        }
        _ => {}
    }
    if let Some(default) = schema.get("default")
        && alone
        && limits.details
        && fits(default, kind)
    {
        made.insert("default".to_owned(), default.clone());
    }
    made
}

pub(super) fn fits(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}

/// The texts that an input can be, without the empty one.
pub(super) fn texts(schema: &JsonObject) -> Vec<&str> {
    let mut values: Vec<&str> = match (schema.get("const"), schema.get("enum")) {
        (Some(Value::String(only)), _) => vec![only],
        (None, Some(Value::Array(values))) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    values.retain(|value| !value.is_empty() && seen.insert(*value));
    values
}

/// Gemini has no exclusive bounds: for whole numbers the next one is the same.
fn bounds(schema: &JsonObject, kind: &str, made: &mut JsonObject) {
    for (word, exclusive, step) in [
        ("minimum", "exclusiveMinimum", 1),
        ("maximum", "exclusiveMaximum", -1),
    ] {
        if let Some(value @ Value::Number(_)) = schema.get(word) {
            made.insert(word.to_owned(), value.clone());
        } else if let Some(value) = schema.get(exclusive) {
            match value.as_i64().and_then(|bound| bound.checked_add(step)) {
                Some(next) if kind == "integer" => {
                    made.insert(word.to_owned(), json!(next));
                }
                _ if value.is_number() => {
                    made.insert(word.to_owned(), value.clone());
                }
                _ => {}
            }
        }
    }
}

fn items(schema: &JsonObject, limits: &Limits, depth: usize) -> JsonObject {
    if let Some(Value::Array(first)) = schema.get("prefixItems")
        && !first.is_empty()
    {
        return any_of(&Map::new(), first, limits, depth + 1);
    }
    match schema.get("items") {
        Some(items @ Value::Object(_)) => plain(items, limits, depth + 1),
        _ => anything(),
    }
}

/// The items of an array at the last level: their type and nothing of what is in them.
fn anything_shallow(items: Option<&Value>) -> JsonObject {
    let kind = items
        .and_then(Value::as_object)
        .map(kinds)
        .unwrap_or_default();
    match kind.as_slice() {
        // An array in it would need items of its own.
        [only] if *only != "array" => Map::from_iter([("type".to_owned(), json!(only))]),
        [_] => Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), json!({ "type": "string" })),
        ]),
        _ => anything(),
    }
}
