//! A name server with the API of `PowerDNS`, as far as connecting an account goes.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key that it takes at first.
pub(crate) const KEY: &str = "harbour-key-of-the-name-server";

pub(crate) struct Upstream {
    pub(crate) url: String,
    key: Arc<Mutex<String>>,
    serving: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        let key = Arc::new(Mutex::new(KEY.to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/v1/servers/localhost", get(server))
            .route("/api/v1/servers/localhost/zones", get(zones))
            .with_state(key.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Upstream { url, key, serving }
    }

    /// From now on it takes another key.
    pub(crate) fn changes_its_key(&self, key: &str) {
        key.clone_into(&mut self.key.lock().unwrap());
    }
}

type Key = Arc<Mutex<String>>;

fn refused(key: &Key, headers: &HeaderMap) -> Option<Response> {
    let sent = headers.get("x-api-key").and_then(|key| key.to_str().ok());
    let is_known = sent == Some(key.lock().unwrap().as_str());
    // As careless servers do, it says what it was sent.
    let said = format!("Unauthorized: {}", sent.unwrap_or_default());
    (!is_known).then(|| (StatusCode::UNAUTHORIZED, said).into_response())
}

async fn server(State(key): State<Key>, headers: HeaderMap) -> Response {
    let about = json!({ "type": "Server", "id": "localhost", "version": "4.9.3 <b>" });
    refused(&key, &headers).unwrap_or_else(|| axum::Json(about).into_response())
}

async fn zones(State(key): State<Key>, headers: HeaderMap) -> Response {
    let zones = json!([{ "id": "example.org.", "name": "example.org.", "kind": "Native" }]);
    refused(&key, &headers).unwrap_or_else(|| axum::Json(zones).into_response())
}
