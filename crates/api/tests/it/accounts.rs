//! Accounts that sign in at a service by OAuth: connected, kept good, signed in again, disconnected.
//! The browser on its way is left out; the clock is the test's.

mod keeping;
mod service;
mod signing_in;

use crate::product::Product;
use quaymaster_app::connections::{Callback, Connection, Started};
use quaymaster_core::Fault;
use quaymaster_core::Instant;
use quaymaster_core::clock::{Clock, SystemClock};
use quaymaster_core::id::AuthorizationId;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use service::{CODE, Service};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use url::Url;

/// The machine's clock, set forward by as many seconds as the test wants.
#[derive(Default)]
struct Ahead(AtomicI64);

impl Ahead {
    fn by(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Instant {
        SystemClock
            .now()
            .plus_seconds(self.0.load(Ordering::SeqCst))
    }
}

const SECRET: &str = "secret-of-our-app";
const BEGIN: &str = "/api/v1/connections/authorizations";

/// A service inside the network, at which accounts sign in.
const NOTES: &str = r#"quaymaster: 1
key: notes
kind: rest
version: "1"
title: Notes
summary: Notes of a team
categories: [work management]
connection: {url: {title: Address}}
base_url: "{url}/v1"
auth:
  - key: oauth2
    type: oauth2
    oauth2:
      grants: [authorization_code, device_code]
      authorize_url: "{url}/authorize"
      token_url: "{url}/token"
      device_url: "{url}/device"
      revoke_url: "{url}/revoke"
      issuer: "{url}"
      fields_from_token: {team: /team}
  - key: service
    type: oauth2
    oauth2: {grants: [client_credentials], token_url: "{url}/token"}
verify: {action: get_me, label: /name}
modules:
  notes:
    title: Notes
    actions:
      get_me: {title: Get the signed-in person, method: GET, path: /me}
      create_note: {title: Write a note, method: POST, path: /notes, params: {type: object, properties: {text: {type: string}}}}
recipes:
  - {title: Who am I, action: get_me}
  - {title: Write down an idea, action: create_note, with: {text: Buy milk}}
  - {title: Write down another, action: create_note, with: {text: Buy more milk}}
"#;

struct Scene {
    product: Arc<Product>,
    clock: Arc<Ahead>,
    service: Service,
}

impl Scene {
    async fn begin() -> Scene {
        let clock = Arc::<Ahead>::default();
        let product = Product::start_knowing(clock.clone(), &[NOTES]).await;
        let scene = Scene {
            product: Arc::new(product),
            clock,
            service: Service::start().await,
        };
        let app = json!({ "clientId": "client", "clientSecret": SECRET });
        let path = "/api/v1/connectors/notes/oauth-app";
        let key = &scene.product.ours.key;
        let set = scene.product.put_as(key, path, app).await;
        assert_eq!(set.status, 200, "{}", set.body);
        scene
    }

    fn fields(&self) -> Value {
        json!({ "url": self.service.url })
    }

    async fn begun(&self, more: Value) -> Value {
        let mut body = json!({ "connector": "notes", "isLocal": true, "fields": self.fields() });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let begun = self.product.post(BEGIN, body).await;
        assert_eq!(begun.status, 201, "{}", begun.body);
        begun.body["authorization"].clone()
    }

    async fn started(&self, authorization: &Value) -> Way {
        let id: AuthorizationId = authorization["id"].as_str().unwrap().parse().unwrap();
        let Started { url, browser } = self.product.app.start_authorization(&id).await.unwrap();
        Way {
            url: Url::parse(&url).unwrap(),
            browser: browser.expose_secret().to_owned(),
        }
    }

    async fn back(&self, callback: Callback, browser: Option<&str>) -> Result<Connection, Fault> {
        self.product
            .app
            .complete_authorization(callback, browser)
            .await
    }

    /// Signs an account in, all the way.
    async fn sign_in(&self) -> Connection {
        let way = self.started(&self.begun(json!({})).await).await;
        let callback = way.callback();
        self.back(callback, Some(&way.browser)).await.unwrap()
    }

    async fn connection(&self, id: &str) -> Value {
        let read = self.product.get(&format!("/api/v1/connections/{id}")).await;
        read.body["connection"].clone()
    }

    /// What an agent gets: the data, or the fault.
    async fn call(&self, method: &str, path: &str) -> Result<Value, Value> {
        let arguments = json!({ "service": "notes", "method": method, "path": path });
        let tool = "/api/v1/tools/connector_execute";
        let answer = self.product.post(tool, arguments).await;
        if answer.status == 200 {
            let text = answer.body["content"][0]["text"].as_str().unwrap();
            let result: Value = serde_json::from_str(text).unwrap();
            Ok(result["data"].clone())
        } else {
            Err(answer.body)
        }
    }

    async fn events(&self, action: &str) -> usize {
        let events = self.product.get("/api/v1/events").await.body;
        let events = events["events"].as_array().unwrap();
        events.iter().filter(|one| one["action"] == action).count()
    }
}

/// Somebody on the way to the service.
struct Way {
    url: Url,
    browser: String,
}

impl Way {
    fn param(&self, name: &str) -> String {
        let mut pairs = self.url.query_pairs();
        let found = pairs.find(|(own, _)| own == name);
        found.map(|(_, value)| value.into_owned()).unwrap()
    }

    /// The way back of somebody who agreed.
    fn callback(&self) -> Callback {
        Callback {
            state: self.param("state"),
            code: Some(CODE.to_owned().into()),
            ..Callback::default()
        }
    }
}
