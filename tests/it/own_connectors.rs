//! Connectors that an organization writes itself: added, called by agents, seen by nobody else,
//! replaced, deleted, imported from an API's own document.

mod hostile;

use crate::definitions::NOTES;
use quaymaster_tests::{Canary, Database, Mcp, Server};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const OWN: &str = "/api/v1/connectors/own";
const SECRET: &str = "canary-secret-7f31";

/// A small service on loopback that says what it was asked, and keeps it.
struct Echo {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = heard.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 16_384];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..read]).into_owned();
                let line = text.lines().next().unwrap_or_default().to_owned();
                keep.lock().unwrap().push(text);
                let body = json!({ "name": "Quay", "asked": line }).to_string();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Echo { url, heard }
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

/// A server with an API key of every scope.
struct Desk {
    server: Server,
    key: String,
    mcp: Mcp,
}

impl Desk {
    async fn open(database: Database) -> Desk {
        let server = Server::start_on(database).await;
        let key = server.api_key(&[]).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        Desk { server, key, mcp }
    }

    async fn rest(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.server.rest(&self.key, method, path, body).await
    }

    async fn add(&self, source: &str) -> (u16, Value) {
        self.rest("POST", OWN, Some(json!({ "source": source })))
            .await
    }

    async fn connect(&self, connector: &str, url: &str) -> Value {
        let body = json!({
            "connector": connector, "fields": { "url": url, "token": SECRET }, "isLocal": true,
        });
        let path = "/api/v1/connections";
        let (status, answer) = self.rest("POST", path, Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        answer["connection"].clone()
    }

    async fn list_notes(&self) -> Result<Value, Value> {
        let call = json!({ "service": "notes", "method": "GET", "path": "/notes" });
        self.mcp.call("connector_execute", call).await
    }

    /// An API key of another organization, and its MCP client.
    async fn stranger(&self) -> (String, Mcp) {
        let key = self.server.stranger().await;
        let mcp = Mcp::open(&self.server.endpoint, &key).await;
        (key, mcp)
    }
}

fn has(listed: &Value, key: &str) -> bool {
    let services = listed["services"].as_array().unwrap();
    services.iter().any(|one| one["key"] == key)
}

#[tokio::test]
async fn an_organizations_connector_is_listed_described_and_called_by_its_agents_only() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let service = Echo::start().await;
        let (status, added) = desk.add(NOTES).await;
        assert_eq!(status, 201, "{added}");
        assert_eq!(added["connector"]["key"], "notes");
        let version = added["connector"]["version"].as_str().unwrap().to_owned();
        assert!(version.starts_with("1.0.0+"), "{version}");

        let listing = json!({ "format": "json" });
        let listed = desk.mcp.call("list_services", listing.clone()).await;
        assert!(has(&listed.unwrap(), "notes"));
        let described = json!({ "service": "notes" });
        let passport = desk.mcp.call("describe_service", described.clone()).await;
        let passport = passport.unwrap();
        assert_eq!(passport["version"], json!(version));
        let refused = desk.list_notes().await.unwrap_err();
        assert_eq!(refused["code"], "CONNECTION_REQUIRED");
        let account = desk.connect("notes", &service.url).await;
        assert_eq!(account["status"], "ACTIVE", "{account}");
        assert_eq!(account["label"], "Quay");
        let answer = desk.list_notes().await.unwrap();
        assert_eq!(
            answer["data"]["asked"], "GET /v1/notes HTTP/1.1",
            "{answer}"
        );
        let slip = json!({ "service": "notse", "method": "GET", "path": "/notes" });
        let slip = desk.mcp.call("connector_execute", slip).await.unwrap_err();
        assert!(slip["hint"].as_str().unwrap().contains("notes"), "{slip}");

        // Another organization sees nothing of it, and hears what it hears of any unknown name.
        let (other, stranger) = desk.stranger().await;
        let theirs = stranger.call("list_services", listing).await.unwrap();
        assert!(!has(&theirs, "notes"), "{theirs}");
        let call = |service: &str| json!({ "service": service, "method": "GET", "path": "/x" });
        let unlike =
            |name: &str, fault: &Value| fault.to_string().replace(name, "").contains("notes");
        for tool in ["describe_service", "connector_execute"] {
            let arguments = |service: &str| match tool {
                "describe_service" => json!({ "service": service }),
                _ => call(service),
            };
            let theirs = stranger.call(tool, arguments("notes")).await.unwrap_err();
            assert_eq!(theirs["code"], "UNKNOWN_SERVICE", "{theirs}");
            assert!(!unlike("\"notes\\\"", &theirs), "{theirs}");
        }
        for path in ["/api/v1/connectors/notes", "/api/v1/connectors/own/notes"] {
            let (status, theirs) = desk.server.rest(&other, "GET", path, None).await;
            let unknown = path.replace("notes", "neverwas");
            let (never, told) = desk.server.rest(&other, "GET", &unknown, None).await;
            assert_eq!((status, never), (404, 404), "{theirs}");
            let theirs = theirs["message"]
                .as_str()
                .unwrap()
                .replace("notes", "neverwas");
            assert_eq!(json!(theirs), told["message"], "{path}");
        }
        for (method, body) in [("PUT", Some(json!({ "source": NOTES }))), ("DELETE", None)] {
            let path = format!("{OWN}/notes");
            let (status, _) = desk.server.rest(&other, method, &path, body).await;
            assert_eq!(status, 404, "{method}");
        }
        // They may have one of the same key, which is theirs.
        let body = json!({ "source": NOTES.replace("title: Notes", "title: Theirs") });
        let (status, _) = desk.server.rest(&other, "POST", OWN, Some(body)).await;
        assert_eq!(status, 201);
        let mine = desk.mcp.call("describe_service", described).await.unwrap();
        assert_eq!(mine["title"], "Notes");
    }
}

#[tokio::test]
async fn a_replacement_that_leads_elsewhere_takes_no_secret_along() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let service = Echo::start().await;
        desk.add(NOTES).await;
        let account = desk.connect("notes", &service.url).await;
        desk.list_notes().await.unwrap();
        service.heard();

        // Better words change nothing for accounts, and the passport has another version.
        let path = format!("{OWN}/notes");
        let before = desk.rest("GET", &path, None).await.1["connector"]["version"].clone();
        let better = NOTES.replace("summary: Notes of a team", "summary: Better words");
        let put = desk
            .rest("PUT", &path, Some(json!({ "source": better })))
            .await;
        assert_eq!(put.0, 200, "{}", put.1);
        assert_eq!(put.1["stoppedAccounts"], json!([]));
        assert_ne!(put.1["connector"]["version"], before);
        desk.list_notes().await.unwrap();
        assert!(service.heard()[0].contains(SECRET));

        // The same host, but the token would stand in the query.
        let canary = Canary::listen("127.0.0.1").unwrap();
        let elsewhere = [
            NOTES.replace(
                "{header: {authorization: \"Bearer {token}\"}}",
                "{query: {t: \"{token}\"}}",
            ),
            NOTES.replace(
                "base_url: \"{url}/v1\"",
                &format!("base_url: \"http://{{url}}:{}/v1\"", canary.address.port()),
            ),
            NOTES.replace(
                "base_url: \"{url}/v1\"",
                "base_url: \"{url}/v1\"\nallow_hosts: [thief.example.com]",
            ),
        ];
        for source in elsewhere {
            assert_ne!(source, NOTES);
            let put = desk
                .rest("PUT", &path, Some(json!({ "source": source })))
                .await;
            assert_eq!(put.0, 200, "{}", put.1);
            let refused = desk.list_notes().await.unwrap_err();
            assert_eq!(refused["code"], "CONNECTION_REQUIRED", "{refused}");
            let said = refused["message"].as_str().unwrap();
            assert!(
                said.contains("sends credentials to another place"),
                "{said}"
            );
            let id = account["id"].as_str().unwrap();
            let verify = format!("/api/v1/connections/{id}/verify");
            let (_, verified) = desk.rest("POST", &verify, None).await;
            assert_eq!(verified["connection"]["status"], "ERROR", "{verified}");
            assert!(service.heard().is_empty());
            assert_eq!(canary.connections(), 0);
        }

        // Back to where the secret was given for, it works again.
        let put = desk
            .rest("PUT", &path, Some(json!({ "source": NOTES })))
            .await;
        assert_eq!(put.0, 200, "{}", put.1);
        desk.list_notes().await.unwrap();
        let (_, now) = desk
            .rest("GET", "/api/v1/connections?connector=notes", None)
            .await;
        assert_eq!(now["connections"][0]["status"], "ACTIVE", "{now}");

        // Deleted and written anew by somebody who wants the secret.
        let gone = desk.rest("DELETE", &path, None).await;
        assert_eq!(gone.0, 400, "{}", gone.1);
        assert!(gone.1.to_string().contains("main"), "{}", gone.1);
        let with = format!("{path}?withAccounts=true");
        let (status, gone) = desk.rest("DELETE", &with, None).await;
        assert_eq!((status, &gone["accounts"]), (200, &json!(1)), "{gone}");
        let (_, left) = desk.rest("GET", "/api/v1/connections", None).await;
        assert_eq!(left["total"], 0);
        let unknown = desk.list_notes().await.unwrap_err();
        assert_eq!(unknown["code"], "UNKNOWN_SERVICE");
        let (_, events) = desk.rest("GET", "/api/v1/events?limit=50", None).await;
        for action in [
            "definition.created",
            "definition.replaced",
            "definition.deleted",
        ] {
            assert!(events.to_string().contains(action), "{action}");
        }
    }
}

#[tokio::test]
async fn no_definition_takes_the_name_or_the_variables_of_another() {
    let desk = Desk::open(Database::Sqlite).await;
    let (status, taken) = desk.add(&NOTES.replace("key: notes", "key: github")).await;
    assert_eq!(
        (status, &taken["fault"]),
        (409, &json!("ALREADY_EXISTS")),
        "{taken}"
    );
    assert!(taken["hint"].as_str().unwrap().contains("another key"));
    desk.add(NOTES).await;
    let (status, twice) = desk.add(NOTES).await;
    assert_eq!(status, 409, "{twice}");
    for (variable, why) in [
        ("GITHUB_TOKEN", "GitHub"),
        ("GITHUB_TOKEN__SECOND", "GitHub"),
        ("CRANE__SECOND", "side by side"),
    ] {
        let source = NOTES
            .replace("key: notes", "key: crane")
            .replace("auth:\n", &format!("env: {{token: {variable}}}\nauth:\n"));
        let (status, refused) = desk.add(&source).await;
        assert_eq!(status, 400, "{refused}");
        let problem = &refused["details"]["problems"][0];
        assert_eq!(problem["line"], 10, "{refused}");
        assert!(
            problem["message"].as_str().unwrap().contains(why),
            "{problem}"
        );
    }
    let (status, reserved) = desk.add(&NOTES.replace("key: notes", "key: import")).await;
    assert_eq!(status, 400, "{reserved}");
    let path = format!("{OWN}/notes");
    let renamed = json!({ "source": NOTES.replace("key: notes", "key: crane") });
    let (status, refused) = desk.rest("PUT", &path, Some(renamed)).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused.to_string().contains("never changes"), "{refused}");

    // Only who administers writes; others do not even read the text.
    let reader = desk.server.api_key(&["read:tools"]).await;
    let body = Some(json!({ "source": NOTES }));
    let (status, _) = desk.server.rest(&reader, "POST", OWN, body).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_check_says_everything_with_its_line_and_keeps_nothing() {
    let desk = Desk::open(Database::Sqlite).await;
    let path = format!("{OWN}/check");
    let fine = json!({ "source": NOTES });
    let (status, fine) = desk.rest("POST", &path, Some(fine)).await;
    assert_eq!(
        (status, &fine["fine"], &fine["actions"]),
        (200, &json!(true), &json!(3))
    );
    let wrong = NOTES
        .replace("path: /me}", "path: me}")
        .replace("action: create_note, with", "action: create_notes, with");
    let (status, told) = desk
        .rest("POST", &path, Some(json!({ "source": wrong })))
        .await;
    assert_eq!((status, &told["fine"]), (200, &json!(false)));
    let lines: Vec<u64> = told["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [17, 23], "{told}");
    let (_, none) = desk.rest("GET", OWN, None).await;
    assert_eq!(none["total"], 0);
}

/// An address inside the network is reached only by an account of which an administrator said so.
#[tokio::test]
async fn an_own_definition_reaches_nothing_private_by_itself() {
    let desk = Desk::open(Database::Sqlite).await;
    let canary = Canary::listen("127.0.0.1").unwrap();
    let open = NOTES
        .replace(
            "base_url: \"{url}/v1\"",
            &format!("base_url: https://127.0.0.1:{}/v1", canary.address.port()),
        )
        .replace("connection: {url: {title: Address, example: \"https://notes.example.com\"}}\n", "")
        .replace(
            "  - {key: token, type: api_key, title: Token, fields: {token: {title: Token, secret: true}}, inject: {header: {authorization: \"Bearer {token}\"}}}",
            "  - {key: none, type: none}",
        );
    let (status, added) = desk.add(&open).await;
    assert_eq!(status, 201, "{added}");
    desk.list_notes().await.unwrap_err();
    let body = json!({ "connector": "notes", "isLocal": true });
    let (status, refused) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 400, "{refused}");
    let body = json!({ "connector": "notes" });
    desk.rest("POST", "/api/v1/connections", Some(body)).await;
    desk.list_notes().await.unwrap_err();
    assert_eq!(canary.connections(), 0);
}

/// Nobody has seen it before: a document of a small service, written here.
pub(crate) fn document(url: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Crane control", "version": "7", "description": "Cranes of a harbour." },
        "servers": [{ "url": url }],
        "tags": [{ "name": "cranes" }],
        "components": {
            "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Crane-Key" } },
            "schemas": { "Lift": { "type": "object", "required": ["tons"], "properties": {
                "tons": { "type": "integer", "maximum": 80 }, "to": { "type": "string", "nullable": true },
            } } },
        },
        "security": [{ "key": [] }],
        "paths": {
            "/cranes": { "get": {
                "operationId": "listCranes", "tags": ["cranes"], "summary": "List cranes",
                "parameters": [{ "name": "berth", "in": "query", "schema": { "type": "string" } }],
                "responses": { "200": { "description": "Cranes." } },
            } },
            "/cranes/{id}": { "get": {
                "operationId": "getCrane", "tags": ["cranes"], "summary": "Get a crane",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "responses": { "200": { "description": "A crane." } },
            } },
            "/cranes/{id}/lifts": { "post": {
                "operationId": "lift", "tags": ["cranes"], "summary": "Lift something",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "requestBody": { "required": true, "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Lift" } } } },
                "responses": { "201": { "description": "Done." } },
            } },
        },
    })
}

#[tokio::test]
async fn a_document_nobody_has_seen_before_is_imported_and_called() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let service = Echo::start().await;
        let path = format!("{OWN}/import");
        let document = document(&service.url).to_string();
        let asked = json!({ "document": document, "name": "crane.json", "key": "crane", "baseUrl": "{url}" });
        let (status, preview) = desk.rest("POST", &path, Some(asked.clone())).await;
        assert_eq!(status, 200, "{preview}");
        assert_eq!(preview["report"]["operations"].as_array().unwrap().len(), 3);
        assert!(preview["connector"].is_null(), "{preview}");
        let (_, none) = desk.rest("GET", OWN, None).await;
        assert_eq!(none["total"], 0, "a preview keeps nothing");
        let mut save = asked;
        save["save"] = json!(true);
        let (status, saved) = desk.rest("POST", &path, Some(save.clone())).await;
        assert_eq!(status, 200, "{saved}");
        assert_eq!(saved["connector"]["key"], "crane", "{saved}");
        let (status, twice) = desk.rest("POST", &path, Some(save)).await;
        assert_eq!(status, 400, "{twice}");

        let (_, connector) = desk.rest("GET", "/api/v1/connectors/crane", None).await;
        let way = &connector["connector"]["auth"][0];
        let fields: serde_json::Map<String, Value> = way["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| {
                let is_url = field["name"] == "url";
                let value = if is_url { &service.url } else { SECRET };
                (field["name"].as_str().unwrap().to_owned(), json!(value))
            })
            .collect();
        let body =
            json!({ "connector": "crane", "auth": way["key"], "fields": fields, "isLocal": true });
        let (status, made) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        service.heard();
        let lift = json!({
            "service": "crane", "method": "POST", "path": "/cranes/c7/lifts", "body": { "tons": 12 },
        });
        let done = desk
            .mcp
            .call("connector_execute", lift.clone())
            .await
            .unwrap();
        assert_eq!(
            done["data"]["asked"], "POST /cranes/c7/lifts HTTP/1.1",
            "{done}"
        );
        let heard = service.heard().join("\n").to_lowercase();
        assert!(heard.contains(&format!("x-crane-key: {SECRET}")), "{heard}");
        let mut heavy = lift;
        heavy["body"]["tons"] = json!(81);
        let refused = desk.mcp.call("connector_execute", heavy).await.unwrap_err();
        assert_eq!(refused["code"], "INVALID_ARG", "{refused}");
        assert!(service.heard().is_empty());
    }
}
