//! OAuth clients that people connected to a workspace: listed and revoked. They are connected on
//! the consent page and nowhere else.

use crate::auth::Person;
use crate::credentials::{Revoked, named};
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::credentials::ConnectedClient;
use quaymaster_core::id::{CredentialId, OrgId, ServerId, UserId, WorkspaceId};
use quaymaster_core::{Instant, Scope, Scopes};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectedClient)]
pub(crate) struct ClientView {
    /// Id of the credential.
    #[schema(value_type = String)]
    id: CredentialId,
    #[schema(value_type = String)]
    org_id: OrgId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    /// The hosted server whose tools it has; without one it has the workspace's files.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    server_id: Option<ServerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<String>,
    /// Who connected it.
    #[schema(value_type = String)]
    user_id: UserId,
    /// What the client calls itself.
    name: String,
    /// The client's OAuth id.
    client_id: String,
    /// Where the client got its answer.
    redirect_uri: String,
    /// Whether it sees only the tools that change nothing.
    read_only: bool,
    #[schema(value_type = Vec<String>)]
    scopes: Scopes,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it ends unless the client refreshes its tokens before.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
    /// Exact to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Instant>,
}

impl From<ConnectedClient> for ClientView {
    fn from(connected: ConnectedClient) -> Self {
        let ConnectedClient {
            credential,
            client,
            server,
        } = connected;
        ClientView {
            server_id: credential.server,
            server_name: server,
            id: credential.id,
            org_id: credential.org,
            workspace_id: credential.workspace,
            user_id: credential.user,
            name: credential.name,
            client_id: client.client_id,
            redirect_uri: client.redirect_uri,
            read_only: !credential.scopes.has(Scope::WriteTools),
            scopes: credential.scopes,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectedClientList {
    connected_clients: Vec<ClientView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists a workspace's connected clients
///
/// OAuth clients that people connected by signing in, the newest first. Revoked ones are left out.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/connected-clients", tag = "Connected clients",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses(
        (status = 200, description = "A page of connected clients.", body = ConnectedClientList),
        Faults
    )
)]
pub(crate) async fn list_connected_clients(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<ConnectedClientList>> {
    let workspace = find(&app, &actor, &id).await?;
    let (page, total) = paging.cut(app.connected_clients(&actor, &workspace.id).await?)?;
    let connected_clients = page.into_iter().map(ClientView::from).collect();
    Ok(axum::Json(ConnectedClientList {
        connected_clients,
        total,
    }))
}

/// Revokes a connected client
///
/// All its tokens are dead when the answer arrives, and its open streams end. Others of the
/// workspace stay.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/connected-clients/{credentialId}",
    tag = "Connected clients", security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the connected client."),
    ),
    responses((status = 200, description = "The client has no access.", body = Revoked), Faults)
)]
pub(crate) async fn revoke_connected_client(
    State(app): State<App>,
    Person(actor): Person,
    Path((workspace, credential)): Path<(String, String)>,
) -> Answer<axum::Json<Revoked>> {
    let workspace = find(&app, &actor, &workspace).await?;
    let all = app.connected_clients(&actor, &workspace.id).await?;
    let id = named(
        all.into_iter().map(|client| client.credential),
        &credential,
        "The workspace has no such connected client, or it was revoked before.",
        "/api/v1/workspaces/{id}/connected-clients",
    )?;
    app.revoke(&actor, &id).await?;
    Ok(Revoked::of(id))
}
