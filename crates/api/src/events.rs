//! Who changed what in the organization.

use crate::auth::Administrator;
use crate::error::{Answer, Faults};
use crate::exported::{as_file, file_of};
use crate::paging::checked_limit;
use crate::read::{Query, instant, position};
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use quaymaster_app::activity::{EventFilter, Position};
use quaymaster_app::{App, Event};
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, EventId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only changes in this workspace, by its id or slug.
    workspace: Option<String>,
    /// Only what this user or credential did, by its id; `command line` for the operator.
    actor: Option<String>,
    /// Only changes like `credential.revoked`, or of a noun, as `credential`.
    action: Option<String>,
    /// Only changes at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    from: Option<Instant>,
    /// Only changes before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    to: Option<Instant>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Only changes behind the end of the page before, which is its `next`; or before an instant.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "position")]
    before: Option<Position>,
    /// `json` for a page. `csv` and `jsonl` are files of all changes that fit, at most 100,000; `limit`
    /// does not count then. Without it, `Accept` decides.
    #[param(default = "json")]
    format: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub(crate) struct EventView {
    #[schema(value_type = String)]
    id: EventId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    /// The credential that it is about.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_id: Option<CredentialId>,
    /// Who did it: the id of a user or credential, or `command line`.
    actor: String,
    /// Noun and past participle, for example `credential.revoked`.
    action: String,
    #[schema(value_type = Object)]
    details: Value,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        EventView {
            id: event.id,
            at: event.at,
            workspace_id: event.workspace,
            credential_id: event.credential,
            actor: event.actor,
            action: event.action,
            details: event.details,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    events: Vec<EventView>,
    /// For `before` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists who changed what
///
/// Newest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "Activity",
    security(("bearer" = ["admin"])), params(Asked),
    responses((status = 200, description = "A page of changes.", body = EventList), Faults)
)]
pub(crate) async fn list_events(
    State(app): State<App>,
    Administrator(admin): Administrator,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    let file = file_of(&headers, asked.format.as_deref())?;
    let limit = checked_limit(asked.limit)?;
    let workspace = match &asked.workspace {
        Some(id) => Some(find(&app, &admin, id).await?.id),
        None => None,
    };
    let filter = EventFilter {
        workspace,
        actor: asked.actor,
        action: asked.action,
        from: asked.from,
        to: asked.to,
        before: asked.before,
    };
    if let Some(format) = file {
        let rows = app.export_events(&admin, filter, format).await?;
        return Ok(as_file("changes", format, rows));
    }
    let events = app.events(&admin, &filter, limit).await?;
    let is_full = usize::try_from(limit).is_ok_and(|limit| events.len() >= limit);
    let next = events.last().filter(|_| is_full);
    let list = EventList {
        next: next.map(|event| event.position().to_string()),
        events: events.into_iter().map(EventView::from).collect(),
    };
    Ok(Json(list).into_response())
}
