use std::sync::Arc;

use axum::http::StatusCode;
use quaymaster_core::caller::Reach;
use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn a_token_is_shown_once_with_every_line_filled_in_and_works_until_it_is_revoked() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let tokens = format!("{}/tokens", server.workspace_path());
    let fields = [
        ("name", "laptop"),
        ("access", "read_write"),
        ("unknown", "field"),
    ];
    let fresh = owner.submit(&tokens, &fields).await;
    assert_eq!(fresh.status, StatusCode::OK);
    let token = fresh.text("#token");
    assert!(fresh.body.matches(&token).count() > 5, "{}", fresh.body);
    server.call(&token, "list_files", json!({})).await.unwrap();

    let page = owner.get(&server.workspace_path()).await;
    assert!(
        page.text("#tokens")
            .contains("laptop manual Read and write")
    );
    assert!(
        page.text("#calls")
            .contains("list_files OK laptop test client rest"),
        "{}",
        page.text("#calls")
    );

    let id = token.split_once('.').unwrap().0;
    let revoked = owner.submit(&format!("{tokens}/{id}/revoke"), &[]).await;
    assert_eq!(revoked.location(), server.workspace_path());
    let page = owner.get(&server.workspace_path()).await;
    assert!(!page.text("#tokens").contains("laptop manual"));
    assert!(page.text("#notices").contains("revoked"));
    server
        .call(&token, "list_files", json!({}))
        .await
        .unwrap_err();
    let again = owner.submit(&format!("{tokens}/{id}/revoke"), &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_read_only_token_changes_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let tokens = format!("{}/tokens", server.workspace_path());
    let fields = [("name", "reader"), ("access", "read_only")];
    let token = owner.submit(&tokens, &fields).await.text("#token");
    server.call(&token, "list_files", json!({})).await.unwrap();
    let write = json!({ "path": "a.txt", "content": "a" });
    server.call(&token, "write_file", write).await.unwrap_err();
}

#[tokio::test]
async fn a_token_without_a_name_is_asked_for_again_with_the_choice_kept() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let tokens = format!("{}/tokens", server.workspace_path());
    let again = owner
        .submit(&tokens, &[("name", ""), ("access", "read_only")])
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        again.text("#token-name-error"),
        "A name has 1 to 80 characters."
    );
    assert!(again.attribute("#access-read_only", "checked").is_some());
    let forged = owner
        .submit(&tokens, &[("name", "x"), ("access", "all")])
        .await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn regenerating_replaces_the_default_token_at_once() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let id = server.token.split_once('.').unwrap().0;
    let path = format!("{}/tokens/{id}/regenerate", server.workspace_path());
    let fresh = owner.submit(&path, &[]).await;
    assert!(
        fresh
            .text("main")
            .contains("The previous token has stopped working.")
    );
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap_err();
    server
        .call(&fresh.text("#token"), "list_files", json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_paths_of_tokens_and_keys_do_not_reach_each_other() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let fields = [("name", "key"), ("scopes", "read:tools"), ("expiry", "90")];
    owner.submit("/settings/api-keys", &fields).await;
    let actor = server.owner_actor().await;
    let key = server.keys(&actor).await.remove(0).id;
    for verb in ["regenerate", "revoke"] {
        let path = format!("{}/tokens/{key}/{verb}", server.workspace_path());
        assert_eq!(owner.submit(&path, &[]).await.status, StatusCode::NOT_FOUND);
    }
    let token = server.token.split_once('.').unwrap().0;
    let path = format!("/settings/api-keys/{token}/revoke");
    assert_eq!(owner.submit(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.keys(&actor).await.len(), 1);
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_key_has_the_scopes_that_were_ticked_and_its_expiry() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let fields = [
        ("name", "script"),
        ("scopes", "read:tools"),
        ("scopes", "chat"),
        ("expiry", "30"),
    ];
    let fresh = owner.submit("/settings/api-keys", &fields).await;
    assert_eq!(fresh.status, StatusCode::OK);
    assert!(fresh.text("#key").starts_with("sk-org-"));
    let key = server.keys(&server.owner_actor().await).await.remove(0);
    let scopes: Vec<_> = key
        .scopes
        .iter()
        .map(quaymaster_core::Scope::name)
        .collect();
    assert_eq!(scopes, ["read:tools", "chat"]);
    assert_eq!(
        key.expires_at.unwrap().seconds_since(key.created_at),
        30 * 86_400
    );

    let page = owner.get("/settings/api-keys").await;
    let id = fresh.text("#key").split_once('.').unwrap().0.to_owned();
    assert!(page.text("#keys").contains(&format!("{id}…")));
    let revoke = format!("/settings/api-keys/{}/revoke", key.id);
    assert_eq!(
        owner.submit(&revoke, &[]).await.location(),
        "/settings/api-keys"
    );
    assert!(
        owner
            .get("/settings/api-keys")
            .await
            .text("#keys")
            .contains("No API key yet")
    );
}

#[tokio::test]
async fn a_key_with_the_files_of_a_workspace_sees_their_tools_and_one_without_does_not() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let only = server.workspace.to_string();
    let page = owner.get("/settings/api-keys").await;
    assert_eq!(
        page.attribute("#files option[selected]", "value").unwrap(),
        only
    );
    let with = [
        ("name", "agent"),
        ("scopes", "read:tools"),
        ("files", &only),
        ("expiry", "90"),
    ];
    let fresh = owner.submit("/settings/api-keys", &with).await;
    let key = fresh.text("#key");
    assert!(fresh.body.matches(&key).count() > 5, "{}", fresh.body);
    server.call(&key, "list_files", json!({})).await.unwrap();
    let rows = owner.get("/settings/api-keys").await.text("#keys");
    assert!(rows.contains("read:tools main"), "{rows}");

    let without = [with[0], with[1], ("files", ""), with[3]];
    let fresh = owner.submit("/settings/api-keys", &without).await;
    let text = fresh.text("main");
    assert!(text.contains("tools, whose list costs a model"), "{text}");
    assert!(!text.contains("Its files are those of"), "{text}");
    let key = fresh.text("#key");
    server
        .call(&key, "list_files", json!({}))
        .await
        .unwrap_err();

    let silent = [with[0], ("scopes", "chat"), ("files", ""), with[3]];
    let fresh = owner.submit("/settings/api-keys", &silent).await;
    assert!(fresh.text("main").contains("sees no tools"));
}

#[tokio::test]
async fn the_files_of_a_key_are_those_of_a_workspace_of_the_own_organization() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (_, foreign) = server.stranger().await;
    for files in [foreign.to_string(), "nonsense".to_owned()] {
        let fields = [
            ("name", "k"),
            ("scopes", "read:tools"),
            ("files", &files),
            ("expiry", "90"),
        ];
        let refused = owner.submit("/settings/api-keys", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.text("#files-error"), "There is no such workspace.");
    }
    let actor = server.owner_actor().await;
    assert!(server.keys(&actor).await.is_empty());

    server.wait_seconds(1);
    owner.submit("/workspaces", &[("name", "second")]).await;
    let page = owner.get("/settings/api-keys").await;
    let option = |n: usize| page.text(&format!("#files option:nth-child({n})"));
    assert_eq!([1, 2, 3].map(option), ["None", "main", "second"]);
    let chosen = page.attribute("#files option[selected]", "value");
    assert_eq!(chosen.as_deref(), Some(""), "nobody can guess which of two");
}

#[tokio::test]
async fn a_key_of_single_workspaces_manages_these_and_has_no_tools() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server.wait_seconds(1);
    owner.submit("/workspaces", &[("name", "second")]).await;
    let page = owner.get("/settings/api-keys").await;
    let offered = [1, 2].map(|n| page.attribute(&format!("#only-{n}"), "value").unwrap());
    assert_eq!(offered[0], server.workspace.to_string());
    assert!(page.attribute("#only-1", "checked").is_none());

    let given = |only| {
        [
            ("name", "backend"),
            ("scopes", "read:tools"),
            ("scopes", "write:tools"),
            ("only", only),
            ("files", &*offered[0]),
            ("expiry", "90"),
        ]
    };
    let foreign = server.stranger().await.1.to_string();
    for wrong in ["nonsense", &foreign] {
        let again = owner.submit("/settings/api-keys", &given(wrong)).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        let told = format!("There is no workspace {wrong}.");
        assert_eq!(again.text("#only-error"), told);
        let kept = again.attribute("#files option[selected]", "value");
        assert_eq!(kept.as_ref(), Some(&offered[0]));
    }
    let actor = server.owner_actor().await;
    assert!(server.keys(&actor).await.is_empty());

    let fresh = owner
        .submit("/settings/api-keys", &given(&offered[1]))
        .await;
    assert_eq!(fresh.status, StatusCode::OK);
    let text = fresh.text("main");
    assert!(text.contains("Only in second"), "{text}");
    assert!(
        text.contains("a key of single workspaces has none"),
        "{text}"
    );
    let key = server.keys(&actor).await.remove(0);
    let second = std::iter::once(offered[1].parse().unwrap()).collect();
    assert_eq!(key.reach, Reach::Workspaces(Arc::new(second)));
    assert_eq!(key.workspace, None);
    let rows = owner.get("/settings/api-keys").await.text("#keys");
    assert!(rows.contains("Only in second"), "{rows}");
    let key = fresh.text("#key");
    server
        .call(&key, "list_files", json!({}))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_key_form_with_mistakes_comes_back_as_it_was() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let none = owner
        .submit(
            "/settings/api-keys",
            &[("name", "k"), ("files", ""), ("expiry", "365")],
        )
        .await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        none.text("#scopes-error"),
        "A key needs at least one scope."
    );
    assert_eq!(none.attribute("#key-name", "value").unwrap(), "k");
    assert_eq!(
        none.attribute("#expiry option[selected]", "value").unwrap(),
        "365"
    );
    let kept = none.attribute("#files option[selected]", "value");
    assert_eq!(kept.as_deref(), Some(""), "no files were chosen");
    let forged = [("name", "k"), ("scopes", "root"), ("expiry", "7")];
    assert_eq!(
        owner.submit("/settings/api-keys", &forged).await.status,
        StatusCode::BAD_REQUEST
    );

    let mut member = server.member().await;
    let more = [("name", "k"), ("scopes", "admin"), ("expiry", "7")];
    let refused = member.submit("/settings/api-keys", &more).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text("#scopes-error").contains("more scopes than"));
}

#[tokio::test]
async fn the_env_file_has_two_variables_whatever_is_posted() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let path = format!("{}/env", server.workspace_path());
    let file = owner
        .submit(&path, &[("token", "crd_a.b\r\nPATH=/tmp\0")])
        .await;
    let text = "QUAYMASTER_MCP_URL=http://127.0.0.1:8080/mcp\nQUAYMASTER_TOKEN=crd_a.bPATH=/tmp\n";
    assert_eq!(file.body, text);
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"quaymaster.env\""
    );
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    for token in ["", "\n", &"x".repeat(201)] {
        let refused = owner.submit(&path, &[("token", token)]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
}
