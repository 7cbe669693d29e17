//! Accounts that sign in at an authorization server that others wrote, through the pages, and are
//! kept good while agents call.

use quaymaster_tests::person::Page;
use quaymaster_tests::script::{Script, node, script_path};
use quaymaster_tests::{Database, Mcp, Person, Server, fresh_postgres};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const NOTES: &str = r#"quaymaster: 1
key: notes
kind: rest
version: "1.0.0"
title: Notes
summary: Notes of a team
categories: [work management]
connection: {url: {title: Address, example: "https://notes.example.com"}}
base_url: "{url}/api"
auth:
  - key: oauth2
    type: oauth2
    title: Sign in
    oauth2:
      grants: [authorization_code, device_code]
      authorize_url: "{url}/auth"
      token_url: "{url}/token"
      device_url: "{url}/device/auth"
      revoke_url: "{url}/token/revocation"
      issuer: "{url}"
      scopes: {default: [openid]}
  - key: service
    type: oauth2
    title: Service account
    oauth2: {grants: [client_credentials], token_url: "{url}/token"}
verify: {action: get_me, label: /name}
modules:
  notes:
    title: Notes
    actions:
      get_me: {title: Get the signed-in person, method: GET, path: /me}
      list_notes: {title: List notes, method: GET, path: /notes}
recipes:
  - {title: Who am I, action: get_me}
  - {title: All notes, action: list_notes}
  - {title: All notes again, action: list_notes}
"#;
const LONG: Duration = Duration::from_mins(1);

/// The authorization server, with the service behind it and an app for ours.
pub(crate) struct Provider {
    pub(crate) url: String,
    _script: Script,
}

impl Provider {
    pub(crate) async fn start(access_seconds: u32) -> Provider {
        let seconds = access_seconds.to_string();
        let arguments = [&script_path("oidc_provider.mjs"), seconds.as_str()];
        let mut script = Script::start(&node(), &arguments, "");
        let ready = script.step("ready").await;
        Provider {
            url: ready["url"].as_str().unwrap().to_owned(),
            _script: script,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.url);
        let answer = reqwest::Client::new().post(url).json(body).send().await;
        answer.unwrap().json().await.unwrap()
    }

    /// Registers an app: its id and secret.
    pub(crate) async fn register(&self, redirect_uri: &str) -> (String, String) {
        let wanted = json!({
            "client_name": "Quaymaster", "application_type": "native",
            "redirect_uris": [redirect_uri], "response_types": ["code"],
            "grant_types": [
                "authorization_code", "refresh_token", "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "token_endpoint_auth_method": "client_secret_basic",
        });
        let app = self.post("/reg", &wanted).await;
        let text = |name: &str| {
            app[name]
                .as_str()
                .unwrap_or_else(|| panic!("{app}"))
                .to_owned()
        };
        (text("client_id"), text("client_secret"))
    }

    async fn renewals(&self) -> u64 {
        let counts = reqwest::get(format!("{}/counts", self.url)).await.unwrap();
        let counts: Value = counts.json().await.unwrap();
        counts["refresh_token"].as_u64().unwrap_or(0)
    }

    /// What somebody does there: says who they are and agrees, until they are sent away or done.
    pub(crate) async fn agree(&self, person: &Person, address: &str) -> Page {
        let mut page = person.get(address).await;
        for _ in 0..6 {
            if page.away.is_some() || !page.html.contains("<form") {
                return page;
            }
            let path = page.path.split('?').next().unwrap_or_default();
            let action = format!("{}{path}", self.url);
            let given = [("login", "maria"), ("password", "any"), ("confirm", "yes")];
            page = person.send(&action, &page.form(&action), &given).await;
        }
        panic!("not done: {}", page.html);
    }
}

/// A server that knows the service, with its owner, an agent, and the app.
struct Scene {
    server: Server,
    key: String,
    mcp: Mcp,
    owner: Person,
    maria: Person,
    provider: Provider,
    app: (String, String),
    _definitions: TempDir,
}

impl Scene {
    async fn begin(database: Database, access_seconds: u32) -> Scene {
        let definitions = TempDir::new().unwrap();
        std::fs::write(definitions.path().join("notes.yaml"), NOTES).unwrap();
        let settings = [("DEFINITIONS", definitions.path().to_str().unwrap())];
        let server = Server::start_with(database, &settings).await;
        Scene::on(server, access_seconds, definitions).await
    }

    async fn on(server: Server, access_seconds: u32, definitions: TempDir) -> Scene {
        let provider = Provider::start(access_seconds).await;
        let owner = Person::owner(&server.url, &server.sign_in_link).await;
        let app = provider
            .register(&format!("{}/connections/callback", server.url))
            .await;
        let key = server.api_key(&[]).await;
        let scene = Scene {
            mcp: Mcp::open(&server.endpoint, &key).await,
            maria: Person::of(&provider.url),
            server,
            key,
            owner,
            provider,
            app,
            _definitions: definitions,
        };
        scene.set_app().await;
        scene
    }

    async fn set_app(&self) {
        let page = self.owner.get("/connectors/notes?auth=oauth2").await;
        let redirect_uri = format!("{}/connections/callback", self.server.url);
        assert_eq!(page.texts("#redirect-uri"), [redirect_uri]);
        assert!(!page.html.contains("Sign in at Notes"), "{}", page.html);
        let action = "/connectors/notes/oauth-app";
        let given = [("client_id", &*self.app.0), ("client_secret", &*self.app.1)];
        let page = self.owner.send(action, &page.form(action), &given).await;
        assert!(page.html.contains("The app is stored"), "{}", page.html);
        assert!(!page.html.contains(&self.app.1), "{}", page.html);
    }

    /// Fills the form of the connector's page in. Answers where that leads.
    async fn begin_by_page(&self, flow: &str) -> Page {
        let page = self.owner.get("/connectors/notes?auth=oauth2").await;
        let action = "/connectors/notes/authorize";
        let given = [
            ("field.url", &*self.provider.url),
            ("local", "yes"),
            ("flow", flow),
        ];
        self.owner.send(action, &page.form(action), &given).await
    }

    /// Goes to the service and comes back. Answers the page at the end, and the way back.
    async fn come_back(&self, away: &str) -> (Page, String) {
        let there = self.provider.agree(&self.maria, away).await;
        let back = there.away.unwrap_or_else(|| panic!("{}", there.html));
        (self.owner.get(&back).await, back)
    }

    /// Signs an account in. Answers its path.
    async fn sign_in(&self) -> String {
        let away = self.begin_by_page("code").await;
        let away = away.away.unwrap_or_else(|| panic!("{}", away.html));
        let (page, _) = self.come_back(&away).await;
        assert!(page.path.starts_with("/connections/con_"), "{}", page.path);
        assert_eq!(page.texts(".status"), ["ACTIVE"], "{}", page.html);
        page.path
    }

    async fn call(&self) -> Result<Value, Value> {
        let me = json!({ "service": "notes", "method": "GET", "path": "/me" });
        self.mcp.call("connector_execute", me).await
    }

    async fn works(&self) {
        let answer = self.call().await.unwrap();
        assert_eq!(answer["data"]["name"], "maria", "{answer}");
    }

    async fn connection(&self, path: &str) -> Value {
        let path = format!("/api/v1{path}");
        let (_, answer) = self.server.rest(&self.key, "GET", &path, None).await;
        answer["connection"].clone()
    }
}

async fn hundred(calls: impl Fn(usize) -> (String, String)) {
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let (url, key) = calls(number);
            tokio::spawn(async move {
                let body = json!({ "service": "notes", "method": "GET", "path": "/me" });
                let url = format!("{url}/api/v1/tools/connector_execute");
                let sent = reqwest::Client::new()
                    .post(url)
                    .bearer_auth(key)
                    .json(&body);
                let answer = sent.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            })
        })
        .collect();
    for call in calls {
        let (status, text) = call.await.unwrap();
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("maria"), "{text}");
    }
}

#[tokio::test]
async fn an_account_signs_in_through_the_page_is_kept_good_and_signs_in_again() {
    for database in Database::BOTH {
        let scene = Scene::begin(database, 15).await;
        let path = scene.sign_in().await;
        scene.works().await;

        // The service ends the token: whoever calls gets another one, together.
        scene.provider.post("/drop", &json!({})).await;
        let own = |_| (scene.server.url.clone(), scene.key.clone());
        hundred(own).await;
        assert_eq!(scene.provider.renewals().await, 1);

        // It ends by itself.
        let ends = scene.connection(&path).await["expiresAt"].clone();
        let begun = Instant::now();
        while scene.connection(&path).await["expiresAt"] == ends && begun.elapsed() < LONG {
            scene.works().await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert!(scene.provider.renewals().await >= 2);

        // The person takes it away.
        scene.provider.post("/forget", &json!({})).await;
        let begun = Instant::now();
        while scene.connection(&path).await["status"] == "ACTIVE" && begun.elapsed() < LONG {
            let refused = scene.call().await.unwrap_err();
            assert_eq!(refused["code"], "CONNECTION_REQUIRED", "{refused}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let refused = scene.call().await.unwrap_err();
        assert_eq!(refused["code"], "CONNECTION_REQUIRED", "{refused}");
        let setup = format!("{}{path}", scene.server.url);
        assert_eq!(refused["details"]["setup_url"], setup, "{refused}");

        let page = scene.owner.get(&path).await;
        assert_eq!(page.texts(".status"), ["ERROR"], "{}", page.html);
        let action = format!("{path}/authorize");
        let given = [("flow", "code")];
        let away = scene.owner.send(&action, &page.form(&action), &given).await;
        let (page, _) = scene.come_back(&away.away.unwrap()).await;
        assert_eq!(page.path, path);
        assert_eq!(page.texts(".status"), ["ACTIVE"], "{}", page.html);
        scene.works().await;

        // No token, code or secret is in what people and agents see, or in the log.
        let log = std::fs::read_to_string(scene.server.data.path().join("server.log")).unwrap();
        assert!(!log.contains(&scene.app.1), "{log}");
    }
}

#[tokio::test]
async fn a_way_back_works_once_and_in_no_other_browser() {
    let scene = Scene::begin(Database::Sqlite, 3_600).await;
    let away = scene.begin_by_page("code").await.away.unwrap();
    let there = scene.provider.agree(&scene.maria, &away).await;
    let back = there.away.unwrap();
    let stranger = Person::of(&scene.server.url);
    let page = stranger.get(&back).await;
    assert_eq!(page.status, 403, "{}", page.html);
    let page = scene.owner.get(&back).await;
    assert_eq!(page.texts(".status"), ["ACTIVE"], "{}", page.html);
    for person in [&scene.owner, &stranger] {
        assert_eq!(person.get(&back).await.status, 404);
    }
    for nonsense in ["", "?state=x", "?error=access_denied", "?code=a&state=%00"] {
        let path = format!("/connections/callback{nonsense}");
        assert_eq!(stranger.get(&path).await.status, 404, "{nonsense}");
    }
    // Somebody who says no.
    let away = scene.begin_by_page("code").await.away.unwrap();
    let state = away
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let path = format!("/connections/callback?error=access_denied&state={state}");
    let page = scene.owner.get(&path).await;
    assert_eq!(page.status, 403);
    assert!(page.html.contains("refused there"), "{}", page.html);
    let (_, listed) = scene
        .server
        .rest(&scene.key, "GET", "/api/v1/connections", None)
        .await;
    assert_eq!(listed["total"], 1, "{listed}");
}

#[tokio::test]
async fn an_account_signs_in_on_another_device_and_one_by_its_own_app() {
    let scene = Scene::begin(Database::Sqlite, 3_600).await;
    let page = scene.begin_by_page("device").await;
    assert!(
        page.path.starts_with("/connections/authorize/aut_"),
        "{}",
        page.path
    );
    let code = page.texts("#user-code").pop().unwrap();
    let there = format!("{}/device?user_code={code}", scene.provider.url);
    let done = scene.provider.agree(&scene.maria, &there).await;
    assert!(done.html.contains("Success"), "{}", done.html);
    let begun = Instant::now();
    let mut shown = scene.owner.get(&page.path).await;
    while !shown.html.contains("The account is connected") && begun.elapsed() < LONG {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shown = scene.owner.get(&page.path).await;
    }
    assert!(
        shown.html.contains("The account is connected"),
        "{}",
        shown.html
    );
    scene.works().await;

    let body = json!({
        "connector": "notes", "auth": "service", "name": "robot", "isLocal": true,
        "fields": {
            "url": scene.provider.url, "client_id": scene.app.0, "client_secret": scene.app.1,
        },
    });
    let path = "/api/v1/connections";
    let (status, made) = scene
        .server
        .rest(&scene.key, "POST", path, Some(body))
        .await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["connection"]["label"], scene.app.0, "{made}");
    let me = json!({ "service": "notes:robot", "method": "GET", "path": "/me" });
    let answer = scene.mcp.call("connector_execute", me).await.unwrap();
    assert_eq!(answer["data"]["name"], scene.app.0, "{answer}");
}

#[tokio::test]
async fn two_nodes_renew_a_token_once() {
    let definitions = TempDir::new().unwrap();
    std::fs::write(definitions.path().join("notes.yaml"), NOTES).unwrap();
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let environment = vec![
        own("QUAYMASTER_DATABASE_URL", &fresh_postgres().await),
        own("QUAYMASTER_KEY", &"5a".repeat(32)),
        own(
            "QUAYMASTER_DEFINITIONS",
            definitions.path().to_str().unwrap(),
        ),
    ];
    let first = Server::start_in(Database::Sqlite, environment.clone()).await;
    let second = Server::start_in(Database::Sqlite, environment).await;
    let scene = Scene::on(first, 3_600, definitions).await;
    scene.sign_in().await;
    scene.works().await;
    scene.provider.post("/drop", &json!({})).await;
    let urls = [scene.server.url.clone(), second.url.clone()];
    hundred(|number| (urls[number % 2].clone(), scene.key.clone())).await;
    assert_eq!(scene.provider.renewals().await, 1);
}
