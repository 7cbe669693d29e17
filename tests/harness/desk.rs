//! A server whose agent holds an API key: accounts connected over REST, tools called over MCP.

use crate::server::{Database, Server};
use crate::{Mcp, Service};
use serde_json::{Map, Value, json};

/// A server with an API key of every scope, and no account yet.
pub struct Desk {
    pub server: Server,
    pub key: String,
    pub mcp: Mcp,
}

impl Desk {
    pub async fn open(database: Database) -> Desk {
        Desk::open_with(database, &[]).await
    }

    /// `settings` as for [`Server::start_with`].
    pub async fn open_with(database: Database, settings: &[(&str, &str)]) -> Desk {
        let server = Server::start_with(database, settings).await;
        let key = server.api_key(&[]).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        Desk { server, key, mcp }
    }

    /// A call of the management API with the key.
    pub async fn rest(&self, verb: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.server.rest(&self.key, verb, path, body).await
    }

    /// Connects an account of a service on this machine, with some fields changed.
    pub async fn connect(
        &self,
        connector: &str,
        name: &str,
        service: &Service,
        given: &[(&str, &str)],
    ) -> Value {
        let own = service.fields.iter();
        let own = own.map(|(name, value)| (*name, value.as_str()));
        let fields: Vec<(&str, &str)> = own.chain(given.iter().copied()).collect();
        self.connect_local(connector, name, service.auth, &fields)
            .await
    }

    /// Connects an account inside the network; of two fields of one name the later one counts.
    pub async fn connect_local(
        &self,
        connector: &str,
        name: &str,
        auth: &str,
        fields: &[(&str, &str)],
    ) -> Value {
        let fields: Map<String, Value> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let body = json!({
            "connector": connector, "name": name, "auth": auth,
            "fields": fields, "isLocal": true,
        });
        let path = "/api/v1/connections";
        let (status, answer) = self.server.rest(&self.key, "POST", path, Some(body)).await;
        assert_eq!(status, 201, "{answer}");
        answer["connection"].clone()
    }

    pub async fn execute(&self, arguments: Value) -> Result<Value, Value> {
        self.mcp.call("connector_execute", arguments).await
    }

    pub async fn refused(&self, arguments: Value) -> Value {
        match self.execute(arguments).await {
            Err(fault) => fault,
            Ok(answer) => panic!("it was not refused: {answer}"),
        }
    }

    /// The text of a tool's answer.
    pub async fn text(&self, tool: &str, arguments: Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments });
        let message = self.mcp.request("tools/call", params).await;
        let text = message["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text in {message}"))
            .to_owned()
    }
}
