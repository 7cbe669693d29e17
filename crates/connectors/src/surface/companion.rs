//! Tools that list the values of an input: `{alias}__list_{property}s`.
//!
//! A connector says below `selects` which action lists the values of an input. An action of the
//! companion's name that is on is the companion, and none is made.

mod options;

pub use options::{Asked, MOST_OPTIONS, OptionCall, Options, Value, option_call};

use super::JsonObject;
use super::name::tool_name;
use super::texts::{line, sentence};
use super::tools::{SurfaceTool, Switched, What};
use super::vendor::vendor_safe;
use crate::definition::{Definition, Select};
use crate::params::{SELECT, input_schema};
use quaymaster_core::tool::Nature;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// One companion of a connector.
#[derive(Debug, Clone)]
pub(super) struct Companion {
    /// The name behind the alias, for example `list_channels`.
    pub(super) called: String,
    /// The inputs that it lists values for; mostly one.
    pub(super) properties: Vec<String>,
    pub(super) select: String,
    /// The actions that are on and have such an input.
    pub(super) actions: Vec<String>,
    /// The action that is the companion already.
    pub(super) existing: Option<String>,
    /// Other names behind the alias that mean it.
    pub(super) spellings: Vec<String>,
}

/// The inputs of an action that have a select, wherever they stand: name and key of the select.
pub(super) fn selects(params: &Map<String, Json>) -> Vec<(&str, &str)> {
    fn walk<'d>(
        schema: &'d Json,
        name: Option<&'d str>,
        depth: usize,
        found: &mut Vec<(&'d str, &'d str)>,
    ) {
        // Far deeper than anybody nests inputs.
        if depth > 32 {
            return;
        }
        match schema {
            Json::Object(map) => {
                if let (Some(name), Some(select)) = (name, map.get(SELECT).and_then(Json::as_str))
                    && !found.contains(&(name, select))
                {
                    found.push((name, select));
                }
                for (word, inner) in map {
                    match (word.as_str(), inner) {
                        ("properties" | "patternProperties", Json::Object(named)) => {
                            for (name, inner) in named {
                                walk(inner, Some(name), depth + 1, found);
                            }
                        }
                        ("default" | "const" | "enum" | "examples", _) => {}
                        (_, inner) => walk(inner, name, depth + 1, found),
                    }
                }
            }
            Json::Array(list) => {
                for inner in list {
                    walk(inner, name, depth + 1, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (word, inner) in params {
        match (word.as_str(), inner) {
            ("properties", Json::Object(named)) => {
                for (name, inner) in named {
                    walk(inner, Some(name), 0, &mut found);
                }
            }
            (_, inner) => walk(inner, None, 0, &mut found),
        }
    }
    found
}

/// `channel` becomes `list_channels`, `labels` stays `list_labels`.
fn listing(property: &str) -> String {
    if property.ends_with('s') {
        format!("list_{property}")
    } else {
        format!("list_{property}s")
    }
}

/// The companions of what is on, in the order in which their inputs first occur.
pub(super) fn of(switched: &Switched<'_>) -> Vec<Companion> {
    let definition = switched.definition;
    let mut made: Vec<Companion> = Vec::new();
    for (key, action) in switched.on() {
        // What is enforced has its value, and needs no list of others.
        let left = (switched.presets)(key).strip(&action.params);
        for (property, select) in selects(&left) {
            if !definition.selects.contains_key(select) {
                continue;
            }
            let called = called(definition, property, select);
            let found = made
                .iter_mut()
                .find(|one| one.called == called && one.select == select);
            let one = match found {
                Some(one) => one,
                None => {
                    let existing = switched.is_on(&called).then(|| called.clone());
                    made.push(Companion {
                        called: called.clone(),
                        properties: Vec::new(),
                        select: select.to_owned(),
                        actions: Vec::new(),
                        existing,
                        spellings: Vec::new(),
                    });
                    let last = made.len() - 1;
                    &mut made[last]
                }
            };
            if !one.properties.iter().any(|own| own == property) {
                one.properties.push(property.to_owned());
                let literal = format!("list_{property}s");
                if called == listing(property)
                    && literal != called
                    && definition.action(&literal).is_none()
                {
                    one.spellings.push(literal);
                }
            }
            if !one.actions.iter().any(|own| own == key) {
                one.actions.push(key.to_owned());
            }
        }
    }
    // The literal spelling of one can be the name of another: that one keeps it.
    let names: BTreeSet<String> = made.iter().map(|one| one.called.clone()).collect();
    for one in &mut made {
        one.spellings.retain(|spelling| !names.contains(spelling));
    }
    made
}

/// The companion's name. It depends on the definition alone, so that switching an action on or off
/// renames nothing: where inputs of one name have different selects, the select's name tells them
/// apart (`list_queue_names`), unless an action of the plain name exists.
fn called(definition: &Definition, property: &str, select: &str) -> String {
    let plain = listing(property);
    if definition.action(&plain).is_some() {
        return plain;
    }
    let actions = definition
        .modules
        .values()
        .flat_map(|module| module.actions.values());
    let ambiguous = actions
        .flat_map(|action| selects(&action.params))
        .any(|(other, own)| {
            own != select && listing(other) == plain && definition.selects.contains_key(own)
        });
    if !ambiguous {
        return plain;
    }
    let named = format!("list_{select}_{}", &plain["list_".len()..]);
    // An action of that name does something else.
    if definition.action(&named).is_some() {
        format!("{named}_values")
    } else {
        named
    }
}

impl Companion {
    pub(super) fn tool(&self, switched: &Switched<'_>) -> SurfaceTool {
        let property = self
            .properties
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let shown: Vec<String> = self
            .properties
            .iter()
            .map(|name| format!("`{}`", line(name, 64)))
            .collect();
        let mut description = format!("Lists values for the input {}", shown.join(", "));
        let some: Vec<String> = self
            .actions
            .iter()
            .take(3)
            .map(|key| tool_name(switched.alias, key).name)
            .collect();
        let _ = write!(description, " of {}", some.join(", "));
        if self.actions.len() > some.len() {
            let _ = write!(description, " and {} more", self.actions.len() - some.len());
        }
        SurfaceTool {
            name: tool_name(switched.alias, &self.called),
            hidden: self
                .spellings
                .iter()
                .map(|one| tool_name(switched.alias, one).name)
                .collect(),
            title: format!("List values for {}", line(property, 64)),
            description: sentence(&description),
            input: vendor_safe(&inputs(switched, &self.select, &self.actions)),
            output: Some(output()),
            nature: Nature {
                read_only: true,
                destructive: false,
                idempotent: true,
                open_world: true,
            },
            alias: switched.alias.to_owned(),
            what: What::Companion {
                property: property.to_owned(),
                select: self.select.clone(),
                for_actions: self.actions.clone(),
            },
        }
    }
}

/// What a companion takes: the inputs that its select needs, as the listing action takes them, and
/// `search`. Those that are enforced are not there.
pub(super) fn inputs(switched: &Switched<'_>, select: &str, actions: &[String]) -> JsonObject {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some(select) = switched.definition.selects.get(select) {
        let known = fixed(switched, select, actions);
        for need in &select.needs {
            match known.get(need) {
                Some(Known::One(_)) => {}
                Some(Known::Of(values)) => {
                    properties.insert(need.clone(), json!({ "enum": values }));
                    required.push(need.clone());
                }
                None => {
                    properties.insert(
                        need.clone(),
                        need_schema(switched.definition, select, actions, need),
                    );
                    required.push(need.clone());
                }
            }
        }
    }
    properties.insert(
        "search".to_owned(),
        json!({ "type": "string", "description": "Only values whose name has this text" }),
    );
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Json::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn need_schema(definition: &Definition, select: &Select, actions: &[String], need: &str) -> Json {
    let keys = std::iter::once(&select.action).chain(actions);
    keys.filter_map(|key| definition.action(key))
        .find_map(|(_, _, action)| {
            let schema = input_schema(definition, action);
            schema.get("properties")?.get(need).cloned()
        })
        .unwrap_or_else(|| json!({ "type": "string" }))
}

fn output() -> JsonObject {
    let schema = json!({
        "type": "object",
        "properties": {
            "options": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "value": {}, "label": { "type": "string" } },
                    "required": ["value", "label"],
                },
            },
            "left_out": { "type": "integer", "description": "How many more there are" },
            "more": { "type": "boolean", "description": "Whether the service has further pages" },
        },
        "required": ["options"],
    });
    match schema {
        Json::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// What is enforced for a needed input.
enum Known {
    One(Json),
    Of(Vec<Json>),
}

/// The needed inputs that are enforced: for the listing action itself, or for every action whose
/// values it lists. An agent that may write into one repository only sees that one's labels.
fn fixed(switched: &Switched<'_>, select: &Select, actions: &[String]) -> BTreeMap<String, Known> {
    let mut found = BTreeMap::new();
    let own = (switched.presets)(&select.action);
    let presets: Vec<_> = actions.iter().map(|key| (switched.presets)(key)).collect();
    for need in &select.needs {
        if own.enforced_keys().contains(need) {
            let value = own.values().remove(need).unwrap_or(Json::Null);
            found.insert(need.clone(), Known::One(value));
            continue;
        }
        if presets.is_empty()
            || !presets
                .iter()
                .all(|preset| preset.enforced_keys().contains(need))
        {
            continue;
        }
        let mut values: Vec<Json> = Vec::new();
        for preset in &presets {
            if let Some(value) = preset.values().remove(need)
                && !values.contains(&value)
            {
                values.push(value);
            }
        }
        match values.len() {
            0 => {}
            1 => {
                found.insert(need.clone(), Known::One(values.remove(0)));
            }
            _ => {
                found.insert(need.clone(), Known::Of(values));
            }
        }
    }
    found
}
