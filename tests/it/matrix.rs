//! Every route of the published document, as somebody without a credential and as the administrator of
//! another organization.

use quaymaster_tests::{Database, Developer};
use serde_json::{Value, json};

/// What anybody may ask.
const PUBLIC: [(&str, &str); 4] = [
    ("GET", "/health"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/mcp/info"),
    ("GET", "/api/v1/schemas/flow.json"),
];

/// Routes whose variables name nothing of an organization: connectors of the program, tools.
const OF_EVERYBODY: [&str; 3] = [
    "/api/v1/connectors/{key}",
    "/api/v1/tools/",
    "/api/v1/integrations/",
];

/// Methods and paths with variables in braces.
async fn routes(desk: &Developer) -> Vec<(String, String)> {
    let (status, document) = desk.ask("GET", "/openapi.json", None).await;
    assert_eq!(status, 200);
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for verb in item.as_object().unwrap().keys() {
            let verb = verb.to_uppercase();
            if ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&verb.as_str()) {
                routes.push((verb, path.clone()));
            }
        }
    }
    routes
}

/// One of each thing that has a list.
async fn furnish(desk: &Developer) {
    let account = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "integrationAlias": "slack",
        "actionName": "send_channel_message", "connectionId": account,
    });
    desk.add(&server, tool).await;
    let partial = json!({ "actionName": "send_channel_message", "name": "Quay", "values": {} });
    desk.partial(partial).await;
    desk.end_user("customer-1").await;
    let skill = json!({
        "name": "triage", "description": "Sorts what comes in.", "systemPrompt": "Sort it.",
    });
    desk.made("/skills", skill).await;
    let sent = reqwest::Client::new()
        .post(format!(
            "{}/api/v1/documents?path=notes.md",
            desk.server.url
        ))
        .bearer_auth(&desk.key)
        .body("# Tides\n\nHigh at noon.")
        .send()
        .await;
    assert_eq!(sent.unwrap().status(), 201);
    let file = Some(json!({ "content": "a plan" }));
    let (status, written) = desk.ask("PUT", "/memory/files/plan.md", file).await;
    assert_eq!(status, 201, "{written}");
    let invitation = json!({ "email": "guest@example.com", "role": "member" });
    desk.made("/invitations", invitation).await;
}

/// The id of the first thing in a list.
async fn first_of(desk: &Developer, list: &str) -> Option<String> {
    let needs_workspace = ["/api/v1/end-users", "/api/v1/partials"].contains(&list);
    let query = if needs_workspace {
        format!("?workspaceId={}", desk.server.workspace)
    } else {
        String::new()
    };
    let path = format!("{list}{query}");
    let (status, listed) = desk.server.rest(&desk.key, "GET", &path, None).await;
    if status != 200 {
        return None;
    }
    let things = listed.as_object()?.values().find_map(Value::as_array)?;
    let thing = things.first()?;
    ["id", "credentialId", "key", "path", "name", "version"]
        .iter()
        .find_map(|name| match &thing[*name] {
            Value::String(id) => Some(id.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
}

/// The path with ids of what the organization has, and the same with one that nobody has in the last place.
async fn filled(desk: &Developer, path: &str) -> Option<(String, String)> {
    let mut real = String::new();
    let mut unknown = String::new();
    for part in path.split('/').skip(1) {
        if part.starts_with('{') {
            let id = first_of(desk, &real).await?;
            // Of the same shape: another last sign.
            let last = if id.ends_with('0') { '1' } else { '0' };
            let nobodys = format!("{}{last}", &id[..id.len() - 1]);
            unknown = format!("{real}/{nobodys}");
            real = format!("{real}/{id}");
        } else {
            real = format!("{real}/{part}");
            unknown = format!("{unknown}/{part}");
        }
    }
    Some((real, unknown))
}

#[tokio::test]
async fn without_a_credential_every_route_but_a_written_few_is_closed() {
    let desk = Developer::open(Database::Sqlite).await;
    let routes = routes(&desk).await;
    assert!(routes.len() > 120, "{}", routes.len());
    for (method, path) in routes {
        let body = (method != "GET" && method != "DELETE").then(|| json!({}));
        let named = path.replace(['{', '}'], "");
        let (status, answer) = desk.server.rest("", &method, &named, body).await;
        let is_public = PUBLIC.contains(&(method.as_str(), path.as_str()));
        let wanted = if is_public { 200 } else { 401 };
        assert_eq!(status, wanted, "{method} {path}: {answer}");
    }
}

// promise: S0.22
#[tokio::test]
async fn what_another_organization_has_is_answered_as_what_nobody_has() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        furnish(&desk).await;
        let stranger = desk.server.stranger().await;
        let mut tried = Vec::new();
        let mut left = Vec::new();
        for (method, path) in routes(&desk).await {
            if !path.contains('{') || OF_EVERYBODY.iter().any(|open| path.starts_with(open)) {
                continue;
            }
            let Some((real, unknown)) = filled(&desk, &path).await else {
                left.push(path);
                continue;
            };
            let body = (method != "GET" && method != "DELETE").then(|| json!({}));
            let ask = |path: &str| {
                let (path, body) = (path.to_owned(), body.clone());
                let (server, key, method) = (&desk.server, &stranger, &method);
                async move {
                    let (status, mut answer) = server.rest(key, method, &path, body).await;
                    if let Some(answer) = answer.as_object_mut() {
                        answer.remove("requestId");
                    }
                    // What was asked for stands in sentences, and differs.
                    let mut text = answer.to_string();
                    for part in path.split('/').filter(|part| part.len() > 2) {
                        text = text.replace(part, "ID");
                    }
                    (status, text)
                }
            };
            let (of_another, of_nobody) = (ask(&real).await, ask(&unknown).await);
            assert!(
                !(200..300).contains(&of_another.0),
                "{method} {path}: {of_another:?}"
            );
            assert_eq!(of_another, of_nobody, "{method} {path}");
            tried.push(path);
        }
        tried.dedup();
        for family in [
            "/api-keys/",
            "/connections/",
            "/documents/",
            "/end-users/",
            "/invitations/",
            "/mcp/servers/",
            "/members/",
            "/memory/files/",
            "/partials/",
            "/skills/",
            "/workspaces/",
        ] {
            assert!(
                tried.iter().any(|path| path.contains(family)),
                "{family} was not tried: {tried:?}, left {left:?}"
            );
        }
        // Whoever asked changed nothing.
        for list in ["/workspaces", "/connections", "/mcp/servers", "/skills"] {
            let list = format!("/api/v1{list}");
            assert!(first_of(&desk, &list).await.is_some(), "{list}");
        }
    }
}
