//! What a client finds out by itself: which authorization server a resource has (RFC 9728) and what
//! that server can do (RFC 8414). Made of the configured public address, never of what a request
//! says of the host.

use crate::error::ApiError;
use crate::servers::id_of;
use axum::Json;
use axum::extract::{Path, State};
use quaymaster_app::App;
use quaymaster_app::oauth::{OFFLINE_ACCESS, SCOPES};
use quaymaster_core::Scope;
use quaymaster_core::caller::{Audience, Side};
use serde_json::{Value, json};

/// The metadata of the MCP endpoint.
pub(super) async fn protected_resource(State(app): State<App>) -> Json<Value> {
    let name = app.settings().server_title.clone();
    described(&app, &Audience::Mcp, Side::Endpoint, &name)
}

/// The metadata of a hosted server, at either of its addresses.
pub(super) async fn hosted_server(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    hosted(&app, &id, Side::Endpoint).await
}

pub(super) async fn hosted_server_protocol(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    hosted(&app, &id, Side::Protocol).await
}

/// Whoever knows the address learns that the server is there, and not what it is called.
async fn hosted(app: &App, id: &str, side: Side) -> Result<Json<Value>, ApiError> {
    let server = app.server_to_sign_in_to(&id_of(id)?).await?;
    let name = app.settings().server_title.clone();
    Ok(described(app, &Audience::Server(server.id), side, &name))
}

fn described(app: &App, audience: &Audience, side: Side, name: &str) -> Json<Value> {
    Json(json!({
        "resource": app.resource(audience, side),
        "authorization_servers": [app.issuer()],
        "scopes_supported": SCOPES.map(Scope::name),
        "bearer_methods_supported": ["header"],
        "resource_name": name,
    }))
}

/// The metadata of the authorization server, under the names of both ways of discovery.
pub(super) async fn authorization_server(State(app): State<App>) -> Json<Value> {
    let issuer = app.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let scopes: Vec<&str> = SCOPES
        .map(Scope::name)
        .into_iter()
        .chain([OFFLINE_ACCESS])
        .collect();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "registration_endpoint": at("/register"),
        "revocation_endpoint": at("/revoke"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "protected_resources": [app.resource(&Audience::Mcp, Side::Endpoint)],
    }))
}
