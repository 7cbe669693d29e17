//! A service with an authorization server that rotates refresh tokens and ends the whole family when
//! an old one comes back.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The code that it takes.
pub(super) const CODE: &str = "code-of-the-service";
/// In front of all its tokens.
pub(super) const TOKEN: &str = "token-of-the-service";

#[derive(Default)]
pub(super) struct Desk {
    number: u32,
    access: Option<String>,
    refresh: Option<String>,
    /// Seconds that access tokens live.
    pub(super) lifetime: Option<i64>,
    /// It answers 503 at its token endpoint.
    pub(super) is_down: bool,
    /// How long it takes to answer there.
    pub(super) slowness: Duration,
    /// Whoever signs in on another device is done.
    pub(super) is_done: bool,
    /// Forms that came to its token endpoint.
    pub(super) asked: Vec<HashMap<String, String>>,
    pub(super) revoked: Vec<String>,
    /// Calls with a good token.
    pub(super) served: u32,
}

pub(super) struct Service {
    pub(super) url: String,
    desk: Arc<Mutex<Desk>>,
    serving: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Shared = Arc<Mutex<Desk>>;

impl Service {
    pub(super) async fn start() -> Service {
        let desk = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/token", post(token))
            .route("/device", post(device))
            .route("/revoke", post(revoke))
            .route("/v1/me", get(me))
            .route("/v1/notes", post(me))
            .with_state(desk.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        desk.lock().unwrap().lifetime = Some(3600);
        Service { url, desk, serving }
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    /// How often a grant was asked for.
    pub(super) fn asked(&self, grant: &str) -> usize {
        let desk = self.desk();
        let asked = desk.asked.iter();
        asked.filter(|form| form["grant_type"] == grant).count()
    }

    /// Ends the access token only.
    pub(super) fn drop_access(&self) {
        self.desk().access = None;
    }

    /// Ends everything, as if the person had.
    pub(super) fn forget(&self) {
        let mut desk = self.desk();
        desk.access = None;
        desk.refresh = None;
    }
}

impl Desk {
    fn tokens(&mut self) -> Value {
        self.number += 1;
        let access = format!("{TOKEN}-access-{}", self.number);
        let refresh = format!("{TOKEN}-refresh-{}", self.number);
        self.access = Some(access.clone());
        self.refresh = Some(refresh.clone());
        json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": self.lifetime, "team": "Harbour",
        })
    }
}

fn refused(code: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        axum::Json(json!({ "error": code })),
    )
        .into_response()
}

async fn token(
    State(desk): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let slowness = desk.lock().unwrap().slowness;
    tokio::time::sleep(slowness).await;
    let mut desk = desk.lock().unwrap();
    desk.asked.push(form.clone());
    if desk.is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if headers.get("authorization").is_none() {
        return refused("invalid_client");
    }
    match form["grant_type"].as_str() {
        "authorization_code" if form["code"] == CODE && form.contains_key("code_verifier") => {
            axum::Json(desk.tokens()).into_response()
        }
        "refresh_token" if Some(&form["refresh_token"]) == desk.refresh.as_ref() => {
            axum::Json(desk.tokens()).into_response()
        }
        "refresh_token" => {
            desk.refresh = None;
            desk.access = None;
            refused("invalid_grant")
        }
        "client_credentials" => {
            let mut tokens = desk.tokens();
            tokens.as_object_mut().unwrap().remove("refresh_token");
            axum::Json(tokens).into_response()
        }
        grant if grant.ends_with("device_code") => {
            if desk.is_done {
                axum::Json(desk.tokens()).into_response()
            } else {
                refused("authorization_pending")
            }
        }
        _ => refused("invalid_grant"),
    }
}

async fn device() -> Response {
    let code = json!({
        "device_code": format!("{TOKEN}-device"), "user_code": "WDJB-MJHT",
        "verification_uri": "https://notes.example.com/device", "expires_in": 600, "interval": 5,
    });
    axum::Json(code).into_response()
}

async fn revoke(State(desk): State<Shared>, Form(form): Form<HashMap<String, String>>) -> Response {
    desk.lock().unwrap().revoked.push(form["token"].clone());
    StatusCode::OK.into_response()
}

async fn me(State(desk): State<Shared>, headers: HeaderMap) -> Response {
    let sent = headers.get("authorization");
    let sent = sent.and_then(|sent| sent.to_str().ok());
    let sent = sent.and_then(|sent| sent.strip_prefix("Bearer "));
    let mut desk = desk.lock().unwrap();
    if sent.is_some() && sent == desk.access.as_deref() {
        desk.served += 1;
        return axum::Json(json!({ "name": "Maria" })).into_response();
    }
    let said = format!("{} is no token", sent.unwrap_or_default());
    (StatusCode::UNAUTHORIZED, said).into_response()
}
