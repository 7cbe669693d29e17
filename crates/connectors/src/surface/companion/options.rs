//! Which call lists the values of an input, and how its result becomes options.

use super::{Known, fixed, selects};
use crate::surface::JsonObject;
use crate::surface::texts::line;
use crate::surface::tools::Switched;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeSet, HashSet};

/// The most options of one answer.
pub const MOST_OPTIONS: usize = 200;
const LONGEST_LABEL: usize = 200;

/// What somebody wants values for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub property: &'a str,
    /// The key of the select where it is known ([`What::Companion`](crate::surface::What::Companion)); else it is looked up.
    pub select: Option<&'a str>,
    /// The actions that have the input: those of [`What::Companion`](crate::surface::What::Companion), or the one that is asked about.
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
