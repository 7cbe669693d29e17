//! Flows of a workspace: made, changed, rolled back, switched on and off, deleted; their versions. Runs
//! are in `flow_runs`, checks and trials in `flow_drafts`, secrets in `flow_secrets`.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::flows::{Flow, FlowInFull, FlowVersion, SavedAs};
use quaymaster_core::id::{FlowId, ServerId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A body that carries the text of a flow, however its characters are escaped.
pub(crate) const TEXT: usize = 4 << 20;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Flow)]
pub(crate) struct FlowView {
    #[schema(value_type = String)]
    id: FlowId,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    /// Unique in the workspace.
    name: String,
    title: String,
    /// The name of the tool, as callers of this workspace alone see it; absent when the flow is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// Switched on: callers see it, and its triggers start it.
    enabled: bool,
    /// Its runs go on after a crash.
    durable: bool,
    /// The version that runs.
    version: i64,
    /// How many versions there were.
    versions: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<Flow> for FlowView {
    fn from(flow: Flow) -> Self {
        FlowView {
            id: flow.id,
            workspace_id: flow.workspace,
            name: flow.name,
            title: flow.title,
            tool: flow.tool,
            enabled: flow.enabled,
            durable: flow.durable,
            version: flow.version,
            versions: flow.versions,
            created_at: flow.created_at,
            updated_at: flow.updated_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowVersion)]
pub(crate) struct VersionView {
    version: i64,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    durable: bool,
    /// SHA-256 of the text.
    digest: String,
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Instant,
    /// The text, where one version is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl VersionView {
    fn of(version: FlowVersion, with_source: bool) -> Self {
        VersionView {
            version: version.version,
            title: version.title,
            tool: version.tool,
            durable: version.durable,
            digest: version.digest,
            made_by: version.made_by,
            made_at: version.made_at,
            source: with_source.then_some(version.source),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneFlow {
    flow: FlowView,
    /// The text of the version that runs.
    source: String,
}

impl From<FlowInFull> for OneFlow {
    fn from(full: FlowInFull) -> Self {
        OneFlow {
            flow: full.flow.into(),
            source: full.current.source,
        }
    }
}

/// A hosted server that has a flow's tool besides `/mcp`.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowServer)]
pub(crate) struct FlowServerView {
    #[schema(value_type = String)]
    id: ServerId,
    name: String,
}

/// How a save is answered.
pub(crate) const fn outcome(what: SavedAs) -> (StatusCode, &'static str) {
    match what {
        SavedAs::Created => (StatusCode::CREATED, "created"),
        SavedAs::Updated => (StatusCode::OK, "updated"),
        SavedAs::Unchanged => (StatusCode::OK, "unchanged"),
    }
}

/// A text that is no flow answers 422, with every place in `details.problems`.
pub(crate) fn refused(fault: Fault) -> ApiError {
    if fault.has_detail("problems") || fault.has_detail("tests") {
        return ApiError::with_status(fault, StatusCode::UNPROCESSABLE_ENTITY);
    }
    ApiError::about_body(fault)
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlowList {
    flows: Vec<FlowView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the flows of a workspace
///
/// By name.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flows", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses((status = 200, description = "A page of flows.", body = FlowList), Faults)
)]
pub(crate) async fn list_flows(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<FlowList>> {
    let workspace = find(&app, &actor, &id).await?;
    let (page, total) = paging.cut(app.flows(&actor, &workspace.id).await?)?;
    let flows = page.into_iter().map(FlowView::from).collect();
    Ok(axum::Json(FlowList { flows, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFlow {
    /// The text of the flow, YAML or JSON of the format `quaymaster/v1`.
    source: String,
    /// Switched on at once unless this is false.
    enabled: Option<bool>,
}

/// Creates a flow
///
/// Its text is read strictly, every expression is compiled and its own tests run first; if anything is
/// wrong, the answer is 422 with every place in `details.problems` or `details.tests`, and nothing is
/// made. A flow with the trigger `mcp_tool` is a tool at once. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flows", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = NewFlow,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses(
        (status = 201, description = "The flow.", body = OneFlow),
        Faults
    )
)]
pub(crate) async fn create_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Json(new): Json<NewFlow, TEXT>,
) -> Answer<(StatusCode, axum::Json<OneFlow>)> {
    let workspace = find(&app, &admin, &id).await?;
    let enabled = new.enabled.unwrap_or(true);
    let made = app
        .create_flow(&admin, &workspace.id, &new.source, enabled)
        .await
        .map_err(refused)?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRead {
    flow: FlowView,
    /// The text of the version that runs.
    source: String,
    /// The next times at which its schedules start it, the earliest first and at most five; none of a flow
    /// that is switched off.
    #[schema(value_type = Vec<String>)]
    next_starts: Vec<Instant>,
    /// The hosted servers that have the tool while the flow is on.
    servers: Vec<FlowServerView>,
    /// What the text names and what does not have it: a server that is gone, has another name by now, or was
    /// made after the flow was saved.
    unknown_servers: Vec<String>,
}

/// Reads a flow
///
/// With its text, the hosted servers that have its tool, and when its schedules start it next.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flows/{flow}", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses((status = 200, description = "The flow.", body = FlowRead), Faults)
)]
pub(crate) async fn read_flow(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, flow)): Path<(String, String)>,
) -> Answer<axum::Json<FlowRead>> {
    let workspace = find(&app, &actor, &id).await?;
    let found = app.flow(&actor, &workspace.id, &flow).await?;
    let next_starts = app.next_starts(&found.flow).await?;
    let servers = app.servers_of_flow(&actor, &found).await?;
    let shown = servers.shown.into_iter();
    let OneFlow { flow, source } = found.into();
    Ok(axum::Json(FlowRead {
        flow,
        source,
        next_starts,
        servers: shown
            .map(|server| FlowServerView {
                id: server.id,
                name: server.name,
            })
            .collect(),
        unknown_servers: servers.unknown,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PutFlow {
    /// The text of the flow. Another name in it than the flow has is the flow's from now on.
    source: String,
    /// The version that was read; when the flow has another by now, nothing is changed.
    if_version: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PutAnswer {
    /// `created`, `updated`, or `unchanged` when the text is that of the version that runs.
    outcome: &'static str,
    flow: FlowView,
    source: String,
}

/// Saves a flow
///
/// Makes a new version, or the flow if there is none of that name. Anything that is wrong answers 422 as
/// when a flow is created, and the version before goes on. A text with another name renames the flow: its
/// versions, runs, triggers and the credentials that have it stay. A name that another flow has answers 409,
/// and while other flows call it by its name the answer is 400 with them in `details.callers`. Needs an
/// administrator.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/flows/{flow}", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = PutFlow,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses(
        (status = 200, description = "The flow as it is now.", body = PutAnswer),
        (status = 201, description = "The flow, which is new.", body = PutAnswer),
        Faults
    )
)]
pub(crate) async fn put_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, flow)): Path<(String, String)>,
    Json(put): Json<PutFlow, TEXT>,
) -> Answer<(StatusCode, axum::Json<PutAnswer>)> {
    let workspace = find(&app, &admin, &id).await?;
    let saved = app
        .put_flow(&admin, &workspace.id, &flow, &put.source, put.if_version)
        .await
        .map_err(refused)?;
    let (status, outcome) = outcome(saved.what);
    let OneFlow { flow, source } = saved.flow.into();
    let answer = PutAnswer {
        outcome,
        flow,
        source,
    };
    Ok((status, axum::Json(answer)))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedFlow {
    deleted: bool,
    #[schema(value_type = String)]
    id: FlowId,
    name: String,
}

/// Deletes a flow
///
/// Its versions and runs go with it. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/flows/{flow}", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses((status = 200, description = "It is gone.", body = DeletedFlow), Faults)
)]
pub(crate) async fn delete_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, flow)): Path<(String, String)>,
) -> Answer<axum::Json<DeletedFlow>> {
    let workspace = find(&app, &admin, &id).await?;
    let gone = app.delete_flow(&admin, &workspace.id, &flow).await?;
    Ok(axum::Json(DeletedFlow {
        deleted: true,
        id: gone.id,
        name: gone.name,
    }))
}

/// Switches a flow on
///
/// Callers see its tool again, and its triggers start it. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flows/{flow}/enable", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses((status = 200, description = "The flow as it is now.", body = OneFlow), Faults)
)]
pub(crate) async fn enable_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, flow)): Path<(String, String)>,
) -> Answer<axum::Json<OneFlow>> {
    let workspace = find(&app, &admin, &id).await?;
    let flow = app.enable_flow(&admin, &workspace.id, &flow, true).await?;
    Ok(axum::Json(flow.into()))
}

/// Switches a flow off
///
/// Nobody can call it, and nothing starts it. Runs that are under way end as they would have. Needs an
/// administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flows/{flow}/disable", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses((status = 200, description = "The flow as it is now.", body = OneFlow), Faults)
)]
pub(crate) async fn disable_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, flow)): Path<(String, String)>,
) -> Answer<axum::Json<OneFlow>> {
    let workspace = find(&app, &admin, &id).await?;
    let flow = app.enable_flow(&admin, &workspace.id, &flow, false).await?;
    Ok(axum::Json(flow.into()))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlowVersionList {
    versions: Vec<VersionView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the versions of a flow
///
/// Newest first; the last 100 are kept.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flows/{flow}/versions", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
        Paging,
    ),
    responses((status = 200, description = "A page of versions.", body = FlowVersionList), Faults)
)]
pub(crate) async fn list_flow_versions(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, flow)): Path<(String, String)>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<FlowVersionList>> {
    let workspace = find(&app, &actor, &id).await?;
    let all = app.flow_versions(&actor, &workspace.id, &flow).await?;
    let (page, total) = paging.cut(all)?;
    let versions = page.into_iter().map(|one| VersionView::of(one, false));
    Ok(axum::Json(FlowVersionList {
        versions: versions.collect(),
        total,
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneFlowVersion {
    version: VersionView,
}

/// Reads a version of a flow
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flows/{flow}/versions/{version}", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
        ("version" = i64, Path, description = "The version."),
    ),
    responses((status = 200, description = "With its text.", body = OneFlowVersion), Faults)
)]
pub(crate) async fn read_flow_version(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, flow, version)): Path<(String, String, i64)>,
) -> Answer<axum::Json<OneFlowVersion>> {
    let workspace = find(&app, &actor, &id).await?;
    let found = app
        .flow_version(&actor, &workspace.id, &flow, version)
        .await?;
    Ok(axum::Json(OneFlowVersion {
        version: VersionView::of(found, true),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RollBack {
    /// The version that shall run.
    version: i64,
}

/// Rolls a flow back
///
/// Makes an older version the one that runs, with the name that the flow had in it; later versions stay and
/// can be chosen again. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flows/{flow}/rollback", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = RollBack,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("flow" = String, Path, description = "Id or name of the flow."),
    ),
    responses((status = 200, description = "The flow as it is now.", body = OneFlow), Faults)
)]
pub(crate) async fn roll_flow_back(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, flow)): Path<(String, String)>,
    Json(back): Json<RollBack>,
) -> Answer<axum::Json<OneFlow>> {
    let workspace = find(&app, &admin, &id).await?;
    let rolled = app
        .roll_flow_back(&admin, &workspace.id, &flow, back.version)
        .await
        .map_err(refused)?;
    Ok(axum::Json(rolled.into()))
}
