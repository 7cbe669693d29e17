//! A definition made ready for calls: what can be worked out once is.

use super::encode::Style;
use crate::definition::{Action, Definition, Module, Template};
use crate::params::{self, ORDER, Part, STYLE};
use quaymaster_core::schema::Checker;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A definition with what its calls need, worked out on the first call of each action. Made once
/// for each definition and shared.
pub struct Prepared {
    definition: Arc<Definition>,
    plans: HashMap<String, Slot>,
}

struct Slot {
    module: usize,
    action: usize,
    plan: OnceLock<Result<Plan, String>>,
}

/// What a call of one action needs.
pub(crate) struct Plan {
    checker: Checker,
    places: HashMap<String, Place>,
    /// Inputs that have one value only, and are sent with every call.
    consts: Vec<(String, Value)>,
    /// In the order of `x-order`, and what stands for one that is not given.
    pub(crate) positions: Vec<(String, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) part: Part,
    pub(crate) style: Style,
}

/// An action with its module and plan.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) module: &'a Module,
    pub(crate) action: &'a Action,
    pub(crate) plan: &'a Plan,
}

impl Prepared {
    pub fn new(definition: Arc<Definition>) -> Prepared {
        let mut plans = HashMap::new();
        for (at, module) in definition.modules.values().enumerate() {
            for (nr, key) in module.actions.keys().enumerate() {
                plans.entry(key.clone()).or_insert_with(|| Slot {
                    module: at,
                    action: nr,
                    plan: OnceLock::new(),
                });
            }
        }
        Prepared { definition, plans }
    }

    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// Whether the inputs fit the action's schema: `INVALID_ARG` with every error if not.
    pub fn check(&self, action: &str, inputs: &Map<String, Value>) -> Result<(), Fault> {
        self.known(action)?.plan.check(inputs)
    }

    pub(crate) fn known(&self, key: &str) -> Result<Known<'_>, Fault> {
        let found = self.plans.get(key).and_then(|slot| {
            let (_, module) = self.definition.modules.get_index(slot.module)?;
            let (_, action) = module.actions.get_index(slot.action)?;
            Some((slot, module, action))
        });
        let (slot, module, action) = found.ok_or_else(|| {
            let title = &self.definition.title;
            Fault::not_found(format!("{title} has no action {key}."))
                .hint("List its actions with describe_service.")
        })?;
        let made = slot.plan.get_or_init(|| Plan::of(&self.definition, action));
        let plan = made.as_ref().map_err(|reason| {
            tracing::error!(
                connector = self.definition.key,
                action = key,
                reason,
                "unusable action"
            );
            Fault::internal()
        })?;
        Ok(Known {
            module,
            action,
            plan,
        })
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared")
            .field(&self.definition.key)
            .finish()
    }
}

/// Names that a program in JavaScript may take for parts of an object. Where a schema leaves room for
/// more than it names, these are not among them.
const ODD_NAMES: [&str; 3] = ["__proto__", "constructor", "prototype"];

impl Plan {
    fn of(definition: &Definition, action: &Action) -> Result<Plan, String> {
        let checker = Checker::new(&params::input_schema(definition, action))?;
        let properties = action.params.get("properties").and_then(Value::as_object);
        let mut places = HashMap::new();
        let mut consts = Vec::new();
        let mut positions = Vec::new();
        for (name, schema) in properties.into_iter().flatten() {
            places.insert(name.clone(), place(definition, action, name, schema)?);
            if let Some(value) = schema.get("const") {
                consts.push((name.clone(), value.clone()));
            }
            if let Some(order) = schema.get(ORDER).and_then(Value::as_i64) {
                let instead = schema.get("default").cloned().unwrap_or(Value::Null);
                positions.push((order, name.clone(), instead));
            }
        }
        for name in action.path.iter().flat_map(Template::names) {
            let style = Style::default();
            let in_path = Place {
                part: Part::Path,
                style,
            };
            places.entry(name.to_owned()).or_insert(in_path);
        }
        positions.sort_by_key(|(order, ..)| *order);
        let positions = positions.into_iter();
        Ok(Plan {
            checker,
            places,
            consts,
            positions: positions
                .map(|(_, name, instead)| (name, instead))
                .collect(),
        })
    }

    /// The input that is the whole body, if there is one.
    pub(crate) fn entire_body(&self) -> Option<&str> {
        let mut places = self.places.iter();
        let entire = places.find(|(_, place)| place.part == Part::EntireBody);
        entire.map(|(name, _)| name.as_str())
    }

    /// Names of the inputs that are headers.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        let headers = self.places.iter();
        let headers = headers.filter(|(_, place)| place.part == Part::Headers);
        headers.map(|(name, _)| name.as_str())
    }

    /// What is sent with every call.
    pub(crate) fn consts(&self) -> impl Iterator<Item = (&str, &Value)> {
        let consts = self.consts.iter();
        consts.map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn check(&self, inputs: &Map<String, Value>) -> Result<(), Fault> {
        let odd = |name: &&String| ODD_NAMES.contains(&name.as_str());
        let stray = inputs.keys().filter(odd);
        if let Some(name) = stray
            .into_iter()
            .find(|name| !self.places.contains_key(*name))
        {
            let message = format!("There is no argument `{name}`.");
            let pointer = format!("/{name}");
            return Err(
                Fault::invalid_arg(&pointer, "additionalProperties", message).hint("Leave it out."),
            );
        }
        self.checker.check(inputs)
    }

    /// Puts in what can have one value only and is not given.
    pub(crate) fn complete(&self, inputs: &mut Map<String, Value>) {
        for (name, value) in &self.consts {
            if !inputs.contains_key(name) {
                inputs.insert(name.clone(), value.clone());
            }
        }
    }

    /// Where an input goes; one that the schema does not know goes where `otherwise` says.
    pub(crate) fn place(&self, name: &str, otherwise: Part) -> Place {
        self.places.get(name).copied().unwrap_or(Place {
            part: otherwise,
            style: Style::default(),
        })
    }
}

/// A text from a path or query as the type that the schema wants, if it reads as one.
pub(crate) fn typed(action: &Action, name: &str, value: &Value) -> Value {
    let properties = action.params.get("properties");
    match properties.and_then(|all| all.get(name)) {
        Some(schema) => read_as(schema, value),
        None => value.clone(),
    }
}

fn read_as(schema: &Value, value: &Value) -> Value {
    let types = schema.get("type");
    let wants = |word: &str| match types {
        Some(Value::String(own)) => own == word,
        Some(Value::Array(all)) => all.iter().any(|own| own == word),
        _ => false,
    };
    if wants("array") {
        let items = schema.get("items").unwrap_or(&Value::Null);
        return match value {
            Value::Array(all) => all.iter().map(|item| read_as(items, item)).collect(),
            Value::String(text) => text
                .split(',')
                .map(|item| read_as(items, &Value::from(item)))
                .collect(),
            one => Value::Array(vec![one.clone()]),
        };
    }
    let Value::String(text) = value else {
        return value.clone();
    };
    if wants("string") {
        return value.clone();
    }
    let read = serde_json::from_str::<Value>(text).ok().filter(|read| {
        (read.is_number() && (wants("integer") || wants("number")))
            || (read.is_boolean() && wants("boolean"))
    });
    read.unwrap_or_else(|| value.clone())
}

fn place(
    definition: &Definition,
    action: &Action,
    name: &str,
    schema: &Value,
) -> Result<Place, String> {
    let style = match schema.get(STYLE).and_then(Value::as_str) {
        Some(word) => Style::parse(word).ok_or_else(|| format!("{name}: {STYLE} is {word}"))?,
        None => Style::default(),
    };
    let part = if action.path.is_some() {
        params::carried(action, name, schema)
    } else {
        params::part(definition, action, name, schema)
    };
    Ok(Place { part, style })
}

/// A method that the definition does not list.
pub(crate) fn unknown_method(definition: &Definition, method: &str) -> Fault {
    let message = format!("{} has no method {method:?}.", definition.title);
    Fault::new(Code::NotFound, message).hint("List its methods with describe_service.")
}
