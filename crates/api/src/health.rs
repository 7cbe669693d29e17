//! Whether the server can work.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use quaymaster_app::App;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `unavailable` when the database does not answer.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
}

/// Says whether the server can work
///
/// Asks the database. Needs no credential.
#[utoipa::path(
    get, path = "/health", tag = "Server",
    responses(
        (status = 200, description = "The server works.", body = Health),
        (status = 503, description = "The database does not answer.", body = Health),
    )
)]
pub(crate) async fn health(State(app): State<App>) -> Response {
    if let Err(fault) = app.ping().await {
        tracing::warn!(%fault, "the database does not answer");
        let health = Health {
            status: "unavailable",
            version: None,
        };
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(health)).into_response();
    }
    let version = Some(env!("CARGO_PKG_VERSION"));
    axum::Json(Health {
        status: "ok",
        version,
    })
    .into_response()
}
