//! JSON Schemas of requests and results, in the plain form that every model vendor takes:
//! an object at the top, no `$ref`, no `null` types, `additionalProperties: false`.

use quaymaster_core::tool::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The schema of a request or result type of this crate.
pub fn schema_of<T: JsonSchema>() -> JsonObject {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut value = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    simplify(&mut value);
    match value {
        Value::Object(mut object) => {
            object.remove("title");
            object.remove("description");
            object.entry("type").or_insert(json!("object"));
            object.entry("properties").or_insert(json!({}));
            object.insert("additionalProperties".to_owned(), json!(false));
            object
        }
        _ => JsonObject::new(),
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(object) => {
            // An absent argument is left out, never null.
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(any)) = object.get_mut("anyOf")
                && any.iter().any(is_null)
            {
                any.retain(|schema| !is_null(schema));
                if let [Value::Object(one)] = any.as_slice() {
                    let one = one.clone();
                    object.remove("anyOf");
                    for (key, inner) in one {
                        object.entry(key).or_insert(inner);
                    }
                }
            }
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            // `uint64` and the like are Rust's, not JSON Schema's.
            if object
                .get("format")
                .and_then(Value::as_str)
                .is_some_and(|f| f.contains("int"))
            {
                object.remove("format");
            }
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(simplify);
        }
        _ => {}
    }
}
