//! The newest tool calls, of a workspace or of the organization.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::exported::{as_file, file_of, id_of};
use crate::paging::checked_limit;
use crate::read::{Path, Query, instant, position};
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use quaymaster_app::activity::{CallFilter, Ended, Position};
use quaymaster_app::{Actor, App, CallRow};
use quaymaster_core::id::{CallId, CredentialId, UserId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only calls that counted to this workspace. An endpoint that names one in its path has no other.
    #[param(ignore)]
    workspace: Option<String>,
    /// Only calls of this tool.
    tool: Option<String>,
    /// Only calls with this credential, by its id.
    credential: Option<String>,
    /// Only calls of this person, by the id of the user.
    user: Option<String>,
    /// Only calls that used this account, as `service:account`; a service alone stands for all its
    /// accounts.
    account: Option<String>,
    /// `ok`, `failed`, or the code of a fault, as `NOT_FOUND`.
    outcome: Option<String>,
    /// Only calls that began at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    from: Option<Instant>,
    /// Only calls that began before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    to: Option<Instant>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Only calls behind the end of the page before, which is its `next`; or that began before an instant.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "position")]
    before: Option<Position>,
    /// `json` for a page. `csv` and `jsonl` are files of all calls that fit, at most 100,000, with names
    /// beside ids; `limit` does not count then. Without it, `Accept` decides.
    #[param(default = "json")]
    format: Option<String>,
}

impl Asked {
    fn filter(self, workspace: Option<WorkspaceId>) -> Result<CallFilter, Fault> {
        let ended = self.outcome.map(|outcome| match outcome.as_str() {
            "ok" | "OK" => Ended::Well,
            "failed" => Ended::Failed,
            _ => Ended::With(outcome),
        });
        Ok(CallFilter {
            workspace,
            is_of_workspaces: false,
            tool: self.tool,
            credential: id_of(self.credential, "/credential")?,
            user: id_of(self.user, "/user")?,
            account: self.account,
            ended,
            from: self.from,
            to: self.to,
            before: self.before,
        })
    }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl CallList {
    fn new(rows: Vec<CallRow>, limit: i64) -> Self {
        let is_full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
        let next = rows.last().filter(|_| is_full);
        CallList {
            next: next.map(|row| row.position().to_string()),
            calls: rows.into_iter().map(CallView::from).collect(),
        }
    }
}

async fn answer(
    app: &App,
    actor: &Actor,
    headers: &HeaderMap,
    mut asked: Asked,
    workspace: Option<WorkspaceId>,
) -> Answer<Response> {
    let file = file_of(headers, asked.format.take().as_deref())?;
    let limit = checked_limit(asked.limit)?;
    let filter = asked.filter(workspace)?;
    if let Some(format) = file {
        let rows = app.export_calls(actor, filter, format).await?;
        return Ok(as_file("calls", format, rows));
    }
    let rows = app.calls(actor, &filter, limit).await?;
    Ok(Json(CallList::new(rows, limit)).into_response())
}

/// Lists a workspace's tool calls
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/calls", tag = "Activity",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Asked),
    responses((status = 200, description = "A page of calls.", body = CallList), Faults)
)]
pub(crate) async fn list_workspace_calls(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    if asked.workspace.is_some() {
        let said = "The path names the workspace already.";
        return Err(Fault::invalid_arg("/workspace", "additionalProperties", said).into());
    }
    let workspace = find(&app, &actor, &id).await?;
    answer(&app, &actor, &headers, asked, Some(workspace.id)).await
}

/// Lists the organization's tool calls
///
/// Newest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/calls", tag = "Activity",
    security(("bearer" = ["admin"])),
    params(("workspace" = Option<String>, Query, description = "Only calls that counted to this workspace, by its id or slug."), Asked),
    responses((status = 200, description = "A page of calls.", body = CallList), Faults)
)]
pub(crate) async fn list_calls(
    State(app): State<App>,
    Administrator(admin): Administrator,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    let workspace = match &asked.workspace {
        Some(id) => Some(find(&app, &admin, id).await?.id),
        None => None,
    };
    answer(&app, &admin, &headers, asked, workspace).await
}
