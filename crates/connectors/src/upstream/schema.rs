//! The schemas of a server's tools, made fit for ours.

use crate::clean;
use crate::params::{ENUM, ORDER, PLACE, SELECT, STYLE};
use quaymaster_core::schema::Checker;
use serde_json::{Map, Value, json};

/// The longest schema, as JSON. A larger one is left out, and the server checks alone.
const LONGEST: usize = 64 * 1024;
/// Of a text within it, in characters.
const LONGEST_TEXT: usize = 2_000;
const DEEPEST: usize = 32;
/// Of an example.
const DEEPEST_EXAMPLE: usize = 5;
const MOST_MEMBERS: usize = 40;

/// The schema of a tool's inputs. Words of our own format mean nothing in it, so they are taken out.
/// One that does not compile is taken without its regular expressions, and if that does not help it
/// is any object: the server checks, too.
pub(super) fn input(given: Option<&Value>) -> Map<String, Value> {
    let any = || Map::from_iter([("type".to_owned(), json!("object"))]);
    let Some(given @ Value::Object(_)) = given else {
        return any();
    };
    if given.to_string().len() > LONGEST {
        return any();
    }
    let Some(Value::Object(mut schema)) = plain(given, true, 0) else {
        return any();
    };
    schema.remove("$schema");
    schema.remove("$id");
    schema.insert("type".to_owned(), json!("object"));
    // A constant of ours is sent with every call; one of theirs only when it is given.
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            if let Some(value) = property.remove("const") {
                property.insert("enum".to_owned(), json!([value]));
            }
        }
    }
    if Checker::new(&schema).is_ok() {
        return schema;
    }
    match plain(&Value::Object(schema), false, 0) {
        Some(Value::Object(schema)) if Checker::new(&schema).is_ok() => schema,
        _ => any(),
    }
}

/// The schema with clean texts; `None` when it is nested too deeply.
fn plain(schema: &Value, with_patterns: bool, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let next = |value: &Value| plain(value, with_patterns, depth + 1);
    Some(match schema {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (word, value) in members {
                let value = match word.as_str() {
                    ENUM | SELECT | PLACE | ORDER | STYLE => continue,
                    "pattern" | "patternProperties" if !with_patterns => continue,
                    // Here names are the inputs' own.
                    "properties" | "$defs" | "definitions" | "patternProperties"
                    | "dependentSchemas" => {
                        let Value::Object(named) = value else {
                            continue;
                        };
                        let all = named
                            .iter()
                            .map(|(name, schema)| Some((name.clone(), next(schema)?)));
                        Value::Object(all.collect::<Option<Map<_, _>>>()?)
                    }
                    // Values are no schemas.
                    "const" | "default" | "enum" | "examples" => value.clone(),
                    _ => next(value)?,
                };
                kept.insert(word.clone(), value);
            }
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(next).collect::<Option<_>>()?),
        Value::String(text) => {
            let text = clean::text(text);
            let end = text
                .char_indices()
                .nth(LONGEST_TEXT)
                .map_or(text.len(), |(end, _)| end);
            Value::String(text[..end].to_owned())
        }
        other => other.clone(),
    })
}

/// What a result of this schema looks like: a value of each type, or the schema's own.
pub(super) fn example(schema: &Value) -> Option<Value> {
    if schema.to_string().len() > LONGEST {
        return None;
    }
    let made = sample(schema, schema, 0)?;
    made.as_object()
        .is_some_and(|members| !members.is_empty())
        .then_some(made)
}

fn sample(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST_EXAMPLE {
        return None;
    }
    if let Some(place) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(place.strip_prefix('#')?)?;
        return sample(target, root, depth + 1);
    }
    let own = schema.get("const").or_else(|| schema.get("default"));
    let own = own
        .or_else(|| schema.pointer("/examples/0"))
        .or_else(|| schema.pointer("/enum/0"));
    if let Some(value) = own.filter(|value| value.to_string().len() < LONGEST_TEXT) {
        return Some(value.clone());
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(word).and_then(|all| all.get(0)) {
            return sample(first, root, depth + 1);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(all)) => all.first().and_then(Value::as_str),
        Some(Value::String(one)) => Some(one.as_str()),
        _ if schema.get("properties").is_some() => Some("object"),
        _ => None,
    };
    Some(match kind? {
        "object" => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let members = properties.into_iter().flatten().take(MOST_MEMBERS);
            let members = members.filter_map(|(name, schema)| {
                Some((name.clone(), sample(schema, root, depth + 1)?))
            });
            Value::Object(members.collect())
        }
        "array" => {
            let item = schema
                .get("items")
                .and_then(|items| sample(items, root, depth + 1));
            Value::Array(item.into_iter().collect())
        }
        "string" => json!("text"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(schema: &Value) -> Value {
        Value::Object(input(Some(schema)))
    }

    #[test]
    fn words_of_our_format_mean_nothing_in_a_strangers_schema() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "authorization": { "type": "string", "x-in": "header" },
                "x-in": { "type": "string" },
                "kind": { "$enum": "kinds", "const": "a" },
            },
        });
        assert_eq!(
            made(&schema),
            json!({ "type": "object", "properties": {
                "authorization": { "type": "string" },
                "x-in": { "type": "string" },
                "kind": { "enum": ["a"] },
            } })
        );
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_any_object() {
        let any = json!({ "type": "object" });
        assert_eq!(Value::Object(input(None)), any);
        assert_eq!(made(&json!("x")), any);
        assert_eq!(
            made(&json!({ "properties": { "a": { "$ref": "https://example.com/a" } } })),
            any
        );
        assert_eq!(made(&json!({ "description": "x".repeat(LONGEST) })), any);
        let deep = (0..100).fold(
            json!({}),
            |inner, _| json!({ "properties": { "a": inner } }),
        );
        assert_eq!(made(&deep), any);
        // Expressions that ours cannot read are left out.
        let look = json!({ "properties": { "a": { "type": "string", "pattern": "^(?=x)" } } });
        assert_eq!(
            made(&look),
            json!({ "type": "object", "properties": { "a": { "type": "string" } } })
        );
    }

    #[test]
    fn an_example_is_made_from_a_schema() {
        let schema = json!({
            "type": "object",
            "properties": {
                "files": { "type": "array", "items": { "$ref": "#/$defs/file" } },
                "more": { "type": ["boolean", "null"] },
                "self": { "$ref": "#" },
            },
            "$defs": { "file": { "type": "object", "properties": { "path": { "type": "string", "examples": ["a.txt"] }, "size": { "type": "integer" } } } },
        });
        let made = example(&schema).unwrap();
        assert_eq!(made["files"], json!([{ "path": "a.txt", "size": 1 }]));
        assert_eq!(made["more"], json!(true));
        assert_eq!(example(&json!({ "type": "object" })), None);
    }
}
