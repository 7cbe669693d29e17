//! The tools of hosted MCP servers: listed, picked, changed, taken away.

use crate::auth::{Administrator, Person, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::read::{Change, Json, Path, nullable};
use crate::servers::id_of as server_of;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::server_tools::{NewTool, ToolChange, ToolRow};
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, IntegrationId, PartialId, ServerId, ServerToolId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A tool of a server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpServerTool)]
pub(crate) struct ServerToolView {
    /// Id of the picked tool; of one that follows the workspace its name.
    id: String,
    #[schema(value_type = String)]
    mcp_server_id: ServerId,
    /// What agents call.
    name: String,
    integration_name: String,
    integration_alias: String,
    action_name: String,
    tool_type: &'static str,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<ConnectionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// JSON Schema of what agents pass, without what is locked.
    #[schema(value_type = Object)]
    input_schema: Value,
    #[schema(value_type = Object)]
    input_defaults: Map<String, Value>,
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_ids: Option<Vec<PartialId>>,
    sort_order: i64,
    /// The integration that it stands on.
    #[schema(value_type = String)]
    source_workspace_integration_id: IntegrationId,
}

impl ServerToolView {
    pub(crate) fn of(server: &ServerId, row: ToolRow) -> Self {
        let picked = row.tool;
        let of_picked = picked.as_ref();
        ServerToolView {
            id: of_picked.map_or_else(|| row.def.name.to_string(), |tool| tool.id.to_string()),
            mcp_server_id: server.clone(),
            name: row.def.name.to_string(),
            integration_name: row.integration.connector,
            integration_alias: row.integration.alias,
            action_name: row.action,
            tool_type: "ACTION",
            connection_id: row.connection,
            display_name: of_picked.and_then(|tool| tool.display_name.clone()),
            description: of_picked.and_then(|tool| tool.description.clone()),
            input_schema: Value::Object(row.def.input.as_ref().clone()),
            sort_order: of_picked.map_or(0, |tool| tool.sort_order),
            input_defaults: picked.map(|tool| tool.input_defaults).unwrap_or_default(),
            partial_ids: row.partials,
            source_workspace_integration_id: row.integration.id,
        }
    }
}

fn tool_of(named: &str) -> Result<ServerToolId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("The server has no such tool.")
            .hint("GET /api/v1/mcp/servers/{id}/tools lists them. A tool that follows the workspace is changed there.")
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ServerToolList {
    pub(crate) tools: Vec<ServerToolView>,
    pub(crate) total: usize,
}

/// Lists the tools of a server
///
/// In the order in which agents see them. Companions for looking up values are not among them.
#[utoipa::path(
    get, path = "/api/v1/mcp/servers/{id}/tools", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "All of them.", body = ServerToolList), Faults)
)]
pub(crate) async fn list_server_tools(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<ServerToolList>> {
    let id = server_of(&id)?;
    let rows = app.server_tools(&actor, &id).await?;
    Ok(axum::Json(ServerToolList {
        total: rows.len(),
        tools: rows
            .into_iter()
            .map(|row| ServerToolView::of(&id, row))
            .collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AddServerTool {
    /// Key of the connector; a hyphen equals an underscore.
    integration_name: String,
    /// Key of the action.
    action_name: String,
    /// An integration of the workspace, or a new one.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,63}$")]
    integration_alias: Option<String>,
    #[serde(rename = "toolType")]
    _tool_type: Option<ToolType>,
    /// Id, external id or name of a connection.
    connection_id: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    /// Inputs for when the agent gives none.
    #[schema(value_type = Option<Object>)]
    input_defaults: Option<Map<String, Value>>,
    /// Ids or names. Absent lets the workspace's default partials hold, an empty list none.
    partial_ids: Option<Vec<String>>,
    sort_order: Option<i64>,
}

/// The one kind of tool there is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ToolType {
    Action,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneServerTool {
    tool: ServerToolView,
}

/// Picks a tool for a server
///
/// One for each call. The first makes the server's list a picked one. The integration is made where
/// the workspace has none. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/tools", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = AddServerTool,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 201, description = "The tool.", body = OneServerTool), Faults)
)]
pub(crate) async fn add_server_tool(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(new): Json<AddServerTool>,
) -> Answer<(StatusCode, axum::Json<OneServerTool>)> {
    let id = server_of(&id)?;
    let new = NewTool {
        connector: new.integration_name,
        alias: new.integration_alias,
        action: new.action_name,
        connection: new.connection_id,
        display_name: new.display_name,
        description: new.description,
        input_defaults: new.input_defaults.unwrap_or_default(),
        partials: new.partial_ids,
        sort_order: new.sort_order,
    };
    let made = app
        .add_server_tool(&admin, &id, new)
        .await
        .map_err(ApiError::about_body)?;
    let tool = ServerToolView::of(&id, made);
    Ok((StatusCode::CREATED, axum::Json(OneServerTool { tool })))
}

/// What is absent stays.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeServerTool {
    integration_alias: Option<String>,
    /// Null lets the integration's hold.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    connection_id: Option<Option<String>>,
    /// Null lets the action's own hold.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    display_name: Option<Option<String>>,
    /// Null lets the action's own hold.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
    #[schema(value_type = Option<Object>)]
    input_defaults: Option<Map<String, Value>>,
    /// Ids or names; null lets the workspace's default partials hold, an empty list none.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, deserialize_with = "nullable")]
    partial_ids: Option<Option<Vec<String>>>,
    sort_order: Option<i64>,
}

/// Changes a picked tool
///
/// Connected clients are told. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/mcp/servers/{id}/tools/{tool}", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = ChangeServerTool,
    params(
        ("id" = String, Path, description = "Id of the server."),
        ("tool" = String, Path, description = "Id of the tool."),
    ),
    responses((status = 200, description = "The tool as it is now.", body = OneServerTool), Faults)
)]
pub(crate) async fn update_server_tool(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path((id, tool)): Path<(String, String)>,
    Change(change): Change<ChangeServerTool>,
) -> Answer<axum::Json<OneServerTool>> {
    let id = server_of(&id)?;
    let change = ToolChange {
        alias: change.integration_alias,
        connection: change.connection_id,
        display_name: change.display_name,
        description: change.description,
        input_defaults: change.input_defaults,
        partials: change.partial_ids,
        sort_order: change.sort_order,
    };
    let changed = app
        .update_server_tool(&admin, &id, &tool_of(&tool)?, change)
        .await
        .map_err(ApiError::about_body)?;
    let tool = ServerToolView::of(&id, changed);
    Ok(axum::Json(OneServerTool { tool }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedServerTool {
    deleted: bool,
    #[schema(value_type = String)]
    id: ServerToolId,
}

/// Takes a picked tool away
///
/// A call that is running ends as it would. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/mcp/servers/{id}/tools/{tool}", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id of the server."),
        ("tool" = String, Path, description = "Id of the tool."),
    ),
    responses((status = 200, description = "It is gone.", body = DeletedServerTool), Faults)
)]
pub(crate) async fn delete_server_tool(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path((id, tool)): Path<(String, String)>,
) -> Answer<axum::Json<DeletedServerTool>> {
    let (server, tool) = (server_of(&id)?, tool_of(&tool)?);
    app.delete_server_tool(&admin, &server, &tool).await?;
    Ok(axum::Json(DeletedServerTool {
        deleted: true,
        id: tool,
    }))
}
