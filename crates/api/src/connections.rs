//! Connected accounts of connectors: listed, connected, verified, renamed, given new credentials,
//! disconnected. No answer has a secret.

mod new;

use crate::auth::{Administrator, Person, Within};
use crate::connect_sessions::ScopeView;
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use new::CreateConnection;
use quaymaster_app::App;
use quaymaster_app::connection_types::Sought;
use quaymaster_app::connections::{Connection, Fields, NewConnection};
use quaymaster_core::id::{ConnectionId, EndUserId, UserId, WorkspaceId};
use quaymaster_core::{Fault, Instant, ManagementName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Whether an account works, as far as is known: `ERROR` since the last try failed, else `ACTIVE`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = ConnectionStatus)]
pub(crate) enum Status {
    Active,
    Error,
}

/// A connected account, without its secrets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Connection)]
pub(crate) struct ConnectionView {
    #[schema(value_type = String)]
    id: ConnectionId,
    /// Key of the connector.
    connector: String,
    /// The same.
    integration_name: String,
    /// How agents name it, as `connector:name`; unique for a connector.
    name: String,
    /// What a developer calls it; the name unless one was given.
    external_id: String,
    /// For people; the name unless one was given.
    display_name: String,
    /// What the service calls the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    status: Status,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Key of the way to sign in.
    auth: String,
    /// The same.
    auth_method_key: String,
    scope: ScopeView,
    /// Whose it is, when it is an end user's.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    end_user_id: Option<EndUserId>,
    /// The fields that are not secret.
    fields: BTreeMap<String, String>,
    /// Only calls of this workspace reach it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    /// It may be inside the network.
    is_local: bool,
    /// Who connected it.
    #[schema(value_type = String)]
    user_id: UserId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it was last tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<Instant>,
    /// When its access token ends; it is renewed before, as long as the service lets one.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        ConnectionView {
            status: match connection.problem {
                Some(_) => Status::Error,
                None => Status::Active,
            },
            scope: match (&connection.end_user, &connection.workspace) {
                (Some(_), _) => ScopeView::User,
                (None, Some(_)) => ScopeView::Workspace,
                (None, None) => ScopeView::Organization,
            },
            end_user_id: connection.end_user,
            external_id: connection
                .external_id
                .unwrap_or_else(|| connection.name.clone()),
            display_name: connection
                .display_name
                .unwrap_or_else(|| connection.name.clone()),
            integration_name: connection.connector.clone(),
            auth_method_key: connection.auth.clone(),
            id: connection.id,
            connector: connection.connector,
            name: connection.name,
            label: connection.label,
            problem: connection.problem,
            auth: connection.auth,
            fields: connection.fields,
            workspace_id: connection.workspace,
            is_local: connection.is_local,
            user_id: connection.user,
            created_at: connection.created_at,
            verified_at: connection.verified_at,
            expires_at: connection.expires_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneConnection {
    connection: ConnectionView,
}

impl From<Connection> for OneConnection {
    fn from(connection: Connection) -> Self {
        OneConnection {
            connection: connection.into(),
        }
    }
}

/// What cannot be an id names no connection.
pub(crate) fn id_of(named: &str) -> Result<ConnectionId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such connection.")
            .called(ManagementName::ConnectionNotFound)
            .hint("GET /api/v1/connections lists them.")
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Looked {
    /// Only those of this connector.
    connector: Option<String>,
    /// Only this one; the answer is `{connection}`.
    id: Option<String>,
    /// Nothing is ever suspended here.
    #[serde(rename = "includeSuspended")]
    _include_suspended: Option<bool>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A page; with `id` the one instead.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<Vec<ConnectionView>>,
    /// How many there are in all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionView>,
}

/// Lists connections
///
/// By connector and name.
#[utoipa::path(
    get, path = "/api/v1/connections", tag = "Connectors",
    security(("bearer" = ["admin"])), params(Looked),
    responses((status = 200, description = "A page of connections.", body = ConnectionList), Faults)
)]
pub(crate) async fn list_connections(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<Looked>,
) -> Answer<axum::Json<ConnectionList>> {
    if let Some(id) = &looked.id {
        let found = app.connection(&actor, &id_of(id)?).await?;
        return Ok(axum::Json(ConnectionList {
            connections: None,
            total: None,
            connection: Some(found.into()),
        }));
    }
    let mut all = app.connections(&actor).await?;
    if let Some(connector) = &looked.connector {
        all.retain(|connection| connection.connector == *connector);
    }
    let (page, total) = Paging::new(looked.limit, looked.offset).cut(all)?;
    let connections = page.into_iter().map(ConnectionView::from).collect();
    Ok(axum::Json(ConnectionList {
        connections: Some(connections),
        total: Some(total),
        connection: None,
    }))
}

/// Connects an account
///
/// It is tried at once. One that does not work is kept; `status` and `problem` say so. Needs an
/// administrator.
#[utoipa::path(
    post, path = "/api/v1/connections", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = CreateConnection,
    responses((status = 201, description = "The connection.", body = OneConnection), Faults)
)]
pub(crate) async fn create_connection(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Json(new): Json<CreateConnection>,
) -> Answer<(StatusCode, axum::Json<OneConnection>)> {
    new.check_tokens()?;
    let connector = new.key()?;
    let own_app = new.oauth_app_id.as_deref();
    app.checked_oauth_app(&admin, &connector, own_app).await?;
    let named = new.workspace.as_ref().or(new.workspace_id.as_ref());
    let workspace = match named {
        Some(named) => Some(find(&app, &admin, named).await?.id),
        None => None,
    };
    let end_user = match (&new.end_user_id, &workspace) {
        (Some(named), Some(workspace)) => {
            Some(app.end_user_named(&admin, workspace, named).await?.id)
        }
        (Some(_), None) => {
            return Err(Fault::invalid_arg(
                "/workspaceId",
                "required",
                "An end user's connection is of a workspace.",
            )
            .into());
        }
        (None, _) => None,
    };
    // Without a scope a developer's connection is everybody's, whatever workspace they named; that of a
    // key of single workspaces is the workspace's.
    let is_shared = matches!(new.scope, Some(ScopeView::Organization))
        || (new.scope.is_none()
            && new.workspace.is_none()
            && end_user.is_none()
            && admin.reach.is_whole());
    let auth = new.auth.as_ref().or(new.auth_method_key.as_ref());
    let mut fields = Fields(new.fields.clone().unwrap_or_default());
    let (auth, tokens) = match new.kind {
        Some(kind) => {
            let credentials = new.credentials(kind)?;
            let auth = auth.map(String::as_str);
            let more = new.props.clone().unwrap_or_default();
            let given = app.fields_of(&admin, &connector, auth, credentials, more);
            let mut given = given.await?;
            given.fields.0.append(&mut fields.0);
            fields = given.fields;
            (Some(given.auth), given.tokens)
        }
        None => (auth.cloned(), None),
    };
    let new = NewConnection {
        connector,
        name: new.account(),
        auth,
        fields,
        tokens,
        workspace: workspace.filter(|_| !is_shared),
        end_user,
        integration: None,
        external_id: new.external_id,
        display_name: new.display_name,
        session: None,
        is_local: new.is_local.unwrap_or(false),
    };
    let made = app.connect_account(&admin, new).await?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Reads a connection
#[utoipa::path(
    get, path = "/api/v1/connections/{id}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The connection.", body = OneConnection), Faults)
)]
pub(crate) async fn read_connection(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneConnection>> {
    let connection = app.connection(&actor, &id_of(&id)?).await?;
    Ok(axum::Json(connection.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenameConnection {
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    name: String,
}

/// Renames a connection
///
/// Agents name it by its new name at once. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/connections/{id}", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = RenameConnection,
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The connection as it is now.", body = OneConnection), Faults)
)]
pub(crate) async fn rename_connection(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(change): Json<RenameConnection>,
) -> Answer<axum::Json<OneConnection>> {
    let id = id_of(&id)?;
    let renamed = app.rename_connection(&admin, &id, &change.name).await?;
    Ok(axum::Json(renamed.into()))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DisconnectedAccount {
    deleted: bool,
    #[schema(value_type = String)]
    id: ConnectionId,
}

/// Disconnects an account
///
/// Its credentials are removed, and no call reaches it any more. Tokens that it got by signing in at
/// the service are ended there, if the service lets one; other credentials stay good there: revoke
/// them as well. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/connections/{id}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "It is gone.", body = DisconnectedAccount), Faults)
)]
pub(crate) async fn disconnect_account(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<DisconnectedAccount>> {
    let id = id_of(&id)?;
    app.disconnect_account(&admin, &id).await?;
    Ok(axum::Json(DisconnectedAccount { deleted: true, id }))
}

/// Verifies a connection
///
/// Calls the service and remembers what came of it: `status`, `problem` and `label`. Needs an
/// administrator.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/verify", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The connection as it is now.", body = OneConnection), Faults)
)]
pub(crate) async fn verify_connection(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneConnection>> {
    let verified = app.verify_connection(&admin, &id_of(&id)?).await?;
    Ok(axum::Json(verified.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaceCredentials {
    /// Everything that the connection's way to sign in asks for: what is absent is not kept.
    fields: BTreeMap<String, String>,
}

/// Replaces the credentials of a connection
///
/// They are tried at once; `status` and `problem` say what came of it. The old ones are gone either
/// way. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/connections/{id}/credentials", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = ReplaceCredentials,
    params(("id" = String, Path, description = "Id of the connection.")),
    responses((status = 200, description = "The connection as it is now.", body = OneConnection), Faults)
)]
pub(crate) async fn replace_credentials(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(new): Json<ReplaceCredentials>,
) -> Answer<axum::Json<OneConnection>> {
    let id = id_of(&id)?;
    let fields = Fields(new.fields);
    let replaced = app.replace_credentials(&admin, &id, &fields).await?;
    Ok(axum::Json(replaced.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResolveConnection {
    /// Key of the connector.
    integration_name: String,
    external_id: Option<String>,
    /// Id or slug of the workspace.
    workspace_id: String,
    auth_method_key: Option<String>,
    /// Our id of the end user, or the developer's: their own account goes first.
    end_user_id: Option<String>,
}

/// Finds the connection that a call would use
///
/// The newest that fits; an end user's own before those of everybody.
#[utoipa::path(
    post, path = "/api/v1/connections/resolve", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = ResolveConnection,
    responses((status = 200, description = "The connection.", body = OneConnection), Faults)
)]
pub(crate) async fn resolve_connection(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Json(asked): Json<ResolveConnection>,
) -> Answer<axum::Json<OneConnection>> {
    let workspace = find(&app, &actor, &asked.workspace_id).await?;
    let end_user = match &asked.end_user_id {
        Some(named) => Some(app.end_user_named(&actor, &workspace.id, named).await?.id),
        None => None,
    };
    let sought = Sought {
        connector: asked.integration_name,
        external_id: asked.external_id,
        auth: asked.auth_method_key,
        end_user,
    };
    let found = app
        .resolve_connection(&actor, &workspace.id, &sought)
        .await?;
    Ok(axum::Json(found.into()))
}
