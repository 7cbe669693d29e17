//! Flow tokens, and the workspace whose flows need none: who gets in at `/mcp`, and to what.

mod addresses;
mod anonymous;
mod bridges;
mod flows;
mod managed;
mod page;

use quaymaster_tests::mcp::Reply;
use quaymaster_tests::{Mcp, Server};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

/// A flow token as the management API makes it.
struct Token {
    id: String,
    text: String,
}

/// A server, with a key of its administrator.
struct Desk {
    server: Server,
    admin: String,
}

impl Desk {
    async fn start() -> Desk {
        Desk::at(Server::start().await).await
    }

    async fn at(server: Server) -> Desk {
        let admin = server.api_key(&["admin"]).await;
        Desk { server, admin }
    }

    fn workspace(&self) -> String {
        format!("/api/v1/workspaces/{}", self.server.workspace)
    }

    async fn rest(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.server.rest(&self.admin, method, path, body).await
    }

    async fn token_with(&self, body: Value) -> Token {
        let path = format!("{}/flow-tokens", self.workspace());
        let (status, made) = self.rest("POST", &path, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        Token {
            id: made["flowToken"]["id"].as_str().unwrap().to_owned(),
            text: made["token"].as_str().unwrap().to_owned(),
        }
    }

    /// One that may be used in an address.
    async fn token(&self, name: &str) -> Token {
        self.token_with(json!({ "name": name, "inUrl": true }))
            .await
    }

    async fn revoke(&self, token: &Token) {
        let path = format!("{}/flow-tokens/{}", self.workspace(), token.id);
        let (status, answer) = self.rest("DELETE", &path, None).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// The switch of the first workspace.
    async fn require(&self, authentication: bool) -> (u16, Value) {
        let body = json!({ "requireAuthentication": authentication });
        self.rest("PATCH", &self.workspace(), Some(body)).await
    }

    async fn open(&self) {
        let (status, answer) = self.require(false).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Saves a flow that says its name, in a workspace; its id.
    async fn flow_in(&self, workspace: &str, name: &str) -> String {
        let rest = format!("steps:\n  - map: '\"{name} here\"'\n");
        let body = json!({ "source": crate::flows::plain(name, &rest) });
        let path = format!("/api/v1/workspaces/{workspace}/flows");
        let (status, saved) = self.rest("POST", &path, Some(body)).await;
        assert_eq!(status, 201, "{saved}");
        saved["flow"]["id"].as_str().unwrap().to_owned()
    }

    async fn flow(&self, name: &str) -> String {
        self.flow_in(&self.server.workspace, name).await
    }

    /// The endpoint with a token in its address.
    fn address(&self, token: &str) -> String {
        format!("{}?token={token}", self.server.endpoint)
    }
}

/// `curl -X POST <address> -H "Content-Type: application/json" -d '{…initialize…}'`, with the
/// header `Authorization` where one is given.
async fn curl(address: &str, authorization: Option<&str>) -> Reply {
    let mcp = Mcp::stateless(address, "");
    let mut headers = mcp.headers();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    if let Some(value) = authorization {
        headers.insert("authorization", HeaderValue::from_str(value).unwrap());
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"test","version":"1.0"}}}"#;
    mcp.send(Method::POST, headers, body.to_owned()).await
}

#[track_caller]
fn assert_answered(reply: &Reply) {
    assert_eq!(reply.status, 200, "{reply:?}");
    let result = &reply.message()["result"];
    assert_eq!(result["protocolVersion"], "2024-11-05");
    assert_eq!(result["serverInfo"]["name"], "quaymaster");
}

/// Refused, with the challenge of the endpoint; the fault's text.
#[track_caller]
fn assert_refused(reply: &Reply) -> String {
    assert_eq!(reply.status, 401, "{reply:?}");
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer realm="), "{challenge}");
    let fault = reply.message();
    assert_eq!(fault["code"], "UNAUTHENTICATED");
    fault["message"].as_str().unwrap().to_owned()
}
