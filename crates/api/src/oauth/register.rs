//! Dynamic client registration (RFC 7591).

use super::{Refused, body_of};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use quaymaster_app::App;
use quaymaster_app::oauth::client::Metadata;
use quaymaster_app::oauth::redirect::RedirectUri;
use quaymaster_app::oauth::{OAuthCode, OAuthError, SCOPES, scope_text};
use serde::Serialize;
use serde_json::{Map, Value};

/// What was registered, which may be other than what was asked (RFC 7591 §3.2.1): clients are
/// public here, whatever they wanted to be.
#[derive(Serialize)]
pub(super) struct Registered {
    client_id: String,
    /// Seconds since 1970.
    client_id_issued_at: i64,
    client_name: String,
    redirect_uris: Vec<String>,
    grant_types: [&'static str; 2],
    response_types: [&'static str; 1],
    token_endpoint_auth_method: &'static str,
    scope: String,
}

pub(super) async fn register(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Registered>), Refused> {
    let body = body_of(&headers, body, "application/json").await?;
    // Through a map: a list would do for the struct, too.
    let metadata: Metadata = serde_json::from_slice::<Map<String, Value>>(&body)
        .and_then(|map| serde_json::from_value(map.into()))
        .map_err(|error| {
            let why = format!("The body is not client metadata: {error}");
            OAuthError::new(OAuthCode::InvalidClientMetadata, why)
        })?;
    let client = app.register_client(&metadata)?;
    let registered = Registered {
        client_id_issued_at: app.now().micros() / 1_000_000,
        client_id: client.id,
        client_name: client.name,
        redirect_uris: client
            .redirect_uris
            .iter()
            .map(RedirectUri::as_str)
            .map(str::to_owned)
            .collect(),
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
        scope: scope_text(SCOPES.into_iter().collect()),
    };
    Ok((StatusCode::CREATED, Json(registered)))
}
