//! What each vendor refuses of a tool's input schema, as code. Where the rules come from stands in
//! `surface/vendor.rs`.

use quaymaster_connectors::surface::JsonObject;
use serde_json::Value;

/// Everything that one of the vendors would refuse, with its place.
pub(super) fn refusals(schema: &JsonObject) -> Vec<String> {
    let mut found = Vec::new();
    top(schema, &mut found);
    each("", &Value::Object(schema.clone()), 0, &mut found);
    found
}

fn top(schema: &JsonObject, found: &mut Vec<String>) {
    let mut say = |what: &str| found.push(format!("top: {what}"));
    if schema.get("type").is_none_or(|kind| kind != "object") {
        say("OpenAI and Anthropic want type object");
    }
    for word in ["oneOf", "anyOf", "allOf", "enum", "not"] {
        if schema.contains_key(word) {
            say(&format!("OpenAI and Anthropic refuse {word}"));
        }
    }
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return say("OpenAI wants properties");
    };
    for name in properties.keys() {
        let first = name.bytes().next().unwrap_or(b'0');
        let shaped = name.len() <= 64
            && (first.is_ascii_alphabetic() || first == b'_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !shaped {
            say(&format!("Anthropic or Vertex AI refuse the name {name:?}"));
        }
    }
    if serde_json::to_string(schema).unwrap().len() > 16 * 1024 {
        say("larger than 16 KB");
    }
}

/// The fields of Gemini's Schema that are used.
const WORDS: [&str; 15] = [
    "type",
    "description",
    "properties",
    "required",
    "items",
    "anyOf",
    "enum",
    "format",
    "pattern",
    "default",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
];

fn each(at: &str, schema: &Value, depth: usize, found: &mut Vec<String>) {
    let Value::Object(map) = schema else {
        return found.push(format!("{at}: Gemini takes no boolean schema"));
    };
    if depth > 20 {
        return found.push(format!("{at}: too deep"));
    }
    for word in map.keys() {
        if !WORDS.contains(&word.as_str()) && word != "maxLength" {
            found.push(format!("{at}: Gemini does not know {word}"));
        }
    }
    if let Some(Value::Array(branches)) = map.get("anyOf") {
        if map.len() > 1 {
            found.push(format!("{at}: Vertex AI wants anyOf alone"));
        }
        if branches.len() < 2 {
            found.push(format!("{at}: anyOf of one"));
        }
        for (nr, branch) in branches.iter().enumerate() {
            each(&format!("{at}/anyOf/{nr}"), branch, depth + 1, found);
        }
        return;
    }
    let Some(kind) = map.get("type").and_then(Value::as_str) else {
        return found.push(format!("{at}: Gemini wants one type"));
    };
    if !["object", "array", "string", "integer", "number", "boolean"].contains(&kind) {
        found.push(format!("{at}: {kind} is no type"));
    }
    if let Some(values) = map.get("enum") {
        let texts = values.as_array().unwrap();
        if kind != "string"
            || texts.is_empty()
            || !texts
                .iter()
                .all(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        {
            found.push(format!(
                "{at}: Gemini wants texts in enum that are not empty"
            ));
        }
    }
    if map
        .get("format")
        .is_some_and(|format| format != "date-time" || kind != "string")
    {
        found.push(format!("{at}: Gemini refuses the format"));
    }
    if kind == "array" {
        match map.get("items") {
            Some(items) => each(&format!("{at}/items"), items, depth + 1, found),
            None => found.push(format!("{at}: Gemini and OpenAI want items")),
        }
    }
    let properties = map.get("properties").and_then(Value::as_object);
    for (name, inner) in properties.into_iter().flatten() {
        each(&format!("{at}/{name}"), inner, depth + 1, found);
    }
    let mut seen = Vec::new();
    for name in map
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let known =
            properties.is_some_and(|all| all.contains_key(name.as_str().unwrap_or_default()));
        if !known || seen.contains(&name) {
            found.push(format!(
                "{at}: Gemini wants required names once and among properties: {name}"
            ));
        }
        seen.push(name);
    }
}

#[test]
fn the_rules_refuse_what_vendors_refuse() {
    for schema in [
        serde_json::json!({ "type": "object", "properties": {}, "anyOf": [] }),
        serde_json::json!({ "type": "object", "properties": { "$top": { "type": "integer" } } }),
        serde_json::json!({ "type": "object", "properties": { "a": { "type": ["string", "null"] } } }),
        serde_json::json!({ "type": "object", "properties": { "a": { "type": "integer", "enum": [1] } } }),
        serde_json::json!({ "type": "object", "properties": { "a": { "type": "array" } } }),
        serde_json::json!({ "type": "object", "properties": { "a": { "type": "string", "format": "uri" } } }),
        serde_json::json!({ "type": "object", "properties": {}, "required": ["a"] }),
        serde_json::json!({ "type": "object", "properties": { "a": { "$ref": "#" } } }),
        serde_json::json!({ "type": "object" }),
    ] {
        assert_ne!(
            refusals(schema.as_object().unwrap()),
            Vec::<String>::new(),
            "{schema}"
        );
    }
}
