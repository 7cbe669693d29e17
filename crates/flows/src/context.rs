//! What expressions see as `.`.

use crate::expression::{PathPart, Program, within};
use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The name under which outputs of steps stand.
const STEPS: &str = "steps";

/// Names that loops cannot take for their variable.
pub const TAKEN: [&str; 8] = [
    "input", STEPS, "vars", "run", "caller", "index", "error", "secret",
];

/// `{input, steps, vars, run, caller}`, and what a loop or a failure adds. Values are shared: a
/// copy costs little, however large they are.
#[derive(Debug, Clone, Default)]
pub struct Context {
    names: IndexMap<Arc<str>, Arc<Value>>,
    steps: IndexMap<Arc<str>, Arc<Value>>,
}

impl Context {
    pub fn set(&mut self, name: &str, value: impl Into<Arc<Value>>) {
        self.names.insert(name.into(), value.into());
    }

    /// Notes what a step answered.
    pub fn set_step(&mut self, id: &str, output: impl Into<Arc<Value>>) {
        self.steps.insert(id.into(), output.into());
    }

    /// What a step answered, if it ran.
    pub fn step(&self, id: &str) -> Option<&Arc<Value>> {
        self.steps.get(id)
    }

    /// Takes over what steps of a copy answered.
    pub(crate) fn take_steps(&mut self, other: &Context) {
        for (id, output) in &other.steps {
            self.steps.insert(Arc::clone(id), Arc::clone(output));
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Value>> {
        self.names.get(name)
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.names.shift_remove(name);
    }

    /// As much as these programs can read: what they answer over it is what they answer over the whole.
    pub fn for_programs<'p>(&self, programs: impl Iterator<Item = &'p Program>) -> Context {
        let mut part = Context::default();
        for program in programs {
            if program.reads_all() {
                return self.clone();
            }
            for reference in program.references().iter().filter(|of| of.certain) {
                match reference.path.as_slice() {
                    [steps] if steps == STEPS => part.steps.clone_from(&self.steps),
                    [steps, id, ..] if steps == STEPS => {
                        if let Some((id, output)) = self.steps.get_key_value(id.as_str()) {
                            part.steps.insert(Arc::clone(id), Arc::clone(output));
                        }
                    }
                    [name, ..] => {
                        if let Some((name, value)) = self.names.get_key_value(name.as_str()) {
                            part.names.insert(Arc::clone(name), Arc::clone(value));
                        }
                    }
                    [] => {}
                }
            }
        }
        part
    }

    /// The whole as one value; copies everything.
    pub fn to_value(&self) -> Value {
        let mut whole = Map::new();
        for (name, value) in &self.names {
            whole.insert(name.to_string(), Value::clone(value));
        }
        let steps: Map<String, Value> = self
            .steps
            .iter()
            .map(|(id, output)| (id.to_string(), Value::clone(output)))
            .collect();
        whole.insert(STEPS.to_owned(), steps.into());
        Value::Object(whole)
    }

    /// What jq answers for a path; none where it fails.
    pub(crate) fn at(&self, parts: &[PathPart]) -> Option<Value> {
        let (PathPart::Key(first), rest) = parts.split_first()? else {
            return None;
        };
        if first != STEPS {
            return match self.names.get(first.as_str()) {
                Some(value) => within(value, rest),
                None => within(&Value::Null, rest),
            };
        }
        let (id, rest) = rest.split_first()?;
        match id {
            PathPart::Key(id) => match self.steps.get(id.as_str()) {
                Some(output) => within(output, rest),
                None => within(&Value::Null, rest),
            },
            PathPart::Index(_) => None,
        }
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut whole = serializer.serialize_map(Some(self.names.len() + 1))?;
        for (name, value) in &self.names {
            whole.serialize_entry(name, value)?;
        }
        whole.serialize_entry(STEPS, &self.steps)?;
        whole.end()
    }
}
