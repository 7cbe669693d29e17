//! The authorization server with a clock that the test moves. The page between question and answer
//! is left out: the person's decision is given to the use case.

mod ends;
mod exchange;
mod questions;
mod refresh;
mod registration;

use crate::product::Product;
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use quaymaster_app::oauth::authorize::{Answered, Granted, Unasked};
use quaymaster_core::caller::{Audience, Presented, Refusal};
use quaymaster_core::clock::{Clock, SystemClock};
use quaymaster_core::id::UserId;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Caller, Door as _, Instant};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::Serializer;

const CALLBACK: &str = "http://127.0.0.1:9000/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RESOURCE: &str = "http://127.0.0.1:8080/mcp";

/// The machine's clock, set forward by as many seconds as the test wants.
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Instant {
        SystemClock
            .now()
            .plus_seconds(self.0.load(Ordering::SeqCst))
    }
}

struct Server {
    product: Product,
    router: Router,
    clock: Arc<Ahead>,
    client: String,
}

type Pairs<'a> = Vec<(&'a str, String)>;

fn form(pairs: &[(&str, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The pairs with one more, in place of one of the same name.
fn with<'a>(mut pairs: Pairs<'a>, name: &'a str, value: &str) -> Pairs<'a> {
    pairs.retain(|(known, _)| *known != name);
    pairs.push((name, value.to_owned()));
    pairs
}

fn without<'a>(mut pairs: Pairs<'a>, name: &str) -> Pairs<'a> {
    pairs.retain(|(known, _)| *known != name);
    pairs
}

/// A parameter of an address that an answer goes to.
fn param(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

impl Server {
    async fn start() -> Server {
        let clock = Arc::new(Ahead(AtomicI64::new(0)));
        let product = Product::start_with(clock.clone()).await;
        let router = quaymaster_api::oauth::router(product.app.clone());
        let mut server = Server {
            product,
            router,
            clock,
            client: String::new(),
        };
        server.client = server.registered("A client").await;
        server
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: String) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let waits = response.headers().contains_key("retry-after");
        assert_eq!(waits, status == 429);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    async fn register(&self, metadata: &Value) -> (u16, Value) {
        let json = "application/json";
        self.send(Method::POST, "/register", json, metadata.to_string())
            .await
    }

    async fn registered(&self, name: &str) -> String {
        let metadata = json!({ "client_name": name, "redirect_uris": [CALLBACK] });
        let (status, body) = self.register(&metadata).await;
        assert_eq!(status, 201, "{body}");
        body["client_id"].as_str().unwrap().to_owned()
    }

    async fn post(&self, path: &str, pairs: &Pairs<'_>) -> (u16, Value) {
        let kind = "application/x-www-form-urlencoded";
        self.send(Method::POST, path, kind, form(pairs)).await
    }

    async fn token(&self, pairs: &Pairs<'_>) -> (u16, Value) {
        self.post("/token", pairs).await
    }

    fn owner(&self) -> &UserId {
        &self.product.ours.owner.user
    }

    /// A good question.
    fn question(&self) -> Pairs<'static> {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        vec![
            ("response_type", "code".into()),
            ("client_id", self.client.clone()),
            ("redirect_uri", CALLBACK.into()),
            ("state", "a state".into()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".into()),
            ("resource", RESOURCE.into()),
            ("scope", "read:tools write:tools".into()),
        ]
    }

    /// Where the answer goes when the person agrees to a question.
    async fn agreed(&self, question: &Pairs<'_>, write: bool) -> String {
        let app = &self.product.app;
        let asked = app
            .authorization_asked(&form(question), Some(self.owner()))
            .await
            .unwrap();
        let owner = &self.product.ours.owner;
        let granted = Granted {
            workspace: Some(self.product.ours.workspace.id.clone()),
            write,
            ticked: quaymaster_app::mixing::Ticked::default(),
        };
        app.authorization_granted(owner, &asked, &granted)
            .await
            .unwrap()
    }

    /// The error that a question is answered with.
    async fn answered(&self, question: &Pairs<'_>) -> String {
        match self
            .product
            .app
            .authorization_asked(&form(question), Some(self.owner()))
            .await
        {
            Err(Unasked::Answered(Answered { location, .. })) => {
                assert_eq!(param(&location, "iss").unwrap(), "http://127.0.0.1:8080");
                param(&location, "error").unwrap()
            }
            other => panic!("{question:?}: {other:?}"),
        }
    }

    /// Whether the person is told that something is wrong, and nobody else.
    async fn told(&self, question: &Pairs<'_>) -> bool {
        let asked = self
            .product
            .app
            .authorization_asked(&form(question), Some(self.owner()))
            .await;
        matches!(asked, Err(Unasked::Told(_)))
    }

    async fn code(&self) -> String {
        param(&self.agreed(&self.question(), true).await, "code").unwrap()
    }

    fn exchange(&self, code: &str) -> Pairs<'static> {
        vec![
            ("grant_type", "authorization_code".into()),
            ("code", code.into()),
            ("redirect_uri", CALLBACK.into()),
            ("client_id", self.client.clone()),
            ("code_verifier", VERIFIER.into()),
            ("resource", RESOURCE.into()),
        ]
    }

    fn refresh(&self, tokens: &Value) -> Pairs<'static> {
        vec![
            ("grant_type", "refresh_token".into()),
            ("refresh_token", text(&tokens["refresh_token"])),
            ("client_id", self.client.clone()),
        ]
    }

    async fn granted(&self) -> Value {
        let (status, tokens) = self.token(&self.exchange(&self.code().await)).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    async fn admitted(
        &self,
        tokens: &Value,
        audience: Option<Audience>,
    ) -> Result<Caller, Refusal> {
        let presented = Presented {
            bearer: Some(text(&tokens["access_token"]).into()),
            audience,
            ..Presented::default()
        };
        self.product.app.admit(presented).await
    }

    async fn is_good_at(&self, tokens: &Value, audience: Option<Audience>) -> bool {
        self.admitted(tokens, audience).await.is_ok()
    }

    async fn is_good(&self, tokens: &Value) -> bool {
        self.is_good_at(tokens, Some(Audience::Mcp)).await
    }

    async fn grants(&self) -> usize {
        let ours = &self.product.ours;
        let clients = self
            .product
            .app
            .connected_clients(&ours.owner, &ours.workspace.id)
            .await
            .unwrap();
        assert!(
            clients
                .iter()
                .all(|client| client.credential.kind == TokenKind::OAuthGrant)
        );
        clients.len()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn error(answer: &(u16, Value)) -> (u16, &str) {
    let (status, body) = answer;
    assert!(body["error_description"].as_str().is_some(), "{body}");
    (*status, body["error"].as_str().unwrap())
}
