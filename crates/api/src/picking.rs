//! All tools of a hosted server at once: picked, measured, and one of them called.

use crate::auth::{Administrator, Gateway, Person, Within};
use crate::code::CodeResult;
use crate::error::{Answer, ApiError, Faults};
use crate::integrations;
use crate::read::{Json, Path};
use crate::server_tools::{ServerToolList, ServerToolView};
use crate::servers::id_of;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::picking::Pick;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PickedTool {
    /// Id of an integration of the workspace.
    workspace_integration_id: String,
    /// Key of one of its actions.
    action_name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PickServerTools {
    /// All that the server shall have. Absent or null lets it follow its workspace.
    tools: Option<Vec<PickedTool>>,
}

/// Picks all tools of a server at once
///
/// Tools that stay keep what was set for them; those that are not named go. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/mcp/servers/{id}/tools/picked", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = PickServerTools,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "The tools as they are now.", body = ServerToolList), Faults)
)]
pub(crate) async fn pick_server_tools(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(asked): Json<PickServerTools>,
) -> Answer<axum::Json<ServerToolList>> {
    let id = id_of(&id)?;
    let pick = |tool: PickedTool| {
        Ok(Pick {
            integration: integrations::id_of(&tool.workspace_integration_id)?,
            action: tool.action_name,
        })
    };
    let picks = asked
        .tools
        .map(|tools| tools.into_iter().map(pick).collect());
    let picks: Option<Result<Vec<Pick>, quaymaster_core::Fault>> = picks;
    let rows = app
        .pick_server_tools(&admin, &id, picks.transpose()?)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(ServerToolList {
        total: rows.len(),
        tools: rows
            .into_iter()
            .map(|row| ServerToolView::of(&id, row))
            .collect(),
    }))
}

/// Estimates: tokenizers of models differ.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolListSizeView {
    /// How many tools there are in TOOLS mode, those for looking up values and those of flows too.
    tools: usize,
    /// How many integrations of the workspace there is no room for: a server has at most 20,000 actions.
    left_out: usize,
    /// About how many tokens a model reads in TOOLS mode.
    tools_mode_tokens: usize,
    /// About how many tokens a model reads in CODE mode.
    code_mode_tokens: usize,
}

/// Estimates what the list of tools costs
///
/// In tokens that a model reads before it does anything, in both modes.
#[utoipa::path(
    get, path = "/api/v1/mcp/servers/{id}/tool-list-size", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "The estimates.", body = ToolListSizeView), Faults)
)]
pub(crate) async fn read_tool_list_size(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<ToolListSizeView>> {
    let size = app.tool_list_size(&actor, &id_of(&id)?).await?;
    Ok(axum::Json(ToolListSizeView {
        tools: size.tools,
        left_out: size.left_out,
        tools_mode_tokens: size.tools_mode_tokens,
        code_mode_tokens: size.code_mode_tokens,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallServerTool {
    /// As `tools/list` of the server names it.
    name: String,
    #[schema(value_type = Option<Object>)]
    arguments: Option<Map<String, Value>>,
}

/// Calls a tool of a server
///
/// As its own token would over MCP: with the accounts and saved inputs of the server.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/call", tag = "MCP servers",
    security(("bearer" = ["connector:gateway"])), request_body = CallServerTool,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "What came of it; a call that failed is no failed request.", body = CodeResult), Faults)
)]
pub(crate) async fn call_server_tool(
    State(app): State<App>,
    Within(Gateway(caller, actor)): Within<Gateway>,
    Path(id): Path<String>,
    Json(asked): Json<CallServerTool>,
) -> Answer<axum::Json<CodeResult>> {
    let args = asked.arguments.unwrap_or_default();
    let ran = app
        .call_server_tool(&caller, &actor, &id_of(&id)?, &asked.name, args)
        .await?;
    Ok(axum::Json(CodeResult::of(ran)))
}
