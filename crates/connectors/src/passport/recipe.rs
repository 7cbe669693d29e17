//! A recipe as the call that comes of it.

use crate::definition::{Action, Definition, Kind, Recipe, push_segment};
use crate::params::{Part, STYLE, given_in};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// How an agent calls an action: `VERB /path` with names in the path, or the name of a method.
pub(super) fn call(definition: &Definition, key: &str, action: &Action) -> String {
    match (definition.kind, action.method, &action.path, &action.rpc) {
        (Kind::Rest, Some(verb), Some(path), _) => format!("{} {}", verb.name(), path.as_str()),
        (Kind::Rpc | Kind::Mcp | Kind::Sql, _, _, Some(name)) => name.clone(),
        _ => key.to_owned(),
    }
}

/// `{title, module, action, call, query?, body?, note?}`: the parts of `connector_execute`, with the
/// path filled in.
pub(super) fn shown(definition: &Definition, recipe: &Recipe) -> Option<Value> {
    let (module, _, action) = definition.action(&recipe.action)?;
    let mut shown = Map::new();
    shown.insert("title".to_owned(), json!(recipe.title));
    shown.insert("module".to_owned(), json!(module));
    shown.insert("action".to_owned(), json!(recipe.action));
    shown.insert("call".to_owned(), json!(filled(definition, recipe, action)));
    let schemas = action.params.get("properties").and_then(Value::as_object);
    for (name, value) in &recipe.with {
        let schema = schemas
            .and_then(|all| all.get(name))
            .unwrap_or(&Value::Null);
        let at = match given_in(definition, action, name, schema) {
            Part::Path => continue,
            Part::EntireBody => {
                shown.insert("body".to_owned(), value.clone());
                continue;
            }
            Part::Query => "query",
            Part::Headers | Part::Body => "body",
        };
        let members = shown.entry(at).or_insert_with(|| json!({}));
        if let Value::Object(members) = members {
            members.insert(name.clone(), value.clone());
        }
    }
    if let Some(note) = &recipe.note {
        shown.insert("note".to_owned(), json!(note));
    }
    Some(Value::Object(shown))
}

/// An action's inputs as the arguments `module`, `method`, `path?`, `query?` and `body?` of
/// `connector_execute`; none for an unknown action. Inputs that its path lacks are left open.
pub fn arguments(
    definition: &Definition,
    action: &str,
    inputs: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let recipe = Recipe {
        title: String::new(),
        action: action.to_owned(),
        with: inputs.clone(),
        note: None,
    };
    let Value::Object(mut shown) = shown(definition, &recipe)? else {
        return None;
    };
    let call = shown.remove("call")?;
    let call = call.as_str()?;
    let (method, path) = match call.split_once(' ') {
        Some((verb, path)) if definition.kind == Kind::Rest => (verb, Some(path)),
        _ => (call, None),
    };
    let (method, path) = (json!(method), path.map(|path| json!(path)));
    shown.remove("title");
    shown.remove("action");
    shown.insert("method".to_owned(), method);
    if let Some(path) = path {
        shown.insert("path".to_owned(), path);
    }
    Some(shown)
}

fn filled(definition: &Definition, recipe: &Recipe, action: &Action) -> String {
    let unfilled = call(definition, &recipe.action, action);
    let (Kind::Rest, Some(verb), Some(path)) = (definition.kind, action.method, &action.path)
    else {
        return unfilled;
    };
    let schemas = action.params.get("properties");
    let has_segments = |name: &str| {
        let style = schemas.and_then(|all| all.get(name)?.get(STYLE));
        style.is_some_and(|style| style == "segments")
    };
    let written = path.write(|name, written| {
        let text = match recipe.with.get(name).ok_or(())? {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        };
        for (at, segment) in text.split('/').enumerate() {
            if at > 0 {
                written.push_str(if has_segments(name) { "/" } else { "%2F" });
            }
            push_segment(written, segment);
        }
        Ok::<_, ()>(())
    });
    match written {
        Ok(path) => format!("{} {path}", verb.name()),
        Err(()) => unfilled,
    }
}
