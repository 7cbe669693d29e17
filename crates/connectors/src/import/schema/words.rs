//! Words of a schema whose values are no schemas, each with the type that JSON Schema wants.

use super::Schemas;
use crate::import::tree::Node;
use crate::import::words::line;
use crate::lint::is_hidden;
use serde_json::{Map, Number, Value, json};

/// More values than anybody chooses from.
const MOST_VALUES: usize = 1_000;
/// So large an example or default is none.
const LARGEST: usize = 60;

const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

pub(super) fn plain(schemas: &mut Schemas, word: &str, node: &Node, made: &mut Map<String, Value>) {
    let value = match word {
        "type" => types(schemas, node),
        "required" => required(node),
        "enum" => choices(schemas, node),
        "const" => small(node),
        "default" => small(node).map(clean),
        "example" | "x-example" if !made.contains_key("examples") => {
            made.remove("examples");
            small(node)
                .map(|value| json!([clean(value)]))
                .and_then(|value| {
                    made.insert("examples".to_owned(), value);
                    None
                })
        }
        "examples" => match node {
            Node::List(list) => {
                let some = list.iter().take(2).filter_map(small).map(clean);
                let some: Vec<Value> = some.collect();
                (!some.is_empty()).then(|| some.into())
            }
            _ => None,
        },
        "format" | "contentEncoding" | "contentMediaType" => node
            .text()
            .filter(|text| (1..=60).contains(&text.len()))
            .map(|text| line(text, 60).into()),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => number(node),
        "multipleOf" => number(node).filter(|value| value.as_f64().is_some_and(|step| step > 0.0)),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" => count(node),
        "uniqueItems" | "deprecated" => match node {
            Node::Bool(true) => Some(json!(true)),
            _ => None,
        },
        "dependentRequired" => dependent(node),
        // Everything else is about documents, code or other formats.
        _ => None,
    };
    if let Some(value) = value {
        made.insert(word.to_owned(), value);
    }
}

/// What words mean together: `nullable`, exclusive limits of old, `required` of what only answers
/// have.
pub(super) fn settle(node: &Node, dropped: &[String], made: &mut Map<String, Value>) {
    for (exclusive, limit) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if node.get(exclusive).is_some_and(Node::is_true)
            && let Some(value) = made.remove(limit)
        {
            made.insert(exclusive.to_owned(), value);
        }
    }
    // Not a word of 3.1, but documents that were converted still have it.
    let nullable = ["nullable", "x-nullable"]
        .iter()
        .any(|word| node.get(word).is_some_and(Node::is_true));
    if nullable {
        with_null(made);
    }
    if dropped.is_empty() {
        return;
    }
    if let Some(Value::Array(mut required)) = made.remove("required") {
        let properties = made.get("properties");
        required.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            let is_there = properties.is_some_and(|own| own.get(name).is_some());
            is_there || !dropped.iter().any(|own| own == name)
        });
        if !required.is_empty() {
            made.insert("required".to_owned(), required.into());
        }
    }
}

fn with_null(made: &mut Map<String, Value>) {
    let says_more = ["oneOf", "anyOf", "allOf", "enum", "properties"]
        .iter()
        .any(|word| made.contains_key(*word));
    match made.get_mut("type") {
        Some(Value::String(word)) if word != "null" => {
            let both = json!([word, "null"]);
            made.insert("type".to_owned(), both);
        }
        Some(Value::Array(words)) if !words.contains(&json!("null")) => words.push(json!("null")),
        // Without a type everything is taken, unless something else says what.
        None if says_more => {
            let description = made.remove("description");
            let inner = std::mem::take(made);
            made.extend(description.map(|text| ("description".to_owned(), text)));
            made.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
            return;
        }
        _ => {}
    }
    if let Some(Value::Array(values)) = made.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

fn types(schemas: &mut Schemas, node: &Node) -> Option<Value> {
    let words: Vec<&str> = match node {
        Node::Text(word) => vec![word],
        Node::List(list) => list.iter().filter_map(Node::text).collect(),
        _ => Vec::new(),
    };
    let mut known: Vec<&str> = Vec::new();
    for word in words {
        match word {
            "file" => known.push("string"),
            "any" => {}
            _ if TYPES.contains(&word) && !known.contains(&word) => known.push(word),
            _ if known.contains(&word) => {}
            other => schemas.change(format!(
                "JSON Schema has no type {:?}; anything is taken there.",
                line(other, 40)
            )),
        }
    }
    match known.as_slice() {
        [] => None,
        [one] => Some(json!(one)),
        several => Some(json!(several)),
    }
}

fn required(node: &Node) -> Option<Value> {
    let mut names: Vec<&str> = Vec::new();
    for name in node.list().iter().filter_map(Node::text) {
        if names.len() < MOST_VALUES && !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| json!(names))
}

fn dependent(node: &Node) -> Option<Value> {
    let mut made = Map::new();
    for (name, names) in node.members() {
        made.extend(required(names).map(|names| (name.to_string(), names)));
    }
    (!made.is_empty()).then(|| made.into())
}

fn choices(schemas: &mut Schemas, node: &Node) -> Option<Value> {
    let list = node.list();
    if list.len() > MOST_VALUES {
        schemas.change(format!(
            "A choice among {} values is left out; anything is taken there.",
            list.len()
        ));
        return None;
    }
    let mut values: Vec<Value> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for node in list {
        let value = small(node)?;
        if seen.insert(value.to_string()) {
            values.push(value);
        }
    }
    (!values.is_empty()).then(|| values.into())
}

fn number(node: &Node) -> Option<Value> {
    match node {
        Node::Number(number) => Some(Value::Number(number.clone())),
        Node::Text(text) => {
            let whole = text.parse::<i64>().ok().map(Number::from);
            whole
                .or_else(|| Number::from_f64(text.parse().ok()?))
                .map(Value::Number)
        }
        _ => None,
    }
}

fn count(node: &Node) -> Option<Value> {
    let value = number(node)?;
    let whole = value.as_u64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
        (0.0..1e15).contains(&float).then_some(float as u64)
    });
    whole.map(Value::from)
}

/// A value, unless it is large.
fn small(node: &Node) -> Option<Value> {
    let mut left = LARGEST;
    let value = node.value(&mut left);
    (left > 0).then_some(value)
}

/// A value without what nobody sees, its texts cut.
pub(in crate::import) fn clean(mut value: Value) -> Value {
    clean_in(&mut value);
    value
}

fn clean_in(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.contains(is_hidden) {
                text.retain(|c| !is_hidden(c));
            }
            if text.len() > 400 {
                text.truncate(text.floor_char_boundary(399));
                text.push('…');
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean_in),
        Value::Object(members) => members.values_mut().for_each(clean_in),
        _ => {}
    }
}
