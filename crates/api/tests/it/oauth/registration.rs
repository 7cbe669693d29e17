//! Dynamic registration.

use super::{CALLBACK, Server, error, with};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_registration_answers_what_it_made_of_the_metadata() {
    let server = Server::start().await;
    let metadata = json!({
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "http://localhost:3000/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "logo_uri": "http://169.254.169.254/logo",
        "software_version": "1",
    });
    let (status, mut first) = server.register(&metadata).await;
    assert_eq!(status, 201);
    let (_, second) = server.register(&metadata).await;
    assert_eq!(first["client_id"], second["client_id"], "the same client");
    first["client_id"] = json!("[id]");
    first["client_id_issued_at"] = json!("[seconds]");
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(first, @r#"
    {
      "client_id": "[id]",
      "client_id_issued_at": "[seconds]",
      "client_name": "Cursor",
      "grant_types": [
        "authorization_code",
        "refresh_token"
      ],
      "redirect_uris": [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "http://localhost:3000/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback"
      ],
      "response_types": [
        "code"
      ],
      "scope": "read:tools write:tools",
      "token_endpoint_auth_method": "none"
    }
    "#);
    });
}

#[tokio::test]
async fn the_address_of_an_unknown_program_is_left_out_and_the_answer_says_so() {
    let server = Server::start().await;
    let metadata = json!({
        "client_name": "On many machines",
        "redirect_uris": ["com.example.app:/callback", CALLBACK, "example://callback"],
    });
    let (status, registered) = server.register(&metadata).await;
    assert_eq!(status, 201, "{registered}");
    assert_eq!(registered["redirect_uris"], json!([CALLBACK]));
    let id = registered["client_id"].as_str().unwrap();
    let question = with(server.question(), "client_id", id);
    let left_out = with(question.clone(), "redirect_uri", "example://callback");
    assert!(server.told(&left_out).await);
    let location = server.agreed(&question, true).await;
    assert!(location.starts_with(CALLBACK), "{location}");
}

#[tokio::test]
async fn a_registration_with_an_unsafe_address_is_refused() {
    let server = Server::start().await;
    for address in [
        "javascript:alert(1)",
        "http://evil.example/",
        "http://localhost@evil.example/",
        "https://a.example/#fragment",
        "https://*.a.example/",
        "ftp://a.example/",
        "",
    ] {
        let both = json!({ "redirect_uris": [CALLBACK, address] });
        let answer = server.register(&both).await;
        assert_eq!(error(&answer), (400, "invalid_redirect_uri"), "{address}");
    }
    for address in [
        "vbscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "blob:https://a.example/1",
        "about:blank",
        "example://user@host/callback",
    ] {
        let both = json!({ "redirect_uris": [CALLBACK, address] });
        let answer = server.register(&both).await;
        assert_eq!(error(&answer), (400, "invalid_redirect_uri"), "{address}");
    }
    for metadata in [
        json!({ "redirect_uris": ["com.example.app:/callback"] }),
        json!({}),
        json!({ "redirect_uris": [] }),
        json!({ "redirect_uris": vec![CALLBACK; 11] }),
    ] {
        let answer = server.register(&metadata).await;
        assert_eq!(error(&answer), (400, "invalid_redirect_uri"), "{metadata}");
    }
    for metadata in [
        json!([]),
        json!({ "redirect_uris": CALLBACK }),
        json!({ "redirect_uris": [CALLBACK], "grant_types": ["implicit"] }),
        json!({ "redirect_uris": [CALLBACK], "response_types": ["token"] }),
        json!({ "redirect_uris": (0..5).map(|n| format!("https://a.example/{n}{}", "x".repeat(400))).collect::<Vec<_>>() }),
    ] {
        let answer = server.register(&metadata).await;
        assert_eq!(
            error(&answer),
            (400, "invalid_client_metadata"),
            "{metadata}"
        );
    }
    let answer = server
        .send(Method::POST, "/register", "text/plain", "{}".into())
        .await;
    assert_eq!(error(&answer), (400, "invalid_request"));
}
