//! The inputs of an action as plain JSON Schema, with the names of the format resolved.

use crate::definition::{Action, Definition, Kind, Template, Verb};
use serde_json::{Map, Value, json};

/// Words of the format in a schema, besides those of JSON Schema.
pub const ENUM: &str = "$enum";
pub const SELECT: &str = "x-select";
pub const PLACE: &str = "x-in";
pub const ORDER: &str = "x-order";
pub const STYLE: &str = "x-style";

/// JSON Schema 2020-12 of an action's inputs: an object, `$enum` replaced by the values, the
/// `x-` words left out. An action without parameters takes an empty object.
pub fn input_schema(definition: &Definition, action: &Action) -> Map<String, Value> {
    let mut schema = match plain(definition, &Value::Object(action.params.clone())) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    schema.entry("type").or_insert_with(|| json!("object"));
    schema
}

fn plain(definition: &Definition, schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut made = Map::new();
            for (word, value) in map {
                match word.as_str() {
                    SELECT | PLACE | ORDER | STYLE => {}
                    ENUM => {
                        let choices = value.as_str().and_then(|name| definition.enums.get(name));
                        let values: Vec<Value> = choices
                            .into_iter()
                            .flatten()
                            .map(|choice| choice.value.clone())
                            .collect();
                        made.insert("enum".to_owned(), Value::Array(values));
                    }
                    // Here names are the inputs' own: one may be called `x-in`.
                    "properties" | "$defs" | "patternProperties" | "dependentSchemas" => {
                        made.insert(word.clone(), named(definition, value));
                    }
                    // Values are no schemas.
                    "const" | "default" | "enum" | "examples" => {
                        made.insert(word.clone(), value.clone());
                    }
                    _ => {
                        made.insert(word.clone(), plain(definition, value));
                    }
                }
            }
            Value::Object(made)
        }
        Value::Array(list) => list.iter().map(|item| plain(definition, item)).collect(),
        other => other.clone(),
    }
}

fn named(definition: &Definition, schemas: &Value) -> Value {
    match schemas {
        Value::Object(map) => map
            .iter()
            .map(|(name, schema)| (name.clone(), plain(definition, schema)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The part of a request that an input belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Path,
    Query,
    Headers,
    Body,
    /// It is the body, not a member of it.
    EntireBody,
}

/// The argument of `connector_execute` that an input is given in. There is none for headers: those
/// stand among the query, or in the body where that is all there is, and go to their place by name.
pub(crate) fn given_in(
    definition: &Definition,
    action: &Action,
    name: &str,
    schema: &Value,
) -> Part {
    match part(definition, action, name, schema) {
        Part::Headers if definition.kind == Kind::Rest => Part::Query,
        Part::Headers => Part::Body,
        other => other,
    }
}

/// Where an input goes: in REST calls where the request carries it. Calls that are not REST have a
/// body only, besides headers.
pub(crate) fn part(definition: &Definition, action: &Action, name: &str, schema: &Value) -> Part {
    match carried(action, name, schema) {
        Part::Headers => Part::Headers,
        _ if definition.kind != Kind::Rest => Part::Body,
        part => part,
    }
}

/// Where an HTTP request carries an input: in the path or what `x-in` says, else in the query of GET,
/// HEAD and DELETE and in the body of everything else.
pub(crate) fn carried(action: &Action, name: &str, schema: &Value) -> Part {
    let said = schema.get(PLACE).and_then(Value::as_str);
    if said == Some("header") {
        return Part::Headers;
    }
    let in_path = action
        .path
        .iter()
        .flat_map(Template::names)
        .any(|own| own == name);
    match said {
        _ if in_path => Part::Path,
        Some("query") => Part::Query,
        Some("body") => Part::Body,
        Some("entire_body") => Part::EntireBody,
        _ if action.method.is_some_and(Verb::has_query) => Part::Query,
        _ => Part::Body,
    }
}
