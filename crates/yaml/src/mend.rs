//! All the places where a value is of another shape: serde stops at the first, so each is noted and
//! taken out, and the rest is read again.

use crate::{Finding, Shape};
use quaymaster_core::suggest::did_you_mean;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use std::collections::HashSet;

/// More at once help nobody.
const MOST: usize = 50;

pub(crate) fn findings<T: Shape>(mut value: Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken_out: HashSet<Vec<String>> = HashSet::new();
    // Each turn takes something out or fills something in; what does neither ends it.
    for _ in 0..4 * MOST {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&value) else {
            break;
        };
        let mut at = keys(error.path());
        let message = error.inner().to_string();
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        if let Some(name) = missing {
            let mut whole = at.clone();
            whole.push(name.to_owned());
            // It was there and was wrong, which is told already.
            if !taken_out.contains(&whole) {
                let message = format!("The key `{name}` is missing.");
                findings.push(Finding {
                    at: at.clone(),
                    message,
                });
            }
        } else if !taken_out.iter().any(|out| out.starts_with(&at)) {
            // What was taken out before is told, and what is left of its surroundings goes then.
            findings.push(Finding {
                at: at.clone(),
                message: said::<T>(&message),
            });
        }
        if findings.len() >= MOST {
            break;
        }
        if at.is_empty() {
            if !fill_in::<T>(&mut value, missing) {
                break;
            }
            continue;
        }
        if !taken_out.insert(at.clone()) {
            at.pop();
        }
        while !at.is_empty() && !take_out::<T>(&mut value, &at) {
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

fn take_out<T: Shape>(value: &mut Value, at: &[String]) -> bool {
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
            .map(|index| list[index] = T::gap())
            .is_some(),
        _ => false,
    }
}

/// Puts something in the place of a missing key of the whole, which cannot be taken out.
fn fill_in<T: Shape>(value: &mut Value, missing: Option<&str>) -> bool {
    let filler = T::filler();
    let (Some(map), Some(name)) = (value.as_object_mut(), missing) else {
        return false;
    };
    match filler.get(name) {
        Some(filler) => map.insert(name.to_owned(), filler.clone()).is_none(),
        None => false,
    }
}

/// Serde's words in ours.
fn said<T: Shape>(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"]
        .into_iter()
        .find(|start| message.starts_with(start));
    let Some(unknown) = unknown else {
        return match message.strip_prefix("invalid type: ") {
            Some(rest) => format!(
                "Wrong type: {}.{}",
                rest.trim_end_matches('.'),
                quotes::<T>(rest)
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

/// What helps with the traps of YAML.
fn quotes<T: Shape>(message: &str) -> &'static str {
    let wants_text = message.ends_with("a string");
    if message.starts_with("string") && message.ends_with("a boolean") {
        return " Write true or false.";
    }
    if wants_text && (message.starts_with("map") || message.starts_with("sequence")) {
        return T::BRACKETED;
    }
    let scalar = ["integer", "floating point", "boolean", "null"]
        .iter()
        .any(|kind| message.starts_with(kind));
    if wants_text && scalar {
        " Put it in quotes."
    } else {
        ""
    }
}
