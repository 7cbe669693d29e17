//! The pages over a temporary database, and browsers that keep their cookies.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use quaymaster_app::{Actor, App, Credential, Egress, EgressPolicy, Settings, WaysOut};
use quaymaster_core::Door as _;
use quaymaster_core::caller::{Audience, Presented};
use quaymaster_core::clock::{Clock, Instant, SystemEntropy};
use quaymaster_core::id::{OrgId, UserId, WorkspaceId};
use quaymaster_core::tool::{Call, Content, Ctx, Outcome, Source};
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use quaymaster_store::org::Organization;
use quaymaster_store::user::Role;
use scraper::{Html, Selector};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;

/// A clock that tests set forward.
struct Settable(AtomicI64);

impl Clock for Settable {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Server {
    pub(crate) app: App,
    router: Router,
    clock: Arc<Settable>,
    dir: tempfile::TempDir,
    /// The path of the first sign-in link.
    pub(crate) link: String,
    /// The first workspace, and its default token.
    pub(crate) workspace: WorkspaceId,
    pub(crate) token: String,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

impl Server {
    pub(crate) async fn start() -> Self {
        Self::at("http://127.0.0.1:8080").await
    }

    pub(crate) async fn at(public_url: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Settable(AtomicI64::new(1_790_000_000_000_000)));
        let settings = Settings {
            public_url: public_url.to_owned(),
            server_name: "quaymaster".to_owned(),
            server_title: "Quaymaster".to_owned(),
            data: dir.path().to_owned(),
            definitions: None,
            daily_cap: 100,
            quota_bytes: 1 << 20,
            document_bytes: 1 << 20,
            documents_quota_bytes: 1 << 22,
            memory_quota_bytes: 1 << 24,
            calls_per_second: 1000,
            service_key: None,
            python: quaymaster_app::PythonSettings::default(),
            mail: None,
        };
        let store = store(dir.path()).await;
        let app = App::start(
            store,
            settings,
            WaysOut {
                services: Egress::new(EgressPolicy::default()).unwrap(),
                client_metadata: Egress::new(EgressPolicy::default()).unwrap(),
            },
            clock.clone(),
            Arc::new(SystemEntropy),
        )
        .await
        .unwrap();
        let first = app.first_start().await.unwrap().unwrap();
        let link = first.sign_in_link.expose_secret();
        Server {
            router: quaymaster_pages::router(app.clone(), openapi),
            link: link.strip_prefix(public_url).unwrap().to_owned(),
            workspace: first.workspace.id,
            token: first.token.token.expose_secret().to_owned(),
            app,
            clock,
            dir,
        }
    }

    pub(crate) fn wait_seconds(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            server: self,
            cookies: BTreeMap::new(),
        }
    }

    /// The owner, signed in and set up.
    pub(crate) async fn owner(&self) -> Browser<'_> {
        let mut browser = self.browser();
        assert_eq!(
            browser.post(&self.link, &[]).await.status,
            StatusCode::SEE_OTHER
        );
        browser.introduce("owner@example.com", "Harbour").await;
        browser
    }

    /// Another member of the same organization, signed in and set up.
    pub(crate) async fn member(&self) -> Browser<'_> {
        let org = self.owner_actor().await.org;
        self.joined(&org, Role::Member, "member@example.com").await
    }

    /// An administrator of the same organization, signed in and set up.
    pub(crate) async fn admin(&self) -> Browser<'_> {
        let org = self.owner_actor().await.org;
        self.joined(&org, Role::Admin, "admin@example.com").await
    }

    /// The API keys that somebody sees.
    pub(crate) async fn keys(&self, actor: &Actor) -> Vec<Credential> {
        self.app.api_keys(actor, 100, 0).await.unwrap().0
    }

    /// The id of a member of the first organization.
    pub(crate) async fn user(&self, email: &str) -> UserId {
        let owner = self.owner_actor().await;
        let found = self.app.member_by_email(&owner, email).await.unwrap();
        found.unwrap().user
    }

    /// The owner of another organization with a workspace of its own.
    pub(crate) async fn stranger(&self) -> (Browser<'_>, WorkspaceId) {
        let (browser, org) = self.stranger_without_workspace().await;
        let actor = self.app.actor_at_command_line(&org).await.unwrap();
        let (workspace, _) = self
            .app
            .create_workspace(&actor, "theirs", None)
            .await
            .unwrap();
        (browser, workspace.id)
    }

    pub(crate) async fn stranger_without_workspace(&self) -> (Browser<'_>, OrgId) {
        let now = self.clock.now();
        let org = Organization {
            id: OrgId::fresh(&*self.clock, &SystemEntropy),
            name: "Others".to_owned(),
            created_at: now,
        };
        let mut tx = store(self.dir.path()).await.begin().await.unwrap();
        tx.add_organization(&org).await.unwrap();
        tx.commit().await.unwrap();
        let browser = self
            .joined(&org.id, Role::Owner, "stranger@example.com")
            .await;
        (browser, org.id)
    }

    async fn joined(&self, org: &OrgId, role: Role, email: &str) -> Browser<'_> {
        let now = self.clock.now();
        let user = UserId::fresh(&*self.clock, &SystemEntropy);
        let mut tx = store(self.dir.path()).await.begin().await.unwrap();
        tx.add_user(&user, "Somebody", now).await.unwrap();
        tx.add_member(org, &user, role, now).await.unwrap();
        tx.commit().await.unwrap();
        let link = self.app.create_sign_in_link(org, &user).await.unwrap();
        let path = link
            .expose_secret()
            .split_once("8080")
            .unwrap()
            .1
            .to_owned();
        let mut browser = self.browser();
        assert_eq!(browser.post(&path, &[]).await.status, StatusCode::SEE_OTHER);
        // Who administers names the organization on the welcome page.
        let name = if role == Role::Admin {
            "Harbour"
        } else {
            "Others"
        };
        browser.introduce(email, name).await;
        browser
    }

    pub(crate) async fn owner_actor(&self) -> Actor {
        let org = self
            .app
            .organization_at_command_line(Some("My organization"))
            .await;
        let org = org.or(self.app.organization_at_command_line(Some("Harbour")).await);
        Actor::clone(
            &*self
                .app
                .actor_at_command_line(&org.unwrap().id)
                .await
                .unwrap(),
        )
    }

    /// A transaction of another process. On SQLite nobody else writes before it ends.
    pub(crate) async fn transaction(&self) -> quaymaster_store::Tx {
        store(self.dir.path()).await.begin().await.unwrap()
    }

    pub(crate) fn workspace_path(&self) -> String {
        format!("/workspaces/{}", self.workspace)
    }

    /// Calls a file tool with a bearer token.
    pub(crate) async fn call(&self, token: &str, tool: &str, args: Value) -> Result<Value, String> {
        let presented = Presented {
            bearer: Some(token.to_owned().into()),
            audience: Some(Audience::Mcp),
            ..Presented::default()
        };
        let caller = self
            .app
            .admit(presented)
            .await
            .map_err(|refused| refused.fault.to_string())?;
        let call = Call {
            tool: tool.to_owned(),
            args: Arc::new(args.as_object().unwrap().clone()),
            source: Source::Rest,
            answers: None,
            ctx: Ctx {
                client: Some("test client".to_owned()),
                ..Ctx::new(self.app.fresh_call_id(), self.app.now())
            },
        };
        match self.app.call(&caller, call).await {
            Ok(Outcome::Done(result)) => Ok(result.structured.unwrap_or_else(|| {
                json!(result.content.iter().find_map(|block| match block {
                    Content::Text(text) => Some(text.clone()),
                    _ => None,
                }))
            })),
            Ok(Outcome::Ask(..)) => Err("the call asks something".to_owned()),
            Err(fault) => Err(fault.to_string()),
        }
    }
}

async fn store(dir: &std::path::Path) -> Store {
    let keys = KeySource::File(dir.join("key"));
    Store::open(Location::File(&dir.join("database")), keys)
        .await
        .unwrap()
}

fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Quaymaster", "version": "0.1.0" },
        "paths": { "/api/v1/mcp/info": { "get": { "operationId": "read_info", "summary": "Read about the server" } } },
    })
}

/// Keeps cookies, follows nothing by itself.
pub(crate) struct Browser<'a> {
    server: &'a Server,
    pub(crate) cookies: BTreeMap<String, String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), String::new()).await
    }

    pub(crate) async fn head(&mut self, path: &str) -> Answer {
        self.send(Request::head(path), String::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, fields, "http://127.0.0.1:8080").await
    }

    pub(crate) async fn post_from(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        origin: &str,
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin);
        self.send(request, body).await
    }

    /// Posts as a browser does that calls itself so.
    pub(crate) async fn post_calling_itself(
        &mut self,
        agent: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "http://127.0.0.1:8080")
            .header(header::USER_AGENT, agent);
        self.send(request, body).await
    }

    /// Signs in with the usual password.
    pub(crate) async fn sign_in(&mut self, email: &str) -> Answer {
        self.post("/sign-in", &[("email", email), ("password", PASSWORD)])
            .await
    }

    /// Invites an address. The path of the link.
    pub(crate) async fn invite(&mut self, email: &str, role: &str) -> String {
        let fields = [("email", email), ("role", role)];
        let fresh = self.submit("/settings/invitations", &fields).await;
        assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.body);
        path_of(&fresh.text("#link"))
    }

    /// Posts with the token of a page of this browser.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    pub(crate) async fn csrf(&mut self) -> String {
        let page = self.get("/reference").await;
        page.attribute("input[name=csrf]", "value").unwrap()
    }

    async fn introduce(&mut self, email: &str, organization: &str) {
        let fields = [
            ("name", "A person"),
            ("email", email),
            ("password", PASSWORD),
            ("organization", organization),
        ];
        let answer = self.submit("/welcome", &fields).await;
        assert_eq!(answer.location(), "/", "{}", answer.body);
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut request = request.header(header::HOST, "127.0.0.1:8080");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }
}

/// The path of an address of the server.
pub(crate) fn path_of(url: &str) -> String {
    let path = url.strip_prefix("http://127.0.0.1:8080");
    path.unwrap_or_else(|| panic!("{url}")).to_owned()
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads; empty for any other answer.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        let found = html.select(&Selector::parse(css).unwrap()).next()?;
        found.attr(name).map(str::to_owned)
    }

    /// Where the links lead.
    pub(crate) fn addresses(&self, css: &str) -> Vec<String> {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(css).unwrap();
        let links = html.select(&selector);
        links
            .filter_map(|link| link.attr("href").map(str::to_owned))
            .collect()
    }

    pub(crate) fn text(&self, css: &str) -> String {
        let html = Html::parse_document(&self.body);
        let selector = Selector::parse(css).unwrap();
        let texts = html.select(&selector).flat_map(|element| element.text());
        texts
            .collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}
