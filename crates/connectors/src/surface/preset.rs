//! Saved inputs of an action, and how they win over each other.

use super::JsonObject;
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization as _;

/// Saved inputs under a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Partial {
    pub name: String,
    pub values: JsonObject,
    /// Inputs that the agent neither sees nor sets: names of inputs, or JSON Pointers into them
    /// (`/filter/owner`) through objects. One without a value in [`values`](Partial::values) takes
    /// the value of what comes before, and when nothing has one the input is not given at all.
    pub enforced: BTreeSet<String>,
}

/// All that is saved for one action: a later partial wins over earlier ones, all of them over the
/// defaults, the agent over them, and enforced keys over everybody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preset {
    pub defaults: JsonObject,
    pub partials: Vec<Partial>,
}

impl Preset {
    pub fn is_empty(&self) -> bool {
        self.defaults.is_empty() && self.partials.is_empty()
    }

    /// The saved values alone, enforced ones too.
    pub fn values(&self) -> JsonObject {
        let mut values = self.defaults.clone();
        for partial in &self.partials {
            for (key, value) in &partial.values {
                values.insert(key.clone(), value.clone());
            }
        }
        self.enforce(&mut values);
        values
    }

    /// The agent's input with what is saved. Whole inputs replace each other; inside of one only an
    /// enforced JSON Pointer changes something.
    ///
    /// `INVALID_ARG` when the input has a key that only looks like an enforced one (other case,
    /// other separators, brackets behind it, twins and look-alikes of Unicode) or `__proto__`: what
    /// an upstream makes of those nobody knows. `FORBIDDEN` when partials contradict each other.
    pub fn merge(&self, input: JsonObject) -> Result<JsonObject, Fault> {
        if let Some(key) = self.conflicts().first() {
            return Err(Fault::new(
                Code::Forbidden,
                format!(
                    "Two partials of this tool enforce {:?} with different values.",
                    shorten(key)
                ),
            )
            .hint("An administrator has to take one of them off the tool."));
        }
        self.refuse_tricks(&input)?;
        let mut merged = self.defaults.clone();
        for partial in &self.partials {
            for (key, value) in &partial.values {
                merged.insert(key.clone(), value.clone());
            }
        }
        let saved = merged.clone();
        for (key, value) in input {
            merged.insert(key, value);
        }
        self.enforce_with(&mut merged, &saved);
        Ok(merged)
    }

    /// Keys that two partials enforce with different values, sorted.
    pub fn conflicts(&self) -> Vec<String> {
        let mut seen: BTreeMap<&str, Option<&Value>> = BTreeMap::new();
        let mut found = BTreeSet::new();
        for partial in &self.partials {
            for key in &partial.enforced {
                let value = value_at(&partial.values, key);
                match seen.get(key.as_str()) {
                    // One that has no value locks what the other says.
                    Some(Some(other)) if value.is_some_and(|value| value != *other) => {
                        found.insert(key.clone());
                    }
                    Some(Some(_)) => {}
                    _ => {
                        seen.insert(key, value);
                    }
                }
            }
        }
        // A pointer into an input that another partial enforces as a whole.
        let keys: Vec<&str> = seen.keys().copied().collect();
        for key in keys.iter().filter(|key| is_pointer(key)) {
            let whole = steps(key).into_iter().next().unwrap_or_default();
            let (Some(Some(outer)), Some(inner)) = (seen.get(whole.as_str()), seen.get(key)) else {
                continue;
            };
            let rest: Vec<String> = steps(key).into_iter().skip(1).collect();
            if rest.iter().try_fold(*outer, |value, step| value.get(step)) != *inner {
                found.insert((*key).to_owned());
            }
        }
        found.into_iter().collect()
    }

    /// Every enforced key, as it is written.
    pub fn enforced(&self) -> BTreeSet<&str> {
        self.partials
            .iter()
            .flat_map(|partial| partial.enforced.iter().map(String::as_str))
            .collect()
    }

    /// The top-level keys that are enforced as a whole.
    pub(super) fn enforced_keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for partial in &self.partials {
            for key in &partial.enforced {
                let path = path(&partial.values, key);
                if let [only] = path.as_slice() {
                    keys.insert(only.clone());
                }
            }
        }
        keys
    }

    /// The enforced places inside of inputs.
    pub(super) fn enforced_paths(&self) -> BTreeSet<Vec<String>> {
        let paths = self.partials.iter().flat_map(|partial| {
            let keys = partial.enforced.iter();
            keys.map(|key| path(&partial.values, key))
        });
        paths.filter(|path| path.len() > 1).collect()
    }

    fn enforce(&self, values: &mut JsonObject) {
        let saved = values.clone();
        self.enforce_with(values, &saved);
    }

    fn enforce_with(&self, merged: &mut JsonObject, saved: &JsonObject) {
        let mut settled: BTreeMap<Vec<String>, Option<Value>> = BTreeMap::new();
        for partial in &self.partials {
            for key in &partial.enforced {
                let path = path(&partial.values, key);
                let own = at(&partial.values, &path);
                let known = settled.get(&path).is_some_and(Option::is_some);
                if own.is_some() || !known {
                    let value = own.or_else(|| at(saved, &path)).cloned();
                    settled.insert(path, value);
                }
            }
        }
        let whole: BTreeSet<String> = settled
            .keys()
            .filter(|path| path.len() == 1)
            .flatten()
            .cloned()
            .collect();
        for (path, value) in settled {
            // What is enforced as a whole says what is in it.
            if path.len() > 1 && whole.contains(&path[0]) {
                continue;
            }
            put(merged, &path, value);
        }
    }

    fn refuse_tricks(&self, input: &JsonObject) -> Result<(), Fault> {
        if let Some(key) = input.keys().find(|key| key.as_str() == "__proto__") {
            return Err(no_such(key));
        }
        let keys = self.enforced_keys();
        let paths = self.enforced_paths();
        if keys.is_empty() && paths.is_empty() {
            return Ok(());
        }
        let tops: BTreeSet<&str> = keys
            .iter()
            .map(String::as_str)
            .chain(
                paths
                    .iter()
                    .filter_map(|path| path.first().map(String::as_str)),
            )
            .collect();
        look_alikes(input, &tops)?;
        for path in &paths {
            let mut place = input;
            for (index, step) in path.iter().enumerate().skip(1) {
                let Some(Value::Object(inner)) = place.get(&path[index - 1]) else {
                    break;
                };
                if inner.contains_key("__proto__") {
                    return Err(no_such("__proto__"));
                }
                look_alikes(inner, &BTreeSet::from([step.as_str()]))?;
                place = inner;
            }
        }
        Ok(())
    }
}

fn look_alikes(given: &Map<String, Value>, enforced: &BTreeSet<&str>) -> Result<(), Fault> {
    let folded: BTreeSet<String> = enforced.iter().map(|key| folded(key)).collect();
    for key in given.keys() {
        if !enforced.contains(key.as_str()) && folded.contains(&self::folded(key)) {
            return Err(no_such(key));
        }
    }
    Ok(())
}

fn no_such(key: &str) -> Fault {
    let shown = shorten(key);
    Fault::invalid_arg(
        &format!("/{}", shown.replace('~', "~0").replace('/', "~1")),
        "additionalProperties",
        format!("There is no argument `{shown}`."),
    )
    .hint("Leave it out.")
}

/// A key as a careless upstream may read it: before the first bracket or dot, compatible forms and
/// look-alike letters replaced, small, without separators.
fn folded(key: &str) -> String {
    let decoded = percent_decoded(key);
    let base = decoded
        .trim_start()
        .split(['[', '.'])
        .find(|part| !part.trim().is_empty())
        .unwrap_or_default();
    base.nfkd()
        .flat_map(char::to_lowercase)
        .map(latin)
        .filter(|c| c.is_alphanumeric() && !unicode_normalization::char::is_combining_mark(*c))
        .collect()
}

fn percent_decoded(key: &str) -> String {
    if !key.contains('%') {
        return key.to_owned();
    }
    percent_encoding::percent_decode_str(key)
        .decode_utf8_lossy()
        .into_owned()
}

/// The Latin letter that a Cyrillic or Greek one looks like (after Unicode TR39, the letters of names).
fn latin(c: char) -> char {
    const PAIRS: &str =
        "аaеeоoрpсcуyхxіiјjѕsԁdһhӏlкkмmтtвbнnԛqԝwαaεeοoρpνvιiκkτtυuχxγyωwβbηnμuıiſsɑaɡgⅼlℓl";
    let mut pairs = PAIRS.chars();
    while let (Some(odd), Some(plain)) = (pairs.next(), pairs.next()) {
        if odd == c {
            return plain;
        }
    }
    c
}

fn is_pointer(key: &str) -> bool {
    key.len() > 1 && key.starts_with('/')
}

/// The steps of a JSON Pointer (RFC 6901 §4).
fn steps(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// The place that an enforced key means: an input that has this very name goes before a pointer.
fn path(values: &JsonObject, key: &str) -> Vec<String> {
    if is_pointer(key) && !values.contains_key(key) {
        steps(key)
    } else {
        vec![key.to_owned()]
    }
}

fn value_at<'v>(values: &'v JsonObject, key: &str) -> Option<&'v Value> {
    at(values, &path(values, key))
}

fn at<'v>(values: &'v JsonObject, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    let top = values.get(first)?;
    rest.iter()
        .try_fold(top, |value, step| value.as_object()?.get(step))
}

/// Sets or removes a place. What stands in the way and is no object makes room.
fn put(object: &mut JsonObject, path: &[String], value: Option<Value>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        match value {
            Some(value) => object.insert(first.clone(), value),
            None => object.shift_remove(first),
        };
        return;
    }
    if value.is_none() && !object.get(first).is_some_and(Value::is_object) {
        // Nothing to take out of an object; anything else could say the same in another way.
        object.shift_remove(first);
        return;
    }
    let inner = object
        .entry(first.clone())
        .or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}
