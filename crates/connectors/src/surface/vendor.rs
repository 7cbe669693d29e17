//! Schemas of inputs that the vendors of models accept.
//!
//! `OpenAI`, Anthropic and Gemini take dialects of JSON Schema, and one tool that one of them refuses
//! makes it refuse the whole list. What is listed is what all of them take; what a call gives is
//! still checked against the whole schema. The rules, and whose they are:
//!
//! - The top is `type: object` with `properties`, and has neither `oneOf`, `anyOf`, `allOf`, `enum` nor
//!   `not` (`OpenAI`: function parameters; Anthropic: `input_schema`). What they say becomes text.
//! - No `$ref` anywhere (Anthropic; Gemini has no such field).
//! - Inputs are named `[A-Za-z_][A-Za-z0-9_]{0,63}` (Vertex AI: names of parameters; Anthropic also
//!   takes `.` and `-`, and looks at the top level only).
//! - `required` names what `properties` has, once each (Gemini).
//! - Every schema has one `type`, never a list of them (Gemini: `type` is an enumeration). Several
//!   types become `anyOf`, which then stands alone (Vertex AI: nothing beside `any_of`).
//! - Arrays have `items` (Gemini, `OpenAI`).
//! - `enum` is for texts, none of them empty (Gemini: `enum` is a list of texts); `const` is one.
//! - Of formats only `date-time` (Gemini); others become text.
//! - Words that Gemini's Schema lacks are left out: `additionalProperties`, `patternProperties`,
//!   `propertyNames`, `not`, `if`, `const`, `exclusiveMinimum`, `multipleOf`, `uniqueItems`, `examples`, `x-…`
//!   and so on. `allOf` is merged (`OpenAI` does not permit it below the top either), `oneOf` is `anyOf`.
//! - Depth and size have an end: at most 16 KB, which is ours.

mod flat;
mod names;
mod plain;
mod text;

use super::JsonObject;
use super::inline::inline;
use super::texts::{join, line};
use flat::Flat;
use names::safe_names;
pub use names::{original_names, restore_names};
use plain::plain;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// In bytes of JSON.
pub const LARGEST_SCHEMA: usize = 16 * 1024;

/// How much of a schema is kept; the first that is small enough is taken.
struct Limits {
    /// Levels of objects and arrays.
    depth: usize,
    /// Characters of a description at the top level, and below it.
    text: usize,
    inner_text: usize,
    /// Examples, patterns, defaults, lengths and bounds.
    details: bool,
    /// Values of an `enum`.
    values: usize,
    /// Branches of an `anyOf`.
    branches: usize,
    /// Inputs; those that are required come first.
    inputs: usize,
}

const STEPS: [Limits; 9] = [
    Limits {
        depth: 7,
        text: 600,
        inner_text: 400,
        details: true,
        values: 200,
        branches: 12,
        inputs: 500,
    },
    Limits {
        depth: 6,
        text: 400,
        inner_text: 120,
        details: true,
        values: 60,
        branches: 8,
        inputs: 300,
    },
    Limits {
        depth: 5,
        text: 240,
        inner_text: 60,
        details: false,
        values: 40,
        branches: 6,
        inputs: 250,
    },
    Limits {
        depth: 4,
        text: 160,
        inner_text: 0,
        details: false,
        values: 20,
        branches: 4,
        inputs: 200,
    },
    Limits {
        depth: 3,
        text: 100,
        inner_text: 0,
        details: false,
        values: 12,
        branches: 3,
        inputs: 150,
    },
    Limits {
        depth: 2,
        text: 80,
        inner_text: 0,
        details: false,
        values: 8,
        branches: 2,
        inputs: 120,
    },
    Limits {
        depth: 1,
        text: 60,
        inner_text: 0,
        details: false,
        values: 4,
        branches: 2,
        inputs: 100,
    },
    Limits {
        depth: 1,
        text: 30,
        inner_text: 0,
        details: false,
        values: 0,
        branches: 1,
        inputs: 80,
    },
    Limits {
        depth: 1,
        text: 0,
        inner_text: 0,
        details: false,
        values: 0,
        branches: 1,
        inputs: 40,
    },
];

/// The schema as every vendor accepts it. The input is the plain schema of an action, stripped of
/// what is enforced; the output says less, never more.
pub fn vendor_safe(schema: &JsonObject) -> JsonObject {
    let whole = inline(schema);
    let mut made = Map::new();
    for limits in &STEPS {
        made = top(&whole, limits);
        if size(&made) <= LARGEST_SCHEMA {
            return made;
        }
    }
    made
}

fn size(schema: &JsonObject) -> usize {
    serde_json::to_string(schema).map_or(usize::MAX, |text| text.len())
}
fn top(whole: &JsonObject, limits: &Limits) -> JsonObject {
    let mut flat = Flat::of(whole);
    let names = safe_names(flat.properties.keys().map(String::as_str));
    let safe = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let count = flat.properties.len();
    if count > limits.inputs {
        let mut kept: BTreeSet<String> =
            flat.required.iter().take(limits.inputs).cloned().collect();
        for name in flat.properties.keys() {
            if kept.len() >= limits.inputs {
                break;
            }
            kept.insert(name.clone());
        }
        flat.properties.retain(|name, _| kept.contains(name));
        flat.required.retain(|name| kept.contains(name));
        flat.notes
            .push(format!("{} more inputs are not shown.", count - kept.len()));
    }
    let mut properties = Map::new();
    for (name, schema) in &flat.properties {
        properties.insert(safe(name), Value::Object(plain(schema, limits, 1)));
    }
    let mut made = Map::new();
    made.insert("type".to_owned(), json!("object"));
    let said = line(
        whole
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        limits.text,
    );
    let notes = if limits.text > 0 {
        line(&flat.notes.join(" "), limits.text.max(200))
    } else {
        String::new()
    };
    let text = join(&said, &notes);
    if !text.is_empty() {
        made.insert("description".to_owned(), json!(text));
    }
    made.insert("properties".to_owned(), Value::Object(properties));
    if !flat.required.is_empty() {
        let required: Vec<String> = flat.required.iter().map(|name| safe(name)).collect();
        made.insert("required".to_owned(), json!(required));
    }
    made
}
