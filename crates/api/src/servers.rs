//! Hosted MCP servers: listed, made, read, changed, deleted. Their tokens are in `server_tokens`.

use crate::auth::{Administrator, Person, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query, nullable};
use crate::server_tools::ServerToolView;
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::credentials::Fresh;
use quaymaster_app::servers::{AuthMode, EndUserAccess, Mode, NewServer, Server, ServerChange};
use quaymaster_core::id::{EndUserId, FlowId, OrgId, ServerId, UserId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// `TOOLS`: each action is a tool. `CODE`: three tools search, document and call all actions by code.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = McpServerMode)]
pub(crate) enum ModeView {
    Tools,
    Code,
}

/// How clients sign in: members of the organization by OAuth, whoever has a token, or both.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = McpServerAuthMode)]
pub(crate) enum AuthModeView {
    Oauth,
    Bearer,
    OauthAndBearer,
}

/// Which members become end users of the workspace by signing in, so that integrations with the
/// strategy `per_user` use their accounts. `restricted`: administrators. `open`: everybody.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = McpServerEndUserAccess)]
pub(crate) enum AccessView {
    Restricted,
    Open,
}

macro_rules! same {
    ($view:ident $word:ident { $($variant:ident)* }) => {
        impl From<$view> for $word {
            fn from(view: $view) -> Self { match view { $($view::$variant => $word::$variant),* } }
        }
        impl From<$word> for $view {
            fn from(word: $word) -> Self { match word { $($word::$variant => $view::$variant),* } }
        }
    };
}
same! { ModeView Mode { Tools Code } }
same! { AuthModeView AuthMode { Oauth Bearer OauthAndBearer } }
same! { AccessView EndUserAccess { Restricted Open } }

/// What `authMode` comes to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpServerAuth)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the management API has these five"
)]
pub(crate) struct WaysIn {
    /// Members of the organization sign clients in.
    oauth_enabled: bool,
    bearer_enabled: bool,
    /// The server has a token of its own.
    static_bearer_enabled: bool,
    /// End users can be given tokens.
    end_user_bearer_tokens_enabled: bool,
    /// The same.
    access_tokens_enabled: bool,
}

/// An MCP server that somebody made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpServer)]
pub(crate) struct ServerView {
    #[schema(value_type = String)]
    id: ServerId,
    #[schema(value_type = String)]
    org_id: OrgId,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    mode: ModeView,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    auth_mode: AuthModeView,
    end_user_access: AccessView,
    auth: WaysIn,
    /// Every call is this person's.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    end_user_id: Option<EndUserId>,
    /// Its tools are picked by hand; else it has whatever its workspace has switched on.
    is_picked: bool,
    #[schema(value_type = String)]
    created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Where clients connect.
    mcp_endpoint: String,
}

pub(crate) fn view(app: &App, server: Server) -> ServerView {
    ServerView {
        mcp_endpoint: app.settings().endpoint_of(&server.id),
        id: server.id,
        org_id: server.org,
        workspace_id: server.workspace,
        name: server.name,
        description: server.description,
        mode: server.mode.into(),
        settings: server.settings,
        auth_mode: server.auth_mode.into(),
        end_user_access: server.end_user_access.into(),
        auth: WaysIn {
            oauth_enabled: server.auth_mode.takes_oauth(),
            bearer_enabled: server.auth_mode.takes_tokens(),
            static_bearer_enabled: server.auth_mode.takes_tokens(),
            end_user_bearer_tokens_enabled: server.auth_mode.takes_tokens(),
            access_tokens_enabled: server.auth_mode.takes_tokens(),
        },
        end_user_id: server.end_user,
        is_picked: server.is_picked,
        created_by: server.user,
        created_at: server.created_at,
        updated_at: server.updated_at,
    }
}

/// What cannot be an id names no server.
pub(crate) fn id_of(named: &str) -> Result<ServerId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such server.").hint("GET /api/v1/mcp/servers lists them.")
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct LookedServers {
    /// Only those of this workspace, by id or slug.
    workspace_id: Option<String>,
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

#[derive(Serialize, ToSchema)]
pub(crate) struct ServerList {
    servers: Vec<ServerView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists servers
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/v1/mcp/servers", tag = "MCP servers",
    security(("bearer" = ["admin"])), params(LookedServers),
    responses((status = 200, description = "A page of servers.", body = ServerList), Faults)
)]
pub(crate) async fn list_servers(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<LookedServers>,
) -> Answer<axum::Json<ServerList>> {
    let workspace = match &looked.workspace_id {
        Some(named) => Some(find(&app, &actor, named).await?.id),
        None => None,
    };
    let all = app.servers(&actor, workspace.as_ref()).await?;
    let (page, total) = Paging::new(looked.limit, looked.offset).cut(all)?;
    let servers = page.into_iter().map(|server| view(&app, server)).collect();
    Ok(axum::Json(ServerList { servers, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateServer {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    description: Option<String>,
    /// Id or slug of the workspace.
    workspace_id: String,
    /// `TOOLS` unless said otherwise.
    mode: Option<ModeView>,
    /// Kept and answered; nothing acts on it.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// `oauth_and_bearer` unless said otherwise.
    auth_mode: Option<AuthModeView>,
    end_user_access: Option<AccessView>,
    /// Every call is this person's: our id, or the developer's.
    end_user_id: Option<String>,
    /// Ignored: whoever calls makes it.
    #[serde(rename = "createdBy")]
    _created_by: Option<String>,
}

/// A server with its token. Its own fields stand beside it, too.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeServer {
    #[schema(value_type = String)]
    id: ServerId,
    name: String,
    mode: ModeView,
    /// Where clients connect, as the management API has it.
    endpoint: String,
    server: ServerView,
    /// What a client presents as `Authorization: Bearer`. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_token: Option<String>,
    /// Where clients connect.
    mcp_endpoint: String,
}

pub(crate) fn plain(fresh: &Fresh) -> String {
    fresh.token.expose_secret().to_owned()
}

/// Makes a server
///
/// With a bearer token unless clients sign in by OAuth only. It has what its workspace has switched
/// on until a first tool is picked for it. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = CreateServer,
    responses((status = 201, description = "The server and its token.", body = MadeServer), Faults)
)]
pub(crate) async fn create_server(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Json(new): Json<CreateServer>,
) -> Answer<(StatusCode, axum::Json<MadeServer>)> {
    let workspace = find(&app, &admin, &new.workspace_id).await?;
    let new = NewServer {
        name: new.name,
        description: new.description,
        mode: new.mode.map(Into::into).unwrap_or_default(),
        settings: new.settings.unwrap_or_default(),
        auth_mode: new.auth_mode.map(Into::into).unwrap_or_default(),
        end_user_access: new.end_user_access.map(Into::into).unwrap_or_default(),
        end_user: new.end_user_id,
    };
    let (server, token) = app
        .create_server(&admin, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    let made = MadeServer {
        id: server.id.clone(),
        name: server.name.clone(),
        mode: server.mode.into(),
        endpoint: app.settings().protocol_of(&server.id),
        mcp_endpoint: app.settings().endpoint_of(&server.id),
        server: view(&app, server),
        bearer_token: token.as_ref().map(plain),
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// A flow that names the server, and whose tool it has for that.
#[derive(Serialize, ToSchema)]
#[schema(as = McpServerFlow)]
pub(crate) struct ServerFlowView {
    /// Of the flow.
    #[schema(value_type = String)]
    id: FlowId,
    /// Of the flow.
    name: String,
    /// The name of the tool.
    tool: String,
    title: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ServerWithTools {
    server: ServerView,
    tools: Vec<ServerToolView>,
    /// By name.
    flows: Vec<ServerFlowView>,
}

/// Reads a server
///
/// With its tools, and the flows that it shows.
#[utoipa::path(
    get, path = "/api/v1/mcp/servers/{id}", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "The server.", body = ServerWithTools), Faults)
)]
pub(crate) async fn read_server(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<ServerWithTools>> {
    let id = id_of(&id)?;
    let server = app.server(&actor, &id).await?;
    let tools = app.server_tools(&actor, &id).await?;
    let (flows, _) = app.server_flows(&actor, &server, usize::MAX).await?;
    Ok(axum::Json(ServerWithTools {
        flows: flows
            .into_iter()
            .map(|shown| ServerFlowView {
                id: shown.flow.id,
                name: shown.flow.name,
                tool: shown.def.name.into_owned(),
                title: shown.def.title.into_owned(),
            })
            .collect(),
        server: view(&app, server),
        tools: tools
            .into_iter()
            .map(|row| ServerToolView::of(&id, row))
            .collect(),
    }))
}

/// What is absent stays.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeServer {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
    mode: Option<ModeView>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    auth_mode: Option<AuthModeView>,
    end_user_access: Option<AccessView>,
    /// Another person, or null for nobody: the tokens of the server are dead, and there is a new one.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "nullable")]
    end_user_id: Option<Option<String>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedServer {
    server: ServerView,
    /// A new token, when the change made one. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    bearer_token: Option<String>,
}

/// Changes a server
///
/// Connected clients are told when their list of tools changes; those that `authMode` takes no
/// longer are out when the answer arrives. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/mcp/servers/{id}", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = ChangeServer,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "The server as it is now.", body = ChangedServer), Faults)
)]
pub(crate) async fn update_server(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Change(change): Change<ChangeServer>,
) -> Answer<axum::Json<ChangedServer>> {
    let change = ServerChange {
        name: change.name,
        description: change.description,
        mode: change.mode.map(Into::into),
        settings: change.settings,
        auth_mode: change.auth_mode.map(Into::into),
        end_user_access: change.end_user_access.map(Into::into),
        end_user: change.end_user_id,
    };
    let (server, token) = app
        .update_server(&admin, &id_of(&id)?, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(ChangedServer {
        server: view(&app, server),
        bearer_token: token.as_ref().map(plain),
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedServer {
    deleted: bool,
    #[schema(value_type = String)]
    id: ServerId,
}

/// Deletes a server
///
/// Its tokens and connected clients are out when the answer arrives. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/mcp/servers/{id}", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "It is gone.", body = DeletedServer), Faults)
)]
pub(crate) async fn delete_server(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<DeletedServer>> {
    let id = id_of(&id)?;
    app.delete_server(&admin, &id).await?;
    Ok(axum::Json(DeletedServer { deleted: true, id }))
}
