//! Two organizations, each with an owner, a workspace and an API key of scope `admin`.

use crate::contract;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use quaymaster_api::ProtocolInfo;
use quaymaster_app::credentials::{Expiry, NewApiKey};
use quaymaster_app::{
    Admin, App, Credential, Egress, EgressPolicy, Origin, Settings, WaysOut, Workspace,
};
use quaymaster_core::caller::{Pick, Reach};
use quaymaster_core::clock::{Clock, SystemClock, SystemEntropy};
use quaymaster_core::id::{CredentialId, OrgId, UserId, WorkspaceId};
use quaymaster_core::secret::{self, SecretDigest, Token, TokenKind};
use quaymaster_core::{Scope, Scopes};
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use quaymaster_store::org::Organization;
use quaymaster_store::user::Role;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) struct Product {
    pub(crate) app: App,
    router: Router,
    pub(crate) ours: Tenant,
    pub(crate) theirs: Tenant,
    /// A key of scope `admin` whose user is no administrator of ours any more.
    pub(crate) member_key: String,
    _data: TempDir,
}

pub(crate) struct Tenant {
    pub(crate) owner: Admin,
    pub(crate) workspace: Workspace,
    /// The workspace's default token.
    pub(crate) token: String,
    /// An API key of the owner with every scope.
    pub(crate) key: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Product {
    pub(crate) async fn start() -> Product {
        Product::start_with(Arc::new(SystemClock)).await
    }

    pub(crate) async fn start_with(clock: Arc<dyn Clock>) -> Product {
        Product::start_knowing(clock, &[]).await
    }

    /// With definitions of the operator.
    pub(crate) async fn start_knowing(clock: Arc<dyn Clock>, definitions: &[&str]) -> Product {
        let data = TempDir::new().unwrap();
        let own = data.path().join("definitions");
        std::fs::create_dir(&own).unwrap();
        for (number, text) in definitions.iter().enumerate() {
            std::fs::write(own.join(format!("{number}.yaml")), text).unwrap();
        }
        let file = data.path().join("test.db");
        let keys = KeySource::File(data.path().join("key"));
        let store = Store::open(Location::File(&file), keys).await.unwrap();
        let orgs = [
            add_org(&store, "Ours").await,
            add_org(&store, "Theirs").await,
        ];
        let member_key = add_member(&store, &orgs[0]).await;
        let settings = Settings {
            public_url: "http://127.0.0.1:8080".into(),
            server_name: "quaymaster".into(),
            server_title: "Quaymaster".into(),
            data: data.path().to_owned(),
            definitions: Some(own),
            daily_cap: 10_000,
            quota_bytes: 1_000_000,
            document_bytes: 1 << 20,
            documents_quota_bytes: 1 << 22,
            memory_quota_bytes: 1 << 24,
            calls_per_second: 1_000,
            service_key: None,
            python: quaymaster_app::PythonSettings::default(),
            mail: None,
        };
        let app = App::start(
            store,
            settings,
            WaysOut {
                services: Egress::new(EgressPolicy::default()).unwrap(),
                client_metadata: Egress::new(EgressPolicy::default()).unwrap(),
            },
            clock,
            Arc::new(SystemEntropy),
        )
        .await
        .unwrap();
        let protocol = ProtocolInfo {
            newest_with_sessions: "2025-11-25",
            all: vec!["2026-07-28", "2025-11-25"],
        };
        let router = quaymaster_api::router(app.clone(), protocol);
        let [ours, theirs] = orgs;
        let (ours, theirs) = (tenant(&app, &ours).await, tenant(&app, &theirs).await);
        Product {
            app,
            router,
            ours,
            theirs,
            member_key,
            _data: data,
        }
    }

    /// The paths of the router, which axum tells only by `Debug`.
    pub(crate) fn mounted(&self) -> BTreeSet<String> {
        let text = format!("{:?}", self.router);
        text.split('"')
            .filter(|part| part.starts_with('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Every answer of every test must be what the document says of it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            panic!("{} is not JSON ({error}): {bytes:?}", parts.status);
        });
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        };
        contract::check(&method, &path, &answer);
        answer
    }

    async fn call(&self, method: Method, path: &str, key: &str, body: Option<&Value>) -> Answer {
        let request = request(method, path, key);
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get_as(&self, key: &str, path: &str) -> Answer {
        self.call(Method::GET, path, key, None).await
    }

    pub(crate) async fn post_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, key, Some(&body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.ours.key, path).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_as(&self.ours.key, path, body).await
    }

    pub(crate) async fn patch_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, key, Some(&body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.patch_as(&self.ours.key, path, body).await
    }

    pub(crate) async fn put_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, key, Some(&body)).await
    }

    pub(crate) async fn delete_as(&self, key: &str, path: &str) -> Answer {
        self.call(Method::DELETE, path, key, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.delete_as(&self.ours.key, path).await
    }

    /// A key of our owner with these scopes only, for the files of that workspace.
    pub(crate) async fn key_with(&self, scopes: &[Scope], files: Option<WorkspaceId>) -> String {
        let new = NewApiKey {
            name: "Narrow".into(),
            scopes: Some(scopes.iter().copied().collect()),
            expires: Expiry::Never,
            files,
            ..NewApiKey::default()
        };
        let fresh = self
            .app
            .create_api_key(&self.ours.owner, new)
            .await
            .unwrap();
        fresh.token.expose_secret().to_owned()
    }
}

pub(crate) fn request(method: Method, path: &str, key: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
}

async fn add_org(store: &Store, name: &str) -> OrgId {
    let now = SystemClock.now();
    let org = Organization {
        id: OrgId::fresh(&SystemClock, &SystemEntropy),
        name: name.into(),
        created_at: now,
    };
    let owner = UserId::fresh(&SystemClock, &SystemEntropy);
    let mut tx = store.begin().await.unwrap();
    tx.add_organization(&org).await.unwrap();
    tx.add_user(&owner, "Owner", now).await.unwrap();
    tx.add_member(&org.id, &owner, Role::Owner, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    org.id
}

async fn add_member(store: &Store, org: &OrgId) -> String {
    let now = SystemClock.now();
    let user = UserId::fresh(&SystemClock, &SystemEntropy);
    let token = Token {
        kind: TokenKind::ApiKey,
        credential: CredentialId::fresh(&SystemClock, &SystemEntropy),
        secret: secret::fresh(&SystemEntropy),
    };
    let credential = Credential {
        id: token.credential.clone(),
        org: org.clone(),
        kind: token.kind,
        name: "Made as an administrator".into(),
        user: user.clone(),
        workspace: None,
        server: None,
        end_user: None,
        flows: Pick::All,
        in_url: false,
        mix: quaymaster_core::mix::Mix::default(),
        origin: Origin::Manual,
        scopes: Scopes::all(),
        reach: Reach::Organization,
        secret: Some(SecretDigest::of(token.secret.expose_secret())),
        created_at: now,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_user(&user, "Member", now).await.unwrap();
    tx.add_member(org, &user, Role::Member, now).await.unwrap();
    tx.add_credential(&credential).await.unwrap();
    tx.commit().await.unwrap();
    token.reveal().expose_secret().to_owned()
}

async fn tenant(app: &App, org: &OrgId) -> Tenant {
    let owner = app.actor_at_command_line(org).await.unwrap();
    let (workspace, token) = app.create_workspace(&owner, "Main", None).await.unwrap();
    let new = NewApiKey {
        name: "First".into(),
        scopes: Some(Scopes::all()),
        expires: Expiry::Never,
        files: Some(workspace.id.clone()),
        ..NewApiKey::default()
    };
    let key = app.create_api_key(&owner, new).await.unwrap();
    Tenant {
        owner,
        workspace,
        token: token.token.expose_secret().to_owned(),
        key: key.token.expose_secret().to_owned(),
    }
}

/// The body with ids and instants made equal from run to run.
pub(crate) fn redacted(body: &Value) -> Value {
    match body {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), redacted(value)))
            .collect(),
        Value::Array(all) => all.iter().map(redacted).collect(),
        Value::String(text) => json!(redacted_text(text)),
        other => other.clone(),
    }
}

fn redacted_text(text: &str) -> String {
    let is_id = |text: &str| {
        text.split_once('_').is_some_and(|(prefix, rest)| {
            prefix.len() <= 4 && rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    };
    if is_id(text) {
        return format!("[{}]", text.split('_').next().unwrap_or_default());
    }
    if text.len() == 24 && text.ends_with('Z') && text.contains('T') {
        return "[instant]".to_owned();
    }
    if let Some((id, _)) = text
        .split_once('.')
        .filter(|(_, secret)| secret.len() == 43)
    {
        return if is_id(id) { "[token]" } else { "[key]" }.to_owned();
    }
    if text.starts_with("sk-org-") && text.len() == 13 {
        return "[prefix]".to_owned();
    }
    text.to_owned()
}

/// Compares a whole body with the text that stands in the test.
macro_rules! body_is {
    ($answer:expr, @$text:literal) => {
        let body = crate::product::redacted(&$answer.body);
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(body, @$text);
        })
    };
}
pub(crate) use body_is;
