//! The tools of the MCP server of a connection: read, and accepted after they changed.

use crate::auth::{Administrator, Person};
use crate::connections::id_of;
use crate::error::{Answer, Faults};
use crate::read::Path;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::discovery::{FoundTools, Tool, ToolChanges};
use quaymaster_core::Instant;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A tool as its server tells of it. None of it is checked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpstreamTool)]
pub(crate) struct ToolView {
    name: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// JSON Schema 2020-12 of an object.
    #[schema(value_type = Object)]
    input_schema: Map<String, Value>,
    /// It changes nothing: calls of it need the scope `read:tools` only.
    read_only: bool,
    destructive: bool,
}

impl From<Tool> for ToolView {
    fn from(tool: Tool) -> Self {
        ToolView {
            read_only: tool.read_only == Some(true),
            destructive: tool.destructive == Some(true),
            name: tool.name,
            title: tool.title,
            description: tool.description,
            input_schema: tool.input,
        }
    }
}

/// Names of tools that are others than an administrator last accepted, which is when the account was
/// connected unless later.
#[derive(Serialize, ToSchema)]
#[schema(as = UpstreamToolChanges)]
pub(crate) struct Changes {
    added: Vec<String>,
    removed: Vec<String>,
    /// With another description, other inputs or other hints.
    changed: Vec<String>,
}

impl From<ToolChanges> for Changes {
    fn from(changes: ToolChanges) -> Self {
        Changes {
            added: changes.added,
            removed: changes.removed,
            changed: changes.changed,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionTools {
    tools: Vec<ToolView>,
    changes: Changes,
    /// Tools that cannot be called by their names, and are left out.
    unusable: usize,
    /// The server has more than are kept.
    is_cut: bool,
    /// When the server was last asked; none when it never answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    found_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<Instant>,
}

impl From<Option<FoundTools>> for ConnectionTools {
    fn from(found: Option<FoundTools>) -> Self {
        let Some(found) = found else {
            return ConnectionTools {
                tools: Vec::new(),
                changes: ToolChanges::default().into(),
                unusable: 0,
                is_cut: false,
                found_at: None,
                changed_at: None,
            };
        };
        ConnectionTools {
            tools: found.tools.into_iter().map(ToolView::from).collect(),
            changes: found.changes.into(),
            unusable: found.unusable,
            is_cut: found.is_cut,
            found_at: Some(found.found_at),
            changed_at: found.changed_at,
        }
    }
}

/// Lists the tools of a connection's MCP server
///
/// As they were found when the account was last verified; nothing is asked of the server. Empty for
/// connectors of another kind.
#[utoipa::path(
    get, path = "/api/v1/connections/{id}/tools", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The tools.", body = ConnectionTools), Faults)
)]
pub(crate) async fn list_connection_tools(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<ConnectionTools>> {
    let found = app.found_tools(&actor, &id_of(&id)?).await?;
    Ok(axum::Json(found.into()))
}

/// Accepts the tools of a connection as they are
///
/// `changes` is empty afterwards, until they change again. Agents reach changed tools before and
/// after. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/tools/accept", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The tools.", body = ConnectionTools), Faults)
)]
pub(crate) async fn accept_connection_tools(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
) -> Answer<axum::Json<ConnectionTools>> {
    let id = id_of(&id)?;
    app.accept_tools(&admin, &id).await?;
    let found = app.found_tools(&admin, &id).await?;
    Ok(axum::Json(found.into()))
}
