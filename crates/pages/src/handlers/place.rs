//! Where in a workspace a page is, and the actions that several of its pages tick.

use quaymaster_app::picking::OfferedAction;
use quaymaster_app::workspaces::Workspace;
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;

use crate::views::{Place, Tick};

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
