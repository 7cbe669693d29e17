//! Calls by the name of a method: RPC, GraphQL, tools of an upstream server.

use super::{Hints, MOST_SHOWN, MOST_SUGGESTIONS, Resolved};
use crate::definition::{Action, Definition, Kind, Module, Verb};
use quaymaster_core::Fault;
use quaymaster_core::schema::shorten;
use quaymaster_core::suggest::did_you_mean;
use serde_json::json;

pub(super) fn call(
    definition: &Definition,
    module: Option<(&str, &Module)>,
    method: &str,
    path: Option<&str>,
) -> Result<Resolved, Fault> {
    no_path(definition, method, path)?;
    if let Some((module, action_key, action)) = find(definition, method) {
        return Ok(Resolved {
            module: Some(module.to_owned()),
            action: Some(action_key.to_owned()),
            rpc: action.rpc.clone(),
            reads: action.reads(),
            ..Resolved::default()
        });
    }
    let all: Vec<&str> = names(definition).collect();
    let close = did_you_mean(method, all.iter().copied(), MOST_SUGGESTIONS);
    let unlisted = match definition.kind {
        Kind::Rpc => definition.open_methods || all.is_empty(),
        Kind::Mcp => definition.open_methods,
        Kind::Sql => false,
        // The document stands in the body, and may do anything.
        _ => matches!(
            method.to_lowercase().as_str(),
            "query" | "mutation" | "post"
        ),
    };
    if unlisted && !method.is_empty() {
        let rpc = definition.kind != Kind::Graphql;
        return Ok(Resolved {
            module: module.map(|(name, _)| name.to_owned()),
            rpc: rpc.then(|| method.to_owned()),
            hints: Hints {
                method_did_you_mean: if rpc { close } else { Vec::new() },
                ..Hints::default()
            },
            ..Resolved::default()
        });
    }
    let own: Vec<&str> = match module {
        Some((_, module)) => module.actions.iter().map(name).collect(),
        None => all,
    };
    let shown: Vec<&str> = own.into_iter().take(MOST_SHOWN).collect();
    let message = if method.is_empty() {
        format!("{} is called by the name of a method.", definition.key)
    } else {
        format!("{} has no method {:?}.", definition.key, shorten(method))
    };
    Err(Fault::invalid_arg("/method", "enum", message)
        .hint(match close.first() {
            Some(first) => format!("Did you mean {first:?}?"),
            None => {
                "`details.available_methods` lists some; describe_service shows all.".to_owned()
            }
        })
        .detail("did_you_mean", close)
        .detail("available_methods", json!(shown)))
}

fn no_path(definition: &Definition, method: &str, path: Option<&str>) -> Result<(), Fault> {
    let Some(path) = path.filter(|path| *path != method && *path != "/") else {
        return Ok(());
    };
    let message = format!(
        "{} is called by the name of a method, without `path`.",
        definition.key
    );
    let named = path.trim_matches('/');
    let is_name = Verb::parse(method).is_some() && find(definition, named).is_some();
    Err(
        Fault::invalid_arg("/path", "maxLength", message).hint(if is_name {
            format!("Put {named:?} into `method` and leave `path` out.")
        } else {
            "Put the name into `method`, the inputs into `body`, and leave `path` out.".to_owned()
        }),
    )
}

/// By the method's own name, else by the action's key.
fn find<'d>(definition: &'d Definition, method: &str) -> Option<(&'d str, &'d str, &'d Action)> {
    let by_name = definition.modules.iter().find_map(|(module, own)| {
        let mut actions = own.actions.iter();
        let (key, action) = actions.find(|one| name(*one) == method)?;
        Some((module.as_str(), key.as_str(), action))
    });
    by_name.or_else(|| {
        let (module, own, _) = definition.action(method)?;
        let (key, action) = own.actions.get_key_value(method)?;
        Some((module, key, action))
    })
}

fn names(definition: &Definition) -> impl Iterator<Item = &str> {
    definition
        .modules
        .values()
        .flat_map(|module| module.actions.iter().map(name))
}

fn name<'d>((key, action): (&'d String, &'d Action)) -> &'d str {
    action.rpc.as_deref().unwrap_or(key)
}
