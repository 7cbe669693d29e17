//! The inputs of an object, with those that only its branches name.

use super::JsonObject;
use crate::surface::texts::line;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// An object's inputs with what its branches say of them.
pub(super) struct Flat {
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<String>,
    /// What cannot be said without branches.
    pub(super) notes: Vec<String>,
}

impl Flat {
    pub(super) fn of(schema: &JsonObject) -> Flat {
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
