//! What is switched on as TypeScript declarations, for code that calls it.
//!
//! `declare namespace quaymaster { const slack: { send_channel_message(input: {…}): Promise<…>; … }; }`:
//! actions are members of a type, where every name may stand, also a reserved word, and several
//! declarations may follow one another. Names and texts were written by strangers: names that are no
//! identifiers are quoted, comments cannot be closed.

use super::JsonObject;
use super::inline::inline;
use super::name::code_name;
use super::texts::{join, line};
use super::tools::Switched;
use crate::definition::Action;
use serde_json::{Map, Value};
use std::fmt::Write as _;

const DEEPEST: usize = 5;
/// Values of an enum that are written out.
const MOST_VALUES: usize = 40;
const MOST_MEMBERS: usize = 80;
const LONGEST_COMMENT: usize = 300;

/// Declarations of aliases, all that is on in each.
pub fn declarations(switched: &[Switched<'_>]) -> String {
    let mut text = String::new();
    for one in switched {
        let members: Vec<String> = one
            .on()
            .map(|(key, action)| member(one, key, action))
            .collect();
        let definition = one.definition;
        let about = join(&line(&definition.title, 80), &line(&definition.summary, 80));
        wrap(&mut text, one.alias, &about, &members);
    }
    text
}

/// The declaration of one action alone.
pub(super) fn declaration(switched: &Switched<'_>, key: &str, action: &Action) -> String {
    let mut text = String::new();
    wrap(
        &mut text,
        switched.alias,
        "",
        &[member(switched, key, action)],
    );
    text
}

fn wrap(text: &mut String, alias: &str, about: &str, members: &[String]) {
    text.push_str("declare namespace quaymaster {\n");
    comment(text, "  ", about);
    let _ = writeln!(text, "  const {}: {{", constant(alias));
    for member in members {
        text.push_str(member);
    }
    text.push_str("  };\n}\n");
}

/// An alias as the name of a constant; [`check_alias`](super::check_alias) has let it pass.
fn constant(alias: &str) -> String {
    let name: String = code_name(alias)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    if super::name::is_reserved(&name)
        || !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
    {
        format!("_{name}")
    } else {
        name
    }
}

fn member(switched: &Switched<'_>, key: &str, action: &Action) -> String {
    let mut text = String::new();
    let (title, description) = switched.words(key, action);
    let about = if description.starts_with(&title) {
        description
    } else {
        join(&title, &description)
    };
    comment(&mut text, "    ", &about);
    let schema = inline(&switched.inputs(key).unwrap_or_default());
    let takes = properties(&schema).next().is_some();
    let optional = takes && !has_required(&schema);
    let _ = write!(text, "    {}(", name(key));
    if takes {
        text.push_str(if optional { "input?: " } else { "input: " });
        text.push_str(&object(&schema, 4, 0));
    }
    let result = if action.response.binary {
        "unknown".to_owned()
    } else {
        action
            .response
            .example
            .as_ref()
            .map_or_else(|| "unknown".to_owned(), |example| of_example(&[example], 0))
    };
    let _ = writeln!(text, "): Promise<{result}>;");
    text
}

fn has_required(schema: &JsonObject) -> bool {
    let own = schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|names| !names.is_empty());
    own || ["allOf", "anyOf", "oneOf"]
        .iter()
        .any(|word| schema.contains_key(*word))
}

/// `/** … */`, which the text cannot close.
fn comment(text: &mut String, indent: &str, about: &str) {
    let about = line(about, LONGEST_COMMENT).replace("*/", "* /");
    if !about.is_empty() {
        let _ = writeln!(text, "{indent}/** {} */", about.trim_end_matches('*'));
    }
}

/// A name of a member, quoted unless it is an identifier.
pub(super) fn name(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$');
    if first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$') {
        name.to_owned()
    } else {
        literal(&Value::from(name))
    }
}

/// A value as JavaScript: JSON, with the line ends that old readers stumble over escaped.
pub(super) fn literal(value: &Value) -> String {
    let mut made = String::new();
    for c in value.to_string().chars() {
        match c {
            // Hidden characters turn round what a reader sees.
            c if !c.is_ascii() && crate::clean::text(&c.to_string()).is_empty() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(made, "\\u{unit:04x}");
                }
            }
            c => made.push(c),
        }
    }
    made
}

fn properties(schema: &JsonObject) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn object(schema: &JsonObject, indent: usize, depth: usize) -> String {
    let members: Vec<(&String, &Value)> = properties(schema).take(MOST_MEMBERS).collect();
    let mut parts: Vec<String> = Vec::new();
    if members.is_empty() {
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if depth > 0 => parts.push("{}".to_owned()),
            Some(other @ Value::Object(inner)) if !inner.is_empty() => {
                parts.push(format!("Record<string, {}>", of(other, indent, depth + 1)));
            }
            _ if !schema.contains_key("anyOf")
                && !schema.contains_key("oneOf")
                && !schema.contains_key("allOf") =>
            {
                parts.push("Record<string, unknown>".to_owned());
            }
            _ => {}
        }
    } else {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let pad = " ".repeat(indent + 2);
        let mut text = String::from("{\n");
        for (own, inner) in members {
            comment(&mut text, &pad, &about(inner));
            let mark = if required.contains(&own.as_str()) {
                ""
            } else {
                "?"
            };
            let _ = writeln!(
                text,
                "{pad}{}{mark}: {};",
                name(own),
                of(inner, indent + 2, depth + 1)
            );
        }
        let _ = write!(text, "{}}}", " ".repeat(indent));
        parts.push(text);
    }
    // Branches that only name what is required say nothing to a type here.
    for word in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = schema.get(word) else {
            continue;
        };
        let typed: Vec<String> = branches
            .iter()
            .filter_map(Value::as_object)
            .filter(|branch| properties(branch).next().is_some())
            .take(MOST_VALUES)
            .map(|branch| object(branch, indent, depth + 1))
            .collect();
        if !typed.is_empty() {
            parts.push(format!("({})", typed.join(" | ")));
        }
    }
    if let Some(Value::Array(branches)) = schema.get("allOf") {
        let typed = branches
            .iter()
            .filter_map(Value::as_object)
            .filter(|branch| properties(branch).next().is_some());
        parts.extend(
            typed
                .take(MOST_VALUES)
                .map(|branch| object(branch, indent, depth + 1)),
        );
    }
    if parts.is_empty() {
        parts.push("Record<string, unknown>".to_owned());
    }
    parts.join(" & ")
}

/// What is said of an input: its description, its default, its form.
fn about(schema: &Value) -> String {
    let text = |word: &str| schema.get(word).and_then(Value::as_str);
    let mut about = line(
        text("description")
            .or_else(|| text("title"))
            .unwrap_or_default(),
        LONGEST_COMMENT,
    );
    if schema.get("deprecated").is_some_and(|one| one == true) {
        about = join("@deprecated", &about);
    }
    if let Some(default) = schema.get("default") {
        about = join(&about, &format!("Default: {}", line(&literal(default), 80)));
    }
    if let Some(format) = text("format")
        .filter(|format| matches!(*format, "date" | "date-time" | "uuid" | "uri" | "email"))
    {
        about = join(&about, &format!("Format: {format}"));
    }
    if about.is_empty()
        && let Some(example) = schema
            .get("examples")
            .and_then(Value::as_array)
            .and_then(|some| some.first())
    {
        about = format!("For example {}", line(&literal(example), 80));
    }
    about
}

/// The type of a schema.
fn of(schema: &Value, indent: usize, depth: usize) -> String {
    let Value::Object(schema) = schema else {
        return "unknown".to_owned();
    };
    if let Some(only) = schema.get("const") {
        return value_type(only);
    }
    if let Some(Value::Array(values)) = schema.get("enum")
        && (1..=MOST_VALUES).contains(&values.len())
    {
        return union(values.iter().map(value_type).collect());
    }
    if depth > DEEPEST {
        return shallow(schema);
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.get(word)
            && !schema.contains_key("properties")
        {
            return union(
                branches
                    .iter()
                    .take(MOST_VALUES)
                    .map(|branch| of(branch, indent, depth + 1))
                    .collect(),
            );
        }
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ if schema.contains_key("properties") => vec!["object"],
        _ if schema.contains_key("items") => vec!["array"],
        _ if schema.contains_key("allOf") => vec!["object"],
        _ => Vec::new(),
    };
    union(
        kinds
            .iter()
            .map(|kind| of_kind(schema, kind, indent, depth))
            .collect(),
    )
}

fn of_kind(schema: &JsonObject, kind: &str, indent: usize, depth: usize) -> String {
    match kind {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => {
            let items = schema.get("items").map_or_else(
                || "unknown".to_owned(),
                |items| of(items, indent, depth + 1),
            );
            array(&items)
        }
        "object" => object(schema, indent, depth),
        _ => "unknown".to_owned(),
    }
}

fn shallow(schema: &JsonObject) -> String {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => "Record<string, unknown>".to_owned(),
        Some("array") => "unknown[]".to_owned(),
        Some(kind @ ("string" | "integer" | "number" | "boolean" | "null")) => {
            of_kind(schema, kind, 0, 0)
        }
        _ => "unknown".to_owned(),
    }
}

fn array(items: &str) -> String {
    let simple = items.chars().all(|c| c.is_ascii_alphanumeric())
        || items.starts_with('{') && !items.contains(" & ");
    if simple {
        format!("{items}[]")
    } else {
        format!("Array<{items}>")
    }
}

fn union(mut types: Vec<String>) -> String {
    let mut seen = std::collections::BTreeSet::new();
    types.retain(|one| seen.insert(one.clone()));
    if types.is_empty() || types.iter().any(|one| one == "unknown") {
        return "unknown".to_owned();
    }
    types.join(" | ")
}

fn value_type(value: &Value) -> String {
    match value {
        Value::Array(_) => "unknown[]".to_owned(),
        Value::Object(_) => "Record<string, unknown>".to_owned(),
        // TypeScript has no literal of an exponent that it could tell apart.
        Value::Number(number) if number.is_f64() => "number".to_owned(),
        other => literal(other),
    }
}

/// The type of examples. They are shortened, so a list's items are taken together, and what only some
/// have is optional.
fn of_example(examples: &[&Value], depth: usize) -> String {
    let mut types: Vec<String> = Vec::new();
    let objects: Vec<&Map<String, Value>> =
        examples.iter().filter_map(|one| one.as_object()).collect();
    if !objects.is_empty() {
        types.push(members(&objects, depth));
    }
    for example in examples {
        let own = match example {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "boolean".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(items) if depth < DEEPEST => {
                let items: Vec<&Value> = items.iter().take(20).collect();
                if items.is_empty() {
                    "unknown[]".to_owned()
                } else {
                    array(&of_example(&items, depth + 1))
                }
            }
            Value::Array(_) => "unknown[]".to_owned(),
            Value::Object(_) => continue,
        };
        types.push(own);
    }
    if types == ["null"] {
        return "unknown".to_owned();
    }
    union(types)
}

fn members(objects: &[&Map<String, Value>], depth: usize) -> String {
    let mut names: Vec<&String> = Vec::new();
    for object in objects {
        names.extend(
            object
                .keys()
                .filter(|own| !names.contains(own))
                .collect::<Vec<_>>(),
        );
    }
    if names.is_empty() || depth >= DEEPEST || names.len() > MOST_MEMBERS {
        return "Record<string, unknown>".to_owned();
    }
    let parts: Vec<String> = names
        .iter()
        .map(|own| {
            let values: Vec<&Value> = objects
                .iter()
                .filter_map(|object| object.get(*own))
                .collect();
            let mark = if values.len() < objects.len() {
                "?"
            } else {
                ""
            };
            format!("{}{mark}: {}", name(own), of_example(&values, depth + 1))
        })
        .collect();
    format!("{{ {} }}", parts.join("; "))
}
