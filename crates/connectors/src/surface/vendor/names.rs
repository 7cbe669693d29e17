//! Names of inputs that vendors accept, and back.

use super::JsonObject;
use super::flat::Flat;
use crate::surface::inline::inline;
use std::collections::{BTreeMap, BTreeSet};

const LONGEST_NAME: usize = 64;

/// From a name that vendors accept to the input's own, for those that differ. Of the same schema that
/// [`vendor_safe`] was given.
pub fn original_names(schema: &JsonObject) -> BTreeMap<String, String> {
    let flat = Flat::of(&inline(schema));
    let names = safe_names(flat.properties.keys().map(String::as_str));
    names.into_iter().map(|(own, safe)| (safe, own)).collect()
}

/// The agent's input under the names of the schema. A name of both kinds may be used; where both are
/// given the schema's own one counts.
pub fn restore_names(schema: &JsonObject, input: JsonObject) -> JsonObject {
    let names = original_names(schema);
    if names.is_empty() {
        return input;
    }
    let (renamed, kept): (Vec<_>, Vec<_>) = input
        .into_iter()
        .partition(|(key, _)| names.contains_key(key));
    let mut made: JsonObject = kept.into_iter().collect();
    for (key, value) in renamed {
        if let Some(own) = names.get(&key) {
            made.entry(own.clone()).or_insert(value);
        }
    }
    made
}

/// What inputs are called where their own name is not accepted. Names that are accepted are never
/// given to others.
pub(super) fn safe_names<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = names
        .clone()
        .filter(|name| is_safe(name))
        .map(str::to_owned)
        .collect();
    let mut made = BTreeMap::new();
    for name in names.filter(|name| !is_safe(name)) {
        let mut base = String::new();
        for c in name.chars().take(200) {
            if c.is_ascii_alphanumeric() || c == '_' {
                base.push(c);
            } else if !base.ends_with('_') {
                base.push('_');
            }
        }
        let trimmed = base.trim_matches('_');
        let mut base = match trimmed.chars().next() {
            None => "input".to_owned(),
            Some(first) if first.is_ascii_digit() => format!("_{trimmed}"),
            Some(_) => trimmed.to_owned(),
        };
        base.truncate(LONGEST_NAME - 6);
        let mut safe = base.clone();
        let mut nr = 2;
        while !taken.insert(safe.clone()) {
            safe = format!("{base}_{nr}");
            nr += 1;
        }
        made.insert(name.to_owned(), safe);
    }
    made
}

fn is_safe(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
