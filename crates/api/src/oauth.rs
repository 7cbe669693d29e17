//! What OAuth clients speak with: metadata, registration, tokens, revocation. The question to the
//! person, `/authorize`, is a page.
//!
//! Programs of any web page may use these, since no cookie counts here; errors have the shape of
//! OAuth (RFC 6749 §5.2) and not of faults, because clients read them. The addresses are told by the
//! metadata and described by their RFCs, so they are not in the OpenAPI document.

mod metadata;
mod register;
mod token;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use quaymaster_app::App;
use quaymaster_app::oauth::{OAuthCode, OAuthError};
use serde_json::json;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Metadata of a client and a form are short.
const MOST_BYTES: usize = 64 * 1024;
const WITHIN: Duration = Duration::from_secs(30);

/// Whether a path is one of those that programs of any origin may use.
pub fn owns(path: &str) -> bool {
    path.starts_with("/.well-known/") || matches!(path, "/register" | "/token" | "/revoke")
}

/// The endpoints of the authorization server, but for the page.
pub fn router(app: App) -> Router {
    let open = |endpoint: MethodRouter<App>| endpoint.options(preflight);
    let resource = || open(get(metadata::protected_resource));
    let server = || open(get(metadata::authorization_server));
    Router::new()
        .route("/.well-known/oauth-protected-resource", resource())
        .route("/.well-known/oauth-protected-resource/mcp", resource())
        .route("/.well-known/oauth-protected-resource/mcp/", resource())
        .route(
            "/.well-known/oauth-protected-resource/mcp/{id}",
            open(get(metadata::hosted_server)),
        )
        .route(
            "/.well-known/oauth-protected-resource/api/v1/mcp/servers/{id}/protocol",
            open(get(metadata::hosted_server_protocol)),
        )
        .route("/.well-known/oauth-authorization-server", server())
        .route("/.well-known/openid-configuration", server())
        .route("/register", open(post(register::register)))
        .route("/token", open(post(token::token)))
        .route("/revoke", open(post(token::revoke)))
        .method_not_allowed_fallback(wrong_method)
        .layer(map_response(readable_by_any_page))
        .with_state(app)
}

/// Where a request comes from, for limits.
struct Peer(Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Peer(peer.map(|ConnectInfo(peer)| peer.ip())))
    }
}

/// An error in the shape of OAuth.
struct Refused(OAuthError);

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Refused(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let OAuthError { code, description } = self.0;
        let status =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // RFC 6749 §5.2: printable ASCII without quotes and backslashes.
        let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let description: String = description.chars().filter(plain).collect();
        let body = json!({ "error": code.name(), "error_description": description });
        let mut response = (status, Json(body)).into_response();
        if code == OAuthCode::TooManyRequests {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// A whole body of the wanted type.
async fn body_of(headers: &HeaderMap, body: Body, wanted: &str) -> Result<Bytes, Refused> {
    let refuse = |why: String| Refused(OAuthError::new(OAuthCode::InvalidRequest, why));
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case(wanted) {
        return Err(refuse(format!("Send Content-Type: {wanted}.")));
    }
    let whole = Limited::new(body, MOST_BYTES).collect();
    match tokio::time::timeout(WITHIN, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        _ => Err(refuse(
            "The body is too large or did not arrive whole.".into(),
        )),
    }
}

async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn wrong_method() -> Response {
    let error = OAuthError::new(
        OAuthCode::InvalidRequest,
        "This address does not know that method.",
    );
    let mut response = Refused(error).into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

async fn readable_by_any_page(mut response: Response) -> Response {
    const HEADERS: [(http::HeaderName, &str); 6] = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, mcp-protocol-version",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
