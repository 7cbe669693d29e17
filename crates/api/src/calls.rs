//! The newest tool calls, of a workspace or of the organization.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::paging::checked_limit;
use crate::read::{Path, Query, instant};
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use quaymaster_app::{App, CallRow};
use quaymaster_core::Instant;
use quaymaster_core::id::{CallId, CredentialId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Since {
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Only calls that began earlier: `next` of the page before.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    before: Option<Instant>,
}

/// What is kept of a call. Arguments and results are not.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Call)]
pub(crate) struct CallView {
    #[schema(value_type = String)]
    id: CallId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    #[schema(value_type = String)]
    credential_id: CredentialId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    tool: String,
    /// The way it came: `mcp-session`, `mcp-stateless`, `rest` or `page`.
    source: String,
    /// The client's name as it told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// Microseconds.
    duration_us: i64,
    /// `answered`, or `dropped` when nobody waited for the answer any more.
    transport: String,
    /// `result`, or `error` when the protocol itself refused the call.
    protocol: String,
    /// `OK` or the code of the fault.
    outcome: String,
    /// The connected accounts that it used, as `service:account`, with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<String>,
    /// The last HTTP status of their service.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<i64>,
}

impl From<CallRow> for CallView {
    fn from(row: CallRow) -> Self {
        CallView {
            id: row.id,
            workspace_id: row.workspace,
            credential_id: row.credential,
            user_id: row.user,
            tool: row.tool,
            source: row.source,
            client: row.client,
            started_at: row.started_at,
            duration_us: row.duration_us,
            transport: row.transport,
            protocol: row.protocol,
            outcome: row.outcome,
            accounts: row.accounts,
            upstream_status: row.upstream_status,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CallList {
    calls: Vec<CallView>,
    /// For `before` of the next page; absent on the last one.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl CallList {
    fn new(rows: Vec<CallRow>, limit: i64) -> Self {
        let is_full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
        // To the microsecond: the milliseconds of `startedAt` would skip calls between.
        let next = rows
            .last()
            .filter(|_| is_full)
            .and_then(|row| jiff::Timestamp::from_microsecond(row.started_at.micros()).ok())
            .map(|at| at.to_string());
        CallList {
            calls: rows.into_iter().map(CallView::from).collect(),
            next,
        }
    }
}

/// Lists a workspace's tool calls
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/calls", tag = "Activity",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Since),
    responses((status = 200, description = "A page of calls.", body = CallList), Faults)
)]
pub(crate) async fn list_workspace_calls(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(since): Query<Since>,
) -> Answer<Json<CallList>> {
    let limit = checked_limit(since.limit)?;
    let workspace = find(&app, &actor, &id).await?;
    let rows = app
        .recent_calls(&actor, Some(&workspace.id), since.before, limit)
        .await?;
    Ok(Json(CallList::new(rows, limit)))
}

/// Lists the organization's tool calls
///
/// Newest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/calls", tag = "Activity",
    security(("bearer" = ["admin"])), params(Since),
    responses((status = 200, description = "A page of calls.", body = CallList), Faults)
)]
pub(crate) async fn list_calls(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Query(since): Query<Since>,
) -> Answer<Json<CallList>> {
    let limit = checked_limit(since.limit)?;
    let rows = app.recent_calls(&admin, None, since.before, limit).await?;
    Ok(Json(CallList::new(rows, limit)))
}
