//! Connect sessions: a program asks for a link by which a person connects an account, and follows it.

use crate::auth::{Administrator, Person, Within};
use crate::end_users::LinkView;
use crate::error::{Answer, ApiError, Faults};
use crate::integrations;
use crate::read::{Json, Path};
use crate::workspaces::find;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::connect_sessions::{
    ConnectSession, NewConnectSession, OwnerScope, SessionStatus,
};
use quaymaster_app::integrations::connector_key;
use quaymaster_core::id::{ConnectSessionId, ConnectionId, IntegrationId, OAuthAppId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whose a connection is: everybody's of the organization, of a workspace, or of an end user.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = ConnectionScope)]
pub(crate) enum ScopeView {
    Organization,
    Workspace,
    User,
}

impl From<ScopeView> for OwnerScope {
    fn from(view: ScopeView) -> Self {
        match view {
            ScopeView::Organization => OwnerScope::Organization,
            ScopeView::Workspace => OwnerScope::Workspace,
            ScopeView::User => OwnerScope::User,
        }
    }
}

#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = ConnectSessionStatus)]
pub(crate) enum StatusView {
    Pending,
    /// The person is at the service's own page.
    Connecting,
    Completed,
    Failed,
}

impl StatusView {
    /// One that was not completed in time has failed.
    fn of(session: &ConnectSession, now: Instant) -> (Self, Option<String>) {
        let over = session.expires_at <= now;
        match session.status {
            SessionStatus::Pending | SessionStatus::Connecting if over => {
                (StatusView::Failed, Some("The link has expired.".to_owned()))
            }
            // What the last try came to; the link is good for another.
            SessionStatus::Pending => (StatusView::Pending, session.problem.clone()),
            SessionStatus::Connecting => (StatusView::Connecting, None),
            SessionStatus::Completed => (StatusView::Completed, None),
            SessionStatus::Failed => (StatusView::Failed, session.problem.clone()),
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateConnectToken {
    /// Key of the connector.
    integration_name: String,
    /// What the connection will be called.
    #[schema(min_length = 1, max_length = 120)]
    connection_name: String,
    /// What the developer calls it.
    #[schema(min_length = 1, max_length = 255)]
    external_id: String,
    /// Our id of the end user whose it will be, or the developer's.
    end_user_id: Option<String>,
    /// Id or slug of the workspace.
    workspace_id: String,
    workspace_integration_id: Option<String>,
    auth_method_key: Option<String>,
    scope: Option<ScopeView>,
    /// Where the person is sent afterwards.
    success_redirect_uri: Option<String>,
    error_redirect_uri: Option<String>,
    /// Taken, of no effect: people sign in by the app that the organization has set.
    #[serde(rename = "oauthAppMode")]
    _oauth_app_mode: Option<String>,
    /// Id of that app.
    oauth_app_id: Option<String>,
}

/// Asks for a link to connect an account
///
/// Whoever opens it needs no account here. It works once, for a day. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/connect/token", tag = "End users",
    security(("bearer" = ["admin"])), request_body = CreateConnectToken,
    responses((status = 200, description = "The link.", body = LinkView), Faults)
)]
pub(crate) async fn create_connect_token(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Json(new): Json<CreateConnectToken>,
) -> Answer<axum::Json<LinkView>> {
    let workspace = find(&app, &admin, &new.workspace_id).await?;
    let integration = match &new.workspace_integration_id {
        Some(id) => {
            let id = integrations::id_of(id)?;
            Some(app.integration(&admin, &workspace.id, &id).await?)
        }
        None => None,
    };
    let end_user = match &new.end_user_id {
        Some(named) => Some(app.end_user_named(&admin, &workspace.id, named).await?.id),
        None => None,
    };
    let connector = connector_key(&new.integration_name);
    let own_app = new.oauth_app_id.as_deref();
    app.checked_oauth_app(&admin, &connector, own_app).await?;
    // An integration uses accounts of its own way to sign in.
    let usual = integration.as_ref().and_then(|of| of.auth.clone());
    let new = NewConnectSession {
        connector,
        integration,
        auth: new.auth_method_key.or(usual),
        name: new.connection_name,
        external_id: new.external_id,
        scope: new.scope.map(Into::into),
        end_user,
        success_redirect: new.success_redirect_uri,
        error_redirect: new.error_redirect_uri,
        expires_in_s: None,
        mailed_to: None,
    };
    let link = app
        .create_connect_session(&admin, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(link.into()))
}

/// How far somebody is with connecting an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectSession)]
pub(crate) struct SessionView {
    #[schema(value_type = String)]
    id: ConnectSessionId,
    integration_name: String,
    #[schema(value_type = Option<String>)]
    workspace_integration_id: Option<IntegrationId>,
    auth_method_key: Option<String>,
    /// `custom` where the organization has set an OAuth app for the connector.
    oauth_app_mode: Option<&'static str>,
    /// Id of that app.
    #[schema(value_type = Option<String>)]
    oauth_app_id: Option<OAuthAppId>,
    connection_name: String,
    external_id: String,
    status: StatusView,
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneSession {
    session: SessionView,
}

/// Reads a connect session
#[utoipa::path(
    get, path = "/api/v1/connect/session/{id}", tag = "End users",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the session.")),
    responses((status = 200, description = "The session.", body = OneSession), Faults)
)]
pub(crate) async fn read_connect_session(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneSession>> {
    let id: ConnectSessionId = id
        .parse()
        .map_err(|_| Fault::not_found("There is no such connect session."))?;
    let session = app.connect_session(&actor, &id).await?;
    let (status, error) = StatusView::of(&session, app.now());
    let oauth_app_id = app.oauth_app_ids(&actor).await?.remove(&session.connector);
    Ok(axum::Json(OneSession {
        session: SessionView {
            id: session.id,
            integration_name: session.connector,
            workspace_integration_id: session.integration,
            auth_method_key: session.auth,
            oauth_app_mode: oauth_app_id.as_ref().map(|_| integrations::CUSTOM),
            oauth_app_id,
            connection_name: session.name,
            external_id: session.external_id,
            status,
            connection_id: session.connection,
            error,
            expires_at: session.expires_at,
            created_at: session.created_at,
        },
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PollSession {
    /// The token that came with the link.
    token: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolledSession {
    status: StatusView,
    #[schema(value_type = Option<String>)]
    connection_id: Option<ConnectionId>,
    integration_name: String,
    #[schema(value_type = Option<String>)]
    workspace_integration_id: Option<IntegrationId>,
    auth_method_key: Option<String>,
    /// `custom` where the organization has set an OAuth app for the connector.
    oauth_app_mode: Option<&'static str>,
    /// Id of that app.
    #[schema(value_type = Option<String>)]
    oauth_app_id: Option<OAuthAppId>,
    external_id: String,
    error: Option<String>,
}

/// Tells how far a connect session is
#[utoipa::path(
    post, path = "/api/v1/connect/session/poll", tag = "End users",
    security(("bearer" = ["admin"])), request_body = PollSession,
    responses((status = 200, description = "How far it is.", body = PolledSession), Faults)
)]
pub(crate) async fn poll_connect_session(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Json(asked): Json<PollSession>,
) -> Answer<axum::Json<PolledSession>> {
    let session = app.connect_session_by_token(&actor, &asked.token).await?;
    let (status, error) = StatusView::of(&session, app.now());
    let oauth_app_id = app.oauth_app_ids(&actor).await?.remove(&session.connector);
    Ok(axum::Json(PolledSession {
        status,
        connection_id: session.connection,
        integration_name: session.connector,
        workspace_integration_id: session.integration,
        auth_method_key: session.auth,
        oauth_app_mode: oauth_app_id.as_ref().map(|_| integrations::CUSTOM),
        oauth_app_id,
        external_id: session.external_id,
        error,
    }))
}
