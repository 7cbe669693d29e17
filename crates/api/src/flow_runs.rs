//! Runs of flows: listed, read with their steps, cancelled.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::paging::checked_limit;
use crate::read::{Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::flows::runs::{Run, RunInFull, RunStep};
use quaymaster_core::id::{FlowId, RunId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// One execution of a flow. Secrets are masked in all of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowRun)]
pub(crate) struct RunView {
    #[schema(value_type = String)]
    id: RunId,
    #[schema(value_type = String)]
    flow_id: FlowId,
    version: i64,
    /// `mcp`, `rest`, `page`, `try`, `cron` or `webhook`.
    started_by: String,
    /// Id of the credential or person.
    caller: String,
    /// `ready`, `running`, `done`, `failed` or `cancelled`. One that waits, in the queue or in a step `wait`, is ready.
    state: &'static str,
    durable: bool,
    /// How often it was begun.
    attempts: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
    /// Only where one run is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    /// Only where one run is read; of more than 1 MiB only the start is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    /// The fault with which it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        RunView {
            id: run.id,
            flow_id: run.flow,
            version: run.version,
            started_by: run.started_by,
            caller: run.caller,
            state: run.state.name(),
            durable: run.durable,
            attempts: run.attempts,
            started_at: run.started_at,
            ended_at: run.ended_at,
            input: Some(run.input).filter(|input| !input.is_null()),
            output: run.output,
            error: run.error,
        }
    }
}

/// What one step of a run did. What was too large to keep is told by its first bytes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowRunStep)]
pub(crate) struct StepView {
    /// Where it stands, for example `low[3].stock`.
    path: String,
    kind: String,
    /// `started`, `done`, `failed` or `skipped`.
    state: String,
    attempts: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// In milliseconds.
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

impl From<RunStep> for StepView {
    fn from(step: RunStep) -> Self {
        StepView {
            path: step.path,
            kind: step.kind,
            state: step.state,
            attempts: step.attempts,
            started_at: step.started_at,
            duration_ms: step.duration_us as f64 / 1_000.0,
            input: step.input,
            output: step.output,
            error: step.error,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlowRunList {
    runs: Vec<RunView>,
    /// Pass it as `before` for the page behind this one; absent on the last page.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<RunId>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookedRuns {
    /// Id or name of a flow; all flows without it.
    flow: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Only runs that are older than this one.
    before: Option<String>,
}

fn id_of(named: &str) -> Result<RunId, Fault> {
    named
        .parse()
        .map_err(|_| Fault::not_found("The workspace has no such run."))
}

/// Lists runs of flows
///
/// Newest first, of a workspace or of one flow. Inputs and outputs are left out.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flow-runs", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), LookedRuns),
    responses((status = 200, description = "A page of runs.", body = FlowRunList), Faults)
)]
pub(crate) async fn list_flow_runs(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(looked): Query<LookedRuns>,
) -> Answer<axum::Json<FlowRunList>> {
    let workspace = find(&app, &actor, &id).await?;
    let limit = checked_limit(looked.limit)?;
    let before = looked.before.as_deref().map(id_of).transpose()?;
    let flow = looked.flow.as_deref();
    let runs = app
        .flow_runs(&actor, &workspace.id, flow, before.as_ref(), limit)
        .await?;
    let is_full = i64::try_from(runs.len()).is_ok_and(|count| count == limit);
    let next = runs.last().filter(|_| is_full).map(|run| run.id.clone());
    let runs = runs.into_iter().map(RunView::from).collect();
    Ok(axum::Json(FlowRunList { runs, next }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneFlowRun {
    run: RunView,
    /// The name of the flow.
    flow: String,
    /// In the order in which they began.
    steps: Vec<StepView>,
}

impl From<RunInFull> for OneFlowRun {
    fn from(full: RunInFull) -> Self {
        OneFlowRun {
            run: full.run.into(),
            flow: full.flow,
            steps: full.steps.into_iter().map(StepView::from).collect(),
        }
    }
}

/// Reads a run of a flow
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flow-runs/{run}", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("run" = String, Path, description = "Id of the run."),
    ),
    responses((status = 200, description = "With what its steps did.", body = OneFlowRun), Faults)
)]
pub(crate) async fn read_flow_run(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, run)): Path<(String, String)>,
) -> Answer<axum::Json<OneFlowRun>> {
    let workspace = find(&app, &actor, &id).await?;
    let found = app.flow_run(&actor, &workspace.id, &id_of(&run)?).await?;
    Ok(axum::Json(found.into()))
}

/// Cancels a run of a flow
///
/// One that is durable and under way; what its steps did is not undone. One that has ended stays as it
/// is. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flow-runs/{run}/cancel", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("run" = String, Path, description = "Id of the run."),
    ),
    responses((status = 200, description = "The run as it is now.", body = OneFlowRun), Faults)
)]
pub(crate) async fn cancel_flow_run(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, run)): Path<(String, String)>,
) -> Answer<axum::Json<OneFlowRun>> {
    let workspace = find(&app, &admin, &id).await?;
    let run = id_of(&run)?;
    let cancelled = app.cancel_flow_run(&admin, &workspace.id, &run).await?;
    Ok(axum::Json(cancelled.into()))
}
