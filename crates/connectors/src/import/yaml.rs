//! A definition as its file: blocks for what people look for, one line for each schema, and nothing
//! that is so anyway.

use crate::definition::Definition;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The text. Keys of the whole begin their lines, which is how the catalog finds them.
pub(super) fn text(definition: &Definition) -> String {
    let Ok(Value::Object(mut whole)) = serde_json::to_value(definition) else {
        return String::new();
    };
    trim(&mut whole);
    let mut text = String::new();
    for (key, value) in &whole {
        block(&mut text, key, value, 0, depth_of(key));
    }
    text
}

/// How many levels stand in blocks.
fn depth_of(key: &str) -> usize {
    match key {
        "modules" => 4,
        "auth" | "recipes" => 2,
        "defaults" | "connection" => 1,
        _ => 0,
    }
}

fn block(text: &mut String, key: &str, value: &Value, indent: usize, levels: usize) {
    for _ in 0..indent {
        text.push_str("  ");
    }
    scalar(text, key);
    text.push(':');
    match value {
        Value::Object(members) if levels > 0 && !members.is_empty() => {
            text.push('\n');
            for (name, member) in members {
                block(text, name, member, indent + 1, levels - 1);
            }
        }
        Value::Array(items) if levels > 0 && !items.is_empty() => {
            text.push('\n');
            for item in items {
                for _ in 0..=indent {
                    text.push_str("  ");
                }
                text.push_str("- ");
                flow(text, item);
                text.push('\n');
            }
        }
        other => {
            text.push(' ');
            flow(text, other);
            text.push('\n');
        }
    }
}

fn flow(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => {
            let _ = write!(text, "{flag}");
        }
        Value::Number(number) => {
            let _ = write!(text, "{number}");
        }
        Value::String(words) => scalar(text, words),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                flow(text, item);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                scalar(text, name);
                text.push_str(": ");
                flow(text, member);
            }
            text.push('}');
        }
    }
}

/// A text, in quotes unless it can be nothing else without them.
fn scalar(text: &mut String, words: &str) {
    const OTHERS: [&str; 12] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity",
    ];
    let plain = words.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && words.len() <= 200
        && !words.ends_with(' ')
        && words
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" _-./".contains(&byte))
        && !OTHERS.iter().any(|other| words.eq_ignore_ascii_case(other));
    if plain {
        text.push_str(words);
        return;
    }
    text.push('"');
    for c in words.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            // Line ends of YAML's older versions, and what no file holds as it is.
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// Takes out what the format supplies.
fn trim(whole: &mut Map<String, Value>) {
    drop_equal(whole, "categories", &json!([]));
    drop_equal(whole, "ttl", &json!(86_400));
    drop_equal(whole, "open_methods", &json!(false));
    if let Some(Value::Object(defaults)) = whole.get_mut("defaults") {
        let usual = serde_json::to_value(crate::definition::Retry::default()).unwrap_or_default();
        drop_equal(defaults, "retry", &usual);
        drop_equal(defaults, "errors", &json!({}));
    }
    drop_equal(whole, "defaults", &json!({}));
    if let Some(Value::Object(fields)) = whole.get_mut("connection") {
        fields.values_mut().for_each(trim_field);
    }
    if let Some(Value::Array(ways)) = whole.get_mut("auth") {
        for way in ways.iter_mut().filter_map(Value::as_object_mut) {
            drop_equal(way, "inject", &json!({}));
            if let Some(Value::Object(fields)) = way.get_mut("fields") {
                fields.values_mut().for_each(trim_field);
            }
            if let Some(Value::Object(oauth2)) = way.get_mut("oauth2") {
                drop_equal(oauth2, "pkce", &json!("S256"));
                drop_equal(oauth2, "client_auth", &json!("basic"));
                drop_equal(oauth2, "refresh", &json!({}));
                drop_equal(oauth2, "scopes", &json!({ "default": [] }));
            }
        }
    }
    let modules = whole.get_mut("modules").and_then(Value::as_object_mut);
    let actions = modules.into_iter().flat_map(Map::values_mut);
    let actions = actions.filter_map(|module| module.get_mut("actions")?.as_object_mut());
    for action in actions
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
    {
        drop_equal(action, "content_type", &json!("json"));
        drop_equal(action, "params", &json!({}));
        if let Some(Value::Object(response)) = action.get_mut("response") {
            drop_equal(response, "binary", &json!(false));
        }
        drop_equal(action, "response", &json!({}));
    }
}

fn trim_field(field: &mut Value) {
    if let Value::Object(field) = field {
        drop_equal(field, "secret", &json!(false));
        drop_equal(field, "optional", &json!(false));
    }
}

fn drop_equal(map: &mut Map<String, Value>, key: &str, usual: &Value) {
    if map.get(key) == Some(usual) {
        map.shift_remove(key);
    }
}
