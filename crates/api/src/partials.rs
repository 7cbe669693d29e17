//! Partials: saved inputs of actions, listed, made, changed, taken away.

use crate::auth::{Administrator, Person, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::integrations;
use crate::read::{Change, Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::partials::{NewPartial, Partial, PartialChange};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{IntegrationId, OrgId, PartialId, WorkspaceId};
use quaymaster_core::{Fault, Instant, ManagementName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Saved inputs of an action. Those in `enforcedKeys` are locked, and hidden from agents.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InputPartial)]
pub(crate) struct PartialView {
    #[schema(value_type = String)]
    id: PartialId,
    #[schema(value_type = String)]
    org_id: OrgId,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    /// Key of the connector.
    integration_name: String,
    /// Only for this integration.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_integration_id: Option<IntegrationId>,
    /// Its alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    integration_alias: Option<String>,
    /// Only for this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_name: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[schema(value_type = Object)]
    values: Map<String, Value>,
    enforced_keys: Vec<String>,
    /// It holds for every tool that names no partials of its own.
    is_default: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl PartialView {
    fn of(partial: Partial, alias: Option<String>) -> Self {
        PartialView {
            integration_alias: alias,
            id: partial.id,
            org_id: partial.org,
            workspace_id: partial.workspace,
            integration_name: partial.connector,
            workspace_integration_id: partial.integration,
            action_name: partial.action,
            name: partial.name,
            description: partial.description,
            values: partial.values,
            enforced_keys: partial.enforced,
            is_default: partial.is_default,
            created_at: partial.created_at,
            updated_at: partial.updated_at,
        }
    }
}

fn id_of(named: &str) -> Result<PartialId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such partial.")
            .called(ManagementName::PartialNotFound)
            .hint("GET /api/v1/partials lists them.")
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct LookedPartials {
    /// Id or slug of the workspace.
    workspace_id: String,
    /// Only those of this connector.
    integration_name: Option<String>,
    /// Only those for this integration.
    workspace_integration_id: Option<String>,
    /// Only those for the integration with this alias.
    integration_alias: Option<String>,
    /// Only those for this action.
    action_name: Option<String>,
    /// No partial is for a trigger yet.
    trigger_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PartialList {
    partials: Vec<PartialView>,
    total: usize,
}

/// Lists partials
///
/// Oldest first: the order in which they are laid over each other.
#[utoipa::path(
    get, path = "/api/v1/partials", tag = "Integrations",
    security(("bearer" = ["admin"])), params(LookedPartials),
    responses((status = 200, description = "All of them.", body = PartialList), Faults)
)]
pub(crate) async fn list_partials(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<LookedPartials>,
) -> Answer<axum::Json<PartialList>> {
    let workspace = find(&app, &actor, &looked.workspace_id).await?;
    let mut all = app.partials(&actor, &workspace.id).await?;
    let known = app.integrations(&actor, &workspace.id).await?;
    if looked.trigger_name.is_some() {
        all.clear();
    }
    if let Some(alias) = &looked.integration_alias {
        let found = known.iter().find(|one| one.alias == *alias);
        let only = found.map(|integration| &integration.id);
        all.retain(|partial| only.is_some() && partial.integration.as_ref() == only);
    }
    let same = |wanted: &Option<String>, has: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| has == Some(wanted))
    };
    all.retain(|partial| {
        same(&looked.integration_name, Some(&partial.connector))
            && same(&looked.action_name, partial.action.as_deref())
            && same(
                &looked.workspace_integration_id,
                partial.integration.as_ref().map(IntegrationId::as_str),
            )
    });
    Ok(axum::Json(PartialList {
        total: all.len(),
        partials: all
            .into_iter()
            .map(|partial| {
                let of = partial.integration.as_ref();
                let of = of.and_then(|of| known.iter().find(|one| one.id == *of));
                PartialView::of(partial, of.map(|integration| integration.alias.clone()))
            })
            .collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreatePartial {
    /// Id or slug of the workspace.
    workspace_id: String,
    /// Key of the connector.
    integration_name: String,
    workspace_integration_id: Option<String>,
    integration_alias: Option<String>,
    action_name: Option<String>,
    #[serde(rename = "triggerName")]
    trigger_name: Option<String>,
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    description: Option<String>,
    #[schema(value_type = Option<Object>)]
    values: Option<Map<String, Value>>,
    enforced_keys: Option<Vec<String>>,
    is_default: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OnePartial {
    partial: PartialView,
}

impl OnePartial {
    async fn of(app: &App, actor: &Actor, partial: Partial) -> Result<Self, Fault> {
        let own = partial.integration.clone();
        let mut known = app.integration_aliases(actor, own).await?;
        let alias = known.pop_first().map(|(_, alias)| alias);
        Ok(OnePartial {
            partial: PartialView::of(partial, alias),
        })
    }
}

/// Makes a partial
///
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/partials", tag = "Integrations",
    security(("bearer" = ["admin"])), request_body = CreatePartial,
    responses((status = 201, description = "The partial.", body = OnePartial), Faults)
)]
pub(crate) async fn create_partial(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Json(new): Json<CreatePartial>,
) -> Answer<(StatusCode, axum::Json<OnePartial>)> {
    if new.trigger_name.is_some() {
        return Err(crate::later::triggers().into());
    }
    let workspace = find(&app, &admin, &new.workspace_id).await?;
    let integration = new.workspace_integration_id.as_deref();
    let new = NewPartial {
        connector: new.integration_name,
        integration: integration.map(integrations::id_of).transpose()?,
        alias: new.integration_alias,
        action: new.action_name,
        name: new.name,
        description: new.description,
        values: new.values.unwrap_or_default(),
        enforced: new.enforced_keys.unwrap_or_default(),
        is_default: new.is_default.unwrap_or(false),
    };
    let made = app
        .create_partial(&admin, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    let made = OnePartial::of(&app, &admin, made).await?;
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// Reads a partial
#[utoipa::path(
    get, path = "/api/v1/partials/{id}", tag = "Integrations",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the partial.")),
    responses((status = 200, description = "The partial.", body = OnePartial), Faults)
)]
pub(crate) async fn read_partial(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<OnePartial>> {
    let found = app.partial(&actor, &id_of(&id)?).await?;
    Ok(axum::Json(OnePartial::of(&app, &actor, found).await?))
}

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangePartial {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    description: Option<String>,
    #[schema(value_type = Option<Object>)]
    values: Option<Map<String, Value>>,
    enforced_keys: Option<Vec<String>>,
    is_default: Option<bool>,
}

/// Changes a partial
///
/// Connected clients are told when their list of tools changes. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/partials/{id}", tag = "Integrations",
    security(("bearer" = ["admin"])), request_body = ChangePartial,
    params(("id" = String, Path, description = "Id of the partial.")),
    responses((status = 200, description = "The partial as it is now.", body = OnePartial), Faults)
)]
pub(crate) async fn update_partial(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Change(change): Change<ChangePartial>,
) -> Answer<axum::Json<OnePartial>> {
    let change = PartialChange {
        name: change.name,
        description: change.description,
        values: change.values,
        enforced: change.enforced_keys,
        is_default: change.is_default,
    };
    let changed = app
        .update_partial(&admin, &id_of(&id)?, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OnePartial::of(&app, &admin, changed).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SetDefault {
    is_default: bool,
}

/// Makes a partial a default, or no default
///
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/partials/{id}/set-default", tag = "Integrations",
    security(("bearer" = ["admin"])), request_body = SetDefault,
    params(("id" = String, Path, description = "Id of the partial.")),
    responses((status = 200, description = "The partial as it is now.", body = OnePartial), Faults)
)]
pub(crate) async fn set_default_partial(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(set): Json<SetDefault>,
) -> Answer<axum::Json<OnePartial>> {
    let change = PartialChange {
        is_default: Some(set.is_default),
        ..PartialChange::default()
    };
    let changed = app.update_partial(&admin, &id_of(&id)?, change).await?;
    Ok(axum::Json(OnePartial::of(&app, &admin, changed).await?))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedPartial {
    deleted: bool,
    #[schema(value_type = String)]
    id: PartialId,
}

/// Deletes a partial
///
/// One that tools of servers name stays: they would lose what it locks. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/partials/{id}", tag = "Integrations",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the partial.")),
    responses((status = 200, description = "It is gone.", body = DeletedPartial), Faults)
)]
pub(crate) async fn delete_partial(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<DeletedPartial>> {
    let id = id_of(&id)?;
    app.delete_partial(&admin, &id).await?;
    Ok(axum::Json(DeletedPartial { deleted: true, id }))
}
