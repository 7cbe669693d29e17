//! What is said of an input, and what words that are left out would have said.

use super::plain::{fits, is_null, kinds, texts};
use super::{JsonObject, Limits};
use crate::surface::texts::{first_sentence, line, sentence};
use serde_json::Value;

/// What a reader has to know of a schema, with what the words that are left out would say.
pub(super) fn text(schema: &JsonObject, limits: &Limits, depth: usize) -> String {
    let most = if depth <= 1 {
        limits.text
    } else {
        limits.inner_text
    };
    if most == 0 {
        return String::new();
    }
    let said = schema
        .get("description")
        .or_else(|| schema.get("title"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut text = line(said, most);
    if most < 200 {
        text = first_sentence(&text).to_owned();
    }
    let mut more = |addition: String| {
        if text.chars().count() + addition.chars().count() < most {
            text = if text.is_empty() {
                addition
            } else {
                format!("{} {addition}", sentence(&text))
            };
        }
    };
    if schema.get("deprecated").is_some_and(|one| one == true) {
        more("Deprecated.".to_owned());
    }
    let values: Vec<&Value> = match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => vec![only],
        (None, Some(Value::Array(values))) => values.iter().collect(),
        _ => Vec::new(),
    };
    // Texts stand in `enum` unless there are too many.
    let told = kinds(schema) == ["string"] && texts(schema).len() <= limits.values;
    if !values.is_empty() && !told {
        let mut some: Vec<String> = values
            .iter()
            .take(20)
            .filter(|value| !value.is_null())
            .map(|value| shown(value))
            .collect();
        if values.len() > 20 {
            some.push("…".to_owned());
        }
        more(format!("One of {}.", some.join(", ")));
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        match format {
            "date" => more("As YYYY-MM-DD.".to_owned()),
            "time" => more("As HH:MM:SS.".to_owned()),
            "uuid" => more("A UUID.".to_owned()),
            "byte" => more("In Base64.".to_owned()),
            _ => {}
        }
    }
    if schema
        .get("contentEncoding")
        .is_some_and(|encoding| encoding == "base64")
        && !said.contains("ase64")
    {
        more("In Base64.".to_owned());
    }
    let nullable = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        _ => schema
            .get("anyOf")
            .or_else(|| schema.get("oneOf"))
            .and_then(Value::as_array)
            .is_some_and(|branches| branches.iter().filter_map(Value::as_object).any(is_null)),
    };
    if nullable && !said.contains("null") {
        more("May be null.".to_owned());
    }
    if !limits.details {
        return text;
    }
    if let Some(default) = schema.get("default") {
        let shown_already = matches!(kinds(schema).as_slice(), [only] if fits(default, only))
            && !schema.contains_key("anyOf")
            && !schema.contains_key("oneOf");
        if !shown_already {
            more(format!("Default: {}.", line(&shown(default), 120)));
        }
    }
    if let Some(example) = schema
        .get("examples")
        .and_then(Value::as_array)
        .and_then(|some| some.first())
    {
        let example = line(&shown(example), 80);
        if !said.contains(&example) {
            more(format!("For example {example}"));
        }
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
