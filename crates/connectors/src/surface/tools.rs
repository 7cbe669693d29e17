//! What a hosted server in the mode TOOLS lists.

use super::JsonObject;
use super::companion::{self, Companion};
use super::name::{ToolName, tool_name};
use super::preset::Preset;
use super::texts::{join, line, sentence};
use super::vendor::{original_names, restore_names, vendor_safe};
use crate::definition::{Action, Definition, Verb};
use crate::params::{SELECT, input_schema};
use quaymaster_core::Fault;
use quaymaster_core::tool::Nature;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `OpenAI` takes descriptions of at most 1,024 characters.
pub const LONGEST_DESCRIPTION: usize = 1_024;
const LONGEST_TITLE: usize = 120;

/// A title and a description that stand instead of the definition's.
pub type OwnTexts = (Option<String>, Option<String>);

/// A connector that is switched on under an alias.
#[derive(Clone, Copy)]
pub struct Switched<'a> {
    pub alias: &'a str,
    pub definition: &'a Definition,
    /// The keys of the actions that are on, in the order of the definition; all of them without.
    pub actions: Option<&'a [String]>,
    /// What is saved for an action, by its key.
    pub presets: &'a dyn Fn(&str) -> Preset,
    /// An action's own title and own description, by its key.
    pub display: &'a dyn Fn(&str) -> Option<OwnTexts>,
}

impl<'a> Switched<'a> {
    /// A whole connector with nothing saved.
    pub fn whole(alias: &'a str, definition: &'a Definition) -> Switched<'a> {
        Switched {
            alias,
            definition,
            actions: None,
            presets: &|_| Preset::default(),
            display: &|_| None,
        }
    }

    /// The actions that are on.
    pub fn on(&self) -> impl Iterator<Item = (&'a str, &'a Action)> + use<'a> {
        let chosen = self.actions;
        let modules = self.definition.modules.values();
        modules
            .flat_map(|module| &module.actions)
            .map(|(key, action)| (key.as_str(), action))
            .filter(move |(key, _)| chosen.is_none_or(|some| some.iter().any(|one| one == key)))
    }

    pub fn is_on(&self, action: &str) -> bool {
        self.definition.action(action).is_some()
            && self
                .actions
                .is_none_or(|some| some.iter().any(|one| one == action))
    }

    /// What an action is called and what is said about it, in one line each.
    pub(super) fn words(&self, key: &str, action: &Action) -> (String, String) {
        let (own_title, own_text) = (self.display)(key).unwrap_or_default();
        let title = own_title
            .map(|own| line(&own, LONGEST_TITLE))
            .filter(|own| !own.is_empty())
            .unwrap_or_else(|| line(&action.title, LONGEST_TITLE));
        let text = own_text
            .map(|own| line(&own, LONGEST_DESCRIPTION))
            .filter(|own| !own.is_empty());
        let text = text.unwrap_or_else(|| {
            let summary = line(
                action.summary.as_deref().unwrap_or_default(),
                LONGEST_DESCRIPTION,
            );
            join(&sentence(&line(&action.title, LONGEST_TITLE)), &summary)
        });
        (title, text)
    }

    /// The plain inputs of an action without what is enforced, for checking an agent's call before
    /// [`Preset::merge`].
    pub fn inputs(&self, key: &str) -> Option<JsonObject> {
        let (_, _, action) = self.definition.action(key)?;
        Some((self.presets)(key).strip(&input_schema(self.definition, action)))
    }

    /// From what an agent gives to a listed tool, or code to an action, to the inputs of the action:
    /// names of vendors led back, saved values put in. What comes out is checked against the whole
    /// [`input_schema`]. Errors as [`Preset::merge`]; `NOT_FOUND` for an action that is not on.
    pub fn prepare(&self, key: &str, input: JsonObject) -> Result<JsonObject, Fault> {
        if !self.is_on(key) {
            return Err(Fault::not_found(format!(
                "{} has no action {:?}.",
                self.alias,
                quaymaster_core::schema::shorten(key)
            )));
        }
        let plain = self.inputs(key).unwrap_or_default();
        (self.presets)(key).merge(restore_names(&plain, input))
    }
}

/// A tool as it is listed and called.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceTool {
    pub name: ToolName,
    /// Other names by which it can be called, and which are never listed.
    pub hidden: Vec<String>,
    pub title: String,
    pub description: String,
    /// As vendors accept it. [`original_names`](super::original_names) leads back where names differ.
    pub input: JsonObject,
    pub output: Option<JsonObject>,
    pub nature: Nature,
    pub alias: String,
    pub what: What,
}

impl SurfaceTool {
    /// Whether a call of this name means it.
    pub fn is(&self, called: &str) -> bool {
        self.name.is(called) || self.hidden.iter().any(|name| name == called)
    }
}

/// What a tool does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Runs the action of this key.
    Action(String),
    /// Lists values of an input.
    Companion {
        property: String,
        /// The key of the select in the definition.
        select: String,
        /// The actions that are on and have such an input.
        for_actions: Vec<String>,
    },
}

/// The tools of one connector: its actions in the order of the definition, then companions.
pub fn tools(switched: &Switched<'_>) -> Vec<SurfaceTool> {
    let companions = companion::of(switched);
    let mut made: Vec<SurfaceTool> = switched
        .on()
        .map(|(key, action)| tool(switched, key, action, &companions))
        .collect();
    made.extend(
        companions
            .iter()
            .filter(|one| one.existing.is_none())
            .map(|one| one.tool(switched)),
    );
    made
}

fn tool(
    switched: &Switched<'_>,
    key: &str,
    action: &Action,
    companions: &[Companion],
) -> SurfaceTool {
    let (title, description) = switched.words(key, action);
    let plain = switched.inputs(key).unwrap_or_default();
    let mut input = vendor_safe(&plain);
    point_to_companions(switched, (&plain, action), companions, &mut input);
    let hidden = companions
        .iter()
        .filter(|one| one.existing.as_deref() == Some(key))
        .flat_map(|one| one.spellings.iter())
        .map(|spelling| tool_name(switched.alias, spelling).name)
        .filter(|name| *name != tool_name(switched.alias, key).name)
        .collect();
    SurfaceTool {
        name: tool_name(switched.alias, key),
        hidden,
        title,
        description,
        input,
        output: None,
        nature: nature(action),
        alias: switched.alias.to_owned(),
        what: What::Action(key.to_owned()),
    }
}

/// Says at an input which tool lists its values.
fn point_to_companions(
    switched: &Switched<'_>,
    (plain, action): (&JsonObject, &Action),
    companions: &[Companion],
    input: &mut JsonObject,
) {
    let written = action.params.get("properties").and_then(Value::as_object);
    let originals = original_names(plain);
    let safe: BTreeMap<&str, &str> = originals
        .iter()
        .map(|(safe, own)| (own.as_str(), safe.as_str()))
        .collect();
    let Some(Value::Object(properties)) = input.get_mut("properties") else {
        return;
    };
    for (name, schema) in written.into_iter().flatten() {
        let select = schema
            .get(SELECT)
            .or_else(|| schema.get("items")?.get(SELECT));
        let Some(select) = select.and_then(Value::as_str) else {
            continue;
        };
        let name_shown = safe.get(name.as_str()).copied().unwrap_or(name);
        let found = companions
            .iter()
            .find(|one| one.select == select && one.properties.iter().any(|own| own == name));
        if let (Some(one), Some(Value::Object(property))) = (found, properties.get_mut(name_shown))
        {
            let tool = tool_name(switched.alias, &one.called).name;
            // Beside an `anyOf` nothing may stand.
            let place = if property.contains_key("anyOf") {
                property
                    .get_mut("anyOf")
                    .and_then(|branches| branches.get_mut(0))
                    .and_then(Value::as_object_mut)
            } else {
                Some(property)
            };
            let Some(place) = place else {
                continue;
            };
            let said = place
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let said = join(said, &format!("Values: {tool}."));
            place.insert("description".to_owned(), json!(said));
        }
    }
}

pub(super) fn nature(action: &Action) -> Nature {
    let reads = action.reads();
    Nature {
        read_only: reads,
        destructive: !reads
            && action
                .destructive
                .unwrap_or(action.method == Some(Verb::Delete)),
        idempotent: action
            .idempotent
            .unwrap_or(reads || matches!(action.method, Some(Verb::Put | Verb::Delete))),
        open_world: true,
    }
}

/// Names that two tools of a list would have, each once, sorted. A list that has some is refused when
/// it is saved.
pub fn clashes(tools: &[SurfaceTool]) -> Vec<String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for tool in tools {
        *count.entry(&tool.name.name).or_default() += 1;
        if let Some(long) = &tool.name.long {
            *count.entry(long).or_default() += 1;
        }
    }
    count
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|(name, _)| name.to_owned())
        .collect()
}
