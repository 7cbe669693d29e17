//! Who changed what in the organization.

use crate::auth::Administrator;
use crate::error::{Answer, Faults};
use crate::paging::checked_limit;
use crate::read::Query;
use axum::Json;
use axum::extract::State;
use quaymaster_app::{App, Event};
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, EventId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Newest {
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
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
}

/// Lists who changed what
///
/// Newest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "Activity",
    security(("bearer" = ["admin"])), params(Newest),
    responses((status = 200, description = "The newest events.", body = EventList), Faults)
)]
pub(crate) async fn list_events(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Query(newest): Query<Newest>,
) -> Answer<Json<EventList>> {
    let events = app.events(&admin, checked_limit(newest.limit)?).await?;
    Ok(Json(EventList {
        events: events.into_iter().map(EventView::from).collect(),
    }))
}
