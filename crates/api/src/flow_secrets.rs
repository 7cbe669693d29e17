//! Secrets of the flows of a workspace: their names listed, set, deleted. Values are never answered.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::flows::secrets::FlowSecret;
use quaymaster_core::Instant;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowSecret)]
pub(crate) struct SecretView {
    /// As flows name it: `${{ secret.NAME }}`.
    name: String,
    /// Id of the person or credential that set it.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Instant,
}

impl From<FlowSecret> for SecretView {
    fn from(secret: FlowSecret) -> Self {
        SecretView {
            name: secret.name,
            made_by: secret.made_by,
            changed_at: secret.changed_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlowSecretList {
    secrets: Vec<SecretView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the secrets of a workspace's flows
///
/// By name. What they are is never answered.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flow-secrets", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses((status = 200, description = "A page of names.", body = FlowSecretList), Faults)
)]
pub(crate) async fn list_flow_secrets(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<FlowSecretList>> {
    let workspace = find(&app, &actor, &id).await?;
    let all = app.flow_secrets(&actor, &workspace.id).await?;
    let (page, total) = paging.cut(all)?;
    let secrets = page.into_iter().map(SecretView::from).collect();
    Ok(axum::Json(FlowSecretList { secrets, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetFlowSecret {
    /// At most 8,192 bytes.
    #[schema(min_length = 1)]
    value: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneFlowSecret {
    secret: SecretView,
}

/// Sets a secret of a workspace's flows
///
/// Over the one of that name; runs that begin from now on use it. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/flow-secrets/{name}", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = SetFlowSecret,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("name" = String, Path, description = "Capital letters, digits and underscores."),
    ),
    responses(
        (status = 200, description = "It was replaced.", body = OneFlowSecret),
        (status = 201, description = "It is new.", body = OneFlowSecret),
        Faults
    )
)]
pub(crate) async fn set_flow_secret(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, name)): Path<(String, String)>,
    Json(set): Json<SetFlowSecret>,
) -> Answer<(StatusCode, axum::Json<OneFlowSecret>)> {
    let workspace = find(&app, &admin, &id).await?;
    let value = SecretString::from(set.value);
    let (secret, is_new) = app
        .set_flow_secret(&admin, &workspace.id, &name, &value)
        .await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let secret = secret.into();
    Ok((status, axum::Json(OneFlowSecret { secret })))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedFlowSecret {
    deleted: bool,
    name: String,
}

/// Deletes a secret of a workspace's flows
///
/// Flows that use it fail from then on. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/flow-secrets/{name}", tag = "Flows",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("name" = String, Path, description = "Its name."),
    ),
    responses((status = 200, description = "It is gone.", body = DeletedFlowSecret), Faults)
)]
pub(crate) async fn delete_flow_secret(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, name)): Path<(String, String)>,
) -> Answer<axum::Json<DeletedFlowSecret>> {
    let workspace = find(&app, &admin, &id).await?;
    app.delete_flow_secret(&admin, &workspace.id, &name).await?;
    Ok(axum::Json(DeletedFlowSecret {
        deleted: true,
        name,
    }))
}
