//! Calls by verb and path.

use super::pattern::{Given, Pattern};
use super::{Hints, MOST_SHOWN, MOST_SUGGESTIONS, Resolved, module_names, with_modules};
use crate::definition::{Action, Definition, Module, Verb};
use quaymaster_core::Fault;
use quaymaster_core::schema::shorten;
use quaymaster_core::suggest::did_you_mean;
use serde_json::{Map, Value, json};

type Named<'d> = (&'d str, &'d Module);

/// An action whose path and verb are the given ones.
struct Match<'d> {
    module: Named<'d>,
    key: &'d str,
    action: &'d Action,
    values: Map<String, Value>,
    fixed: usize,
}

pub(super) fn call(
    definition: &Definition,
    module: Option<Named<'_>>,
    method: &str,
    path: Option<&str>,
) -> Result<Resolved, Fault> {
    let verb = verb(definition, method)?;
    let Some(path) = path else {
        let message = "A call by verb needs `path`.";
        let fault = Fault::invalid_arg("/path", "required", message);
        return Err(match module {
            Some(module) => fault
                .hint("`details.available_paths` lists the module's.")
                .detail("available_paths", json!(listed(module, None))),
            None => with_modules(definition, fault).hint("describe_service shows the paths."),
        });
    };
    let given = Given::of(path);
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let all = matches(definition, verb, &given);
    let found = match module {
        Some(module) => best(
            all.into_iter()
                .filter(|one| reached_by(definition, one, module)),
        ),
        None => unambiguous(definition, all)?,
    };
    if let Some(found) = found {
        let mut hints = Hints::default();
        if let Some((name, _)) = module.filter(|(name, _)| *name != found.module.0) {
            hints.note = Some(format!(
                "This call stands in the module {:?}, not in {name:?}.",
                found.module.0
            ));
        }
        return Ok(Resolved {
            module: Some(found.module.0.to_owned()),
            action: Some(found.key.to_owned()),
            path_values: found.values,
            verb: Some(verb),
            rpc: None,
            path: Some(path),
            reads: found.action.reads(),
            hints,
        });
    }
    let close = close(definition, module, verb, &given);
    let Some(module) = module else {
        let message = format!(
            "{} lists no {} {}, so `module` is needed.",
            definition.key,
            verb.name(),
            shorten(&path)
        );
        let fault = Fault::invalid_arg("/module", "required", message)
            .detail("path_did_you_mean", close.clone());
        return Err(with_modules(definition, fault).hint(match close.first() {
            Some(first) => format!("Did you mean {first}?"),
            None => format!("Known modules: {}.", module_names(definition).join(", ")),
        }));
    };
    Ok(Resolved {
        module: Some(module.0.to_owned()),
        verb: Some(verb),
        path: Some(path),
        reads: matches!(verb, Verb::Get | Verb::Head),
        hints: Hints {
            path_did_you_mean: close,
            available_paths: listed(module, Some(&given)),
            ..Hints::default()
        },
        ..Resolved::default()
    })
}

fn verb(definition: &Definition, method: &str) -> Result<Verb, Fault> {
    if let Some(verb) = Verb::parse(method) {
        return Ok(verb);
    }
    let names = Verb::ALL.map(Verb::name);
    let shown = shorten(method);
    let fault = Fault::invalid_arg("/method", "enum", format!("{shown:?} is no HTTP method."))
        .detail("known_methods", json!(names));
    let hint = match definition.action(method) {
        Some((module, _, action)) => format!(
            "Call it by verb and path: module {module:?}, {}.",
            shown_call(action)
        ),
        None => match did_you_mean(method, names, 1).first() {
            Some(close) => format!("Did you mean {close}?"),
            None => format!(
                "{} is called by verb and path; describe_service lists both.",
                definition.key
            ),
        },
    };
    Err(fault.hint(hint))
}

fn matches<'d>(definition: &'d Definition, verb: Verb, given: &Given) -> Vec<Match<'d>> {
    actions(definition)
        .filter(|(_, _, action)| action.method == Some(verb))
        .filter_map(|(module, key, action)| {
            let pattern = Pattern::of(action)?;
            let values = pattern.values(given)?;
            let fixed = pattern.fixed();
            Some(Match {
                module,
                key,
                action,
                values,
                fixed,
            })
        })
        .collect()
}

fn actions(definition: &Definition) -> impl Iterator<Item = (Named<'_>, &str, &Action)> {
    definition.modules.iter().flat_map(|(name, module)| {
        let actions = module.actions.iter();
        actions.map(move |(key, action)| ((name.as_str(), module), key.as_str(), action))
    })
}

/// Whether a call in a module is this action: it stands there, or elsewhere behind the same address.
/// Otherwise what is said about an action could be got around by naming another module.
fn reached_by(definition: &Definition, one: &Match<'_>, module: Named<'_>) -> bool {
    one.module.0 == module.0 || base(definition, one.module.1) == base(definition, module.1)
}

fn base<'d>(definition: &'d Definition, module: &'d Module) -> &'d str {
    module
        .base_url
        .as_ref()
        .unwrap_or(&definition.base_url)
        .as_str()
}

/// The one that says most of the path itself; of equal ones the first.
fn best<'d>(all: impl Iterator<Item = Match<'d>>) -> Option<Match<'d>> {
    all.reduce(|best, one| if one.fixed > best.fixed { one } else { best })
}

/// Without a module: the best, unless equally good ones lead to different addresses.
fn unambiguous<'d>(
    definition: &Definition,
    all: Vec<Match<'d>>,
) -> Result<Option<Match<'d>>, Fault> {
    let most = all.iter().map(|one| one.fixed).max();
    let mut good = all.into_iter().filter(|one| Some(one.fixed) == most);
    let Some(first) = good.next() else {
        return Ok(None);
    };
    let others: Vec<&str> = good
        .filter(|other| base(definition, other.module.1) != base(definition, first.module.1))
        .map(|other| other.module.0)
        .collect();
    if others.is_empty() {
        return Ok(Some(first));
    }
    let mut modules = vec![first.module.0];
    modules.extend(others);
    let message = format!(
        "The path stands in the modules {}, which have different addresses.",
        modules.join(" and ")
    );
    Err(Fault::invalid_arg("/module", "required", message)
        .hint("Say which one by `module`.")
        .detail("known_modules", json!(modules)))
}

fn shown_call(action: &Action) -> String {
    let verb = action.method.map_or("", Verb::name);
    let path = action.path.as_ref().map_or("", |path| path.as_str());
    format!("{verb} {path}")
}

/// The listed calls that look like this one, those of the same module and verb before others.
fn close(
    definition: &Definition,
    module: Option<Named<'_>>,
    verb: Verb,
    given: &Given,
) -> Vec<String> {
    const ENOUGH: f64 = 0.6;
    const OTHER_VERB: f64 = 0.06;
    const OTHER_MODULE: f64 = 0.02;
    let mut scored: Vec<(f64, String)> = actions(definition)
        .filter_map(|(own, _, action)| {
            let pattern = Pattern::of(action)?;
            let mut score = pattern.likeness(given);
            let mut shown = shown_call(action);
            if action.method != Some(verb) {
                score -= OTHER_VERB;
            }
            if module.is_none_or(|(name, _)| name != own.0) {
                score -= OTHER_MODULE;
                if definition.modules.len() > 1 {
                    shown = format!("{shown} (module {})", own.0);
                }
            }
            (score >= ENOUGH).then_some((score, shown))
        })
        .collect();
    // Equal ones stay in the order of the file.
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored
        .into_iter()
        .take(MOST_SUGGESTIONS)
        .map(|(_, shown)| shown)
        .collect()
}

/// The calls of a module; of many those that look most like the given path.
fn listed((_, module): Named<'_>, given: Option<&Given>) -> Vec<String> {
    let mut all: Vec<&Action> = module.actions.values().collect();
    if let Some(given) = given
        && all.len() > MOST_SHOWN
    {
        let likeness =
            |action: &Action| Pattern::of(action).map_or(0.0, |pattern| pattern.likeness(given));
        all.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    }
    all.into_iter().take(MOST_SHOWN).map(shown_call).collect()
}
