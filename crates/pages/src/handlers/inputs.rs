//! Forms made from a JSON Schema of inputs, and the values that were typed into them.

use std::collections::BTreeMap;

use quaymaster_core::Fault;
use serde_json::{Map, Value};

use super::answer::field_of;
use super::connections::said;
use crate::views::{Field, InputKind, TryInput};

/// In front of the name of an input in the form.
pub(super) const PREFIX: &str = "input.";

/// What was typed, as values. What is wrong stands under its input; so does what is missing, when
/// all that is needed has to be there.
pub(super) fn read_inputs(
    inputs: &mut [TryInput],
    schema: &Value,
    typed: &BTreeMap<String, String>,
    is_whole: bool,
) -> Map<String, Value> {
    let mut values = Map::new();
    for input in inputs {
        let typed = typed.get(&input.name).map(String::as_str);
        let typed = typed.unwrap_or_default();
        input.field = Field::new(typed);
        match value_of(&schema["properties"][&input.name], &input.kind, typed) {
            Ok(Some(value)) => {
                values.insert(input.name.clone(), value);
            }
            Ok(None) if input.is_required && is_whole => {
                input.field.error = Some(format!("{} is needed.", input.name));
            }
            Ok(None) => {}
            Err(why) => input.field.error = Some(why.to_owned()),
        }
    }
    values
}

/// Fills a form with values that were saved.
pub(super) fn fill(inputs: &mut [TryInput], values: &Map<String, Value>) {
    for input in inputs {
        if let Some(value) = values.get(&input.name) {
            input.field = Field::new(match input.kind {
                InputKind::Json => super::connectors::pretty(value),
                _ => spelled(value),
            });
        }
    }
}

/// The inputs that a person gives, those that are needed first. What can have one value only is
/// sent by itself.
pub(super) fn inputs_of(schema: &Value) -> Vec<TryInput> {
    let needed = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|own| own == name))
    };
    let properties = schema["properties"].as_object();
    let given = properties.into_iter().flatten();
    let mut inputs: Vec<TryInput> = given
        .filter(|(_, own)| own.get("const").is_none())
        .map(|(name, own)| TryInput {
            name: name.clone(),
            kind: kind_of(own),
            help: help_of(own),
            is_required: needed(name),
            field: Field::default(),
        })
        .collect();
    inputs.sort_by_key(|input| !input.is_required);
    inputs
}

fn kind_of(schema: &Value) -> InputKind {
    if let Some(values) = schema["enum"].as_array() {
        return InputKind::Choice(values.iter().map(spelled).collect());
    }
    let is = |word: &str| match &schema["type"] {
        Value::String(own) => own == word,
        Value::Array(all) => all.iter().any(|own| own == word),
        _ => false,
    };
    if is("string") {
        InputKind::Text
    } else if is("integer") || is("number") {
        InputKind::Number
    } else if is("boolean") {
        InputKind::Choice(vec!["true".to_owned(), "false".to_owned()])
    } else {
        InputKind::Json
    }
}

/// A text as it is, all else as JSON.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn help_of(schema: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(text) = schema["description"].as_str() {
        let text = text.trim();
        let end = if text.ends_with(['.', '…']) {
            ""
        } else {
            "."
        };
        parts.push(format!("{text}{end}"));
    }
    if kind_of(schema) == InputKind::Json {
        parts.push("As JSON.".to_owned());
    }
    let example = schema["examples"].get(0).or_else(|| schema.get("example"));
    if let Some(example) = example {
        parts.push(format!("For example {}", spelled(example)));
    } else if let Some(default) = schema.get("default") {
        parts.push(format!("Left out, it is {default}."));
    }
    parts.join(" ")
}

/// What was typed as the value that the schema wants; none when it was left out.
fn value_of(schema: &Value, kind: &InputKind, typed: &str) -> Result<Option<Value>, &'static str> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let json = serde_json::from_str::<Value>(typed.trim());
    let value = match kind {
        InputKind::Text => {
            let takes_numbers = schema["type"].is_array();
            match json {
                Ok(number) if takes_numbers && number.is_number() => number,
                _ => typed.into(),
            }
        }
        InputKind::Number => match json {
            Ok(number) if number.is_number() => number,
            _ => return Err("This is a number."),
        },
        InputKind::Choice(_) => {
            let values = schema["enum"].as_array();
            let chosen = values.and_then(|all| all.iter().find(|one| spelled(one) == typed));
            match (chosen, json) {
                (Some(value), _) => value.clone(),
                (None, Ok(value)) => value,
                (None, Err(_)) => typed.into(),
            }
        }
        InputKind::Json => {
            json.map_err(|_| "This is not JSON. A text stands in quotation marks.")?
        }
    };
    Ok(Some(value))
}

/// Puts a refusal under the input that it is about; any other fault comes back.
pub(super) fn place_of(inputs: &mut [TryInput], fault: Fault) -> Option<Fault> {
    let pointer = field_of(&fault).unwrap_or_default();
    let name = pointer.trim_start_matches('/').split('/').next();
    // RFC 6901 §4
    let name = name
        .unwrap_or_default()
        .replace("~1", "/")
        .replace("~0", "~");
    match inputs.iter_mut().find(|input| input.name == name) {
        Some(input) => {
            input.field.error = Some(said(fault));
            None
        }
        None => Some(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_becomes_what_the_schema_wants() {
        let read = |schema: &Value, typed| value_of(schema, &kind_of(schema), typed);
        let either = json!({ "type": ["integer", "string"] });
        let state = json!({ "enum": ["open", 7] });
        for (schema, typed, value) in [
            (json!({ "type": "string" }), "7", json!("7")),
            (json!({ "type": "string" }), " a ", json!(" a ")),
            (json!({ "type": "integer" }), "7", json!(7)),
            (json!({ "type": "boolean" }), "true", json!(true)),
            (either.clone(), "7", json!(7)),
            (either, "me", json!("me")),
            (state.clone(), "open", json!("open")),
            (state, "7", json!(7)),
            (json!({ "type": "array" }), "[1, \"a\"]", json!([1, "a"])),
        ] {
            assert_eq!(read(&schema, typed), Ok(Some(value)), "{schema} {typed}");
        }
        assert_eq!(read(&json!({ "type": "string" }), " "), Ok(None));
        assert!(read(&json!({ "type": "number" }), "many").is_err());
        assert!(read(&json!({ "type": "object" }), "a").is_err());
    }

    #[test]
    fn needed_inputs_come_first_and_constants_are_not_asked_for() {
        let schema = json!({
            "required": ["b", "c"],
            "properties": { "a": {}, "b": { "type": "string" }, "c": { "const": 1 } },
        });
        let names: Vec<_> = inputs_of(&schema)
            .into_iter()
            .map(|input| (input.name, input.is_required))
            .collect();
        assert_eq!(names, [("b".to_owned(), true), ("a".to_owned(), false)]);
    }
}
