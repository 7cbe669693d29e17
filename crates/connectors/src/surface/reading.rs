//! What a model reads before it writes code: an alias as a whole, or one action.

use super::inline::inline;
use super::name::code_name;
use super::texts::{first_sentence, join, line, sentence};
use super::tools::{Switched, nature};
use super::typescript::{declaration, literal, name};
use super::{JsonObject, companion};
use crate::definition::{Action, Pagination, PaginationKind, Template};
use quaymaster_core::Fault;
use quaymaster_core::schema::shorten;
use quaymaster_core::suggest::did_you_mean;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// In bytes; what does not fit is counted.
pub const LARGEST_READING: usize = 24 * 1024;
const LONGEST_EXAMPLE: usize = 1_200;

/// Documentation of an alias, or of one of its actions, as text.
///
/// An action that is not on is `NOT_FOUND` with `details.did_you_mean`.
pub fn read_api(switched: &Switched<'_>, action: Option<&str>) -> Result<String, Fault> {
    let Some(asked) = action.map(str::trim).filter(|asked| !asked.is_empty()) else {
        return Ok(whole(switched));
    };
    let found = switched
        .on()
        .find(|(key, _)| *key == asked || same(key, asked));
    match found {
        Some((key, action)) => Ok(one(switched, key, action)),
        None => Err(unknown(switched, asked)),
    }
}

fn same(key: &str, asked: &str) -> bool {
    let asked = asked.rsplit("__").next().unwrap_or(asked);
    let asked = asked.rsplit('.').next().unwrap_or(asked);
    key == asked.to_lowercase().replace(['-', ' '], "_")
}

fn unknown(switched: &Switched<'_>, asked: &str) -> Fault {
    let alias = code_name(switched.alias);
    let close = did_you_mean(asked, switched.on().map(|(key, _)| key), 3);
    let fault = Fault::not_found(format!(
        "quaymaster.{alias} has no action {:?}.",
        shorten(asked)
    ));
    match close.first() {
        Some(first) => fault
            .hint(format!("Did you mean {first:?}?"))
            .detail("did_you_mean", close),
        None => fault.hint(format!(
            "Read the whole of {alias:?} for its actions, or search."
        )),
    }
}

fn whole(switched: &Switched<'_>) -> String {
    let definition = switched.definition;
    let alias = code_name(switched.alias);
    let mut text = format!(
        "quaymaster.{alias}: {}\n",
        join(&line(&definition.title, 80), &line(&definition.summary, 80))
    );
    if let Some(url) = &definition.docs_url {
        let _ = writeln!(text, "Documentation: {}", line(url, 200));
    }
    for note in limits(switched, None) {
        let _ = writeln!(text, "{note}");
    }
    let mut left = 0;
    for module in definition.modules.values() {
        let actions: Vec<(&String, &Action)> = module
            .actions
            .iter()
            .filter(|(key, _)| switched.is_on(key))
            .collect();
        if actions.is_empty() {
            continue;
        }
        let head = join(
            &line(&module.title, 80),
            &line(module.summary.as_deref().unwrap_or_default(), 300),
        );
        if text.len() + head.len() < LARGEST_READING {
            let _ = writeln!(text, "\n{head}");
        }
        for (key, action) in actions {
            let (title, _) = switched.words(key, action);
            let row = format!("- {}: {title}\n", signature(switched, key));
            if left > 0 || text.len() + row.len() + 200 > LARGEST_READING {
                left += 1;
            } else {
                text.push_str(&row);
            }
        }
    }
    if left > 0 {
        let _ = writeln!(text, "{left} more: search for them.");
    }
    let _ = writeln!(
        text,
        "\nEach is `await quaymaster.{alias}.<action>({{…}})`. Read an action for its inputs and result."
    );
    text
}

/// `send_channel_message(channel, text?, …)`
pub(super) fn signature(switched: &Switched<'_>, key: &str) -> String {
    const MOST: usize = 6;
    let schema = inline(&switched.inputs(key).unwrap_or_default());
    let required: Vec<&str> = list(&schema, "required");
    let names: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(own, _)| own.as_str())
        .collect();
    let (needed, rest): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|own| required.contains(own));
    let mut shown: Vec<String> = needed.iter().map(|own| line(&name(own), 64)).collect();
    let room = MOST.saturating_sub(shown.len());
    shown.extend(
        rest.iter()
            .take(room)
            .map(|own| format!("{}?", line(&name(own), 64))),
    );
    if rest.len() > room {
        shown.push("…".to_owned());
    }
    format!("{key}({})", shown.join(", "))
}

fn list<'s>(schema: &'s JsonObject, word: &str) -> Vec<&'s str> {
    schema
        .get(word)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn one(switched: &Switched<'_>, key: &str, action: &Action) -> String {
    let alias = code_name(switched.alias);
    let (_, description) = switched.words(key, action);
    let mut text = format!("quaymaster.{alias}.{key}: {}\n", sentence(&description));
    let nature = nature(action);
    let does = match (nature.read_only, nature.destructive) {
        (true, _) => "It changes nothing.",
        (false, true) => "It deletes or overwrites something.",
        (false, false) => "It changes something.",
    };
    let _ = writeln!(text, "{does}\n");
    text.push_str(&declaration(switched, key, action));
    let _ = writeln!(
        text,
        "\nExample:\nconst result = await quaymaster.{alias}.{key}({});",
        example(switched, key, action)
    );
    let notes = notes(switched, key, action);
    if !notes.is_empty() {
        text.push_str("\nNotes:\n");
        for note in notes {
            let _ = writeln!(text, "- {note}");
        }
    }
    if let Some(example) = &action.response.example {
        let shown = literal(example);
        if shown.chars().count() <= LONGEST_EXAMPLE {
            let _ = writeln!(text, "\nA result: {shown}");
        }
    }
    if text.len() > LARGEST_READING {
        text.truncate(text.floor_char_boundary(LARGEST_READING));
        text.push_str("\n…\n");
    }
    text
}

fn notes(switched: &Switched<'_>, key: &str, action: &Action) -> Vec<String> {
    let definition = switched.definition;
    let alias = code_name(switched.alias);
    let mut notes = Vec::new();
    let shown = inline(&switched.inputs(key).unwrap_or_default());
    let known = shown.get("properties").and_then(Value::as_object);
    for (property, select) in companion::selects(&action.params) {
        let Some(select) = definition
            .selects
            .get(select)
            .filter(|select| switched.is_on(&select.action))
        else {
            continue;
        };
        // What is enforced is not spoken of.
        let top = action
            .params
            .get("properties")
            .is_some_and(|all| all.get(property).is_some());
        if select.action == key || top && !known.is_some_and(|known| known.contains_key(property)) {
            continue;
        }
        notes.push(format!(
            "Values of `{}`: quaymaster.{alias}.{}, at {}/*{} of its result.",
            line(property, 64),
            select.action,
            line(&select.items, 80),
            line(&select.value, 80)
        ));
    }
    let paging = action
        .pagination
        .as_ref()
        .or(definition.defaults.pagination.as_ref());
    if let Some(paging) = paging.filter(|_| action.reads() && !action.response.binary)
        && let Some(note) = pages(paging, known, action.pagination.is_some())
    {
        notes.push(note);
    }
    if action.response.binary {
        notes.push("The result is bytes.".to_owned());
    }
    if let Some(module) = definition.action(key).map(|(name, _, _)| name) {
        notes.extend(limits(switched, Some(module)));
    }
    for recipe in definition
        .recipes
        .iter()
        .filter(|recipe| recipe.action == key)
    {
        if let Some(note) = &recipe.note {
            notes.push(line(note, 300));
        }
    }
    notes
}

/// How lists are paged, when the action has an input for it.
fn pages(paging: &Pagination, known: Option<&Map<String, Value>>, own: bool) -> Option<String> {
    if paging.kind == PaginationKind::None {
        return None;
    }
    let has = |name: &Option<String>| {
        name.as_ref()
            .filter(|name| known.is_some_and(|known| known.contains_key(*name)))
            .cloned()
    };
    let param = has(&paging.param);
    let size = paging.page_size.as_ref();
    let size_param = size.and_then(|size| has(&size.param));
    if param.is_none() && size_param.is_none() && !own {
        return None;
    }
    let mut note = String::from("The result comes in pages");
    if let Some(param) = &param {
        let _ = write!(note, "; `{}` names the next one", line(param, 64));
        if let Some(next) = &paging.next {
            let _ = write!(note, ", which the answer has at {}", line(next, 80));
        }
    }
    if let Some(param) = size_param {
        let _ = write!(
            note,
            "; `{}` is how many items a page has",
            line(&param, 64)
        );
        if let Some(most) = size.and_then(|size| size.max) {
            let _ = write!(note, ", at most {most}");
        }
    }
    note.push('.');
    Some(note)
}

fn limits(switched: &Switched<'_>, module: Option<&str>) -> Vec<String> {
    let limits = switched.definition.rate_limits.iter();
    limits
        .filter(|limit| match (&limit.module, module) {
            (None, _) => true,
            (Some(only), Some(module)) => only == module,
            (Some(_), None) => false,
        })
        .take(4)
        .map(|limit| {
            let mut note = format!(
                "At most {} requests in {} seconds.",
                limit.requests, limit.per_s
            );
            if let Some(more) = &limit.note {
                note = join(&note, &sentence(first_sentence(&line(more, 300))));
            }
            note
        })
        .collect()
}

/// Inputs of an example: those of a recipe, else what is required with examples, defaults, values.
fn example(switched: &Switched<'_>, key: &str, action: &Action) -> String {
    let schema = inline(&switched.inputs(key).unwrap_or_default());
    let empty = Map::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let recipe = switched
        .definition
        .recipes
        .iter()
        .find(|recipe| recipe.action == key);
    let mut inputs: Map<String, Value> = recipe
        .map(|recipe| {
            recipe
                .with
                .iter()
                .filter(|(name, _)| known.contains_key(*name))
        })
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for required in list(&schema, "required") {
        if let Some(schema) = known.get(required)
            && !inputs.contains_key(required)
        {
            inputs.insert(required.to_owned(), sample(schema, 0));
        }
    }
    if inputs.is_empty() {
        return if known.is_empty()
            || action
                .path
                .iter()
                .flat_map(Template::names)
                .next()
                .is_none()
        {
            String::new()
        } else {
            "{}".to_owned()
        };
    }
    let members: Vec<String> = inputs
        .iter()
        .map(|(own, value)| format!("{}: {}", name(own), literal(value)))
        .collect();
    let shown = format!("{{ {} }}", members.join(", "));
    if shown.chars().count() > LONGEST_EXAMPLE {
        "{ … }".to_owned()
    } else {
        shown
    }
}

fn sample(schema: &Value, depth: usize) -> Value {
    let first = |word: &str| {
        schema
            .get(word)
            .and_then(Value::as_array)
            .and_then(|some| some.first())
            .cloned()
    };
    if let Some(value) = schema
        .get("const")
        .or_else(|| schema.get("default"))
        .cloned()
        .or_else(|| first("examples"))
        .or_else(|| first("enum"))
    {
        return value;
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("array") if depth < 3 => schema
            .get("items")
            .map_or_else(|| json!([]), |items| json!([sample(items, depth + 1)])),
        Some("array") => json!([]),
        Some("object") if depth < 3 => {
            let mut made = Map::new();
            for required in schema
                .as_object()
                .map(|schema| list(schema, "required"))
                .unwrap_or_default()
            {
                if let Some(inner) = schema.get("properties").and_then(|all| all.get(required)) {
                    made.insert(required.to_owned(), sample(inner, depth + 1));
                }
            }
            Value::Object(made)
        }
        Some("object") => json!({}),
        _ => json!("…"),
    }
}
