//! What each route takes, so that one field of it can be changed.

use super::super::walk::seed::Seeded;
use quaymaster_tests::Developer;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Routes that have text fields and are not sent one field after the other, with the reason.
pub(super) const LEFT_OUT: [(&str, &str); 12] = [
    ("POST /connect/session/poll", "takes a token of ours"),
    ("POST /connectors/own", "others.rs writes definitions"),
    ("PUT /connectors/own/{key}", "others.rs writes definitions"),
    ("POST /connectors/own/check", "keeps nothing"),
    ("POST /connectors/own/import", "keeps nothing"),
    (
        "POST /integrations/{name}/properties/resolve",
        "keeps nothing",
    ),
    ("POST /memory/redact", "needs a version that nobody needs"),
    ("POST /memory/rename", "others.rs names files"),
    ("POST /orgs", "takes the key of the operator"),
    ("POST /skills/import", "archive.rs sends one"),
    ("POST /workspaces/{id}/files/move", "others.rs names files"),
    (
        "POST /workspaces/{id}/trash/{trashId}/restore",
        "others.rs names files",
    ),
];

const FLOW: &str = r#"{"flow":"NAME","title":"A note","triggers":[{"mcp_tool":{"description":"Notes."}}],"steps":[{"id":"a","map":"{}"}],"return":"{}"}"#;

const PACK: &str = r#"{"pack":"quaymaster/v1","id":"NAME","title":"Notes","version":"1","description":"Notes.","flows":[{"flow":"a_note","steps":[{"id":"a","map":"{}"}]}]}"#;

/// Bodies that succeed, one for each kind; null for bytes. `@…` stands for what [`Ids`] has. A PATCH takes the one field.
pub(super) fn of(route: &str) -> Vec<Value> {
    let one = |body: Value| vec![body];
    match route {
        "POST /actions/execute" => one(json!({
            "integrationName": "slack", "actionName": "send_channel_message",
            "workspaceId": "@workspace", "connectionExternalId": "harbour",
            "input": { "channel": "C2", "text": "x" },
        })),
        "POST /api-keys"
        | "POST /workspaces"
        | "POST /workspaces/{id}/flow-tokens"
        | "POST /workspaces/{id}/tokens" => one(json!({
            "name": "@name",
        })),
        "POST /connect/token" => one(json!({
            "integrationName": "slack", "connectionName": "@name", "externalId": "@new",
            "workspaceId": "@workspace",
        })),
        "POST /connections" => vec![
            json!({
                "connector": "slack", "auth": "token", "name": "@name",
                "fields": { "token": "xoxb-1" },
            }),
            json!({
                "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "@new",
                "displayName": "harbour", "secretText": "xoxb-harbour",
            }),
        ],
        "POST /connections/authorizations" => one(json!({
            "connector": "github", "auth": "oauth2",
        })),
        "POST /connections/resolve" => one(json!({
            "integrationName": "slack", "workspaceId": "@workspace", "externalId": "harbour",
        })),
        "PUT /connections/{id}/credentials" => one(json!({
            "fields": { "token": "xoxb-harbour" },
        })),
        "PUT /connectors/{key}/oauth-app" => one(json!({
            "clientId": "harbour-works", "clientSecret": "s",
        })),
        "POST /documents" | "PUT /workspaces/{id}/files/content" => one(Value::Null),
        "POST /documents/uploads" => one(json!({ "path": "@name", "size": 3 })),
        "POST /end-users" => one(json!({ "workspaceId": "@workspace", "externalId": "@new" })),
        "POST /end-users/{id}/connect-token" => one(json!({ "integrationName": "slack" })),
        "POST /end-users/{id}/invite" => one(json!({
            "email": "@email", "integrationName": "slack",
        })),
        "POST /integrations/{name}/properties/options" => one(json!({
            "actionName": "send_channel_message", "propertyName": "channel",
            "connectionExternalId": "harbour", "workspaceId": "@workspace",
        })),
        "POST /invitations" => one(json!({ "email": "@email", "role": "member" })),
        "POST /mcp/servers" => one(json!({
            "name": "@name", "workspaceId": "@workspace", "mode": "TOOLS",
        })),
        "POST /mcp/servers/{id}/access-tokens" | "POST /mcp/servers/{id}/oauth-tokens" => {
            one(json!({
                "endUserId": "@end_user",
            }))
        }
        "POST /mcp/servers/{id}/call" => one(json!({
            "name": "slack__list_users", "arguments": {},
        })),
        "POST /mcp/servers/{id}/execute-code" => one(json!({ "code": "return 1" })),
        "POST /mcp/servers/{id}/tools" => one(json!({
            "integrationName": "slack", "actionName": "list_users",
            "integrationAlias": "@name", "connectionId": "@connection",
        })),
        "PUT /mcp/servers/{id}/tools/picked" => one(json!({ "tools": [] })),
        "PUT /memory/files/{path}" => one(json!({ "content": "x" })),
        "POST /memory/restore" => one(json!({ "path": "projects/timetable.md", "version": 1 })),
        "POST /partials" => one(json!({
            "workspaceId": "@workspace", "integrationName": "slack",
            "actionName": "send_channel_message", "name": "@new", "values": { "text": "x" },
        })),
        "POST /skills" => one(json!({ "name": "@name", "description": "d", "systemPrompt": "p" })),
        "PUT /skills/{id}/files/{path}" => one(json!({ "text": "x" })),
        "POST /workspaces/{id}/files/directories" => one(json!({ "path": "@name" })),
        "POST /workspaces/{id}/flow-drafts/try" => one(json!({
            "flow": "berth_note", "input": {"berth": 4, "ship": "A"},
        })),
        "PUT /workspaces/{id}/flows/{flow}" => one(json!({ "source": "@berth_note" })),
        "POST /workspaces/{id}/flow-drafts/validate" | "POST /workspaces/{id}/flows" => {
            one(json!({
                "source": "@flow",
            }))
        }
        "PUT /workspaces/{id}/flow-secrets/{name}" => one(json!({ "value": "x" })),
        "POST /workspaces/{id}/integrations" => one(json!({
            "integrationName": "github", "alias": "@name", "connectionStrategy": "per_user",
        })),
        "POST /workspaces/{id}/packs" => one(json!({ "source": "@pack" })),
        "PUT /workspaces/{id}/packs/{pack}" => one(json!({})),
        patch if patch.starts_with("PATCH ") => one(json!({})),
        _ => Vec::new(),
    }
}

/// What is there, by the names that bodies use, and names that nobody has yet.
pub(super) struct Ids {
    known: BTreeMap<&'static str, String>,
    /// Told apart from what others count.
    prefix: &'static str,
    next: u32,
}

impl Ids {
    pub(super) async fn make(desk: &Developer, seeded: &Seeded, prefix: &'static str) -> Ids {
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let named = json!({ "name": format!("Spare {prefix}") });
        let key = desk.made("/api-keys", named.clone()).await;
        let tokens = format!("/workspaces/{}/tokens", seeded.workspace);
        let token = desk.made(&tokens, named.clone()).await;
        let tokens = format!("/workspaces/{}/flow-tokens", seeded.workspace);
        let flow_token = desk.made(&tokens, named).await;
        let spare = desk.serve(json!({ "mode": "CODE" })).await;
        let known = [
            ("workspace", seeded.workspace.clone()),
            ("connection", seeded.connection.clone()),
            ("integration", seeded.integration.clone()),
            ("partial", seeded.partial.clone()),
            ("end_user", seeded.end_user.clone()),
            ("server", seeded.server.clone()),
            ("tool", seeded.tool.clone()),
            ("key", text(&key["apiKey"]["id"])),
            ("token", text(&token["credential"]["id"])),
            ("flow_token", text(&flow_token["flowToken"]["id"])),
            // Programs run there, and its tools are taken away.
            ("spare", spare.id),
        ];
        Ids {
            known: known.into(),
            prefix,
            next: 0,
        }
    }

    fn value(&mut self, name: &str) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        self.next += 1;
        let new = format!("{}{}", self.prefix, self.next);
        match name {
            "new" | "name" => new,
            "email" => format!("{new}@example.com"),
            "flow" => FLOW.replace("NAME", &new),
            "pack" => PACK.replace("NAME", &new),
            // Of the flow that is changed.
            "berth_note" => FLOW.replace("NAME", name),
            _ => panic!("no @{name}"),
        }
    }

    /// The body with what its names stand for.
    pub(super) fn filled(&mut self, body: &Value) -> Value {
        match body {
            Value::String(text) => match text.strip_prefix('@') {
                Some(name) => json!(self.value(name)),
                None => body.clone(),
            },
            Value::Array(all) => all.iter().map(|one| self.filled(one)).collect(),
            Value::Object(all) => {
                let all = all.iter();
                let filled = all.map(|(name, value)| (name.clone(), self.filled(value)));
                Value::Object(filled.collect::<Map<String, Value>>())
            }
            _ => body.clone(),
        }
    }

    /// The path with what its variables stand for.
    pub(super) fn path(&mut self, path: &str) -> String {
        let server = if path.ends_with("/picked") || path.ends_with("/execute-code") {
            "/mcp/servers/@spare"
        } else {
            "/mcp/servers/@server"
        };
        let named = [
            ("/api-keys/{id}", "/api-keys/@key"),
            ("/connections/{id}", "/connections/@connection"),
            ("/end-users/{id}", "/end-users/@end_user"),
            ("/mcp/servers/{id}", server),
            ("/partials/{id}", "/partials/@partial"),
            ("/skills/{id}", "/skills/berth-planning"),
            ("/workspaces/{id}", "/workspaces/@workspace"),
            ("/integrations/{name}/", "/integrations/slack/"),
            ("/connectors/{key}/", "/connectors/github/"),
            ("/memory/files/{path}", "/memory/files/@new"),
            ("/files/{path}", "/files/scripts/plan.py"),
            ("/flow-secrets/{name}", "/flow-secrets/TIDE_KEY"),
            ("{tool}", "@tool"),
            ("{integration}", "@integration"),
            ("{flow}", "berth_note"),
            ("{pack}", "weather"),
            ("/flow-tokens/{credentialId}", "/flow-tokens/@flow_token"),
            ("{credentialId}", "@token"),
        ];
        let path = named
            .iter()
            .fold(path.to_owned(), |path, (variable, value)| {
                path.replace(variable, value)
            });
        let parts = path.split('/').map(|part| match part.strip_prefix('@') {
            Some(name) => self.value(name),
            None => part.to_owned(),
        });
        let parts: Vec<String> = parts.collect();
        parts.join("/")
    }
}
