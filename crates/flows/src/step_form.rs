//! The steps of a flow as forms: what each has and may have, as the JSON Schema of the format says it, and
//! the text of the flow with what somebody filled in.

use crate::load::LIMITS;
use crate::published;
use quaymaster_yaml::items::{self, Change};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const STEPS: &str = "steps";
/// What a step can do, in the order of a choice, with what a new one begins with.
const KINDS: [(&str, &str); 14] = [
    ("http", "{ get: \"https://example.com/\" }"),
    ("call", "{ service: github, action: get_user }"),
    ("mcp", "{ connection: upstream, tool: search }"),
    (
        "sql",
        "{ connection: database, read_only: true, query: SELECT 1 AS one }",
    ),
    ("flow", "{ name: another_flow }"),
    ("map", ".input"),
    ("then", "[{ map: .input }]"),
    ("switch", "[{ when: \"true\", do: [{ map: .input }] }]"),
    (
        "for_each",
        "{ in: \"[1, 2]\", as: item, do: [{ map: .item }] }",
    ),
    (
        "parallel",
        "{ one: [{ map: .input }], two: [{ map: .input }] }",
    ),
    ("python", "{ code: 1 + 1 }"),
    ("kv", "{ get: { key: counter } }"),
    ("wait", "2s"),
    (
        "fail",
        "{ code: NOT_FOUND, message: There is no such thing. }",
    ),
];

/// A step of the flow's own list.
#[derive(Debug, Clone, PartialEq)]
pub struct StepForm {
    pub kind: String,
    pub fields: Vec<StepField>,
    /// The step itself.
    pub step: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepField {
    /// Keys with dots between them, as `http.get`.
    pub key: String,
    pub help: String,
    /// As it is filled in: a text, or YAML of anything else. Empty for what the step does not have.
    pub value: String,
    /// It may be a text alone, so no YAML.
    pub is_text: bool,
    /// What it may be, where that is a choice.
    pub choices: Vec<String>,
}

/// What a step can do, with a sentence about each.
pub fn kinds() -> impl Iterator<Item = (&'static str, String)> {
    KINDS
        .iter()
        .map(|(kind, _)| (*kind, help(&STEP["properties"][*kind])))
}

/// How many steps the list has that a form can change; none where the text is no flow, or one that has to
/// be changed by hand.
pub fn count(source: &str) -> Option<usize> {
    items::items(source, STEPS, LIMITS).map(|all| all.len())
}

/// The form of a step.
pub fn form(source: &str, at: usize) -> Option<StepForm> {
    form_of(items::items(source, STEPS, LIMITS)?.into_iter().nth(at)?)
}

fn form_of(whole: Value) -> Option<StepForm> {
    let step = whole.as_object()?;
    let kind = kind_of(step)?;
    let mut fields = Vec::new();
    for (key, schema) in STEP["properties"].as_object()? {
        let is_kind = KINDS.iter().any(|(kind, _)| kind == key) || key == "return" || key == "else";
        if !is_kind {
            fields.push(field(key.clone(), schema, step.get(key)));
        } else if key == kind {
            let inner = resolved(schema);
            match inner["properties"].as_object() {
                Some(properties) => fields.extend(properties.iter().map(|(name, schema)| {
                    let value = step[kind].get(name);
                    field(format!("{key}.{name}"), schema, value)
                })),
                None => fields.push(field(key.clone(), schema, step.get(key))),
            }
        } else if key == "else" && kind == "then" {
            fields.push(field(key.clone(), schema, step.get(key)));
        }
    }
    // What it is called first, then what it does, then how.
    fields.sort_by_key(|field| match &*field.key {
        "id" => 0,
        key if key.split('.').next() == Some(kind) => 1,
        _ => 2,
    });
    Some(StepForm {
        kind: kind.to_owned(),
        fields,
        step: whole,
    })
}

/// The text with a step as it was filled in: what is empty is left out. `was` is the step as JSON that the form
/// was made of: what stands in its fields as it was then is left alone, and the step is found again where it
/// was moved to.
///
/// # Errors
/// The key of a field that is no YAML, with what is wrong; an empty key when the text cannot be changed by a form.
pub fn filled(
    source: &str,
    at: usize,
    was: &str,
    given: impl Fn(&str) -> Option<String>,
) -> Result<String, (String, String)> {
    let cannot = || (String::new(), String::new());
    let all = items::items(source, STEPS, LIMITS).ok_or_else(cannot)?;
    let was: Option<Value> = serde_json::from_str(was).ok();
    let at = match &was {
        Some(was) => place_of(was, &all).unwrap_or(at),
        None => at,
    };
    let mut step = all.into_iter().nth(at).ok_or_else(cannot)?;
    let form = form_of(was.unwrap_or_else(|| step.clone())).ok_or_else(cannot)?;
    let kind = step.as_object().and_then(kind_of);
    if kind != Some(&*form.kind) {
        return Err(cannot());
    }
    for field in form.fields {
        let Some(text) = given(&field.key) else {
            continue;
        };
        // Browsers send line ends of their own.
        let text = text.replace("\r\n", "\n");
        if text.trim_end() == field.value.trim_end() {
            continue;
        }
        let value = match &*text {
            text if text.trim().is_empty() => None,
            text if field.is_text => Some(Value::String(text.to_owned())),
            text => Some(items::value(text, LIMITS).map_err(|why| (field.key.clone(), why))?),
        };
        set(&mut step, &field.key, value);
    }
    changed(source, &Change::Put(at, step)).ok_or_else(cannot)
}

/// Where a step is by now: as it was, or with its id.
fn place_of(was: &Value, all: &[Value]) -> Option<usize> {
    let same = all.iter().position(|step| step == was);
    let id = &was["id"];
    same.or_else(|| {
        all.iter()
            .position(|step| !id.is_null() && step["id"] == *id)
    })
}

/// The text with a new step at the end.
pub fn added(source: &str, kind: &str) -> Option<String> {
    let (kind, begins) = KINDS.iter().find(|(name, _)| *name == kind)?;
    let all = items::items(source, STEPS, LIMITS)?;
    let is_free = |id: &String| !all.iter().any(|step| step["id"] == **id);
    let named = (1..).map(|n| {
        if n == 1 {
            (*kind).to_owned()
        } else {
            format!("{kind}_{n}")
        }
    });
    let mut step = Map::new();
    step.insert("id".to_owned(), named.into_iter().find(is_free)?.into());
    match *kind {
        "then" => drop(step.insert("if".to_owned(), "true".into())),
        // Else nothing behind it would ever run.
        "fail" => drop(step.insert("if".to_owned(), "false".into())),
        _ => {}
    }
    step.insert((*kind).to_owned(), items::value(begins, LIMITS).ok()?);
    changed(source, &Change::Add(Value::Object(step)))
}

pub fn removed(source: &str, at: usize) -> Option<String> {
    changed(source, &Change::Remove(at))
}

/// The text with a step and the next one in each other's place.
pub fn swapped(source: &str, at: usize) -> Option<String> {
    changed(source, &Change::Swap(at))
}

fn changed(source: &str, change: &Change) -> Option<String> {
    items::changed(source, STEPS, change, LIMITS)
}

fn set(step: &mut Value, key: &str, value: Option<Value>) {
    let (outer, inner) = match key.split_once('.') {
        Some((outer, inner)) => (outer, Some(inner)),
        None => (key, None),
    };
    let Some(mut map) = step.as_object_mut() else {
        return;
    };
    let mut name = outer;
    if let Some(inner) = inner {
        let within = map.entry(outer).or_insert_with(|| json!({}));
        if !within.is_object() {
            *within = json!({});
        }
        let Some(within) = within.as_object_mut() else {
            return;
        };
        (map, name) = (within, inner);
    }
    match value {
        // The others stay in the order in which they were written.
        None => drop(map.shift_remove(name)),
        Some(value) => drop(map.insert(name.to_owned(), value)),
    }
}

fn kind_of(step: &Map<String, Value>) -> Option<&'static str> {
    let known = KINDS.iter().map(|(kind, _)| *kind).chain(["return"]);
    known.into_iter().find(|kind| step.contains_key(*kind))
}

static SCHEMA: LazyLock<Value> = LazyLock::new(published::schema);
static STEP: LazyLock<Value> = LazyLock::new(|| SCHEMA["$defs"]["Step"].clone());

/// Behind a reference, and without the other way of null.
fn resolved(schema: &Value) -> &Value {
    if let Some(path) = schema["$ref"].as_str() {
        let found = SCHEMA.pointer(path.trim_start_matches('#'));
        return found.map_or(schema, resolved);
    }
    let ways = schema["anyOf"].as_array();
    let mut ways = ways
        .into_iter()
        .flatten()
        .filter(|way| way["type"] != "null");
    match (ways.next(), ways.next()) {
        (Some(only), None) => resolved(only),
        _ => schema,
    }
}

/// What a template or an expression is stands in the guide, not at each field.
fn help(schema: &Value) -> String {
    let said = schema["description"].as_str();
    let said = said.or_else(|| resolved(schema)["description"].as_str());
    let said = said.unwrap_or_default().replace('\n', " ").replace('`', "");
    if said.starts_with("A text in which") || said.starts_with("An expression") {
        return String::new();
    }
    said
}

fn field(key: String, schema: &Value, value: Option<&Value>) -> StepField {
    let inner = resolved(schema);
    let is_text = match &inner["type"] {
        Value::String(only) => only == "string",
        Value::Array(types) => types.iter().all(|one| one == "string" || one == "null"),
        _ => false,
    };
    let choices = inner["enum"].as_array().into_iter().flatten();
    let mut choices: Vec<_> = choices
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if inner["type"] == "boolean" {
        choices = vec!["true".to_owned(), "false".to_owned()];
    }
    let value = match value {
        None => String::new(),
        Some(Value::String(text)) if is_text => text.clone(),
        Some(other) => items::written(other)
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
    };
    StepField {
        help: help(schema),
        is_text: is_text && choices.is_empty(),
        key,
        value,
        choices,
    }
}
