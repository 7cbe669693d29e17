//! Integrations of a workspace: listed, switched on, changed, switched off.

use crate::auth::{Administrator, Person, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::read::{Change, Json, Path, nullable};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::integrations::{
    Integration, IntegrationChange, NewIntegration, Strategy, connector_key,
};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{ConnectionId, IntegrationId, OAuthAppId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whose account a call uses: `fixed` the one that the integration names, `per_user` the end user's
/// own, `per_user_with_fallback` the end user's own or else the one that it names.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionStrategy)]
pub(crate) enum StrategyView {
    Fixed,
    PerUser,
    PerUserWithFallback,
}

impl From<StrategyView> for Strategy {
    fn from(view: StrategyView) -> Self {
        match view {
            StrategyView::Fixed => Strategy::Fixed,
            StrategyView::PerUser => Strategy::PerUser,
            StrategyView::PerUserWithFallback => Strategy::PerUserWithFallback,
        }
    }
}

impl From<Strategy> for StrategyView {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Fixed => StrategyView::Fixed,
            Strategy::PerUser => StrategyView::PerUser,
            Strategy::PerUserWithFallback => StrategyView::PerUserWithFallback,
        }
    }
}

/// A connector that is switched on in a workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WorkspaceIntegration)]
pub(crate) struct IntegrationView {
    #[schema(value_type = String)]
    id: IntegrationId,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    /// Key of the connector.
    integration_name: String,
    /// Unique in the workspace; in front of the names of its tools.
    alias: String,
    connection_strategy: StrategyView,
    /// Key of the way to sign in that end users are offered; null is any.
    auth_method_key: Option<String>,
    /// `custom` where the organization has set an OAuth app for the connector.
    oauth_app_mode: Option<&'static str>,
    /// Id of that app.
    #[schema(value_type = Option<String>)]
    oauth_app_id: Option<OAuthAppId>,
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    display_name: Option<String>,
    /// Keys of the actions that are switched on; null is all.
    enabled_actions: Option<Vec<String>>,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    sort_order: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl IntegrationView {
    fn of(integration: Integration, apps: &BTreeMap<String, OAuthAppId>) -> Self {
        let oauth_app_id = apps.get(&integration.connector).cloned();
        IntegrationView {
            id: integration.id,
            workspace_id: integration.workspace,
            integration_name: integration.connector,
            alias: integration.alias,
            connection_strategy: integration.strategy.into(),
            auth_method_key: integration.auth,
            oauth_app_mode: oauth_app_id.as_ref().map(|_| CUSTOM),
            oauth_app_id,
            connection_id: integration.connection,
            display_name: integration.display_name,
            enabled_actions: integration.enabled_actions,
            settings: integration.settings,
            sort_order: integration.sort_order,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }
}

/// Whose OAuth app it is: there are none but those of organizations.
pub(crate) const CUSTOM: &str = "custom";

/// What cannot be an id names no integration.
pub(crate) fn id_of(named: &str) -> Result<IntegrationId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such integration in the workspace.")
            .hint("GET /api/v1/workspaces/{id}/integrations lists them.")
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct IntegrationList {
    integrations: Vec<IntegrationView>,
    total: usize,
}

/// Lists the integrations of a workspace
///
/// By `sortOrder`, then by age.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/integrations", tag = "Integrations",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "All of them.", body = IntegrationList), Faults)
)]
pub(crate) async fn list_integrations(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<IntegrationList>> {
    let workspace = find(&app, &actor, &id).await?;
    let all = app.integrations(&actor, &workspace.id).await?;
    let apps = app.oauth_app_ids(&actor).await?;
    Ok(axum::Json(IntegrationList {
        total: all.len(),
        integrations: all
            .into_iter()
            .map(|one| IntegrationView::of(one, &apps))
            .collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AddIntegration {
    /// Key of the connector; a hyphen equals an underscore.
    integration_name: String,
    /// The connector's key unless said otherwise.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,63}$")]
    alias: Option<String>,
    /// `fixed` unless said otherwise.
    connection_strategy: Option<StrategyView>,
    auth_method_key: Option<String>,
    /// Id, external id or name of a connection. Needed for `fixed`.
    connection_id: Option<String>,
    #[schema(max_length = 120)]
    display_name: Option<String>,
    /// Keys of actions; all when it is absent.
    enabled_actions: Option<Vec<String>>,
    /// Kept and answered; nothing acts on it.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    sort_order: Option<i64>,
    /// Taken, of no effect: accounts sign in by the app that the organization has set.
    #[serde(rename = "oauthAppMode")]
    _oauth_app_mode: Option<String>,
    /// Id of that app.
    oauth_app_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneIntegration {
    integration: IntegrationView,
}

impl OneIntegration {
    async fn of(app: &App, actor: &Actor, integration: Integration) -> Result<Self, Fault> {
        let apps = app.oauth_app_ids(actor).await?;
        Ok(OneIntegration {
            integration: IntegrationView::of(integration, &apps),
        })
    }
}

/// Switches a connector on in a workspace
///
/// Servers that follow the workspace have its tools when the answer arrives. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/integrations", tag = "Integrations",
    security(("bearer" = ["admin"])), request_body = AddIntegration,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 201, description = "The integration.", body = OneIntegration), Faults)
)]
pub(crate) async fn add_integration(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(new): Json<AddIntegration>,
) -> Answer<(StatusCode, axum::Json<OneIntegration>)> {
    let workspace = find(&app, &admin, &id).await?;
    let key = connector_key(&new.integration_name);
    let own_app = new.oauth_app_id.as_deref();
    app.checked_oauth_app(&admin, &key, own_app).await?;
    let new = NewIntegration {
        connector: new.integration_name,
        alias: new.alias,
        strategy: new.connection_strategy.map_or(Strategy::Fixed, Into::into),
        auth: new.auth_method_key,
        connection: new.connection_id,
        display_name: new.display_name,
        enabled_actions: new.enabled_actions,
        settings: new.settings.unwrap_or_default(),
        sort_order: new.sort_order,
    };
    let made = app
        .create_integration(&admin, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    let made = OneIntegration::of(&app, &admin, made).await?;
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// What is absent stays; null takes away.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeIntegration {
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,63}$")]
    alias: Option<String>,
    connection_strategy: Option<StrategyView>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    auth_method_key: Option<Option<String>>,
    /// Id, external id or name of a connection.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    connection_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 120)]
    display_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Vec<String>>)]
    enabled_actions: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    settings: Option<Option<Map<String, Value>>>,
    sort_order: Option<i64>,
    /// Taken, of no effect: accounts sign in by the app that the organization has set.
    #[serde(rename = "oauthAppMode")]
    _oauth_app_mode: Option<String>,
    /// Id of that app.
    oauth_app_id: Option<String>,
}

/// Changes an integration
///
/// Connected clients are told when their list of tools changes. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{id}/integrations/{integration}", tag = "Integrations",
    security(("bearer" = ["admin"])), request_body = ChangeIntegration,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("integration" = String, Path, description = "Id of the integration."),
    ),
    responses((status = 200, description = "The integration as it is now.", body = OneIntegration), Faults)
)]
pub(crate) async fn update_integration(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path((id, integration)): Path<(String, String)>,
    Change(change): Change<ChangeIntegration>,
) -> Answer<axum::Json<OneIntegration>> {
    let workspace = find(&app, &admin, &id).await?;
    let integration = id_of(&integration)?;
    if let Some(own_app) = &change.oauth_app_id {
        let before = app.integration(&admin, &workspace.id, &integration).await?;
        app.checked_oauth_app(&admin, &before.connector, Some(own_app))
            .await?;
    }
    let change = IntegrationChange {
        alias: change.alias,
        strategy: change.connection_strategy.map(Into::into),
        auth: change.auth_method_key,
        connection: change.connection_id,
        display_name: change.display_name,
        enabled_actions: change.enabled_actions,
        settings: change.settings.map(Option::unwrap_or_default),
        sort_order: change.sort_order,
    };
    let changed = app
        .update_integration(&admin, &workspace.id, &integration, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OneIntegration::of(&app, &admin, changed).await?))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedIntegration {
    deleted: bool,
    #[schema(value_type = String)]
    id: IntegrationId,
}

/// Switches a connector off in a workspace
///
/// The tools that servers have of it go with it. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/integrations/{integration}", tag = "Integrations",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("integration" = String, Path, description = "Id of the integration."),
    ),
    responses((status = 200, description = "It is gone.", body = RemovedIntegration), Faults)
)]
pub(crate) async fn remove_integration(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path((id, integration)): Path<(String, String)>,
) -> Answer<axum::Json<RemovedIntegration>> {
    let workspace = find(&app, &admin, &id).await?;
    let id = id_of(&integration)?;
    app.delete_integration(&admin, &workspace.id, &id).await?;
    Ok(axum::Json(RemovedIntegration { deleted: true, id }))
}
