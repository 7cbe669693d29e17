//! What may be chosen for a pack: values of its variables, and which of its flows.

use super::{PackSeen, VariableType};
use crate::App;
use crate::actor::Admin;
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::schema::Checker;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::JsonObject;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What was chosen. What is left out stays as it is, and at first is as the pack says.
#[derive(Debug, Clone, Default)]
pub struct PackChoice {
    /// Of the types `string` and `connection`, by name; a connection is its name.
    pub variables: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, SecretString>,
    /// The names of the flows to have; all at first.
    pub flows: Option<BTreeSet<String>>,
    /// Flows that were changed by hand are written over, too.
    pub replace_changed: bool,
}

fn unknown<'k>(
    pointer: &str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'k str>,
) -> Fault {
    let close = did_you_mean(name, known, 3);
    let shown = quaymaster_core::schema::shorten(name);
    Fault::invalid_arg(
        pointer,
        "enum",
        format!("The pack has no {what} {shown:?}."),
    )
    .meant(&close)
}

fn missing(name: &str, title: &str, kind: &str) -> Fault {
    let pointer = format!("/{kind}/{name}");
    Fault::invalid_arg(&pointer, "required", format!("{title} has to be given."))
}

impl App {
    /// The value of each variable.
    pub(super) async fn chosen_vars(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        seen: &PackSeen,
        choice: &PackChoice,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let variables = &seen.full.pack.variables;
        let plain = || {
            let plain = variables.iter();
            plain.filter(|(_, variable)| variable.r#type != VariableType::Secret)
        };
        for name in choice.variables.keys() {
            if !plain().any(|(known, _)| known == name) {
                let known = plain().map(|(known, _)| &**known);
                return Err(unknown("/variables", "variable", name, known));
            }
        }
        let before = seen.installed.as_ref().map(|installed| &installed.vars);
        let mut vars = BTreeMap::new();
        for (name, variable) in plain() {
            let given = choice.variables.get(name).cloned();
            let value = given
                .or_else(|| before?.get(name).cloned())
                .or_else(|| variable.default.clone())
                .filter(|value| !value.is_empty())
                .ok_or_else(|| missing(name, &variable.title, "variables"))?;
            if let Some(service) = &variable.service {
                self.checked_account(admin, workspace, name, service, &value)
                    .await?;
            }
            if let Some(pattern) = &variable.pattern {
                checked_pattern(name, pattern, &value)?;
            }
            vars.insert(name.clone(), value);
        }
        Ok(vars)
    }

    async fn checked_account(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        variable: &str,
        service: &str,
        account: &str,
    ) -> Result<(), Fault> {
        let called = self.accounts_called(admin, Some(workspace), service, account);
        if called.await?.iter().any(|one| one.name == account) {
            return Ok(());
        }
        let some = self
            .usable_accounts(admin, Some(workspace), service, i64::MAX)
            .await?;
        let names: Vec<&str> = some.iter().map(|one| &*one.name).take(20).collect();
        let shown = quaymaster_core::schema::shorten(account);
        let fault = Fault::invalid_arg(
            &format!("/variables/{variable}"),
            "enum",
            format!("{service} has no account {shown:?} that flows of this workspace can use."),
        );
        Err(match names.as_slice() {
            [] => fault.hint("Connect an account of that service first."),
            _ => fault.hint(format!("Connected accounts: {}.", names.join(", "))),
        })
    }
}

/// The secrets to set. Those that are not given have to be there.
pub(super) fn chosen_secrets<'c>(
    seen: &PackSeen,
    choice: &'c PackChoice,
) -> Result<Vec<(&'c String, &'c SecretString)>, Fault> {
    let known: BTreeSet<&str> = seen.full.secrets().collect();
    for name in choice.secrets.keys() {
        if !known.contains(&**name) {
            return Err(unknown("/secrets", "secret", name, known.iter().copied()));
        }
    }
    for name in known {
        if !choice.secrets.contains_key(name) && !seen.secrets.contains(name) {
            let variable = seen.full.pack.variables.get(name);
            let title = variable.map_or(name, |variable| variable.title.as_str());
            return Err(missing(name, title, "secrets"));
        }
    }
    Ok(choice.secrets.iter().collect())
}

/// The names of the flows to have.
pub(super) fn chosen_flows(
    seen: &PackSeen,
    choice: &PackChoice,
) -> Result<BTreeSet<String>, Fault> {
    let names = || seen.flows.iter().map(|flow| &*flow.name);
    let Some(chosen) = &choice.flows else {
        let there = seen.flows.iter().filter(|flow| flow.state.is_there());
        return Ok(match seen.installed {
            Some(_) => there.map(|flow| flow.name.clone()).collect(),
            None => names().map(str::to_owned).collect(),
        });
    };
    if chosen.is_empty() {
        let fault = Fault::invalid_arg("/flows", "minItems", "Choose at least one flow.");
        return Err(fault.hint("To have none of them, remove the pack."));
    }
    match chosen
        .iter()
        .find(|name| !names().any(|known| known == **name))
    {
        Some(name) => Err(unknown("/flows", "flow", name, names())),
        None => Ok(chosen.clone()),
    }
}

fn checked_pattern(variable: &str, pattern: &str, value: &str) -> Result<(), Fault> {
    let schema = json!({ "type": "object", "properties": { variable: { "pattern": format!("^(?:{pattern})$") } } });
    let Value::Object(schema) = schema else {
        return Err(Fault::internal());
    };
    let checker = Checker::new(&schema).map_err(|_| Fault::internal())?;
    let object = JsonObject::from_iter([(variable.to_owned(), Value::from(value))]);
    checker.check(&object).map_err(|_| {
        let message = format!("{value:?} does not have the form {pattern}.");
        Fault::invalid_arg(&format!("/variables/{variable}"), "pattern", message)
    })
}
