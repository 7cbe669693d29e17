//! The last steps: what breaks a rule is left out, and the text reads back as what it was made from.

use super::report::{Outcome, Report};
use super::yaml;
use crate::definition::{Action, Definition, Recipe, Verb, Verify};
use crate::lint;
use crate::load;
use quaymaster_core::{Code, Fault};
use quaymaster_yaml::Finding;
use serde_json::{Map, Value};

const MOST_RECIPES: usize = 3;

/// Puts in what can be told from the actions alone: calls without any input, and one that says whose
/// account it is.
pub(super) fn examples(definition: &mut Definition) {
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut verify = None;
    let actions = definition
        .modules
        .values()
        .flat_map(|module| &module.actions);
    for (key, action) in actions.filter(|(_, action)| action.reads()) {
        let Some(with) = inputs(action) else { continue };
        let path = action.path.as_ref().map_or("", |path| path.as_str());
        let is_own = with.is_empty()
            && [
                "/me",
                "/user",
                "/whoami",
                "/self",
                "/users/me",
                "/account",
                "/profile",
            ]
            .iter()
            .any(|end| path.ends_with(end));
        if is_own && verify.is_none() && action.method == Some(Verb::Get) {
            verify = Some(Verify {
                action: key.clone(),
                with: Map::new(),
                label: None,
                needs: None,
            });
        }
        if recipes.len() < MOST_RECIPES && !recipes.iter().any(|one| one.title == action.title) {
            recipes.push(Recipe {
                title: action.title.clone(),
                action: key.clone(),
                with,
                note: None,
            });
        }
    }
    definition.recipes = recipes;
    definition.verify = verify;
}

/// Inputs that the document itself gives for all that is required.
fn inputs(action: &Action) -> Option<Map<String, Value>> {
    let required = action.params.get("required").and_then(Value::as_array);
    let mut with = Map::new();
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let property = action.params.get("properties")?.get(name)?;
        if property.get("const").is_some() {
            continue;
        }
        let given = property.get("examples").and_then(|all| all.get(0));
        with.insert(name.to_owned(), given?.clone());
    }
    Some(with)
}

/// Takes out what breaks a rule, and tells it.
pub(super) fn check(definition: &mut Definition, report: &mut Report) -> Result<(), Fault> {
    // So many findings come at once that this leaves out every action of the largest definition.
    for _ in 0..8 {
        let findings = lint::findings(definition);
        if findings.is_empty() {
            return Ok(());
        }
        for finding in findings {
            take_out(definition, report, &finding)?;
        }
        definition
            .modules
            .retain(|_, module| !module.actions.is_empty());
        if definition.modules.is_empty() {
            return Err(nothing(report));
        }
    }
    Err(Fault::internal())
}

fn take_out(
    definition: &mut Definition,
    report: &mut Report,
    finding: &Finding,
) -> Result<(), Fault> {
    let at: Vec<&str> = finding.at.iter().map(String::as_str).collect();
    match at.as_slice() {
        ["modules", module, "actions", key, rest @ ..] => {
            let actions = definition
                .modules
                .get_mut(*module)
                .map(|module| &mut module.actions);
            if actions.is_some_and(|actions| actions.shift_remove(*key).is_some()) {
                let told = report
                    .operations
                    .iter_mut()
                    .find(|one| one.action.as_deref() == Some(*key));
                if let Some(told) = told {
                    told.outcome = Outcome::LeftOut;
                    told.remarks =
                        vec![format!("Left out: {}: {}", rest.join("."), finding.message)];
                    (told.module, told.action) = (None, None);
                }
                definition.recipes.retain(|recipe| recipe.action != **key);
                if definition
                    .verify
                    .as_ref()
                    .is_some_and(|verify| verify.action == **key)
                {
                    definition.verify = None;
                }
            }
        }
        ["modules", module, "summary", ..] => {
            if let Some(module) = definition.modules.get_mut(*module) {
                module.summary = None;
            }
        }
        ["recipes", ..] => definition.recipes.clear(),
        ["verify", ..] => definition.verify = None,
        ["docs_url", ..] => definition.docs_url = None,
        ["env", name, ..] => {
            definition.env.shift_remove(*name);
        }
        _ => {
            return Err(Fault::new(
                Code::InvalidArg,
                format!(
                    "The definition would break a rule at {}: {}",
                    at.join("."),
                    finding.message
                ),
            )
            .hint("Give another key, title or base address, or correct the document."));
        }
    }
    Ok(())
}

/// No operation is left.
pub(super) fn nothing(report: &Report) -> Fault {
    let mut why: Vec<&str> = Vec::new();
    for remark in report.operations.iter().flat_map(|one| &one.remarks) {
        if why.len() < 3 && !why.contains(&remark.as_str()) {
            why.push(remark);
        }
    }
    let message = if why.is_empty() {
        "The document has no operations.".to_owned()
    } else {
        format!(
            "No operation of the document can be imported. {}",
            why.join(" ")
        )
    };
    Fault::new(Code::InvalidArg, message)
        .hint("Look whether this is the whole document, and whether the tags are right.")
}

/// The text of the definition; none when it is larger than what is read.
pub(super) fn text(definition: &Definition) -> Result<Option<String>, Fault> {
    let text = yaml::text(definition);
    if text.len() > load::MOST_BYTES {
        return Ok(None);
    }
    let read = match load::parse(&text, "") {
        Ok(read) => read,
        Err(problems) => {
            let message = problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            if message.contains("budget") || message.contains("limit") {
                return Ok(None);
            }
            tracing::error!(message, "an imported definition does not read back");
            return Err(Fault::internal());
        }
    };
    // As texts they take a tenth of the memory of values.
    let json = |definition: &Definition| serde_json::to_string(definition).unwrap_or_default();
    if json(&read) != json(definition) {
        tracing::error!(
            key = definition.key,
            "an imported definition reads back as another"
        );
        return Err(Fault::internal());
    }
    Ok(Some(text))
}
