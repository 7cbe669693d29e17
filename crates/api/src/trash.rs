//! What was deleted in a workspace: listed, restored, deleted for good.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use quaymaster_app::{Actor, App, Restored, TrashItem, Workspace};
use quaymaster_core::id::TrashId;
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrashItem)]
pub(crate) struct TrashView {
    #[schema(value_type = String)]
    id: TrashId,
    /// Where it was.
    path: String,
    /// `file`, `directory`, `symlink` or `other`.
    #[serde(rename = "type")]
    kind: String,
    /// Bytes of all its files.
    bytes: u64,
    /// Entries that are no directories.
    files: u64,
    #[schema(value_type = String, format = DateTime)]
    deleted_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    restorable_until: Instant,
}

impl From<TrashItem> for TrashView {
    fn from(item: TrashItem) -> Self {
        TrashView {
            id: item.id,
            path: item.path,
            kind: name_of(&item.kind),
            bytes: item.bytes,
            files: item.files,
            deleted_at: item.deleted_at,
            restorable_until: item.restorable_until,
        }
    }
}

/// The name of a unit variant on the wire.
fn name_of(kind: &impl Serialize) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The workspace and the item that a path names.
async fn item_of(
    app: &App,
    actor: &Actor,
    (workspace, item): &(String, String),
) -> Result<(Workspace, TrashId), Fault> {
    let workspace = find(app, actor, workspace).await?;
    let item = item.parse().map_err(|_| {
        Fault::not_found("There is no such item in the trash.")
            .hint("GET /api/v1/workspaces/{id}/trash lists them.")
    })?;
    Ok((workspace, item))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TrashList {
    trash: Vec<TrashView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists a workspace's trash
///
/// Longest deleted first.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/trash", tag = "Trash",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses((status = 200, description = "A page of the trash.", body = TrashList), Faults)
)]
pub(crate) async fn list_trash(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<TrashList>> {
    let workspace = find(&app, &actor, &id).await?;
    let (page, total) = paging.cut(app.trash(&actor, &workspace.id).await?)?;
    let trash = page.into_iter().map(TrashView::from).collect();
    Ok(axum::Json(TrashList { trash, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreTo {
    /// Where to put it; without it, where it was.
    path: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Restored)]
pub(crate) struct RestoredView {
    #[schema(value_type = String)]
    id: TrashId,
    /// Where it is now.
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl From<Restored> for RestoredView {
    fn from(restored: Restored) -> Self {
        RestoredView {
            id: restored.id,
            path: restored.path,
            kind: name_of(&restored.kind),
        }
    }
}

/// Restores something from the trash
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/trash/{trashId}/restore", tag = "Trash",
    security(("bearer" = ["admin"])), request_body = RestoreTo,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("trashId" = String, Path, description = "Id of what was deleted."),
    ),
    responses((status = 200, description = "Where it is now.", body = RestoredView), Faults)
)]
pub(crate) async fn restore_trash(
    State(app): State<App>,
    Person(actor): Person,
    Path(path): Path<(String, String)>,
    Json(to): Json<RestoreTo>,
) -> Answer<axum::Json<RestoredView>> {
    let (workspace, item) = item_of(&app, &actor, &path).await?;
    let restored = app.restore(&actor, &workspace.id, item, to.path).await?;
    Ok(axum::Json(restored.into()))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PurgedTrash {
    deleted: bool,
    #[schema(value_type = String)]
    id: TrashId,
}

/// Deletes something from the trash for good
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/trash/{trashId}", tag = "Trash",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("trashId" = String, Path, description = "Id of what was deleted."),
    ),
    responses((status = 200, description = "It is gone.", body = PurgedTrash), Faults)
)]
pub(crate) async fn purge_trash(
    State(app): State<App>,
    Person(actor): Person,
    Path(path): Path<(String, String)>,
) -> Answer<axum::Json<PurgedTrash>> {
    let (workspace, id) = item_of(&app, &actor, &path).await?;
    app.purge(&actor, &workspace.id, id.clone()).await?;
    Ok(axum::Json(PurgedTrash { deleted: true, id }))
}
