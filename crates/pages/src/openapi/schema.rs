//! JSON Schema 2020-12, as far as a reader of the reference needs it.

use serde_json::{Map, Value, json};

use super::document::{Document, text};
use super::prose;
use crate::views::reference::Row;

/// How deep properties of properties are listed, and examples made.
const DEPTH: usize = 3;

/// A parameter of an operation.
pub(super) fn parameter(doc: &Document<'_>, param: &Value) -> Row {
    let schema = param.get("schema").unwrap_or(&Value::Null);
    let mut row = row(doc, text(param, "name"), schema);
    row.place = text(param, "in");
    row.required = param
        .get("required")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let description = text(param, "description");
    if !description.is_empty() {
        row.description = prose::paragraphs(&description);
    }
    row
}

/// The properties of an object, or of the objects of an array.
pub(super) fn rows(doc: &Document<'_>, schema: &Value) -> Vec<Row> {
    let mut out = Vec::new();
    let resolved = doc.resolve(schema);
    let object = if is(resolved, "array") {
        &resolved["items"]
    } else {
        resolved
    };
    collect(doc, object, "", DEPTH, &mut out);
    out
}

fn collect(doc: &Document<'_>, schema: &Value, prefix: &str, depth: usize, out: &mut Vec<Row>) {
    if depth == 0 {
        return;
    }
    for (name, property, required) in properties(doc, schema, DEPTH) {
        let name = format!("{prefix}{name}");
        let mut row = row(doc, name.clone(), property);
        row.required = required;
        out.push(row);
        let inner = without_null(doc, property);
        if is(inner, "array") {
            collect(doc, &inner["items"], &format!("{name}[]."), depth - 1, out);
        } else {
            collect(doc, inner, &format!("{name}."), depth - 1, out);
        }
    }
}

/// Name, schema and whether it is required, with the parts of `allOf` put together.
fn properties<'a>(
    doc: &'a Document<'_>,
    schema: &'a Value,
    depth: usize,
) -> Vec<(&'a str, &'a Value, bool)> {
    let schema = doc.resolve(schema);
    let required = schema.get("required").and_then(Value::as_array);
    let needed = |name: &str| required.is_some_and(|list| list.iter().any(|one| one == name));
    let own = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let mut out: Vec<_> = own
        .map(|(name, property)| (name.as_str(), property, needed(name)))
        .collect();
    if depth > 0 {
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            out.extend(properties(doc, part, depth - 1));
        }
    }
    out
}

fn row(doc: &Document<'_>, name: String, schema: &Value) -> Row {
    let inner = without_null(doc, schema);
    // Next to a `$ref`, 3.1 allows a description that is more exact than the target's.
    let description = [schema, inner].map(|holder| text(holder, "description"));
    let allowed = inner.get("enum").and_then(Value::as_array);
    let default = schema.get("default").or_else(|| inner.get("default"));
    Row {
        name,
        place: String::new(),
        kind: kind(doc, schema),
        required: false,
        description: description
            .iter()
            .find(|text| !text.is_empty())
            .map(|text| prose::paragraphs(text))
            .unwrap_or_default(),
        allowed: allowed.into_iter().flatten().map(bare).collect(),
        default: default.filter(|value| !value.is_null()).map(bare),
    }
}

/// The type in words.
pub(super) fn kind(doc: &Document<'_>, schema: &Value) -> String {
    kind_within(doc, schema, DEPTH)
}

fn kind_within(doc: &Document<'_>, schema: &Value, depth: usize) -> String {
    let name = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|path| path.rsplit('/').next());
    let inner = doc.resolve(schema);
    if depth == 0 {
        return name.unwrap_or("value").to_owned();
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(parts) = inner.get(key).and_then(Value::as_array) {
            let mut words: Vec<String> = Vec::new();
            for part in parts {
                let word = kind_within(doc, part, depth - 1);
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            return words.join(" or ");
        }
    }
    let types: Vec<&str> = match inner.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ if inner.get("properties").is_some() || inner.get("allOf").is_some() => vec!["object"],
        _ if inner.get("const").is_some() => return bare(&inner["const"]),
        _ => return "any".to_owned(),
    };
    let words =
        types.iter().map(
            |word| match (*word, inner.get("format").and_then(Value::as_str)) {
                ("array", _) => {
                    format!("array of {}", kind_within(doc, &inner["items"], depth - 1))
                }
                ("object", _) => name.unwrap_or("object").to_owned(),
                ("string", Some(format)) => format!("string ({format})"),
                (word, _) => word.to_owned(),
            },
        );
    words.collect::<Vec<_>>().join(" or ")
}

/// An example: the document's own, or one made from types, defaults and examples of the parts.
pub(super) fn example(doc: &Document<'_>, schema: &Value) -> Option<Value> {
    match make(doc, schema, DEPTH + 2) {
        Value::Null => None,
        value => Some(value),
    }
}

fn make(doc: &Document<'_>, schema: &Value, depth: usize) -> Value {
    let inner = without_null(doc, schema);
    for holder in [schema, inner] {
        let given = [
            holder.get("example"),
            holder.pointer("/examples/0"),
            holder.get("const"),
        ];
        if let Some(value) = given.into_iter().flatten().next() {
            return value.clone();
        }
    }
    if let Some(value) = inner.get("default").or_else(|| inner.pointer("/enum/0")) {
        return value.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(first) = inner
        .pointer("/oneOf/0")
        .or_else(|| inner.pointer("/anyOf/0"))
    {
        return make(doc, first, depth - 1);
    }
    let fields = properties(doc, inner, DEPTH);
    if !fields.is_empty() || is(inner, "object") {
        let made: Map<String, Value> = fields
            .into_iter()
            .map(|(name, property, _)| (name.to_owned(), make(doc, property, depth - 1)))
            .collect();
        return Value::Object(made);
    }
    if is(inner, "array") {
        return json!([make(doc, &inner["items"], depth - 1)]);
    }
    if is(inner, "integer") || is(inner, "number") {
        return inner.get("minimum").cloned().unwrap_or(json!(1));
    }
    if is(inner, "boolean") {
        return json!(true);
    }
    match inner.get("format").and_then(Value::as_str) {
        Some("date-time") => json!("2026-01-31T12:00:00.000Z"),
        Some("uri") => json!("https://example.com"),
        _ if is(inner, "string") => json!("string"),
        _ => Value::Null,
    }
}

/// What is behind a reference, and behind "this or null", which is how an optional value is said.
fn without_null<'v>(doc: &'v Document<'_>, schema: &'v Value) -> &'v Value {
    let schema = doc.resolve(schema);
    for key in ["oneOf", "anyOf"] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array) {
            let mut rest = parts.iter().filter(|part| !is(part, "null"));
            if let (Some(only), None) = (rest.next(), rest.next()) {
                return doc.resolve(only);
            }
        }
    }
    schema
}

fn is(schema: &Value, word: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == word,
        Some(Value::Array(many)) => many.iter().any(|one| one == word),
        _ => false,
    }
}

/// A value as a reader writes it: texts without quotes.
fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
