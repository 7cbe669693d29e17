//! All the places where a value is no definition: serde stops at the first, so each is noted and
//! taken out, and the rest is read again.

use super::Finding;
use crate::definition::Definition;
use quaymaster_core::suggest::did_you_mean;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};
use std::collections::HashSet;

/// More at once help nobody.
const MOST: usize = 50;

pub(super) fn findings(mut value: Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken_out: HashSet<Vec<String>> = HashSet::new();
    while findings.len() < MOST {
        let Err(error) = serde_path_to_error::deserialize::<_, Definition>(&value) else {
            break;
        };
        let mut at = keys(error.path());
        let message = error.inner().to_string();
        if taken_out.contains(&at) {
            // An item that was taken out before: its list goes too.
        } else if let Some(missing) = message.strip_prefix("missing field `") {
            let name = missing.split('`').next().unwrap_or_default().to_owned();
            let mut whole = at.clone();
            whole.push(name.clone());
            // It was there and was wrong, which is told already.
            if !taken_out.contains(&whole) {
                findings.push(Finding {
                    at: at.clone(),
                    message: format!("The key `{name}` is missing."),
                });
            }
        } else {
            findings.push(Finding {
                at: at.clone(),
                message: said(&message),
            });
        }
        // What stays is looked at once more without this part.
        if at.is_empty() {
            if !fill_in(&mut value, &message) {
                break;
            }
            continue;
        }
        if !taken_out.insert(at.clone()) {
            at.pop();
        }
        while !at.is_empty() && !take_out(&mut value, &at) {
            at.pop();
        }
        if at.is_empty() {
            break;
        }
        taken_out.insert(at);
    }
    findings
}

fn keys(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect()
}

fn take_out(value: &mut Value, at: &[String]) -> bool {
    let Some((last, parents)) = at.split_last() else {
        return false;
    };
    let parent = parents.iter().try_fold(value, |value, key| match value {
        Value::Object(map) => map.get_mut(key),
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    });
    match parent {
        Some(Value::Object(map)) => map.remove(last).is_some(),
        // Items keep their numbers.
        Some(Value::Array(list)) => last
            .parse::<usize>()
            .ok()
            .filter(|index| *index < list.len())
            .map(|index| list[index] = Value::Null)
            .is_some(),
        _ => false,
    }
}

/// Puts something in the place of a missing key of the whole, which cannot be taken out.
fn fill_in(value: &mut Value, message: &str) -> bool {
    let filler = json!({
        "quaymaster": 1, "key": "x", "kind": "rest", "version": "1", "title": "x", "summary": "x",
        "base_url": "https://x", "auth": [], "modules": {},
    });
    let Some(map) = value.as_object_mut() else {
        return false;
    };
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match missing.and_then(|name| Some((name, filler.get(name)?))) {
        Some((name, filler)) => map.insert(name.to_owned(), filler.clone()).is_none(),
        None => false,
    }
}

/// Serde's words in ours.
fn said(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"]
        .into_iter()
        .find(|start| message.starts_with(start));
    let Some(unknown) = unknown else {
        return match message.strip_prefix("invalid type: ") {
            Some(rest) => format!(
                "Wrong type: {}.{}",
                rest.trim_end_matches('.'),
                quotes(rest)
            ),
            None => format!("{}.", message.trim_end_matches('.')),
        };
    };
    let wrong = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let what = if unknown == "unknown field" {
        format!("There is no key `{wrong}` here.")
    } else {
        format!("{wrong:?} is not possible here.")
    };
    match did_you_mean(wrong, known.iter().copied(), 1).pop() {
        Some(close) => format!("{what} Did you mean `{close}`?"),
        None if known.is_empty() => what,
        None => format!("{what} Possible: {}.", known.join(", ")),
    }
}

fn quotes(message: &str) -> &'static str {
    if message.starts_with("string") && message.ends_with("a boolean") {
        return " Write true or false.";
    }
    let scalar = ["integer", "floating point", "boolean", "null"]
        .iter()
        .any(|kind| message.starts_with(kind));
    if scalar && message.ends_with("a string") {
        " Put it in quotes."
    } else {
        ""
    }
}
