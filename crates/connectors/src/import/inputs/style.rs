//! How values are written into queries and paths, as far as the format can say it.

use super::{Draft, Parameter, schema};
use crate::definition::Verb;
use crate::import::schema::{Dialect, Schemas};
use crate::import::words::line;
use serde_json::{Map, Value, json};

/// How a document wants a list or object written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Repeat,
    Comma,
    Deep,
    Json,
    Space,
    Pipe,
    Tab,
}

pub(super) fn query(
    schemas: &mut Schemas,
    draft: &mut Draft,
    parameter: &Parameter<'_>,
    verb: Verb,
) -> Result<(), String> {
    let spot = parameter.spot;
    let name = parameter.name;
    let required = spot.flag("required");
    let (mut made, as_json) = schema(schemas, spot);
    let style = if as_json {
        Style::Json
    } else {
        of(schemas.dialect, parameter)
    };
    let in_query = |made: &mut Map<String, Value>| {
        if !verb.has_query() {
            made.insert("x-in".to_owned(), "query".into());
        }
    };
    let said = match (is(&made, "array"), is(&made, "object"), style) {
        (_, _, Style::Json) => Some("json"),
        (true, _, Style::Comma) => Some("comma"),
        (true, _, Style::Deep) => Some("brackets"),
        (true, _, Style::Space) => {
            as_text(schemas, name, &mut made, "its values separated by spaces");
            None
        }
        (true, _, Style::Pipe) => {
            as_text(schemas, name, &mut made, "its values separated by |");
            None
        }
        (true, _, Style::Tab) => {
            as_text(schemas, name, &mut made, "its values separated by tabs");
            None
        }
        (_, true, Style::Repeat) => {
            // Each member of the object is a parameter of its own.
            let Some(Value::Object(members)) = made.remove("properties") else {
                return left_out(schemas, name, required);
            };
            let needed = made
                .get("required")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            schemas.change(format!(
                "The members of {} are inputs of their own.",
                line(name, 60)
            ));
            for (member, inner) in members {
                let Value::Object(mut inner) = inner else {
                    continue;
                };
                if draft.has(&member) {
                    schemas.change(format!(
                        "{} of {} is left out: its name is taken.",
                        line(&member, 60),
                        line(name, 60)
                    ));
                    continue;
                }
                in_query(&mut inner);
                draft.put(
                    &member,
                    inner,
                    required && needed.iter().any(|own| own == member.as_str()),
                );
            }
            return Ok(());
        }
        (_, true, Style::Comma | Style::Space | Style::Pipe | Style::Tab) => {
            as_text(
                schemas,
                name,
                &mut made,
                "its names and values in turn, separated by commas",
            );
            None
        }
        _ => None,
    };
    if let Some(word) = said {
        made.insert("x-style".to_owned(), word.into());
    }
    in_query(&mut made);
    draft.put(name, made, required);
    Ok(())
}

fn left_out(schemas: &mut Schemas, name: &str, required: bool) -> Result<(), String> {
    let name = line(name, 60);
    if required {
        return Err(format!(
            "its parameter {name:?} spreads an open object over the query, which the format cannot say"
        ));
    }
    schemas.change(format!(
        "{name} is left out: it spreads an open object over the query."
    ));
    Ok(())
}

fn of(dialect: Dialect, parameter: &Parameter<'_>) -> Style {
    let spot = parameter.spot;
    if dialect == Dialect::V2 {
        return match spot.text("collectionFormat").unwrap_or("csv") {
            "multi" => Style::Repeat,
            "ssv" => Style::Space,
            "tsv" => Style::Tab,
            "pipes" => Style::Pipe,
            _ => Style::Comma,
        };
    }
    let style = spot.text("style").unwrap_or("form");
    let explode = spot
        .node
        .get("explode")
        .map_or(style == "form", super::super::tree::Node::is_true);
    match (style, explode) {
        ("deepObject", _) => Style::Deep,
        ("spaceDelimited", false) => Style::Space,
        ("pipeDelimited", false) => Style::Pipe,
        (_, true) => Style::Repeat,
        _ => Style::Comma,
    }
}

/// The schema of a name in the path. `is_wide`: slashes in its value part segments.
pub(super) fn in_path(
    schemas: &mut Schemas,
    name: &str,
    parameter: Option<&Parameter<'_>>,
    is_wide: bool,
) -> Map<String, Value> {
    let Some(parameter) = parameter else {
        schemas.change(format!(
            "{} stands in the path only; it is taken for a text.",
            line(name, 60)
        ));
        let mut made = Map::new();
        made.insert("type".to_owned(), "string".into());
        return made;
    };
    let (mut made, _) = schema(schemas, parameter.spot);
    as_text(schemas, name, &mut made, "its values separated by commas");
    made.entry("type").or_insert_with(|| json!("string"));
    if made.get("type") == Some(&json!("null")) {
        made.insert("type".to_owned(), json!("string"));
    }
    if is_wide || parameter.spot.flag("allowReserved") {
        made.insert("x-style".to_owned(), "segments".into());
    }
    made
}

/// Makes a list or object a text that whoever calls writes.
pub(super) fn as_text(schemas: &mut Schemas, name: &str, made: &mut Map<String, Value>, how: &str) {
    if !is(made, "array") && !is(made, "object") {
        return;
    }
    let before = made
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let description = if before.is_empty() {
        format!("A text: {how}.")
    } else {
        format!("{before} (A text: {how}.)")
    };
    schemas.change(format!("{} is a text: {how}.", line(name, 60)));
    made.clear();
    made.insert("type".to_owned(), "string".into());
    made.insert("description".to_owned(), description.into());
}

pub(super) fn is(made: &Map<String, Value>, kind: &str) -> bool {
    match made.get("type") {
        Some(Value::String(word)) => word == kind,
        Some(Value::Array(words)) => words.iter().any(|word| word == kind),
        _ => kind == "object" && made.contains_key("properties"),
    }
}
