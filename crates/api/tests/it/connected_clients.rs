//! OAuth clients that people connected, as the management API lists and revokes them.

use crate::product::{Product, Tenant, body_is};
use http::StatusCode;
use quaymaster_app::oauth::Params;
use quaymaster_app::oauth::authorize::Granted;
use quaymaster_app::oauth::client::Metadata;
use quaymaster_core::Door as _;
use quaymaster_core::caller::{Audience, Presented};
use secrecy::ExposeSecret as _;
use serde_json::json;
use url::form_urlencoded::Serializer;

const CLIENTS: &str = "/api/v1/workspaces/main/connected-clients";
const CALLBACK: &str = "http://127.0.0.1:3118/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Connects a client to the workspace of a tenant. Answers its access token.
async fn connect(product: &Product, tenant: &Tenant, name: &str, write: bool) -> String {
    let app = &product.app;
    let metadata = Metadata {
        client_name: Some(name.to_owned()),
        redirect_uris: vec![CALLBACK.to_owned()],
        ..Metadata::default()
    };
    let client = app.register_client(&metadata).unwrap();
    let question = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let asker = Some(&tenant.owner.user);
    let asked = app.authorization_asked(&question, asker).await.unwrap();
    let granted = Granted {
        workspace: Some(tenant.workspace.id.clone()),
        write,
        ticked: quaymaster_app::mixing::Ticked::default(),
    };
    let answer = app.authorization_granted(&tenant.owner, &asked, &granted);
    let answer = url::Url::parse(&answer.await.unwrap()).unwrap();
    let (_, code) = answer.query_pairs().find(|(key, _)| key == "code").unwrap();
    let exchange = Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("client_id", &client.id)
        .append_pair("code_verifier", VERIFIER)
        .append_pair("code", &code)
        .finish();
    let tokens = app.token(Params::parse(exchange.as_bytes()), None).await;
    tokens.unwrap().access.expose_secret().to_owned()
}

async fn is_admitted(product: &Product, token: &str) -> bool {
    let presented = Presented {
        bearer: Some(token.to_owned().into()),
        audience: Some(Audience::Mcp),
        ..Presented::default()
    };
    product.app.admit(presented).await.is_ok()
}

#[tokio::test]
async fn connected_clients_are_listed_newest_first_and_revoked_alone() {
    let product = Product::start().await;
    let none = product.get(CLIENTS).await;
    assert_eq!(none.body, json!({ "connectedClients": [], "total": 0 }));
    let reader = connect(&product, &product.ours, "Reader", false).await;
    let editor = connect(&product, &product.ours, "Editor", true).await;

    let mut listed = product.get(CLIENTS).await;
    assert_eq!(listed.body["total"], 2);
    assert_eq!(listed.body["connectedClients"][1]["name"], "Reader");
    assert_eq!(listed.body["connectedClients"][1]["readOnly"], true);
    let client_id = &mut listed.body["connectedClients"][0]["clientId"];
    assert!(client_id.as_str().unwrap().starts_with("dcr_"));
    *client_id = json!("[client]");
    listed.body = listed.body["connectedClients"][0].clone();
    body_is!(listed, @r#"
    {
      "clientId": "[client]",
      "createdAt": "[instant]",
      "expiresAt": "[instant]",
      "id": "[crd]",
      "name": "Editor",
      "orgId": "[org]",
      "readOnly": false,
      "redirectUri": "http://127.0.0.1:3118/callback",
      "scopes": [
        "read:tools",
        "write:tools"
      ],
      "userId": "[usr]",
      "workspaceId": "[ws]"
    }
    "#);
    let page = product.get(&format!("{CLIENTS}?limit=1&offset=1")).await;
    assert_eq!(page.body["total"], 2);
    assert_eq!(page.body["connectedClients"][0]["name"], "Reader");

    let id = page.body["connectedClients"][0]["id"].as_str().unwrap();
    assert!(is_admitted(&product, &reader).await);
    let revoked = product.delete(&format!("{CLIENTS}/{id}")).await;
    assert_eq!(revoked.status, StatusCode::OK);
    assert_eq!(revoked.body, json!({ "deleted": true, "id": id }));
    assert!(!is_admitted(&product, &reader).await);
    assert!(is_admitted(&product, &editor).await);
    assert_eq!(product.get(CLIENTS).await.body["total"], 1);

    let again = product.delete(&format!("{CLIENTS}/{id}")).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    body_is!(again, @r#"
    {
      "code": "NOT_FOUND",
      "error": "The workspace has no such connected client, or it was revoked before.",
      "fault": "NOT_FOUND",
      "hint": "GET /api/v1/workspaces/{id}/connected-clients lists them.",
      "message": "The workspace has no such connected client, or it was revoked before.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_connected_client_of_another_organization_is_not_found() {
    let product = Product::start().await;
    let theirs = connect(&product, &product.theirs, "Theirs", true).await;
    let listed = product.get_as(&product.theirs.key, CLIENTS).await;
    let id = listed.body["connectedClients"][0]["id"].as_str().unwrap();
    assert_eq!(product.get(CLIENTS).await.body["total"], 0);
    let workspace = product.theirs.workspace.id.as_str();
    for path in [
        format!("{CLIENTS}/{id}"),
        format!("/api/v1/workspaces/{workspace}/connected-clients/{id}"),
    ] {
        let answer = product.delete(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(is_admitted(&product, &theirs).await);
}

#[tokio::test]
async fn a_token_is_no_connected_client_and_the_other_way_round() {
    let product = Product::start().await;
    let editor = connect(&product, &product.ours, "Editor", true).await;
    let listed = product.get(CLIENTS).await;
    let client = listed.body["connectedClients"][0]["id"].as_str().unwrap();
    let token = product.ours.token.split('.').next().unwrap();
    for path in [
        format!("{CLIENTS}/{token}"),
        format!("/api/v1/workspaces/main/tokens/{client}"),
        format!("/api/v1/api-keys/{client}"),
        format!("{CLIENTS}/not-an-id"),
    ] {
        let answer = product.delete(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(is_admitted(&product, &editor).await);
    // An access token is for the MCP endpoint, not for managing.
    let answer = product.get_as(&editor, CLIENTS).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
