//! Workspaces: listed, made, read, changed.

use crate::auth::{Administrator, Person, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query};
use crate::tokens::FreshToken;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::caps::Usage;
use quaymaster_app::workspaces::{Storage, WorkspaceChange};
use quaymaster_app::{Actor, App, Workspace};
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workspace)]
pub(crate) struct WorkspaceView {
    #[schema(value_type = String)]
    id: WorkspaceId,
    #[schema(value_type = String)]
    org_id: OrgId,
    /// Unique in the organization.
    name: String,
    /// The name as it stands in addresses; unique in the organization.
    slug: String,
    /// Tool calls a UTC day.
    daily_cap: i64,
    /// Bytes of files, uploads and trash.
    quota_bytes: i64,
    /// Whether its flows need a credential at `/mcp`. At most one workspace of a server has it off.
    require_authentication: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        WorkspaceView {
            id: workspace.id,
            org_id: workspace.org,
            name: workspace.name,
            slug: workspace.slug,
            daily_cap: workspace.daily_cap,
            quota_bytes: workspace.quota_bytes,
            require_authentication: workspace.requires_authentication,
            created_at: workspace.created_at,
        }
    }
}

/// The workspace that a path names by id or by slug. One of another organization is not found.
pub(crate) async fn find(app: &App, actor: &Actor, named: &str) -> Result<Workspace, Fault> {
    if let Ok(id) = named.parse() {
        return app.workspace(actor, &id).await;
    }
    let all = app.workspaces(actor).await?;
    all.into_iter()
        .find(|workspace| workspace.slug == named)
        .ok_or_else(|| {
            Fault::not_found("There is no such workspace.")
                .hint("GET /api/v1/workspaces lists the ids and slugs.")
        })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct WorkspaceList {
    workspaces: Vec<WorkspaceView>,
    /// How many there are in all pages.
    total: usize,
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct LookedWorkspaces {
    /// Nothing is ever suspended here.
    #[serde(rename = "includeSuspended")]
    _include_suspended: Option<bool>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Lists workspaces
///
/// Oldest first.
#[utoipa::path(
    get, path = "/api/v1/workspaces", tag = "Workspaces",
    security(("bearer" = ["admin"])), params(LookedWorkspaces),
    responses((status = 200, description = "A page of workspaces.", body = WorkspaceList), Faults)
)]
pub(crate) async fn list_workspaces(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<LookedWorkspaces>,
) -> Answer<axum::Json<WorkspaceList>> {
    let paging = Paging::new(looked.limit, looked.offset);
    let (page, total) = paging.cut(app.workspaces(&actor).await?)?;
    let workspaces = page.into_iter().map(WorkspaceView::from).collect();
    Ok(axum::Json(WorkspaceList { workspaces, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWorkspace {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Made from the name when it is absent.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 40)]
    slug: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MadeWorkspace {
    workspace: WorkspaceView,
    /// The workspace's default token.
    token: FreshToken,
}

/// Makes a workspace
///
/// Comes with the workspace's default token. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces", tag = "Workspaces",
    security(("bearer" = ["admin"])), request_body = NewWorkspace,
    responses((status = 201, description = "The workspace and its token.", body = MadeWorkspace), Faults)
)]
pub(crate) async fn create_workspace(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<NewWorkspace>,
) -> Answer<(StatusCode, axum::Json<MadeWorkspace>)> {
    let (workspace, fresh) = app
        .create_workspace(&admin, &new.name, new.slug.as_deref())
        .await
        .map_err(ApiError::about_body)?;
    let made = MadeWorkspace {
        workspace: workspace.into(),
        token: FreshToken::of(&app, fresh).await?,
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneWorkspace {
    workspace: WorkspaceInUse,
}

/// A workspace with what is used of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkspaceInUse {
    #[serde(flatten)]
    workspace: WorkspaceView,
    usage: UsageView,
    storage: StorageView,
}

/// Tool calls of the current UTC day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Usage)]
pub(crate) struct UsageView {
    used: i64,
    cap: i64,
    #[schema(value_type = String, format = DateTime)]
    reset_at: Instant,
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        UsageView {
            used: usage.used,
            cap: usage.cap,
            reset_at: usage.reset_at,
        }
    }
}

/// Bytes of files, uploads and trash.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Storage)]
pub(crate) struct StorageView {
    used_bytes: u64,
    quota_bytes: i64,
}

impl From<Storage> for StorageView {
    fn from(storage: Storage) -> Self {
        StorageView {
            used_bytes: storage.used_bytes,
            quota_bytes: storage.quota_bytes,
        }
    }
}

async fn in_use(app: &App, actor: &Actor, workspace: Workspace) -> Result<OneWorkspace, Fault> {
    let usage = app.usage(&workspace).await?.into();
    let storage = app.storage(actor, &workspace.id).await?.into();
    let workspace = WorkspaceInUse {
        workspace: workspace.into(),
        usage,
        storage,
    };
    Ok(OneWorkspace { workspace })
}

/// Reads a workspace
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}", tag = "Workspaces",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "The workspace.", body = OneWorkspace), Faults)
)]
pub(crate) async fn read_workspace(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneWorkspace>> {
    let workspace = find(&app, &actor, &id).await?;
    Ok(axum::Json(in_use(&app, &actor, workspace).await?))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedWorkspace {
    deleted: bool,
    #[schema(value_type = String)]
    id: WorkspaceId,
}

/// Deletes a workspace
///
/// With its files, servers, integrations, end users and their accounts. Its tokens are dead when the
/// answer arrives. The organization's only workspace stays. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}", tag = "Workspaces",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "It is gone.", body = DeletedWorkspace), Faults)
)]
pub(crate) async fn delete_workspace(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
) -> Answer<axum::Json<DeletedWorkspace>> {
    let id = find(&app, &admin, &id).await?.id;
    app.delete_workspace(&admin, &id).await?;
    Ok(axum::Json(DeletedWorkspace { deleted: true, id }))
}

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeWorkspace {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 40)]
    slug: Option<String>,
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    daily_cap: Option<i64>,
    #[schema(minimum = 0)]
    quota_bytes: Option<i64>,
    /// Off, anybody who reaches `/mcp` calls this workspace's flows, and nothing else, without a
    /// credential. Refused while another workspace of the server has it off.
    require_authentication: Option<bool>,
}

/// Changes a workspace
///
/// Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{id}", tag = "Workspaces",
    security(("bearer" = ["admin"])), request_body = ChangeWorkspace,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "The workspace as it is now.", body = OneWorkspace), Faults)
)]
pub(crate) async fn update_workspace(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Change(change): Change<ChangeWorkspace>,
) -> Answer<axum::Json<OneWorkspace>> {
    let workspace = find(&app, &admin, &id).await?;
    let change = WorkspaceChange {
        name: change.name,
        slug: change.slug,
        daily_cap: change.daily_cap,
        quota_bytes: change.quota_bytes,
        requires_authentication: change.require_authentication,
    };
    let changed = app
        .update_workspace(&admin, &workspace.id, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(in_use(&app, &admin, changed).await?))
}
