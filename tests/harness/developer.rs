//! A developer at work with the management API: a server with an API key of every scope, and a chat
//! that stands in for Slack.

use crate::outside_service::OutsideService;
use crate::server::{Database, Server};
use crate::services::Service;
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Developer {
    pub server: Server,
    pub key: String,
    pub chat: OutsideService,
    #[expect(dead_code, reason = "the server reads it while it runs")]
    definitions: TempDir,
}

/// A hosted server that was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    /// Its bearer token; empty when it has none.
    pub token: String,
    /// `/mcp/srv_…`
    pub endpoint: String,
    /// `/api/v1/mcp/servers/srv_…/protocol`
    pub protocol: String,
}

impl Developer {
    pub async fn open(database: Database) -> Developer {
        Developer::open_with(database, &[]).await
    }

    pub async fn open_with(database: Database, settings: &[(&str, &str)]) -> Developer {
        let chat = OutsideService::chat().await;
        let definitions = TempDir::new().expect("a temporary directory");
        // The connector's paths are below /api, as the stand-in's are.
        chat.stand_in_for("slack", "https://slack.com", definitions.path());
        let folder = definitions.path().to_str().expect("paths are UTF-8");
        let ca_file = chat.ca_file();
        let own = [
            ("EGRESS_CA_FILE", ca_file.to_str().expect("paths are UTF-8")),
            ("DEFINITIONS", folder),
            ("EGRESS_ALLOW", r#"["127.0.0.1"]"#),
        ];
        let server = Server::start_with(database, &[&own, settings].concat()).await;
        let key = server.api_key(&[]).await;
        Developer {
            server,
            key,
            chat,
            definitions,
        }
    }

    /// A request of the management API, below `/api/v1`.
    pub async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let path = format!("/api/v1{path}");
        self.server.rest(&self.key, method, &path, body).await
    }

    /// One that succeeds.
    pub async fn did(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(method, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// One that makes something.
    pub async fn made(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask("POST", path, Some(body)).await;
        assert_eq!(status, 201, "POST {path}: {answer}");
        answer
    }

    /// One that is refused with a status.
    pub async fn refused(
        &self,
        status: u16,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        let (answered, answer) = self.ask(method, path, body).await;
        assert_eq!(answered, status, "{method} {path}: {answer}");
        answer
    }

    /// Connects an account of the chat, whose token begins with `xoxb-`. Answers its id.
    pub async fn chat_account(&self, external_id: &str) -> String {
        let account = json!({
            "type": "SECRET_TEXT", "integrationName": "slack", "externalId": external_id,
            "displayName": external_id, "secretText": format!("xoxb-{external_id}"),
        });
        let made = self.made("/connections", account).await;
        assert_eq!(made["connection"]["status"], "ACTIVE", "{made}");
        text(&made["connection"]["id"])
    }

    /// Connects an account of a service on this machine. Answers its id.
    pub async fn account(&self, connector: &str, external_id: &str, service: &Service) -> String {
        let props: serde_json::Map<String, Value> = service
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let account = json!({
            "type": "CUSTOM_AUTH", "integrationName": connector, "externalId": external_id,
            "displayName": external_id, "props": props,
        });
        let made = self.made("/connections", account).await;
        assert_eq!(made["connection"]["status"], "ACTIVE", "{made}");
        text(&made["connection"]["id"])
    }

    /// Makes a hosted server in TOOLS mode, with more or other fields.
    pub async fn serve(&self, more: Value) -> Made {
        let mut body = json!({
            "name": "My AI Tools", "workspaceId": self.server.workspace, "mode": "TOOLS",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let made = self.made("/mcp/servers", body).await;
        Made {
            id: text(&made["id"]),
            token: made["bearerToken"].as_str().unwrap_or_default().to_owned(),
            endpoint: text(&made["mcpEndpoint"]),
            protocol: text(&made["endpoint"]),
        }
    }

    /// Adds a tool to a server. Answers it.
    pub async fn add(&self, server: &Made, tool: Value) -> Value {
        let path = format!("/mcp/servers/{}/tools", server.id);
        self.made(&path, tool).await["tool"].clone()
    }

    /// Switches a connector on in the first workspace. Answers the integration.
    pub async fn integrate(&self, integration: Value) -> Value {
        let path = format!("/workspaces/{}/integrations", self.server.workspace);
        self.made(&path, integration).await["integration"].clone()
    }

    /// Saves inputs. Answers the partial.
    pub async fn partial(&self, partial: Value) -> Value {
        let mut body = json!({ "workspaceId": self.server.workspace, "integrationName": "slack" });
        for (name, value) in partial.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.made("/partials", body).await["partial"].clone()
    }

    /// Makes an end user. Answers our id.
    pub async fn end_user(&self, external_id: &str) -> String {
        let body = json!({ "workspaceId": self.server.workspace, "externalId": external_id });
        text(&self.made("/end-users", body).await["endUser"]["id"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
