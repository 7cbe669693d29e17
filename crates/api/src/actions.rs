//! Single actions: run one, and ask which values an input can have.

use crate::auth::{Gateway, Within};
use crate::error::{Answer, Faults};
use crate::integrations;
use crate::read::{Json, Path};
use crate::workspaces::find;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::actions::{Wanted, output_of};
use quaymaster_app::integrations::connector_key;
use quaymaster_core::{Code, Fault, ManagementName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Instant as Monotonic;
use utoipa::ToSchema;

const MOST: usize = 8 * 1024 * 1024;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ExecuteAction {
    /// Key of the connector; a hyphen equals an underscore.
    integration_name: String,
    /// Key of the action.
    action_name: String,
    #[schema(value_type = Option<Object>)]
    input: Option<Map<String, Value>>,
    /// Id, external id or name of a connection; else what the integration says.
    connection_external_id: Option<String>,
    #[serde(rename = "authMethodKey")]
    _auth_method_key: Option<String>,
    /// Id or slug of the workspace.
    workspace_id: String,
    workspace_integration_id: Option<String>,
    /// Our id of the end user, or the developer's.
    end_user_id: Option<String>,
    integration_alias: Option<String>,
    /// Ids or names. Absent lets the default partials hold, an empty list none.
    partial_ids: Option<Vec<String>>,
    /// The same request with the same key runs an action that writes once, and is answered with what came
    /// of the first, for a day. The service gets it as `Idempotency-Key`.
    #[schema(min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ExecutedAction {
    success: bool,
    /// What the service answered.
    #[schema(value_type = Object)]
    output: Value,
    /// Milliseconds.
    duration: u64,
}

/// Runs one action
///
/// It passes the same checks as an agent's call, and counts to the workspace's daily cap.
#[utoipa::path(
    post, path = "/api/v1/actions/execute", tag = "Integrations",
    security(("bearer" = ["connector:gateway"])), request_body = ExecuteAction,
    responses((status = 200, description = "What came of it.", body = ExecutedAction), Faults)
)]
pub(crate) async fn execute_action(
    State(app): State<App>,
    Within(Gateway(caller, actor)): Within<Gateway>,
    Json(asked): Json<ExecuteAction, MOST>,
) -> Answer<axum::Json<ExecutedAction>> {
    let begun = Monotonic::now();
    let workspace = find(&app, &actor, &asked.workspace_id).await?;
    let integration = asked.workspace_integration_id.as_deref();
    let wanted = Wanted {
        connector: asked.integration_name,
        action: asked.action_name,
        integration: integration.map(integrations::id_of).transpose()?,
        alias: asked.integration_alias,
        connection: asked.connection_external_id,
        end_user: asked.end_user_id,
        partials: asked.partial_ids,
        idempotency_key: asked.idempotency_key,
    };
    let input = asked.input.unwrap_or_default();
    let result = app
        .execute_action(&caller, &actor, &workspace.id, &wanted, input)
        .await?;
    Ok(axum::Json(ExecutedAction {
        success: true,
        output: output_of(result),
        duration: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskOptions {
    action_name: Option<String>,
    #[serde(rename = "triggerName")]
    trigger_name: Option<String>,
    /// The input whose values are wanted.
    property_name: String,
    connection_external_id: Option<String>,
    #[serde(rename = "authMethodKey")]
    _auth_method_key: Option<String>,
    /// Id or slug of the workspace.
    workspace_id: Option<String>,
    workspace_integration_id: Option<String>,
    integration_alias: Option<String>,
    end_user_id: Option<String>,
    /// Inputs that are known so far.
    #[schema(value_type = Option<Object>)]
    input: Option<Map<String, Value>>,
    partial_ids: Option<Vec<String>>,
    /// Only values with this text.
    search_value: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OptionList {
    /// Each `{value, label}`.
    #[schema(value_type = Vec<Object>)]
    options: Value,
    /// There is nothing to choose from before other inputs are known. Never here: that is an error
    /// which names them.
    disabled: bool,
}

/// Which values an input can have
#[utoipa::path(
    post, path = "/api/v1/integrations/{name}/properties/options", tag = "Integrations",
    security(("bearer" = ["connector:gateway"])), request_body = AskOptions,
    params(("name" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The values.", body = OptionList), Faults)
)]
pub(crate) async fn list_property_options(
    State(app): State<App>,
    Within(Gateway(caller, actor)): Within<Gateway>,
    Path(name): Path<String>,
    Json(asked): Json<AskOptions>,
) -> Answer<axum::Json<OptionList>> {
    if asked.trigger_name.is_some() {
        return Err(crate::later::triggers().into());
    }
    let action = asked.action_name.ok_or_else(|| {
        Fault::invalid_arg(
            "/actionName",
            "required",
            "The field actionName is missing.",
        )
    })?;
    let workspace = match &asked.workspace_id {
        Some(named) => find(&app, &actor, named).await?.id,
        None => app
            .workspaces(&actor)
            .await?
            .into_iter()
            .next()
            .map(|one| one.id)
            .ok_or_else(|| Fault::not_found("The organization has no workspace yet."))?,
    };
    let integration = asked.workspace_integration_id.as_deref();
    let wanted = Wanted {
        connector: name,
        action,
        integration: integration.map(integrations::id_of).transpose()?,
        alias: asked.integration_alias,
        connection: asked.connection_external_id,
        end_user: asked.end_user_id,
        partials: asked.partial_ids,
        idempotency_key: None,
    };
    let mut input = asked.input.unwrap_or_default();
    if let Some(search) = asked.search_value {
        input.insert("search".to_owned(), Value::String(search));
    }
    let property = &asked.property_name;
    let result = app
        .property_options(&caller, &actor, &workspace, &wanted, property, input)
        .await
        .map_err(|fault| match fault.code {
            Code::UpstreamError | Code::Timeout => fault.called(ManagementName::OptionsFailed),
            _ => fault,
        })?;
    let options = match result.structured {
        Some(Value::Object(mut members)) => members.remove("options").unwrap_or_default(),
        _ => Value::Array(Vec::new()),
    };
    Ok(axum::Json(OptionList {
        options,
        disabled: false,
    }))
}

/// Resolves an input whose own inputs depend on others
///
/// No action of a connector has such inputs: the answer says so.
#[utoipa::path(
    post, path = "/api/v1/integrations/{name}/properties/resolve", tag = "Integrations",
    security(("bearer" = ["connector:gateway"])), request_body = AskOptions,
    params(("name" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "Never.", body = OptionList), Faults)
)]
pub(crate) async fn resolve_property(
    State(app): State<App>,
    Within(Gateway(_, actor)): Within<Gateway>,
    Path(name): Path<String>,
    Json(asked): Json<AskOptions>,
) -> Answer<axum::Json<OptionList>> {
    let connector = app.connector(&actor, &connector_key(&name)).await?;
    let property = &asked.property_name;
    let message = format!(
        "The input {property:?} of {} is the same whatever the others are.",
        connector.definition.title
    );
    let fault = Fault::invalid_arg("/propertyName", "dynamic", message);
    Err(fault.called(ManagementName::NotDynamic).into())
}
