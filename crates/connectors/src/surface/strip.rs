//! An action's schema without what is enforced, and with what is saved shown as defaults.

use super::JsonObject;
use super::inline::inline;
use super::preset::Preset;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A larger saved value is not shown.
const LARGEST_DEFAULT: usize = 512;

/// Enforced inputs with their values, as far as they have any.
type Gone = BTreeMap<String, Option<Value>>;

impl Preset {
    /// The schema of what an agent may still give, for an agent's input before
    /// [`merge`](Preset::merge): enforced inputs are gone from it wherever it names them; those that
    /// have a saved value are no longer required, and show it as their default.
    pub fn strip(&self, schema: &JsonObject) -> JsonObject {
        if self.is_empty() {
            return schema.clone();
        }
        let mut schema = inline(schema);
        let mut saved = self.values();
        let gone: Gone = self
            .enforced_keys()
            .into_iter()
            .map(|key| {
                let value = saved.remove(&key);
                (key, value)
            })
            .collect();
        take_out(&mut schema, &gone, 0);
        for path in self.enforced_paths() {
            let top = path.first().map(String::as_str).unwrap_or_default();
            let value = path
                .iter()
                .skip(1)
                .try_fold(saved.get(top).unwrap_or(&Value::Null), |value, step| {
                    value.get(step)
                });
            take_out_within(&mut schema, &path, value.cloned().as_ref(), 0);
            // What the agent would give beside it replaces the whole input, so it is not shown.
            saved.remove(top);
            unneeded_when_empty(&mut schema, top);
        }
        for (key, value) in &saved {
            offer(&mut schema, key, value);
        }
        schema
    }
}

fn take_out(schema: &mut JsonObject, gone: &Gone, depth: usize) {
    if gone.is_empty() || depth > 32 {
        return;
    }
    let in_map = |map: &mut Map<String, Value>| {
        for key in gone.keys() {
            map.shift_remove(key);
        }
    };
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        in_map(properties);
    }
    for word in ["default", "const"] {
        if let Some(Value::Object(value)) = schema.get_mut(word) {
            in_map(value);
        }
    }
    for word in ["examples", "enum"] {
        if let Some(Value::Array(values)) = schema.get_mut(word) {
            for value in values.iter_mut().filter_map(Value::as_object_mut) {
                in_map(value);
            }
        }
    }
    if let Some(Value::Object(patterns)) = schema.get_mut("patternProperties") {
        patterns.retain(|pattern, _| !gone.keys().any(|key| means_only(pattern, key)));
    }
    let mut needed: Vec<String> = Vec::new();
    if let Some(Value::Object(dependent)) = schema.get_mut("dependentRequired") {
        for (key, value) in gone {
            // It will be there, so what it needs is needed.
            if let (Some(Value::Array(names)), Some(_)) = (dependent.shift_remove(key), value) {
                needed.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
            }
        }
        for names in dependent.values_mut().filter_map(Value::as_array_mut) {
            names.retain(|name| !name.as_str().is_some_and(|name| gone.contains_key(name)));
        }
    }
    let mut also: Vec<Value> = Vec::new();
    if let Some(Value::Object(dependent)) = schema.get_mut("dependentSchemas") {
        for (key, value) in gone {
            if let (Some(inner), Some(_)) = (dependent.shift_remove(key), value) {
                also.push(inner);
            }
        }
        for inner in dependent.values_mut().filter_map(Value::as_object_mut) {
            take_out(inner, gone, depth + 1);
        }
    }
    if !needed.is_empty() {
        let required = schema.entry("required").or_insert_with(|| json!([]));
        if let Value::Array(required) = required {
            for name in needed {
                if !required.iter().any(|own| own == name.as_str()) {
                    required.push(name.into());
                }
            }
        }
    }
    not_required(schema, |name| gone.contains_key(name));
    if !also.is_empty() {
        let all = schema.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.extend(also);
        }
    }
    // What holds or does not hold because of an enforced value cannot be said of the rest.
    if schema.get("not").is_some_and(|inner| mentions(inner, gone)) {
        schema.shift_remove("not");
    }
    if schema.get("if").is_some_and(|inner| mentions(inner, gone)) {
        for word in ["if", "then", "else"] {
            schema.shift_remove(word);
        }
    }
    for word in ["then", "else"] {
        if let Some(Value::Object(inner)) = schema.get_mut(word) {
            take_out(inner, gone, depth + 1);
        }
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        branches(schema, word, gone, depth);
    }
    let given = gone.values().filter(|value| value.is_some()).count() as u64;
    for word in ["minProperties", "maxProperties"] {
        if let Some(count) = schema.get(word).and_then(Value::as_u64) {
            schema.insert(word.to_owned(), json!(count.saturating_sub(given)));
        }
    }
}

fn branches(schema: &mut JsonObject, word: &str, gone: &Gone, depth: usize) {
    let Some(Value::Array(list)) = schema.get_mut(word) else {
        return;
    };
    if word != "allOf" {
        list.retain(|branch| !contradicts(branch, gone));
    }
    for branch in list.iter_mut().filter_map(Value::as_object_mut) {
        take_out(branch, gone, depth + 1);
    }
    let free = |branch: &Value| branch.as_object().is_some_and(Map::is_empty);
    match word {
        "allOf" => list.retain(|branch| !free(branch)),
        // One of them holds already.
        "anyOf" if list.iter().any(free) => list.clear(),
        _ => {}
    }
    if list.is_empty() {
        schema.shift_remove(word);
    } else if word != "allOf" && list.len() == 1 {
        let only = list.remove(0);
        schema.shift_remove(word);
        if let Value::Array(all) = schema.entry("allOf").or_insert_with(|| json!([])) {
            all.push(only);
        }
    }
}

/// Whether a branch is for another value of an enforced input.
fn contradicts(branch: &Value, gone: &Gone) -> bool {
    gone.iter().any(|(key, value)| {
        let (Some(value), Some(schema)) =
            (value, branch.get("properties").and_then(|all| all.get(key)))
        else {
            return false;
        };
        schema.get("const").is_some_and(|only| only != value)
            || schema
                .get("enum")
                .and_then(Value::as_array)
                .is_some_and(|some| !some.contains(value))
    })
}

fn mentions(schema: &Value, gone: &Gone) -> bool {
    match schema {
        Value::Object(map) => map
            .iter()
            .any(|(word, inner)| gone.contains_key(word) || mentions(inner, gone)),
        Value::Array(list) => list.iter().any(|inner| mentions(inner, gone)),
        Value::String(text) => gone.contains_key(text),
        _ => false,
    }
}

/// `^owner$` means nothing but `owner`.
fn means_only(pattern: &str, key: &str) -> bool {
    pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'))
        .is_some_and(|inner| inner == key || inner.replace('\\', "") == key)
}

fn not_required(schema: &mut JsonObject, gone: impl Fn(&str) -> bool) {
    let left = match schema.get_mut("required") {
        Some(Value::Array(required)) => {
            required.retain(|name| !name.as_str().is_some_and(&gone));
            required.len()
        }
        _ => return,
    };
    if left == 0 {
        schema.shift_remove("required");
    }
}

fn take_out_within(schema: &mut JsonObject, path: &[String], value: Option<&Value>, depth: usize) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if depth > 32 {
        return;
    }
    if rest.is_empty() {
        take_out(
            schema,
            &Gone::from([(first.clone(), value.cloned())]),
            depth,
        );
        return;
    }
    if let Some(Value::Object(inner)) = schema
        .get_mut("properties")
        .and_then(|all| all.get_mut(first))
    {
        take_out_within(inner, rest, value, depth + 1);
        for word in ["default", "examples", "const", "enum"] {
            inner.shift_remove(word);
        }
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(list)) = schema.get_mut(word) {
            for branch in list.iter_mut().filter_map(Value::as_object_mut) {
                take_out_within(branch, path, value, depth + 1);
            }
        }
    }
}

/// An object whose only needed member is enforced need not be given.
fn unneeded_when_empty(schema: &mut JsonObject, key: &str) {
    let inner = schema.get("properties").and_then(|all| all.get(key));
    if inner.is_some_and(|inner| inner.get("required").is_none()) {
        not_required(schema, |name| name == key);
    }
    let empty = schema
        .get("properties")
        .and_then(|all| all.get(key)?.get("properties")?.as_object())
        .is_some_and(Map::is_empty);
    if empty && let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_remove(key);
        not_required(schema, |name| name == key);
    }
}

fn offer(schema: &mut JsonObject, key: &str, value: &Value) {
    if let Some(Value::Object(property)) = schema
        .get_mut("properties")
        .and_then(|all| all.get_mut(key))
        && value.to_string().len() <= LARGEST_DEFAULT
    {
        property.insert("default".to_owned(), value.clone());
    }
    optional(schema, key, 0);
}

fn optional(schema: &mut JsonObject, key: &str, depth: usize) {
    if depth > 32 {
        return;
    }
    not_required(schema, |name| name == key);
    for word in ["allOf", "anyOf", "oneOf"] {
        let Some(Value::Array(list)) = schema.get_mut(word) else {
            continue;
        };
        for branch in list.iter_mut().filter_map(Value::as_object_mut) {
            optional(branch, key, depth + 1);
        }
        if word == "anyOf"
            && list
                .iter()
                .any(|branch| branch.as_object().is_some_and(Map::is_empty))
        {
            schema.shift_remove(word);
        }
    }
}
