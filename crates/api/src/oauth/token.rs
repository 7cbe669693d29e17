//! The token endpoint (RFC 6749 §3.2) and the revocation endpoint (RFC 7009).

use super::{Peer, Refused, body_of};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use quaymaster_app::App;
use quaymaster_app::oauth::Params;
use secrecy::ExposeSecret as _;
use serde::Serialize;

const FORM: &str = "application/x-www-form-urlencoded";

/// RFC 6749 §5.1.
#[derive(Serialize)]
pub(super) struct Granted {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    refresh_token: String,
    scope: String,
}

pub(super) async fn token(
    State(app): State<App>,
    Peer(from): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Granted>, Refused> {
    let body = body_of(&headers, body, FORM).await?;
    let tokens = app.token(Params::parse(&body), from).await?;
    Ok(Json(Granted {
        access_token: tokens.access.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        scope: tokens.scope,
    }))
}

pub(super) async fn revoke(
    State(app): State<App>,
    Peer(from): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refused> {
    let body = body_of(&headers, body, FORM).await?;
    app.revoke_token(&Params::parse(&body), from).await?;
    Ok(StatusCode::OK)
}
