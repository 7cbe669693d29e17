//! Where in a workspace a page is, and what several of its pages choose from.

use quaymaster_app::picking::OfferedAction;
use quaymaster_app::workspaces::Workspace;
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, WorkspaceId};

use crate::views::{Choice, Place, Tick};

pub(super) fn of(actor: &Actor, workspace: &Workspace) -> Place {
    Place {
        id: workspace.id.to_string(),
        name: workspace.name.clone(),
        is_admin: actor.role.administers(),
    }
}

pub(super) async fn find(app: &App, actor: &Actor, id: &WorkspaceId) -> Result<Place, Fault> {
    Ok(of(actor, &app.workspace(actor, id).await?))
}

/// The accounts of a connector that calls from a workspace can use.
pub(super) async fn accounts(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
    connector: &str,
    chosen: Option<&ConnectionId>,
) -> Result<Vec<Choice>, Fault> {
    let all = app.connector_accounts(actor, connector).await?;
    let reached = all.into_iter().filter(|one| {
        let of = one.workspace.as_ref();
        of.is_none_or(|of| of == workspace)
    });
    Ok(reached
        .map(|one| {
            let problem = if one.problem.is_some() {
                " (with a problem)"
            } else {
                ""
            };
            let label = format!("{}:{}{problem}", one.connector, one.name);
            Choice::new(one.id.as_str(), label, chosen == Some(&one.id))
        })
        .collect())
}

pub(super) fn tick(value: String, name: String, action: OfferedAction, is_ticked: bool) -> Tick {
    Tick {
        value,
        name,
        title: action.title,
        summary: action.summary.unwrap_or_default(),
        reads: action.reads,
        is_destructive: action.is_destructive,
        is_ticked,
    }
}
