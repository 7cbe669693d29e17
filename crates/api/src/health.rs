//! Whether the server can work.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::isolation::Tried;
use serde::Serialize;
use utoipa::ToSchema;

const NONE: &str = "none";

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `unavailable` when the database does not answer.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    /// How programs of agents are held. Tried when the server starts, and absent until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<Sandbox>,
}

#[derive(Serialize, ToSchema)]
struct Sandbox {
    /// `full`; `seccomp`, without namespaces; or `none`, and no program runs.
    javascript: &'static str,
    /// `full`, or `none`: then `repl_execute` answers `SANDBOX_UNAVAILABLE`.
    python: &'static str,
    /// What limits a session of Python as a whole: `cgroup v2`, `cgroup v1` or `process limits`.
    #[serde(skip_serializing_if = "Option::is_none")]
    python_limits: Option<&'static str>,
}

impl Sandbox {
    fn of(tried: &Tried) -> Sandbox {
        let javascript = tried.javascript.as_ref();
        let python = tried.python.as_ref();
        Sandbox {
            javascript: javascript.map_or(NONE, |probed| probed.isolation.name()),
            python: if python.is_ok() { "full" } else { NONE },
            python_limits: python.map(|probed| probed.limits).ok(),
        }
    }
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
            sandbox: None,
        };
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(health)).into_response();
    }
    let version = Some(env!("CARGO_PKG_VERSION"));
    axum::Json(Health {
        status: "ok",
        version,
        sandbox: app.isolation().map(Sandbox::of),
    })
    .into_response()
}
