//! Code mode over REST: what programs read, and running one.

use crate::auth::{Gateway, Person, Within};
use crate::error::{Answer, Faults};
use crate::read::{Json, Path};
use crate::servers::id_of;
use crate::tools::Block;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_core::tool::ToolResult;
use quaymaster_core::{Fault, ManagementName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct Declarations {
    /// TypeScript.
    declarations: String,
}

/// Reads the declarations of an integration
///
/// What a program in code mode can call, as TypeScript.
#[utoipa::path(
    get, path = "/api/v1/mcp/servers/{id}/declarations/{alias}", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id of the server."),
        ("alias" = String, Path, description = "Alias of the integration."),
    ),
    responses((status = 200, description = "The declarations.", body = Declarations), Faults)
)]
pub(crate) async fn read_declarations(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path((id, alias)): Path<(String, String)>,
) -> Answer<axum::Json<Declarations>> {
    let declarations = app.declarations(&actor, &id_of(&id)?, &alias).await?;
    Ok(axum::Json(Declarations { declarations }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExecuteCode {
    /// The body of an async JavaScript or TypeScript function.
    code: Option<String>,
    #[serde(rename = "approvalId")]
    approval_id: Option<String>,
    #[serde(rename = "waitForApprovalSeconds")]
    _wait_for_approval_seconds: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeResult {
    content: Vec<Block>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Value>,
    is_error: bool,
}

impl CodeResult {
    /// A result, or the fault that came of a call which was made.
    pub(crate) fn of(ran: Result<ToolResult, Fault>) -> Self {
        match ran {
            Ok(result) => CodeResult {
                content: result.content.into_iter().map(Block::from).collect(),
                structured_content: result.structured,
                is_error: false,
            },
            Err(fault) => {
                let fault = fault.to_json();
                CodeResult {
                    content: vec![Block::Text {
                        text: fault.to_string(),
                    }],
                    structured_content: Some(json!(fault)),
                    is_error: true,
                }
            }
        }
    }
}

/// Runs a program over a server in code mode
///
/// Its calls pass the same checks as an agent's, and use the accounts that the server uses.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/execute-code", tag = "MCP servers",
    security(("bearer" = ["connector:gateway"])), request_body = ExecuteCode,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "What came of it; a program that failed is no failed request.", body = CodeResult), Faults)
)]
pub(crate) async fn execute_code(
    State(app): State<App>,
    Within(Gateway(caller, actor)): Within<Gateway>,
    Path(id): Path<String>,
    Json(asked): Json<ExecuteCode>,
) -> Answer<axum::Json<CodeResult>> {
    if asked.approval_id.is_some() {
        return Err(crate::later::approvals().into());
    }
    let code = asked.code.ok_or_else(|| {
        Fault::invalid_arg("/code", "required", "The field `code` is missing.")
            .called(ManagementName::MissingCode)
    })?;
    let ran = app
        .execute_code(&caller, &actor, &id_of(&id)?, &code)
        .await?;
    Ok(axum::Json(CodeResult::of(ran)))
}
