//! How large a definition may be, and what its inputs may cost: definitions also come from people
//! whom an operator does not know.
//!
//! References in a circle, chains of them and regular expressions are short to write and endless to
//! follow, so they are counted before anything follows them.

use crate::definition::{Action, Definition};
use crate::params::ENUM;
use quaymaster_yaml::{Report, Spot};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// More at once help nobody.
pub(super) const MOST_FINDINGS: usize = 1_000;
/// Bytes of a compiled regular expression.
pub(super) const LARGEST_PATTERN: usize = 1 << 20;

const MOST_MODULES: usize = 1_000;
const MOST_ACTIONS: usize = 5_000;
const MOST_WAYS: usize = 20;
const MOST_FIELDS: usize = 50;
const MOST_HOSTS: usize = 100;
const MOST_NAMED: usize = 1_000;
const MOST_CHOICES: usize = 5_000;
const MOST_RECIPES: usize = 200;
const MOST_LIMITS: usize = 50;
const MOST_CATEGORIES: usize = 20;
/// In all schemas and fields together.
const MOST_PATTERNS: usize = 1_000;
const LONGEST_PATTERN: usize = 1_000;
/// Keys and values of an action's inputs, with references and enums in the places where they are
/// used.
const MOST_NODES: usize = 5_000;
/// Values of enums in the places where they are used, in all actions.
const MOST_USED_CHOICES: usize = 200_000;
/// References that lead on from each other.
const DEEPEST: usize = 32;

pub(super) fn check(definition: &Definition, root: &Spot, report: &mut Report) {
    let modules = &definition.modules;
    let actions = modules.values().map(|module| module.actions.len()).sum();
    let mut most = |at: &[&str], what: &str, count: usize, most: usize| {
        let at = at.iter().fold(root.clone(), |at, key| at.key(key));
        report.unless(
            count <= most,
            &at,
            format!("There are {count} {what}; at most {most} are allowed."),
        );
    };
    most(&["modules"], "modules", modules.len(), MOST_MODULES);
    most(&["modules"], "actions", actions, MOST_ACTIONS);
    most(
        &["auth"],
        "ways to sign in",
        definition.auth.len(),
        MOST_WAYS,
    );
    most(
        &["connection"],
        "fields",
        definition.connection.len(),
        MOST_FIELDS,
    );
    for auth in definition.auth.iter().take(MOST_WAYS) {
        most(&["auth"], "fields", auth.fields.len(), MOST_FIELDS);
    }
    let hosts = definition.allow_hosts.len();
    most(&["allow_hosts"], "hosts", hosts, MOST_HOSTS);
    most(&["env"], "variables", definition.env.len(), 2 * MOST_FIELDS);
    most(&["enums"], "enums", definition.enums.len(), MOST_NAMED);
    for (name, choices) in &definition.enums {
        most(&["enums", name], "values", choices.len(), MOST_CHOICES);
    }
    most(
        &["selects"],
        "selects",
        definition.selects.len(),
        MOST_NAMED,
    );
    most(
        &["recipes"],
        "recipes",
        definition.recipes.len(),
        MOST_RECIPES,
    );
    let limits = definition.rate_limits.len();
    most(&["rate_limits"], "limits", limits, MOST_LIMITS);
    let categories = definition.categories.len();
    most(&["categories"], "categories", categories, MOST_CATEGORIES);
    patterns(definition, root, report);
}

/// What all actions and fields cost together.
fn patterns(definition: &Definition, root: &Spot, report: &mut Report) {
    let mut cost = Cost::default();
    for (name, module) in &definition.modules {
        for (key, action) in &module.actions {
            let before = std::mem::take(&mut cost.longest);
            cost.add_map(definition, &action.params);
            // Said at its action, which an import can leave out.
            if cost.longest > LONGEST_PATTERN {
                let at = root.key("modules").key(name).key("actions").key(key);
                report.say(&at.key("params"), too_long());
            }
            cost.longest = before;
        }
    }
    let fields = definition.auth.iter().map(|auth| &auth.fields);
    for field in fields
        .chain([&definition.connection])
        .flat_map(|all| all.values())
    {
        cost.pattern(field.pattern.as_deref().unwrap_or_default());
    }
    report.unless(
        cost.patterns <= MOST_PATTERNS,
        root,
        format!(
            "There are {} regular expressions; at most {MOST_PATTERNS} are allowed.",
            cost.patterns
        ),
    );
    report.unless(cost.longest <= LONGEST_PATTERN, root, too_long());
    report.unless(
        cost.choices <= MOST_USED_CHOICES,
        &root.key("enums"),
        format!(
            "Where they are used they have {} values together; at most {MOST_USED_CHOICES} are allowed.",
            cost.choices
        ),
    );
}

fn too_long() -> String {
    format!("A regular expression has more than {LONGEST_PATTERN} bytes.")
}

#[derive(Default)]
struct Cost {
    patterns: usize,
    longest: usize,
    choices: usize,
}

impl Cost {
    fn pattern(&mut self, pattern: &str) {
        self.patterns += usize::from(!pattern.is_empty());
        self.longest = self.longest.max(pattern.len());
    }

    fn add(&mut self, definition: &Definition, value: &Value) {
        match value {
            Value::Object(map) => self.add_map(definition, map),
            Value::Array(list) => list.iter().for_each(|item| self.add(definition, item)),
            _ => {}
        }
    }

    fn add_map(&mut self, definition: &Definition, map: &Map<String, Value>) {
        for (word, value) in map {
            match (word.as_str(), value) {
                ("pattern", Value::String(pattern)) => self.pattern(pattern),
                ("patternProperties", Value::Object(by_pattern)) => {
                    by_pattern.keys().for_each(|pattern| self.pattern(pattern));
                    self.add(definition, value);
                }
                (ENUM, Value::String(name)) => {
                    self.choices += definition.enums.get(name).map_or(0, Vec::len);
                }
                _ => self.add(definition, value),
            }
        }
    }
}

/// The name behind `#/$defs/`, the only place that references lead to.
pub(super) fn definition_of(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("#/$defs/")?;
    (!name.is_empty() && !name.contains(['/', '~', '%'])).then_some(name)
}

/// Why the inputs of an action cost too much to check; none when they do not.
pub(super) fn excess(definition: &Definition, action: &Action) -> Option<String> {
    let mut inputs = Inputs {
        definition,
        definitions: action.params.get("$defs").and_then(Value::as_object),
        known: HashMap::new(),
        open: Vec::new(),
    };
    match inputs.nodes_of(&action.params) {
        Ok(nodes) if nodes > MOST_NODES => Some(format!(
            "The inputs are too large: {nodes} parts, with references and enums in their places; at most {MOST_NODES} are allowed."
        )),
        Ok(_) => None,
        Err(Endless::Circle(name)) => Some(format!(
            "The references lead in a circle at `#/$defs/{name}`. Write `{{type: object}}` at one place of it."
        )),
        Err(Endless::Deep) => Some(format!(
            "More than {DEEPEST} references lead on from each other."
        )),
    }
}

struct Inputs<'a> {
    definition: &'a Definition,
    definitions: Option<&'a Map<String, Value>>,
    /// Of definitions that were counted.
    known: HashMap<&'a str, usize>,
    /// Definitions that are being counted.
    open: Vec<&'a str>,
}

enum Endless {
    Circle(String),
    Deep,
}

impl<'a> Inputs<'a> {
    fn nodes(&mut self, value: &'a Value) -> Result<usize, Endless> {
        match value {
            Value::Object(map) => self.nodes_of(map),
            Value::Array(list) => {
                let mut nodes = 1_usize;
                for item in list {
                    nodes = nodes.saturating_add(self.nodes(item)?);
                }
                Ok(nodes)
            }
            _ => Ok(1),
        }
    }

    fn nodes_of(&mut self, map: &'a Map<String, Value>) -> Result<usize, Endless> {
        let mut nodes = 1_usize;
        for (word, value) in map {
            let more = match (word.as_str(), value) {
                ("$ref", Value::String(to)) => self.referred(to)?,
                (ENUM, Value::String(name)) => self.definition.enums.get(name).map_or(1, Vec::len),
                _ => self.nodes(value)?,
            };
            nodes = nodes.saturating_add(more);
        }
        Ok(nodes)
    }

    fn referred(&mut self, to: &'a str) -> Result<usize, Endless> {
        let Some(name) = definition_of(to) else {
            return Ok(1);
        };
        let target = self.definitions.and_then(|all| all.get(name));
        let Some(target) = target else {
            return Ok(1);
        };
        if let Some(nodes) = self.known.get(name) {
            return Ok(*nodes);
        }
        if self.open.contains(&name) {
            return Err(Endless::Circle(name.to_owned()));
        }
        if self.open.len() >= DEEPEST {
            return Err(Endless::Deep);
        }
        self.open.push(name);
        let nodes = self.nodes(target)?;
        self.open.pop();
        self.known.insert(name, nodes);
        Ok(nodes)
    }
}
