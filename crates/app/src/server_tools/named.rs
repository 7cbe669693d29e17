//! What a developer names: an action, an integration, partials.

use crate::partials::refuse_conflicts;
use quaymaster_connectors::definition::Definition;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault, ManagementName};
use quaymaster_store::integration::Integration;
use quaymaster_store::partial::Partial;

/// An action's key; what belongs to none is told with what is close.
pub(crate) fn checked_action(definition: &Definition, named: &str) -> Result<String, Fault> {
    if definition.action(named).is_some() {
        return Ok(named.to_owned());
    }
    let known = definition.modules.values();
    let known = known.flat_map(|module| module.actions.keys().map(String::as_str));
    let fault = Fault::not_found(format!("{} has no action {named:?}.", definition.title))
        .called(ManagementName::ActionNotFound);
    Err(fault.meant(&did_you_mean(named, known, 3)))
}

/// The integration that a connector and perhaps an alias mean.
pub(crate) fn chosen<'a>(
    known: &'a [Integration],
    connector: &str,
    alias: Option<&str>,
) -> Result<Option<&'a Integration>, Fault> {
    if let Some(alias) = alias {
        let found = known.iter().find(|one| one.alias == alias);
        if let Some(other) = found.filter(|one| one.connector != connector) {
            return Err(Fault::new(
                Code::AlreadyExists,
                format!(
                    "The alias {alias:?} is that of an integration of {}.",
                    other.connector
                ),
            )
            .called(ManagementName::AliasConflict)
            .hint("Choose another alias."));
        }
        return Ok(found);
    }
    let mut ours = known.iter().filter(|one| one.connector == connector);
    if let Some(usual) = ours.clone().find(|one| one.alias == connector) {
        return Ok(Some(usual));
    }
    match (ours.next(), ours.next()) {
        (Some(_), Some(_)) => {
            let all = known.iter().filter(|one| one.connector == connector);
            let aliases: Vec<&str> = all.map(|one| one.alias.as_str()).collect();
            Err(Fault::invalid_arg(
                "/integration_alias",
                "ambiguous",
                format!("The workspace has several integrations of {connector}."),
            )
            .called(ManagementName::AmbiguousIntegration)
            .hint("Pass integrationAlias.")
            .detail("candidates", aliases))
        }
        (only, _) => Ok(only),
    }
}

pub(crate) fn fitting_partials<'a>(
    all: &'a [Partial],
    integration: &Integration,
    action: &str,
    named: &[String],
) -> Result<Vec<&'a Partial>, Fault> {
    let mut found = Vec::new();
    for (index, name) in named.iter().enumerate() {
        let pointer = format!("/partial_ids/{index}");
        let by_id = all.iter().find(|partial| partial.id.as_str() == name);
        let by_name = || {
            all.iter()
                .find(|partial| partial.name == *name && partial.connector == integration.connector)
        };
        let partial = by_id.or_else(by_name).ok_or_else(|| {
            Fault::not_found(format!("The workspace has no partial {name:?}."))
                .called(ManagementName::PartialNotFound)
                .hint("GET /api/v1/partials lists them.")
        })?;
        let fits = partial.connector == integration.connector
            && partial
                .integration
                .as_ref()
                .is_none_or(|only| *only == integration.id)
            && partial.action.as_ref().is_none_or(|only| only == action);
        if !fits {
            return Err(Fault::invalid_arg(
                &pointer,
                "const",
                format!("The partial {:?} is for another action.", partial.name),
            )
            .called(ManagementName::PartialMismatch));
        }
        found.push(partial);
    }
    refuse_conflicts(&found)?;
    Ok(found)
}
