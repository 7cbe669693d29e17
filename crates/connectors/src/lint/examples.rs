//! Recipes, the verify request and selects: calls that a definition makes of its own actions.

use super::{bounds, schema, text};
use crate::definition::{Action, Definition};
use crate::params::{SELECT, input_schema};
use quaymaster_core::schema::Checker;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_yaml::{Report, Spot};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// So many show an agent how calls of a connector look.
const FEWEST_RECIPES: usize = 3;

pub(super) fn check(definition: &Definition, root: &Spot, report: &mut Report) {
    let at = root.key("recipes");
    let count = definition.recipes.len();
    // An upstream's tools are not known before an account is connected.
    let has_actions = definition
        .modules
        .values()
        .any(|module| !module.actions.is_empty());
    report.unless(
        count >= FEWEST_RECIPES || definition.imported_from.is_some() || !has_actions,
        &at,
        format!("There are {count} recipes; at least {FEWEST_RECIPES} show how calls look."),
    );
    let mut titles = BTreeSet::new();
    for (index, recipe) in definition.recipes.iter().enumerate() {
        let at = at.item(index);
        text::one_line(&recipe.title, 80, &at.key("title"), report);
        report.unless(
            titles.insert(&recipe.title),
            &at.key("title"),
            "Another recipe has the same title.",
        );
        if let Some(action) = find(definition, &recipe.action, &at.key("action"), report) {
            inputs(definition, action, &recipe.with, &at.key("with"), report);
        }
    }
    if let Some(verify) = &definition.verify {
        let at = root.key("verify");
        if let Some(action) = find(definition, &verify.action, &at.key("action"), report) {
            inputs(definition, action, &verify.with, &at.key("with"), report);
            reads(action, &verify.action, &at.key("action"), report);
        }
        text::pointer(verify.label.as_deref(), &at.key("label"), report);
        text::pointer(verify.needs.as_deref(), &at.key("needs"), report);
    }
    selects(definition, root, report);
}

fn find<'d>(
    definition: &'d Definition,
    key: &str,
    at: &Spot,
    report: &mut Report,
) -> Option<&'d Action> {
    if let Some((_, _, action)) = definition.action(key) {
        return Some(action);
    }
    let known = definition
        .modules
        .values()
        .flat_map(|module| module.actions.keys())
        .map(String::as_str);
    let message = match did_you_mean(key, known, 1).pop() {
        Some(close) => format!("There is no action {key:?}. Did you mean `{close}`?"),
        None => format!("There is no action {key:?}; write the key alone, without its module."),
    };
    report.say(at, message);
    None
}

fn reads(action: &Action, key: &str, at: &Spot, report: &mut Report) {
    report.unless(
        action.reads(),
        at,
        format!("`{key}` changes something. Take one that reads, or say `read_only: true` there."),
    );
}

/// Inputs fit the action's schema, and none of them is unknown.
fn inputs(
    definition: &Definition,
    action: &Action,
    with: &Map<String, Value>,
    at: &Spot,
    report: &mut Report,
) {
    let known: BTreeSet<&str> = schema::properties(action).map(|(name, _)| name).collect();
    for name in with.keys().filter(|name| !known.contains(name.as_str())) {
        let hint = match did_you_mean(name, known.iter().copied(), 1).pop() {
            Some(close) => format!("Did you mean `{close}`?"),
            None => "Its `params` has not.".to_owned(),
        };
        report.say(
            &at.key(name),
            format!("The action has no input {name:?}. {hint}"),
        );
    }
    if bounds::excess(definition, action).is_some() {
        return;
    }
    let Ok(checker) = Checker::new(&input_schema(definition, action)) else {
        return;
    };
    let Err(fault) = checker.check(with) else {
        return;
    };
    let errors = fault
        .details
        .as_ref()
        .and_then(|details| details["errors"].as_array());
    for error in errors.into_iter().flatten() {
        let pointer = error["pointer"].as_str().unwrap_or_default();
        let at = pointer
            .split('/')
            .skip(1)
            .fold(at.clone(), |at, key| at.key(key));
        report.say(&at, error["message"].as_str().unwrap_or_default());
    }
}

fn selects(definition: &Definition, root: &Spot, report: &mut Report) {
    let used = schema::used(definition, SELECT);
    for (name, select) in &definition.selects {
        let at = root.key("selects").key(name);
        for (key, place) in [
            ("items", &select.items),
            ("value", &select.value),
            ("label", &select.label),
        ] {
            text::pointer(Some(place), &at.key(key), report);
        }
        report.unless(
            used.contains(name.as_str()),
            &at,
            format!("No parameter has `x-select: {name}`."),
        );
        let Some(action) = find(definition, &select.action, &at.key("action"), report) else {
            continue;
        };
        reads(action, &select.action, &at.key("action"), report);
        let known: BTreeSet<&str> = schema::properties(action).map(|(name, _)| name).collect();
        for (key, name) in (select.with.keys().map(|name| ("with", name)))
            .chain(select.needs.iter().map(|name| ("needs", name)))
        {
            report.unless(
                known.contains(name.as_str()),
                &at.key(key),
                format!("`{}` has no input {name:?}.", select.action),
            );
        }
    }
}
