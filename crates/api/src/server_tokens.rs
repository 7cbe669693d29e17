//! The tokens of hosted MCP servers: the server's own, and those of end users.

use crate::auth::{Administrator, Within};
use crate::error::{Answer, ApiError, Faults};
use crate::read::{Json, Path};
use crate::servers::{id_of, plain};
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::Admin;
use quaymaster_app::App;
use quaymaster_app::servers::token_scopes;
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, EndUserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreshServerToken {
    /// Shown once.
    bearer_token: String,
    mcp_endpoint: String,
}

/// Replaces the token of a server
///
/// The one before is dead when the answer arrives; those of end users stay. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/regenerate-token", tag = "MCP servers",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 200, description = "The new token.", body = FreshServerToken), Faults)
)]
pub(crate) async fn regenerate_server_token(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<FreshServerToken>> {
    let (server, token) = app.regenerate_server_token(&admin, &id_of(&id)?).await?;
    Ok(axum::Json(FreshServerToken {
        bearer_token: plain(&token),
        mcp_endpoint: app.settings().endpoint_of(&server.id),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateAccessToken {
    /// Our id of the end user, or the developer's.
    end_user_id: String,
    /// `mcp:tools`, `mcp:code`, `read:tools`, `write:tools`; all unless said otherwise.
    scopes: Option<Vec<String>>,
    /// Seconds; a day unless said otherwise.
    #[schema(minimum = 60, maximum = 31_536_000)]
    expires_in: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpAccessToken)]
pub(crate) struct AccessTokenView {
    #[schema(value_type = String)]
    id: CredentialId,
    /// How the token begins.
    token_prefix: String,
    scopes: Vec<String>,
    #[schema(value_type = Option<String>)]
    end_user_id: Option<EndUserId>,
    auth_method: &'static str,
    token_type: &'static str,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreshAccessToken {
    /// Shown once.
    access_token: String,
    /// The same.
    bearer_token: String,
    token: AccessTokenView,
    mcp_endpoint: String,
}

/// Makes a token of a server for one end user
///
/// Its calls use that person's accounts. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/access-tokens", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = CreateAccessToken,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 201, description = "The token.", body = FreshAccessToken), Faults)
)]
pub(crate) async fn create_access_token(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(new): Json<CreateAccessToken>,
) -> Answer<(StatusCode, axum::Json<FreshAccessToken>)> {
    let made = token_for(&app, &admin, &id, new).await?;
    Ok((StatusCode::CREATED, axum::Json(made)))
}

async fn token_for(
    app: &App,
    admin: &Admin,
    id: &str,
    new: CreateAccessToken,
) -> Answer<FreshAccessToken> {
    let scopes = token_scopes(new.scopes.as_deref())?;
    let (server, fresh) = app
        .create_end_user_token(admin, &id_of(id)?, &new.end_user_id, scopes, new.expires_in)
        .await
        .map_err(ApiError::about_body)?;
    let text = plain(&fresh);
    let credential = fresh.credential;
    Ok(FreshAccessToken {
        token: AccessTokenView {
            token_prefix: text.chars().take(10).collect(),
            scopes: new
                .scopes
                .unwrap_or_else(|| vec!["mcp:tools".to_owned(), "mcp:code".to_owned()]),
            id: credential.id,
            end_user_id: credential.end_user,
            auth_method: "bearer",
            token_type: "mcp_bearer",
            expires_at: credential.expires_at,
            created_at: credential.created_at,
        },
        access_token: text.clone(),
        bearer_token: text,
        mcp_endpoint: app.settings().endpoint_of(&server.id),
    })
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreshOauthToken {
    /// Shown once.
    access_token: String,
    token: AccessTokenView,
    mcp_endpoint: String,
}

/// Makes a token of a server for one end user, for a client that calls it an OAuth token
///
/// The same as `access-tokens`. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/mcp/servers/{id}/oauth-tokens", tag = "MCP servers",
    security(("bearer" = ["admin"])), request_body = CreateAccessToken,
    params(("id" = String, Path, description = "Id of the server.")),
    responses((status = 201, description = "The token.", body = FreshOauthToken), Faults)
)]
pub(crate) async fn create_oauth_token(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(new): Json<CreateAccessToken>,
) -> Answer<(StatusCode, axum::Json<FreshOauthToken>)> {
    let made = token_for(&app, &admin, &id, new).await?;
    let made = FreshOauthToken {
        access_token: made.access_token,
        token: made.token,
        mcp_endpoint: made.mcp_endpoint,
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}
