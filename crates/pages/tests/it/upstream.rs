//! A name server with the API of `PowerDNS`, as far as connecting an account goes.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key that it takes.
pub(crate) const KEY: &str = "harbour-key-of-the-name-server";

pub(crate) struct Upstream {
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        Upstream::calling_itself("4.9.3").await
    }

    /// What it says of itself becomes the account's label, or its problem.
    pub(crate) async fn calling_itself(version: &str) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let version: Arc<str> = version.into();
        let router = Router::new()
            .route("/api/v1/servers/localhost", get(server))
            .with_state(version);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Upstream { url, serving }
    }
}

async fn server(State(version): State<Arc<str>>, headers: HeaderMap) -> Response {
    if headers.get("x-api-key").is_some_and(|sent| sent == KEY) {
        let about = json!({ "type": "Server", "id": "localhost", "version": *version });
        axum::Json(about).into_response()
    } else {
        let body = json!({ "error": format!("Unauthorized by {version}") });
        (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
    }
}
