//! What a client may know before it has a credential.

use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use http::HeaderName;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use quaymaster_app::connect_lines::example_config;
use quaymaster_core::Scope;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Read by MCP clients too, so the names are in the protocol's own spelling.
#[derive(Serialize, ToSchema)]
pub(crate) struct Info {
    /// The MCP endpoint.
    url: String,
    server_name: String,
    /// The newest protocol version with a handshake and sessions.
    protocol_version: &'static str,
    /// Every protocol version that the endpoint speaks, newest first.
    protocol_versions: Vec<&'static str>,
    scopes: Vec<&'static str>,
    /// What most clients take as their configuration, with a placeholder for the token.
    #[schema(value_type = Object)]
    example_config: Value,
}

/// Says where the MCP endpoint is
///
/// Needs no credential, and pages of any origin may read it.
#[utoipa::path(
    get, path = "/api/v1/mcp/info", tag = "Server",
    responses((status = 200, description = "The endpoint and what it speaks.", body = Info))
)]
pub(crate) async fn read_info(
    State(state): State<ApiState>,
) -> ([(HeaderName, &'static str); 1], Json<Info>) {
    let settings = state.app.settings();
    let url = settings.endpoint();
    let info = Info {
        example_config: example_config(&settings.server_name, &url),
        url,
        server_name: settings.server_name.clone(),
        protocol_version: state.protocol.newest_with_sessions,
        protocol_versions: state.protocol.all.clone(),
        scopes: Scope::ALL.iter().map(|scope| scope.name()).collect(),
    };
    ([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(info))
}
