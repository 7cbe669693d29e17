//! Connected accounts: connected, tried, changed and disconnected; secrets never come back.

use crate::product::{Answer, Product, body_is};
use crate::upstream::{KEY, Upstream};
use http::StatusCode;
use quaymaster_core::Scope;
use serde_json::{Value, json};

const CONNECTIONS: &str = "/api/v1/connections";

fn account(upstream: &Upstream, key: &str) -> Value {
    json!({
        "connector": "powerdns",
        "fields": { "url": upstream.url, "api_key": key },
        "isLocal": true,
    })
}

async fn connected(product: &Product, upstream: &Upstream) -> String {
    let made = product.post(CONNECTIONS, account(upstream, KEY)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    path_of(&made)
}

fn path_of(made: &Answer) -> String {
    format!(
        "{CONNECTIONS}/{}",
        made.body["connection"]["id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn an_account_is_connected_tried_and_listed_without_its_secret() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let mut made = product.post(CONNECTIONS, account(&upstream, KEY)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let path = path_of(&made);
    assert_eq!(product.get(&path).await.body, made.body);
    let listed = product.get(CONNECTIONS).await.body;
    assert_eq!(listed["connections"][0], made.body["connection"]);
    let connector = product.get("/api/v1/connectors/powerdns").await.body;
    assert_eq!(connector["connector"]["connections"], listed["connections"]);
    assert_eq!(
        made.body["connection"]["fields"],
        json!({ "url": upstream.url })
    );
    made.body["connection"]["fields"] = json!({});
    body_is!(made, @r#"
    {
      "connection": {
        "auth": "api_key",
        "authMethodKey": "api_key",
        "connector": "powerdns",
        "createdAt": "[instant]",
        "displayName": "main",
        "externalId": "main",
        "fields": {},
        "id": "[con]",
        "integrationName": "powerdns",
        "isLocal": true,
        "label": "4.9.3 <b>",
        "name": "main",
        "scope": "ORGANIZATION",
        "status": "ACTIVE",
        "userId": "[usr]",
        "verifiedAt": "[instant]"
      }
    }
    "#);

    let only = product.get("/api/v1/connectors?connected=true").await.body;
    assert_eq!(only["total"], 1);
    assert_eq!(only["connectors"][0]["key"], "powerdns");
    let all = product.get("/api/v1/connectors").await.body;
    assert_eq!(all["connectors"][0]["key"], "powerdns");
    assert_eq!(all["connectors"][0]["accounts"], 1);
    let others = product.get("/api/v1/connectors?connected=false").await.body;
    assert_eq!(others["total"], all["total"].as_u64().unwrap() - 1);
    let none = product
        .get("/api/v1/connections?connector=github")
        .await
        .body;
    assert_eq!(none["total"], 0);
    for path in [
        CONNECTIONS,
        "/api/v1/connectors/powerdns",
        "/api/v1/events",
        &path,
    ] {
        let answer = product.get(path).await;
        assert!(!answer.body.to_string().contains(KEY), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_kept_told_in_words_and_replaced() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let made = product
        .post(CONNECTIONS, account(&upstream, "a-wrong-key"))
        .await;
    assert_eq!(made.status, StatusCode::CREATED);
    let problem = made.body["connection"]["problem"].as_str().unwrap();
    assert_eq!(made.body["connection"]["status"], "ERROR");
    assert!(problem.contains("Unauthorized"), "{problem}");
    // The service says what it was sent, and nobody hears it.
    assert!(!problem.contains("a-wrong-key"), "{problem}");
    let path = path_of(&made);

    let fields = json!({ "fields": { "url": upstream.url, "api_key": KEY } });
    let credentials = format!("{path}/credentials");
    let key = &product.ours.key;
    let replaced = product.put_as(key, &credentials, fields.clone()).await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.body);
    assert_eq!(replaced.body["connection"]["status"], "ACTIVE");
    assert!(replaced.body["connection"].get("problem").is_none());

    upstream.changes_its_key("another key");
    let verify = format!("{path}/verify");
    let verified = product.post(&verify, json!({})).await;
    assert_eq!(verified.body["connection"]["status"], "ERROR");
    upstream.changes_its_key(KEY);
    let verified = product.post(&verify, json!({})).await;
    assert_eq!(verified.body["connection"]["status"], "ACTIVE");

    let half = json!({ "fields": { "url": upstream.url } });
    let refused = product.put_as(key, &credentials, half).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused.body["details"]["errors"][0]["pointer"],
        "/fields/api_key"
    );
    assert_eq!(
        product.get(&path).await.body["connection"]["status"],
        "ACTIVE"
    );
}

#[tokio::test]
async fn an_account_is_renamed_and_disconnected() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let path = connected(&product, &upstream).await;
    let second = connected(&product, &upstream).await;
    let name = async |path: &str| product.get(path).await.body["connection"]["name"].clone();
    assert_eq!(name(&second).await, "main-2");
    let renamed = product.patch(&path, json!({ "name": "harbour" })).await;
    assert_eq!(renamed.body["connection"]["name"], "harbour");
    let taken = product.patch(&second, json!({ "name": "harbour" })).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    for wrong in ["", "Main", "a:b", "../x", &"n".repeat(41)] {
        let refused = product.patch(&path, json!({ "name": wrong })).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(refused.body["details"]["errors"][0]["pointer"], "/name");
    }
    let gone = product.delete(&path).await;
    assert_eq!(gone.body["deleted"], true);
    assert_eq!(product.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(product.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(product.get(CONNECTIONS).await.body["total"], 1);

    let events = product.get("/api/v1/events").await.body;
    let actions: Vec<&str> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    for wanted in [
        "connection.created",
        "connection.renamed",
        "connection.deleted",
    ] {
        assert!(actions.contains(&wanted), "{wanted}: {actions:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_the_definition_is_refused_at_its_place() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let url = upstream.url.as_str();
    for (change, pointer) in [
        (json!({ "fields": { "url": url } }), "/fields/api_key"),
        (
            json!({ "fields": { "url": url, "apikey": "x" } }),
            "/fields/apikey",
        ),
        (
            json!({ "fields": { "url": url, "api_key": "a\nb" } }),
            "/fields/api_key",
        ),
        (json!({ "auth": "basic" }), "/auth"),
        (json!({ "name": "Main" }), "/name"),
        (json!({ "nickname": "x" }), "/nickname"),
        (
            json!({ "fields": { "url": url, "api_key": 7 } }),
            "/fields/api_key",
        ),
        (json!({ "connector": "github", "auth": "oauth2" }), "/auth"),
    ] {
        let mut body = account(&upstream, KEY);
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let refused = product.post(CONNECTIONS, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{change}");
        assert_eq!(
            refused.body["details"]["errors"][0]["pointer"], pointer,
            "{change}"
        );
        assert!(!refused.body.to_string().contains(KEY), "{change}");
    }
    let mut body = account(&upstream, KEY);
    body["connector"] = json!("powerdn");
    assert_eq!(
        product.post(CONNECTIONS, body).await.status,
        StatusCode::NOT_FOUND
    );
    let mut body = account(&upstream, KEY);
    body["workspace"] = json!(product.theirs.workspace.id.as_str());
    assert_eq!(
        product.post(CONNECTIONS, body).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(product.get(CONNECTIONS).await.body["total"], 0);
}

#[tokio::test]
async fn an_address_inside_the_network_needs_an_administrators_word() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let mut body = account(&upstream, KEY);
    body["isLocal"] = json!(false);
    body["workspace"] = json!("main");
    let made = product.post(CONNECTIONS, body).await;
    assert_eq!(made.body["connection"]["status"], "ERROR", "{}", made.body);
    assert_eq!(
        made.body["connection"]["workspaceId"],
        product.ours.workspace.id.as_str()
    );
}

#[tokio::test]
async fn a_member_reads_connections_and_changes_none() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let path = connected(&product, &upstream).await;
    let key = &product.member_key;
    for path in [
        CONNECTIONS,
        &path,
        &format!("{path}/tools"),
        "/api/v1/connectors",
        "/api/v1/connectors/powerdns",
    ] {
        let read = product.get_as(key, path).await;
        assert_eq!(read.status, StatusCode::OK, "{path}");
    }
    for refused in every_change(&product, key, &path, &upstream).await {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    }
    // A key for tools is not one for management.
    let narrow = product
        .key_with(&[Scope::ReadTools, Scope::WriteTools], None)
        .await;
    for path in [CONNECTIONS, "/api/v1/connectors"] {
        let refused = product.get_as(&narrow, path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(product.get(&path).await.body["connection"]["name"], "main");
}

/// The answers to everything that changes an account.
async fn every_change(
    product: &Product,
    key: &str,
    path: &str,
    upstream: &Upstream,
) -> Vec<Answer> {
    let fields = json!({ "fields": { "url": upstream.url, "api_key": KEY } });
    let credentials = format!("{path}/credentials");
    vec![
        product.patch_as(key, path, json!({ "name": "mine" })).await,
        product.put_as(key, &credentials, fields).await,
        product
            .post_as(key, &format!("{path}/verify"), json!({}))
            .await,
        product
            .post_as(key, &format!("{path}/tools/accept"), json!({}))
            .await,
        product.delete_as(key, path).await,
    ]
}

#[tokio::test]
async fn a_service_that_is_no_mcp_server_has_no_tools_to_find() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let path = connected(&product, &upstream).await;
    let tools = product.get(&format!("{path}/tools")).await;
    assert_eq!(tools.status, StatusCode::OK, "{}", tools.body);
    assert_eq!(
        tools.body,
        json!({
            "tools": [], "unusable": 0, "isCut": false,
            "changes": { "added": [], "removed": [], "changed": [] },
        })
    );
    let accepted = product
        .post(&format!("{path}/tools/accept"), json!({}))
        .await;
    assert_eq!(accepted.status, StatusCode::NOT_FOUND, "{}", accepted.body);
}

#[tokio::test]
async fn another_organization_reaches_nothing() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    let path = connected(&product, &upstream).await;
    let key = &product.theirs.key;
    for path in [path.clone(), format!("{path}/tools")] {
        let status = product.get_as(key, &path).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    for refused in every_change(&product, key, &path, &upstream).await {
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    }
    let listed = product.get_as(key, CONNECTIONS).await.body;
    assert_eq!(listed, json!({ "connections": [], "total": 0 }));
    let connected = product
        .get_as(key, "/api/v1/connectors?connected=true")
        .await
        .body;
    assert_eq!(connected["total"], 0);
    let connector = product
        .get_as(key, "/api/v1/connectors/powerdns")
        .await
        .body;
    assert_eq!(connector["connector"]["connections"], json!([]));
    // A name that we use is free for them.
    let made = product
        .post_as(key, CONNECTIONS, account(&upstream, KEY))
        .await;
    assert_eq!(made.body["connection"]["name"], "main");
    assert_eq!(product.get(CONNECTIONS).await.body["total"], 1);
}

#[tokio::test]
async fn a_call_is_on_record_with_its_account_and_what_the_service_answered() {
    let product = Product::start().await;
    let upstream = Upstream::start().await;
    connected(&product, &upstream).await;
    let call = async |path: &str| {
        let arguments = json!({ "service": "powerdns", "method": "GET", "path": path });
        let answer = product
            .post("/api/v1/tools/connector_execute", arguments)
            .await;
        let calls = product.get("/api/v1/calls?limit=1").await.body;
        (answer.status, calls["calls"][0].clone())
    };
    let (status, row) = call("/servers/localhost/zones").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(row["tool"], "connector_execute");
    assert_eq!(row["accounts"], "powerdns:main");
    assert_eq!(row["upstreamStatus"], 200);
    let (status, row) = call("/servers/localhost/zones/no.such.zone.").await;
    assert_ne!(status, StatusCode::OK);
    assert_eq!(row["outcome"], "UPSTREAM_ERROR");
    assert_eq!(row["upstreamStatus"], 404);
}
