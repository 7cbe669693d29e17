//! One of many to choose: from a list, or by its name where the list would be too long.

use quaymaster_app::integrations::{Integration, Strategy};
use quaymaster_app::workspaces::Workspace;
use quaymaster_app::{Actor, Admin, App};
use quaymaster_core::id::{ConnectionId, WorkspaceId};
use quaymaster_core::{Code, Fault};

use crate::views::{Choice, OneOf};

/// What a list has room for; of more, the names are written.
pub(super) const ROOM: i64 = 100;

/// The workspaces of the organization, oldest first; the only one is chosen.
pub(super) async fn workspaces(app: &App, actor: &Actor) -> Result<OneOf, Fault> {
    let (some, total) = app.workspaces_page(actor, "", ROOM, 0).await?;
    if total > ROOM {
        return Ok(OneOf::written(""));
    }
    let is_only = total == 1;
    let choices = some
        .into_iter()
        .map(|one| Choice::new(one.id.as_str(), one.name, is_only));
    Ok(OneOf::listed(choices))
}

/// The workspace that a form names; none for an empty text. An unknown one is `INVALID_ARG` at `/workspace`.
pub(super) async fn workspace(
    app: &App,
    actor: &Actor,
    named: &str,
) -> Result<Option<Workspace>, Fault> {
    let named = named.trim();
    if named.is_empty() {
        return Ok(None);
    }
    match app.workspace_named(actor, named).await {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.code == Code::NotFound => {
            let wrong = Fault::invalid_arg("/workspace", "enum", fault.message);
            Err(match fault.hint {
                Some(hint) => wrong.hint(hint),
                None => wrong,
            })
        }
        Err(fault) => Err(fault),
    }
}

/// The workspaces that a form names, at most [`ROOM`]. What is wrong is `INVALID_ARG` at `/only`.
pub(super) async fn some_workspaces(
    app: &App,
    actor: &Actor,
    named: &[String],
) -> Result<Vec<Workspace>, Fault> {
    if named.len() as i64 > ROOM {
        let message = format!("Name at most {ROOM} workspaces.");
        return Err(Fault::invalid_arg("/only", "maxItems", message));
    }
    let mut found: Vec<Workspace> = Vec::new();
    for named in named {
        match app.workspace_named(actor, named).await {
            Ok(one) if found.iter().any(|other| other.id == one.id) => {}
            Ok(one) => found.push(one),
            Err(fault) if fault.code == Code::NotFound => {
                let message = format!("There is no workspace {named}.");
                return Err(Fault::invalid_arg("/only", "enum", message));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// The accounts of a connector; where a workspace is given, those that calls from there can use.
pub(super) async fn accounts(
    app: &App,
    actor: &Actor,
    workspace: Option<&WorkspaceId>,
    connector: &str,
    chosen: Option<&ConnectionId>,
) -> Result<OneOf, Fault> {
    let some = app
        .usable_accounts(actor, workspace, connector, ROOM + 1)
        .await?;
    if some.len() as i64 > ROOM {
        let addresses = app.connection_addresses(actor, chosen.cloned()).await?;
        let address = addresses.into_values().next();
        return Ok(OneOf::written(address.unwrap_or_default()));
    }
    let choices = some.into_iter().map(|one| {
        let problem = if one.problem.is_some() {
            " (with a problem)"
        } else {
            ""
        };
        let label = format!("{}:{}{problem}", one.connector, one.name);
        Choice::new(one.id.as_str(), label, chosen == Some(&one.id))
    });
    Ok(OneOf::listed(choices))
}

/// The accounts of a connector that flows of a workspace can use, by their names.
pub(super) async fn account_names(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
    connector: &str,
    chosen: &str,
) -> Result<OneOf, Fault> {
    let some = app
        .usable_accounts(actor, Some(workspace), connector, ROOM + 1)
        .await?;
    if some.len() as i64 > ROOM {
        return Ok(OneOf::written(chosen));
    }
    let choices = some.into_iter().map(|one| {
        let label = match (&one.label, &one.problem) {
            (_, Some(_)) => format!("{} (with a problem)", one.name),
            (Some(label), None) => format!("{} ({label})", one.name),
            (None, None) => one.name.clone(),
        };
        Choice::new(&one.name, label, one.name == chosen)
    });
    Ok(OneOf::listed(choices))
}

/// The account that a form names by its id, name or address; none for an empty text. What nobody has is
/// answered as it is, for what it is needed for to refuse.
pub(super) async fn account(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
    connector: &str,
    named: &str,
) -> Result<Option<String>, Fault> {
    let named = bare(connector, named);
    if named.is_empty() {
        return Ok(None);
    }
    let found = app.account_named(actor, Some(workspace), connector, named);
    let found = found.await?.map(|found| found.id.to_string());
    Ok(Some(found.unwrap_or_else(|| named.to_owned())))
}

/// What a form names an account by, without the connector in front.
pub(super) fn bare<'n>(connector: &str, named: &'n str) -> &'n str {
    let named = named.trim();
    let rest = named.strip_prefix(connector);
    let rest = rest.and_then(|rest| rest.strip_prefix(':'));
    rest.unwrap_or(named)
}

/// The integrations of a workspace; those first for which end users have accounts of their own, where
/// it is about these.
pub(super) async fn integrations(
    app: &App,
    admin: &Admin,
    workspace: &WorkspaceId,
    of_end_users: bool,
) -> Result<OneOf, Fault> {
    let (mut some, total) = app.integrations_page(admin, workspace, "", ROOM, 0).await?;
    if total > ROOM {
        return Ok(OneOf::written(""));
    }
    if of_end_users {
        some.sort_by_key(|one| one.strategy == Strategy::Fixed);
    }
    let choice = |one: Integration| Choice::new(one.id.as_str(), one.alias, false);
    Ok(OneOf::listed(some.into_iter().map(choice)))
}
