//! Whatever makes, changes or revokes tokens asks who one is: every page needs a signed-in browser
//! and a form of its own page, every route a credential with the scope `admin`.

use quaymaster_tests::{Server, Visitor};
use serde_json::{Value, json};

/// Routes of the API about tokens and keys, from the document that the server publishes.
async fn routes(server: &Server) -> Vec<(String, String)> {
    let (_, document) = server.rest("", "GET", "/api/v1/openapi.json", None).await;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.contains("token") && !path.contains("api-keys") {
            continue;
        }
        let filled = path.replace("{id}", &server.workspace);
        let filled = filled.replace("{credentialId}", server.token.split('.').next().unwrap());
        assert!(!filled.contains('{'), "{path}");
        for verb in item.as_object().unwrap().keys() {
            routes.push((verb.to_uppercase(), filled.clone()));
        }
    }
    routes
}

fn forms(server: &Server) -> Vec<String> {
    let workspace = format!("/workspaces/{}", server.workspace);
    let token = server.token.split('.').next().unwrap();
    vec![
        "/workspaces".to_owned(),
        format!("{workspace}/tokens"),
        format!("{workspace}/tokens/{token}/regenerate"),
        format!("{workspace}/tokens/{token}/revoke"),
        format!("{workspace}/env"),
        format!("{workspace}/authentication"),
        format!("{workspace}/flow-tokens"),
        format!("{workspace}/flow-tokens/{token}/revoke"),
        "/settings/api-keys".to_owned(),
        format!("/settings/api-keys/{token}/revoke"),
        "/reconnect/lnk_x.y".to_owned(),
    ]
}

async fn credentials(server: &Server) -> Value {
    let mut listed = server.cli_json(&["token", "list"]).await;
    for one in listed["credentials"].as_array_mut().unwrap() {
        one["last_used_at"] = Value::Null;
    }
    listed
}

// promise: S4.12
#[tokio::test]
async fn tokens_are_managed_by_people_who_are_signed_in_and_by_keys_of_administrators_only() {
    let server = Server::start().await;
    let mut owner = Visitor::owner(&server).await;
    let mut member = owner.invite("member@example.com", "member").await;
    let others = [
        "read:tools",
        "write:tools",
        "read:data",
        "chat",
        "connector:gateway",
    ];
    let narrow = server.api_key(&others).await;
    let before = credentials(&server).await;

    let routes = routes(&server).await;
    let changing: Vec<_> = routes.iter().filter(|(verb, _)| verb != "GET").collect();
    assert!(changing.len() >= 9, "{changing:?}");
    for (verb, path) in &routes {
        let body = (verb != "GET").then(|| json!({ "name": "new" }));
        for (credential, wanted) in [
            ("", 401),
            ("sk-org-x.y", 401),
            (&narrow, 403),
            (&server.token, 403),
        ] {
            let (status, fault) = server.rest(credential, verb, path, body.clone()).await;
            assert_eq!(status, wanted, "{verb} {path} {credential}: {fault}");
        }
    }
    let expected = [("name", "new"), ("token", server.token.as_str())];
    for path in forms(&server) {
        let mut unknown = Visitor::unknown(&server.url);
        let page = unknown.post(&path, &expected).await;
        assert_eq!((page.status, &*page.location), (303, "/sign-in"), "{path}");
        // Signed in, but the form is not one of a page of theirs.
        let page = owner.post(&path, &expected).await;
        assert_eq!(page.status, 403, "{path}");
        let theirs = member.get("/reference").await.value_of("csrf");
        let forged = [("csrf", theirs.as_str()), expected[0], expected[1]];
        assert_eq!(owner.post(&path, &forged).await.status, 403, "{path}");
        // A bearer token opens no page.
        unknown
            .headers
            .push(("authorization", format!("Bearer {narrow}")));
        let page = unknown.post(&path, &expected).await;
        assert_eq!((page.status, &*page.location), (303, "/sign-in"), "{path}");
    }
    assert_eq!(credentials(&server).await, before, "nothing came of it");

    // The same with what is asked for.
    let admin = server.api_key(&["admin"]).await;
    let path = format!("/api/v1/workspaces/{}/tokens", server.workspace);
    let (status, _) = server
        .rest(&admin, "POST", &path, Some(json!({ "name": "new" })))
        .await;
    assert_eq!(status, 201);
    let path = format!("/workspaces/{}/tokens", server.workspace);
    let made = owner.submit(&path, &[("name", "new"), ("access", "read_only")]);
    made.await.text_of("token");
    // A member's key has no scope to manage, and no page makes one that has.
    let fields = [("name", "k"), ("scopes", "admin"), ("expiry", "7")];
    assert_eq!(
        member.submit("/settings/api-keys", &fields).await.status,
        422
    );
}
