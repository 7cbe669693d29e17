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

use super::JsonObject;
use super::inline::inline;
use super::texts::{first_sentence, join, line, sentence};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// In bytes of JSON.
pub const LARGEST_SCHEMA: usize = 16 * 1024;
const LONGEST_NAME: usize = 64;

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

/// From a name that vendors accept to the input's own, for those that differ. Of the same schema that
/// [`vendor_safe`] was given.
pub fn original_names(schema: &JsonObject) -> BTreeMap<String, String> {
    let flat = Flat::of(&inline(schema));
    let names = safe_names(flat.properties.keys().map(String::as_str));
    names.into_iter().map(|(own, safe)| (safe, own)).collect()
}

/// The agent's input under the names of the schema. A name of both kinds may be used; where both are
/// given the schema's own one counts.
pub fn restore_names(schema: &JsonObject, input: JsonObject) -> JsonObject {
    let names = original_names(schema);
    if names.is_empty() {
        return input;
    }
    let (renamed, kept): (Vec<_>, Vec<_>) = input
        .into_iter()
        .partition(|(key, _)| names.contains_key(key));
    let mut made: JsonObject = kept.into_iter().collect();
    for (key, value) in renamed {
        if let Some(own) = names.get(&key) {
            made.entry(own.clone()).or_insert(value);
        }
    }
    made
}

/// What inputs are called where their own name is not accepted. Names that are accepted are never
/// given to others.
pub(super) fn safe_names<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = names
        .clone()
        .filter(|name| is_safe(name))
        .map(str::to_owned)
        .collect();
    let mut made = BTreeMap::new();
    for name in names.filter(|name| !is_safe(name)) {
        let mut base = String::new();
        for c in name.chars().take(200) {
            if c.is_ascii_alphanumeric() || c == '_' {
                base.push(c);
            } else if !base.ends_with('_') {
                base.push('_');
            }
        }
        let trimmed = base.trim_matches('_');
        let mut base = match trimmed.chars().next() {
            None => "input".to_owned(),
            Some(first) if first.is_ascii_digit() => format!("_{trimmed}"),
            Some(_) => trimmed.to_owned(),
        };
        base.truncate(LONGEST_NAME - 6);
        let mut safe = base.clone();
        let mut nr = 2;
        while !taken.insert(safe.clone()) {
            safe = format!("{base}_{nr}");
            nr += 1;
        }
        made.insert(name.to_owned(), safe);
    }
    made
}

fn is_safe(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An object's inputs with what its branches say of them.
struct Flat {
    properties: Map<String, Value>,
    required: Vec<String>,
    /// What cannot be said without branches.
    notes: Vec<String>,
}

impl Flat {
    fn of(schema: &JsonObject) -> Flat {
        let mut flat = Flat {
            properties: Map::new(),
            required: Vec::new(),
            notes: Vec::new(),
        };
        flat.take(schema, 0);
        let known = &flat.properties;
        let mut seen = BTreeSet::new();
        flat.required
            .retain(|name| known.contains_key(name) && seen.insert(name.clone()));
        flat
    }

    fn take(&mut self, schema: &JsonObject, depth: usize) {
        if depth > 16 {
            return;
        }
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, inner) in properties {
                self.property(name, inner);
            }
        }
        self.required
            .extend(names(schema.get("required")).map(str::to_owned));
        if let Some(Value::Array(list)) = schema.get("allOf") {
            for branch in list.iter().filter_map(Value::as_object) {
                self.take(branch, depth + 1);
            }
        }
        for (word, how) in [
            ("anyOf", "Give at least one of"),
            ("oneOf", "Give exactly one of"),
        ] {
            let Some(Value::Array(list)) = schema.get(word) else {
                continue;
            };
            let mut sets: Vec<Vec<String>> = Vec::new();
            for branch in list.iter().filter_map(Value::as_object) {
                let mut inner = Flat {
                    properties: Map::new(),
                    required: Vec::new(),
                    notes: Vec::new(),
                };
                inner.take(branch, depth + 1);
                for (name, schema) in &inner.properties {
                    self.property(name, schema);
                }
                sets.push(inner.required);
            }
            if sets.len() > 1 && sets.iter().all(|set| !set.is_empty()) {
                let sets: Vec<String> = sets.iter().take(8).map(|set| quoted(set)).collect();
                self.notes.push(format!("{how}: {}.", sets.join("; ")));
            }
        }
        for word in ["then", "else"] {
            if let Some(Value::Object(branch)) = schema.get(word) {
                let mut inner = Flat {
                    properties: Map::new(),
                    required: Vec::new(),
                    notes: Vec::new(),
                };
                inner.take(branch, depth + 1);
                for (name, schema) in &inner.properties {
                    self.property(name, schema);
                }
            }
        }
        if let Some(Value::Object(dependent)) = schema.get("dependentRequired") {
            for (name, needs) in dependent.iter().take(8) {
                let needs: Vec<String> = names(Some(needs)).map(str::to_owned).collect();
                if !needs.is_empty() {
                    self.notes.push(format!(
                        "{} needs {}.",
                        quoted(std::slice::from_ref(name)),
                        quoted(&needs)
                    ));
                }
            }
        }
    }

    /// The first that says something counts; values that branches tell apart come together.
    fn property(&mut self, name: &str, schema: &Value) {
        match self.properties.get_mut(name) {
            None => {
                self.properties.insert(name.to_owned(), schema.clone());
            }
            Some(Value::Object(own)) => {
                let Value::Object(other) = schema else {
                    return;
                };
                let values = |schema: &JsonObject| match (schema.get("const"), schema.get("enum")) {
                    (Some(only), _) => Some(vec![only.clone()]),
                    (None, Some(Value::Array(some))) => Some(some.clone()),
                    _ => None,
                };
                if let (Some(mut mine), Some(others)) = (values(own), values(other)) {
                    for value in others {
                        if !mine.contains(&value) {
                            mine.push(value);
                        }
                    }
                    own.shift_remove("const");
                    own.insert("enum".to_owned(), Value::Array(mine));
                }
                for (word, value) in other {
                    if !matches!(word.as_str(), "const" | "enum") && !own.contains_key(word) {
                        own.insert(word.clone(), value.clone());
                    }
                }
            }
            Some(own) => *own = schema.clone(),
        }
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names
        .iter()
        .take(8)
        .map(|name| format!("`{}`", line(name, 64)))
        .collect();
    names.join(" and ")
}

fn names(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
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

/// Types of JSON Schema in the order in which they are offered.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

fn plain(schema: &Value, limits: &Limits, depth: usize) -> JsonObject {
    let empty = Map::new();
    let merged;
    let schema = match schema {
        Value::Object(map) if map.contains_key("allOf") => {
            merged = all_of(map, 0);
            &merged
        }
        Value::Object(map) => map,
        _ => &empty,
    };
    let text = text(schema, limits, depth);
    let branches = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Value::as_array);
    let mut made = match branches {
        Some(branches) if !schema.contains_key("properties") => {
            any_of(schema, branches, limits, depth)
        }
        _ => typed(schema, limits, depth),
    };
    describe(&mut made, &text);
    made
}

/// The text goes into the first branch of an `anyOf`, beside which nothing may stand.
fn describe(made: &mut JsonObject, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Value::Array(branches)) = made.get_mut("anyOf") {
        if let Some(Value::Object(first)) = branches.first_mut() {
            let own = first
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let both = join(text, own);
            first.insert("description".to_owned(), json!(both));
        }
        return;
    }
    let own = made.shift_remove("description");
    let both = join(
        text,
        own.as_ref().and_then(Value::as_str).unwrap_or_default(),
    );
    let mut first = Map::new();
    if let Some(kind) = made.shift_remove("type") {
        first.insert("type".to_owned(), kind);
    }
    first.insert("description".to_owned(), json!(both));
    first.append(made);
    *made = first;
}

fn all_of(schema: &JsonObject, depth: usize) -> JsonObject {
    let mut made = schema.clone();
    let Some(Value::Array(list)) = made.shift_remove("allOf") else {
        return made;
    };
    if depth > 16 {
        return made;
    }
    for branch in list.iter().filter_map(Value::as_object) {
        for (word, value) in all_of(branch, depth + 1) {
            match (made.get_mut(&word), value) {
                (Some(Value::Object(own)), Value::Object(other)) if word == "properties" => {
                    for (name, inner) in other {
                        own.entry(name).or_insert(inner);
                    }
                }
                (Some(Value::Array(own)), Value::Array(other)) if word == "required" => {
                    own.extend(other);
                }
                (Some(_), _) => {}
                (None, value) => {
                    made.insert(word, value);
                }
            }
        }
    }
    made
}

fn any_of(schema: &JsonObject, branches: &[Value], limits: &Limits, depth: usize) -> JsonObject {
    let mut made: Vec<JsonObject> = Vec::new();
    for branch in branches {
        // What stands beside the branches holds for each.
        let mut whole = schema.clone();
        for word in [
            "anyOf",
            "oneOf",
            "description",
            "title",
            "default",
            "examples",
            "deprecated",
        ] {
            whole.shift_remove(word);
        }
        match branch {
            Value::Object(branch) => {
                for (word, value) in branch {
                    whole.insert(word.clone(), value.clone());
                }
            }
            Value::Bool(false) => continue,
            _ => {}
        }
        if is_null(&whole) {
            continue;
        }
        let one = plain(&Value::Object(whole), limits, depth);
        // Branches of branches stand beside them.
        let flat = match one.get("anyOf") {
            Some(Value::Array(inner)) => {
                inner.iter().filter_map(Value::as_object).cloned().collect()
            }
            _ => vec![one],
        };
        for one in flat {
            if !made.contains(&one) {
                made.push(one);
            }
        }
    }
    made.truncate(limits.branches.max(1));
    match made.len() {
        0 => anything(),
        1 => made.remove(0),
        _ => Map::from_iter([("anyOf".to_owned(), json!(made))]),
    }
}

fn is_null(schema: &JsonObject) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
        || schema.get("const").is_some_and(Value::is_null)
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|some| !some.is_empty() && some.iter().all(Value::is_null))
}

/// What may be anything has a type nevertheless.
fn anything() -> JsonObject {
    Map::from_iter([(
        "anyOf".to_owned(),
        json!([{ "type": "string" }, { "type": "number" }, { "type": "boolean" }, { "type": "object" }]),
    )])
}

fn kinds(schema: &JsonObject) -> Vec<&'static str> {
    let named = |name: &str| TYPES.into_iter().find(|known| *known == name);
    let of_value = |value: &Value| match value {
        Value::String(_) => Some("string"),
        Value::Number(number) => Some(if number.is_f64() { "number" } else { "integer" }),
        Value::Bool(_) => Some("boolean"),
        Value::Array(_) => Some("array"),
        Value::Object(_) => Some("object"),
        Value::Null => None,
    };
    let mut kinds: Vec<&'static str> = match schema.get("type") {
        Some(Value::String(name)) => named(name).into_iter().collect(),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter_map(named)
            .collect(),
        _ => Vec::new(),
    };
    if kinds.is_empty() {
        if let Some(only) = schema.get("const") {
            kinds.extend(of_value(only));
        } else if let Some(Value::Array(values)) = schema.get("enum") {
            kinds.extend(values.iter().filter_map(of_value));
        } else {
            let by_word = [
                ("properties", "object"),
                ("additionalProperties", "object"),
                ("patternProperties", "object"),
                ("required", "object"),
                ("items", "array"),
                ("prefixItems", "array"),
                ("minItems", "array"),
                ("pattern", "string"),
                ("minLength", "string"),
                ("maxLength", "string"),
                ("format", "string"),
                ("contentEncoding", "string"),
                ("minimum", "number"),
                ("maximum", "number"),
            ];
            kinds.extend(
                by_word
                    .iter()
                    .find(|(word, _)| schema.contains_key(*word))
                    .map(|(_, kind)| *kind),
            );
        }
    }
    let mut seen = BTreeSet::new();
    kinds.retain(|kind| seen.insert(*kind));
    if kinds.contains(&"number") {
        kinds.retain(|kind| *kind != "integer");
    }
    kinds
}

fn typed(schema: &JsonObject, limits: &Limits, depth: usize) -> JsonObject {
    let kinds = kinds(schema);
    match kinds.as_slice() {
        [] => anything(),
        [only] => of_kind(schema, only, limits, depth, true),
        several => {
            let branches: Vec<JsonObject> = several
                .iter()
                .take(limits.branches.max(1))
                .map(|kind| of_kind(schema, kind, limits, depth, false))
                .collect();
            match branches.len() {
                1 => branches.into_iter().next().unwrap_or_default(),
                _ => Map::from_iter([("anyOf".to_owned(), json!(branches))]),
            }
        }
    }
}

fn of_kind(
    schema: &JsonObject,
    kind: &str,
    limits: &Limits,
    depth: usize,
    alone: bool,
) -> JsonObject {
    let mut made = Map::from_iter([("type".to_owned(), json!(kind))]);
    let keep = |made: &mut JsonObject, words: &[&str]| {
        for word in words {
            if let Some(value @ Value::Number(_)) = schema.get(*word) {
                made.insert((*word).to_owned(), value.clone());
            }
        }
    };
    match kind {
        "string" => {
            let values = texts(schema);
            if !values.is_empty() && values.len() <= limits.values {
                made.insert("enum".to_owned(), json!(values));
            } else if limits.details {
                if let Some(pattern) = schema
                    .get("pattern")
                    .and_then(Value::as_str)
                    .filter(|pattern| pattern.len() <= 120)
                {
                    made.insert("pattern".to_owned(), json!(pattern));
                }
                if schema
                    .get("format")
                    .is_some_and(|format| format == "date-time")
                {
                    made.insert("format".to_owned(), json!("date-time"));
                }
                keep(&mut made, &["minLength", "maxLength"]);
            }
        }
        "integer" | "number" if limits.details => bounds(schema, kind, &mut made),
        "array" => {
            let items = if depth >= limits.depth {
                anything_shallow(schema.get("items"))
            } else {
                items(schema, limits, depth)
            };
            made.insert("items".to_owned(), Value::Object(items));
            if limits.details {
                keep(&mut made, &["minItems", "maxItems"]);
            }
        }
        "object" if depth < limits.depth => {
            let flat = Flat::of(schema);
            let mut properties = Map::new();
            for (name, inner) in flat.properties.iter().take(limits.inputs) {
                properties.insert(name.clone(), Value::Object(plain(inner, limits, depth + 1)));
            }
            if !properties.is_empty() {
                let required: Vec<&String> = flat
                    .required
                    .iter()
                    .filter(|name| properties.contains_key(*name))
                    .collect();
                if !required.is_empty() {
                    made.insert("required".to_owned(), json!(required));
                }
                made.insert("properties".to_owned(), Value::Object(properties));
            }
            if !flat.notes.is_empty() && limits.inner_text > 0 {
                made.insert(
                    "description".to_owned(),
                    json!(line(&flat.notes.join(" "), limits.inner_text)),
                );
            }
        }
        _ => {}
    }
    if let Some(default) = schema.get("default")
        && alone
        && limits.details
        && fits(default, kind)
    {
        made.insert("default".to_owned(), default.clone());
    }
    made
}

fn fits(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => false,
    }
}

/// The texts that an input can be, without the empty one.
fn texts(schema: &JsonObject) -> Vec<&str> {
    let mut values: Vec<&str> = match (schema.get("const"), schema.get("enum")) {
        (Some(Value::String(only)), _) => vec![only],
        (None, Some(Value::Array(values))) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    values.retain(|value| !value.is_empty() && seen.insert(*value));
    values
}

/// Gemini has no exclusive bounds: for whole numbers the next one is the same.
fn bounds(schema: &JsonObject, kind: &str, made: &mut JsonObject) {
    for (word, exclusive, step) in [
        ("minimum", "exclusiveMinimum", 1),
        ("maximum", "exclusiveMaximum", -1),
    ] {
        if let Some(value @ Value::Number(_)) = schema.get(word) {
            made.insert(word.to_owned(), value.clone());
        } else if let Some(value) = schema.get(exclusive) {
            match value.as_i64().and_then(|bound| bound.checked_add(step)) {
                Some(next) if kind == "integer" => {
                    made.insert(word.to_owned(), json!(next));
                }
                _ if value.is_number() => {
                    made.insert(word.to_owned(), value.clone());
                }
                _ => {}
            }
        }
    }
}

fn items(schema: &JsonObject, limits: &Limits, depth: usize) -> JsonObject {
    if let Some(Value::Array(first)) = schema.get("prefixItems")
        && !first.is_empty()
    {
        return any_of(&Map::new(), first, limits, depth + 1);
    }
    match schema.get("items") {
        Some(items @ Value::Object(_)) => plain(items, limits, depth + 1),
        _ => anything(),
    }
}

/// The items of an array at the last level: their type and nothing of what is in them.
fn anything_shallow(items: Option<&Value>) -> JsonObject {
    let kind = items
        .and_then(Value::as_object)
        .map(kinds)
        .unwrap_or_default();
    match kind.as_slice() {
        // An array in it would need items of its own.
        [only] if *only != "array" => Map::from_iter([("type".to_owned(), json!(only))]),
        [_] => Map::from_iter([
            ("type".to_owned(), json!("array")),
            ("items".to_owned(), json!({ "type": "string" })),
        ]),
        _ => anything(),
    }
}

/// What a reader has to know of a schema, with what the words that are left out would say.
fn text(schema: &JsonObject, limits: &Limits, depth: usize) -> String {
    let most = if depth <= 1 {
        limits.text
    } else {
        limits.inner_text
    };
    if most == 0 {
        return String::new();
    }
    let said = schema
        .get("description")
        .or_else(|| schema.get("title"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut text = line(said, most);
    if most < 200 {
        text = first_sentence(&text).to_owned();
    }
    let mut more = |addition: String| {
        if text.chars().count() + addition.chars().count() < most {
            text = if text.is_empty() {
                addition
            } else {
                format!("{} {addition}", sentence(&text))
            };
        }
    };
    if schema.get("deprecated").is_some_and(|one| one == true) {
        more("Deprecated.".to_owned());
    }
    let values: Vec<&Value> = match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => vec![only],
        (None, Some(Value::Array(values))) => values.iter().collect(),
        _ => Vec::new(),
    };
    // Texts stand in `enum` unless there are too many.
    let told = kinds(schema) == ["string"] && texts(schema).len() <= limits.values;
    if !values.is_empty() && !told {
        let mut some: Vec<String> = values
            .iter()
            .take(20)
            .filter(|value| !value.is_null())
            .map(|value| shown(value))
            .collect();
        if values.len() > 20 {
            some.push("…".to_owned());
        }
        more(format!("One of {}.", some.join(", ")));
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        match format {
            "date" => more("As YYYY-MM-DD.".to_owned()),
            "time" => more("As HH:MM:SS.".to_owned()),
            "uuid" => more("A UUID.".to_owned()),
            "byte" => more("In Base64.".to_owned()),
            _ => {}
        }
    }
    if schema
        .get("contentEncoding")
        .is_some_and(|encoding| encoding == "base64")
        && !said.contains("ase64")
    {
        more("In Base64.".to_owned());
    }
    let nullable = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        _ => schema
            .get("anyOf")
            .or_else(|| schema.get("oneOf"))
            .and_then(Value::as_array)
            .is_some_and(|branches| branches.iter().filter_map(Value::as_object).any(is_null)),
    };
    if nullable && !said.contains("null") {
        more("May be null.".to_owned());
    }
    if !limits.details {
        return text;
    }
    if let Some(default) = schema.get("default") {
        let shown_already = matches!(kinds(schema).as_slice(), [only] if fits(default, only))
            && !schema.contains_key("anyOf")
            && !schema.contains_key("oneOf");
        if !shown_already {
            more(format!("Default: {}.", line(&shown(default), 120)));
        }
    }
    if let Some(example) = schema
        .get("examples")
        .and_then(Value::as_array)
        .and_then(|some| some.first())
    {
        let example = line(&shown(example), 80);
        if !said.contains(&example) {
            more(format!("For example {example}"));
        }
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
