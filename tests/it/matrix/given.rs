//! What requests need that their schemas do not say: which of several shapes, and texts with a format of
//! their own.

use super::asking::{Spot, Things};
use crate::definitions::NOTES;
use crate::flows::plain;
use crate::skills::imports::zip;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Fields of the query or body of an operation; what stands at `spot` is put there later. `@…` is a thing,
/// or something new.
pub(super) fn fields(operation: &str, spot: Option<&Spot>) -> Value {
    match operation {
        "DELETE /workspaces/{id}/files"
        | "GET /workspaces/{id}/files/content"
        | "GET /workspaces/{id}/files/history"
        | "PUT /workspaces/{id}/files/content" => json!({ "path": "a.txt" }),
        "GET /documents/search" => json!({ "query": "@word" }),
        "GET /memory/versions" => json!({ "path": "@memory file" }),
        "GET /search" => json!({ "q": "@word" }),
        "POST /actions/execute" => json!({
            "connectionExternalId": "@account", "input": { "channel": "C1", "text": "Hello" },
        }),
        "POST /connections" => json!({
            "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "@new",
            "displayName": "@new", "secretText": "xoxb-new", "workspaceId": "@workspace",
        }),
        // The account knows the rest.
        "POST /connections/authorizations"
            if spot == Some(&Spot::Body("connectionId".to_owned())) =>
        {
            Value::Null
        }
        "POST /connections/authorizations" => json!({ "connector": "github", "auth": "oauth2" }),
        "POST /connections/resolve" => json!({ "externalId": "@account" }),
        "POST /connectors/own" | "POST /connectors/own/check" => {
            json!({ "source": "@new connector" })
        }
        "POST /connectors/own/import" => {
            json!({ "document": "@document of an API", "key": "@new key" })
        }
        "POST /end-users/{id}/connect-token" | "POST /end-users/{id}/invite" => {
            json!({ "integrationName": "slack" })
        }
        "POST /integrations/{name}/properties/options"
        | "POST /integrations/{name}/properties/resolve" => json!({
            "actionName": "send_channel_message", "propertyName": "channel",
            "workspaceId": "@workspace", "connectionExternalId": "@account",
        }),
        "POST /mcp/servers/{id}/call" => json!({
            "name": "slack__send_channel_message",
            "arguments": { "channel": "C1", "text": "Hello" },
        }),
        "POST /mcp/servers/{id}/execute-code" => json!({ "code": "return 1" }),
        "POST /mcp/servers/{id}/tools" => json!({ "integrationAlias": "second" }),
        "POST /memory/redact" | "POST /memory/restore" => {
            json!({ "path": "@memory file", "version": 1 })
        }
        "POST /memory/rename" => json!({ "path": "@memory file", "newPath": "@new" }),
        "POST /skills/import" => json!({ "zipBase64": "@archive" }),
        "POST /workspaces/{id}/files/move" => json!({ "from": "a.txt", "to": "@new" }),
        "POST /workspaces/{id}/flow-drafts/try" => json!({ "flow": "tide", "input": {} }),
        "POST /workspaces/{id}/flow-drafts/validate" | "POST /workspaces/{id}/flows" => {
            json!({ "source": "@new flow" })
        }
        "POST /workspaces/{id}/integrations" => {
            json!({ "alias": "@new", "connectionId": "@connection" })
        }
        "POST /workspaces/{id}/packs" => json!({ "source": "@new pack" }),
        // What is absent stays, so something has to be there.
        "PATCH /api-keys/{id}"
        | "PATCH /workspaces/{id}"
        | "PATCH /workspaces/{id}/flow-tokens/{credentialId}"
        | "PATCH /workspaces/{id}/tokens/{credentialId}" => json!({ "name": "@new" }),
        "PATCH /end-users/{id}" | "PATCH /workspaces/{id}/integrations/{integration}" => {
            json!({ "displayName": "@new" })
        }
        "PATCH /mcp/servers/{id}" | "PATCH /partials/{id}" | "PATCH /skills/{id}" => {
            json!({ "description": "@new" })
        }
        "PATCH /mcp/servers/{id}/tools/{tool}" => json!({ "displayName": "@new" }),
        "PUT /connections/{id}/credentials" => json!({ "fields": { "token": "xoxb-new" } }),
        "PUT /connectors/own/{key}" => json!({ "source": "@same connector" }),
        "PUT /mcp/servers/{id}/tools/picked" => json!({ "tools": [
            { "workspaceIntegrationId": "@integration", "actionName": "list_users" },
        ] }),
        "PUT /skills/{id}/files/{path}" => json!({ "text": "Once more." }),
        "PUT /workspaces/{id}/flows/{flow}" => json!({ "source": "@same flow" }),
        _ => Value::Null,
    }
}

/// With what their names stand for.
pub(super) fn filled(fields: &Value, things: &Things, fresh: &str) -> Value {
    match fields {
        Value::String(text) => match text.strip_prefix('@') {
            Some(name) => json!(text_of(name, things, fresh)),
            None => fields.clone(),
        },
        Value::Array(all) => all.iter().map(|one| filled(one, things, fresh)).collect(),
        Value::Object(all) => {
            let all = all.iter();
            let all = all.map(|(name, value)| (name.clone(), filled(value, things, fresh)));
            Value::Object(all.collect::<Map<String, Value>>())
        }
        _ => fields.clone(),
    }
}

fn text_of(name: &str, things: &Things, fresh: &str) -> String {
    if let Some(thing) = things.get(name) {
        return thing.clone();
    }
    match name {
        "new" => fresh.to_owned(),
        "new key" => fresh.replace('-', "_"),
        "new connector" => connector(&fresh.replace('-', "_"), "Notes"),
        "same connector" => connector(&things["connector"], "Notes"),
        "new flow" => flow(&fresh.replace('-', "_"), "Tides"),
        "same flow" => flow("tide", "Tides"),
        "new pack" => pack(&fresh.replace('-', "_"), "Tides"),
        "archive" => archive(fresh),
        "document of an API" => json!({
            "openapi": "3.0.0", "info": { "title": fresh, "version": "1" },
            "servers": [{ "url": "https://tides.example.com" }],
            "paths": { "/tides": { "get": {
                "operationId": "list_tides", "responses": { "200": { "description": "All." } },
            } } },
        })
        .to_string(),
        _ => panic!("no @{name}"),
    }
}

/// A connector of an organization's own.
pub(super) fn connector(key: &str, title: &str) -> String {
    NOTES
        .replace("key: notes", &format!("key: {key}"))
        .replace("title: Notes\n", &format!("title: {title}\n"))
}

/// A flow that says its title.
pub(super) fn flow(name: &str, title: &str) -> String {
    plain(
        name,
        &format!("title: {title}\nsteps:\n  - map: '\"{title}\"'\n"),
    )
}

/// A pack of a workspace's own, with one flow.
pub(super) fn pack(id: &str, title: &str) -> String {
    format!(
        "pack: quaymaster/v1\nid: {id}\ntitle: {title}\nversion: \"1\"\ndescription: {title}.\nflows:\n  \
         - flow: {id}_of_pack\n    title: {title}\n    steps: [{{ map: '\"{title}\"' }}]\n"
    )
}

/// The folder of a skill.
fn archive(name: &str) -> String {
    let text = format!("---\nname: {name}\ndescription: Sorts what comes in.\n---\nSort it.\n");
    let path = format!("{name}/SKILL.md");
    STANDARD.encode(zip(&[(path.as_str(), text.as_bytes())]))
}
