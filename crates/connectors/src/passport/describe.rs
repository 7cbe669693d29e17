//! The passport of a service: an index, and each module in full.

use super::recipe;
use crate::definition::{Action, Auth, Definition, Module, Pagination, Verb};
use crate::params::{ENUM, Part, SELECT, given_in, input_schema};
use crate::resolve;
use quaymaster_core::Fault;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// Without a module the index: modules with the calls in them, recipes, limits. With one, all that
/// a call needs: each action with its inputs by part of the request, recipes with bodies, hints on
/// fields, enums, paging, examples of answers. Both say `version` and `ttl` (seconds).
///
/// An unknown module is `INVALID_ARG` with `details.did_you_mean` and `details.known_modules`.
pub fn describe(definition: &Definition, module: Option<&str>) -> Result<Value, Fault> {
    match module.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(index(definition)),
        Some(name) => {
            let (name, module) = resolve::module(definition, name)?;
            Ok(full(definition, name, module))
        }
    }
}

fn head(definition: &Definition) -> Map<String, Value> {
    let mut head = Map::new();
    let mut put = |key: &str, value: Value| head.insert(key.to_owned(), value);
    put("service", json!(definition.key));
    put("title", json!(definition.title));
    put("summary", json!(definition.summary));
    put("kind", json!(definition.kind));
    put("version", json!(definition.version));
    put("ttl", json!(definition.ttl));
    head
}

fn index(definition: &Definition) -> Value {
    let mut index = head(definition);
    index.insert("tested".to_owned(), json!(definition.tested));
    if let Some(url) = &definition.docs_url {
        index.insert("docs_url".to_owned(), json!(url));
    }
    let ways: Vec<Value> = definition.auth.iter().map(sign_in).collect();
    index.insert("sign_in".to_owned(), json!(ways));
    let modules: Map<String, Value> = definition
        .modules
        .iter()
        .map(|(name, module)| {
            let calls: Vec<String> = module
                .actions
                .iter()
                .map(|(key, action)| recipe::call(definition, key, action))
                .collect();
            let mut shown = json!({ "title": module.title, "calls": calls });
            if let Some(summary) = &module.summary {
                shown["summary"] = json!(summary);
            }
            (name.clone(), shown)
        })
        .collect();
    index.insert("modules".to_owned(), Value::Object(modules));
    let recipes = definition.recipes.iter();
    let recipes: Vec<Value> = recipes
        .filter_map(|one| recipe::shown(definition, one))
        .collect();
    index.insert("recipes".to_owned(), json!(recipes));
    shared(definition, None, &mut index);
    index.insert("next".to_owned(), json!(next(definition)));
    Value::Object(index)
}

fn next(definition: &Definition) -> &'static str {
    if definition.kind == crate::definition::Kind::Rest {
        "Name a module for the inputs of its calls. Call with connector_execute: module, method (the verb), path, query, body."
    } else {
        "Name a module for the inputs of its calls. Call with connector_execute: module, method (the call's name), body; no path."
    }
}

fn sign_in(auth: &Auth) -> Value {
    let mut way = json!({ "key": auth.key, "type": auth.kind });
    if let Some(title) = &auth.title {
        way["title"] = json!(title);
    }
    way
}

/// Limits, and how lists are paged unless an action says otherwise.
fn shared(definition: &Definition, module: Option<&str>, passport: &mut Map<String, Value>) {
    let limits: Vec<Value> = definition
        .rate_limits
        .iter()
        .filter(|limit| match (module, &limit.module) {
            (Some(module), Some(only)) => only == module,
            _ => true,
        })
        .map(|limit| json!(limit))
        .collect();
    if !limits.is_empty() {
        passport.insert("rate_limits".to_owned(), json!(limits));
    }
    if let Some(pagination) = &definition.defaults.pagination {
        passport.insert("pagination".to_owned(), paging(pagination));
    }
}

/// Only what a caller can use: parameters to send, and that the result's `meta` says what is next.
fn paging(pagination: &Pagination) -> Value {
    let mut shown = json!({ "type": pagination.kind });
    if let Some(param) = &pagination.param {
        shown["param"] = json!(param);
    }
    if let Some(size) = &pagination.page_size {
        shown["page_size"] = json!(size);
    }
    if let Some(first) = pagination.first {
        shown["first"] = json!(first);
    }
    shown
}

fn full(definition: &Definition, name: &str, module: &Module) -> Value {
    let mut passport = head(definition);
    passport.insert("module".to_owned(), json!(name));
    if let Some(summary) = &module.summary {
        passport.insert("module_summary".to_owned(), json!(summary));
    }
    let hints = Hints::of(definition, module);
    let actions: Vec<Value> = module
        .actions
        .iter()
        .map(|(key, one)| action(definition, key, one, &hints))
        .collect();
    passport.insert("actions".to_owned(), json!(actions));
    let recipes: Vec<Value> = definition
        .recipes
        .iter()
        .filter(|recipe| module.actions.contains_key(&recipe.action))
        .filter_map(|one| recipe::shown(definition, one))
        .collect();
    if !recipes.is_empty() {
        passport.insert("recipes".to_owned(), json!(recipes));
    }
    if !hints.by_field.is_empty() {
        passport.insert("field_hints".to_owned(), json!(hints.by_field));
    }
    let enums = enums(definition, module);
    if !enums.is_empty() {
        passport.insert("enums".to_owned(), Value::Object(enums));
    }
    shared(definition, Some(name), &mut passport);
    Value::Object(passport)
}

fn action(definition: &Definition, key: &str, action: &Action, hints: &Hints) -> Value {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("action", json!(key));
    put("title", json!(action.title));
    put("call", json!(recipe::call(definition, key, action)));
    if let Some(summary) = &action.summary {
        put("summary", json!(summary));
    }
    // The verbs that read need no word about it.
    let by_verb = matches!(action.method, Some(Verb::Get | Verb::Head));
    if action.reads() != by_verb {
        put("read_only", json!(action.reads()));
    }
    if action.destructive == Some(true) {
        put("destructive", json!(true));
    }
    for (part, schema) in inputs(definition, action, hints) {
        put(part, schema);
    }
    if let Some(pagination) = &action.pagination {
        put("pagination", paging(pagination));
    }
    if action.response.binary {
        put("response", json!("bytes"));
    } else if let Some(example) = &action.response.example {
        put("response_example", example.clone());
    }
    if !action.response.headers.is_empty() {
        put("response_headers", json!(action.response.headers));
    }
    Value::Object(shown)
}

/// The inputs as JSON Schemas by the argument of `connector_execute` that they are given in.
fn inputs(definition: &Definition, action: &Action, hints: &Hints) -> Vec<(&'static str, Value)> {
    let mut whole = input_schema(definition, action);
    let required: BTreeSet<String> = match whole.remove("required") {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => BTreeSet::new(),
    };
    let Some(Value::Object(properties)) = whole.remove("properties") else {
        return Vec::new();
    };
    let mut by_part: HashMap<Part, (Map<String, Value>, Vec<String>)> = HashMap::new();
    let mut entire = None;
    for (name, mut schema) in properties {
        let written = action
            .params
            .get("properties")
            .and_then(|all| all.get(&name));
        let part = given_in(definition, action, &name, written.unwrap_or(&Value::Null));
        hints.take_out(&name, &mut schema);
        if part == Part::EntireBody {
            entire = Some(schema);
            continue;
        }
        let (properties, names) = by_part.entry(part).or_default();
        if required.contains(&name) {
            names.push(name.clone());
        }
        properties.insert(name, schema);
    }
    // What is said of all inputs together, for example `anyOf`, stands where most of them are.
    whole.remove("type");
    let mut shown = Vec::new();
    let last = [Part::Body, Part::Query]
        .into_iter()
        .find(|part| by_part.contains_key(part));
    for (part, name) in [
        (Part::Path, "path_values"),
        (Part::Query, "query"),
        (Part::Body, "body"),
    ] {
        let Some((properties, names)) = by_part.remove(&part) else {
            continue;
        };
        let mut schema = Map::from_iter([("properties".to_owned(), Value::Object(properties))]);
        // Everything in a path is needed.
        if !names.is_empty() && part != Part::Path {
            schema.insert("required".to_owned(), json!(names));
        }
        if last == Some(part) {
            schema.append(&mut whole);
        }
        shown.push((name, Value::Object(schema)));
    }
    if let Some(entire) = entire {
        shown.retain(|(name, _)| *name != "body");
        shown.push(("body", entire));
    }
    shown
}

/// Descriptions of fields, once for all actions of a module that have the same.
struct Hints {
    by_field: Map<String, Value>,
}

impl Hints {
    fn of(definition: &Definition, module: &Module) -> Hints {
        let mut by_field: Map<String, Value> = Map::new();
        for action in module.actions.values() {
            let properties = action.params.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if by_field.contains_key(name) {
                    continue;
                }
                let described = schema.get("description").and_then(Value::as_str);
                let select = select(definition, schema);
                let hint = match (described, select) {
                    (Some(text), Some(select)) => format!("{} {select}", ended(text)),
                    (Some(text), None) => text.to_owned(),
                    (None, Some(select)) => select,
                    (None, None) => continue,
                };
                by_field.insert(name.clone(), json!(hint));
            }
        }
        Hints { by_field }
    }

    /// The description of a field, when the hint says it already.
    fn take_out(&self, name: &str, schema: &mut Value) {
        let hint = self.by_field.get(name).and_then(Value::as_str);
        if let (Some(hint), Value::Object(schema)) = (hint, schema) {
            let said = schema.get("description").and_then(Value::as_str);
            if said.is_some_and(|said| hint == said || hint.starts_with(&ended(said))) {
                schema.remove("description");
            }
        }
    }
}

fn ended(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Where the values of a field are found.
fn select(definition: &Definition, schema: &Value) -> Option<String> {
    let name = schema
        .get(SELECT)
        .or_else(|| schema.get("items")?.get(SELECT))?;
    let select = definition.selects.get(name.as_str()?)?;
    let (_, _, action) = definition.action(&select.action)?;
    let call = recipe::call(definition, &select.action, action);
    let place = format!("{}/*{}", select.items, select.value);
    Some(format!("Values: {call}, at {place}."))
}

/// The enums that a module's actions use, with the titles of their values.
fn enums(definition: &Definition, module: &Module) -> Map<String, Value> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get(ENUM) {
                    found.insert(name.clone());
                }
                map.values().for_each(|value| walk(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut used = BTreeSet::new();
    for schema in module
        .actions
        .values()
        .flat_map(|action| action.params.values())
    {
        walk(schema, &mut used);
    }
    let enums = definition.enums.iter();
    enums
        .filter(|(name, _)| used.contains(*name))
        .map(|(name, choices)| (name.clone(), json!(choices)))
        .collect()
}
