//! Tools that list the values of an input: `{alias}__list_{property}s`.
//!
//! A connector says below `selects` which action lists the values of an input. An action of the
//! companion's name that is on is the companion, and none is made.

use super::JsonObject;
use super::name::tool_name;
use super::texts::{line, sentence};
use super::tools::{SurfaceTool, Switched, What};
use super::vendor::vendor_safe;
use crate::definition::{Definition, Select};
use crate::params::{SELECT, input_schema};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::Nature;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

/// The most options of one answer.
pub const MOST_OPTIONS: usize = 200;
const LONGEST_LABEL: usize = 200;

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
        for (property, select) in selects(&action.params) {
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
        let definition = switched.definition;
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
            output: Some(output(definition)),
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

fn output(_: &Definition) -> JsonObject {
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

/// What somebody wants values for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub property: &'a str,
    /// The key of the select where it is known ([`What::Companion`]); else it is looked up.
    pub select: Option<&'a str>,
    /// The actions that have the input: those of [`What::Companion`], or the one that is asked about.
    /// Without any, every action that is on.
    pub actions: &'a [String],
    /// The inputs known so far, those that the select needs among them.
    pub input: &'a JsonObject,
    pub search: Option<&'a str>,
}

/// The call that lists the values, and how its result becomes options.
#[derive(Debug, Clone)]
pub struct OptionCall {
    /// The key of the action.
    pub action: String,
    /// Its inputs, with what is saved for it.
    pub inputs: JsonObject,
    items: String,
    value: String,
    label: String,
    search: Option<String>,
}

/// A value that an input can have.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub value: Json,
    pub label: String,
}

/// What an input can have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    pub options: Vec<Value>,
    /// How many more there were.
    pub left_out: usize,
}

/// Which action is called with which inputs to list values.
///
/// An input that is not there is `NOT_FOUND` with a suggestion; one without a select is
/// `INVALID_ARG` with `details.reason` `NOT_DROPDOWN`; a missing needed input is `INVALID_ARG`.
pub fn option_call(switched: &Switched<'_>, asked: &Asked<'_>) -> Result<OptionCall, Fault> {
    let definition = switched.definition;
    let key = match asked.select {
        Some(select) => select.to_owned(),
        None => select_of(switched, asked)?,
    };
    let Some(select) = definition.selects.get(&key) else {
        return Err(no_select(asked.property));
    };
    let known = fixed(switched, select, asked.actions);
    let mut inputs = select.with.clone();
    for need in &select.needs {
        let given = asked.input.get(need).filter(|value| !value.is_null());
        match (known.get(need), given) {
            (Some(Known::Of(values)), Some(value)) if !values.contains(value) => {
                return Err(Fault::invalid_arg(
                    &format!("/{need}"),
                    "enum",
                    format!("`{need}` has to be one of {}.", json!(values)),
                ));
            }
            (Some(Known::One(value)), _) | (_, Some(value)) => {
                inputs.insert(need.clone(), value.clone());
            }
            (_, None) => {
                return Err(Fault::invalid_arg(
                    &format!("/{need}"),
                    "required",
                    format!("The values of `{}` depend on `{need}`.", asked.property),
                )
                .hint(format!("Give `{need}`.")));
            }
        }
    }
    Ok(OptionCall {
        action: select.action.clone(),
        inputs: (switched.presets)(&select.action).merge(inputs)?,
        items: select.items.clone(),
        value: select.value.clone(),
        label: select.label.clone(),
        search: asked
            .search
            .map(str::trim)
            .filter(|search| !search.is_empty())
            .map(str::to_lowercase),
    })
}

fn select_of(switched: &Switched<'_>, asked: &Asked<'_>) -> Result<String, Fault> {
    let wanted = |key: &str| asked.actions.is_empty() || asked.actions.iter().any(|own| own == key);
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (_, action) in switched.on().filter(|(key, _)| wanted(key)) {
        let found = selects(&action.params);
        if let Some((_, select)) = found.iter().find(|(name, _)| *name == asked.property) {
            return Ok((*select).to_owned());
        }
        names.extend(
            action
                .params
                .get("properties")
                .and_then(Json::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str()),
        );
    }
    if names.contains(asked.property) {
        return Err(no_select(asked.property));
    }
    let close = did_you_mean(asked.property, names.iter().copied(), 3);
    let fault = Fault::new(
        Code::NotFound,
        format!(
            "There is no input {:?}.",
            quaymaster_core::schema::shorten(asked.property)
        ),
    );
    Err(match close.first() {
        Some(first) => fault
            .hint(format!("Did you mean `{first}`?"))
            .detail("did_you_mean", close),
        None => fault.hint(format!(
            "Known inputs: {}.",
            names.into_iter().take(20).collect::<Vec<_>>().join(", ")
        )),
    })
}

fn no_select(property: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(property);
    Fault::invalid_arg(
        "/propertyName",
        "select",
        format!("The values of `{shown}` cannot be listed."),
    )
    .hint("Give a value of your own.")
    .detail("reason", "NOT_DROPDOWN")
}

impl OptionCall {
    /// The options in the action's result, those that have the searched text, each value once, at
    /// most [`MOST_OPTIONS`]. Texts are cleaned.
    pub fn options(&self, result: &Json) -> Options {
        let items: Vec<&Json> = match place(result, &self.items) {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(Json::Object(items)) => items.values().collect(),
            _ => Vec::new(),
        };
        let mut made = Options::default();
        let mut seen: HashSet<String> = HashSet::new();
        for item in items {
            let Some(value) = place(item, &self.value).filter(|value| is_plain(value)) else {
                continue;
            };
            let label = place(item, &self.label)
                .filter(|label| is_plain(label))
                .unwrap_or(value);
            let label = line(&text(label), LONGEST_LABEL);
            let label = if label.is_empty() {
                line(&text(value), LONGEST_LABEL)
            } else {
                label
            };
            if let Some(search) = &self.search
                && !label.to_lowercase().contains(search)
                && !text(value).to_lowercase().contains(search)
            {
                continue;
            }
            if !seen.insert(value.to_string()) {
                continue;
            }
            if made.options.len() < MOST_OPTIONS {
                made.options.push(Value {
                    value: value.clone(),
                    label,
                });
            } else {
                made.left_out += 1;
            }
        }
        made
    }
}

impl Options {
    /// `{options: [{value, label}], left_out?}`
    pub fn to_json(&self) -> JsonObject {
        let options: Vec<Json> = self
            .options
            .iter()
            .map(|one| json!({ "value": one.value, "label": one.label }))
            .collect();
        let mut made = Map::new();
        made.insert("options".to_owned(), Json::Array(options));
        if self.left_out > 0 {
            made.insert("left_out".to_owned(), json!(self.left_out));
        }
        made
    }
}

fn place<'v>(value: &'v Json, pointer: &str) -> Option<&'v Json> {
    if pointer.is_empty() {
        Some(value)
    } else {
        value.pointer(pointer)
    }
}

fn is_plain(value: &Json) -> bool {
    matches!(value, Json::String(_) | Json::Number(_) | Json::Bool(_))
}

fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
