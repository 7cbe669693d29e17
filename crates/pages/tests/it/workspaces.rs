use axum::http::StatusCode;
use serde_json::json;

use crate::server::Server;

#[tokio::test]
async fn a_new_workspace_comes_with_its_token() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let made = owner.submit("/workspaces", &[("name", "Research")]).await;
    assert_eq!(made.status, StatusCode::OK);
    server
        .call(&made.text("#token"), "list_files", json!({}))
        .await
        .unwrap();
    let list = owner.get("/").await;
    assert!(list.text("#workspaces").contains("Research"));
    assert!(list.text("#workspaces").contains("1 of 100"));
    for name in ["Research", ""] {
        let again = owner.submit("/workspaces", &[("name", name)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!again.text("#workspace-name-error").is_empty());
        assert_eq!(again.attribute("#workspace-name", "value").unwrap(), name);
    }
}

#[tokio::test]
async fn another_organizations_workspace_is_not_there() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, theirs) = server.stranger().await;
    assert_eq!(
        stranger.get(&format!("/workspaces/{theirs}")).await.status,
        StatusCode::OK
    );
    let theirs = format!("/workspaces/{theirs}");
    assert_eq!(owner.get(&theirs).await.status, StatusCode::NOT_FOUND);
    let token = server.token.split_once('.').unwrap().0;
    let ours = server.workspace_path();
    for (path, field) in [
        (format!("{ours}/cap"), ("cap", "1")),
        (format!("{ours}/env"), ("token", "crd_a.b")),
        (format!("{ours}/tokens/{token}/revoke"), ("", "")),
        (format!("{ours}/tokens/{token}/regenerate"), ("", "")),
        (
            format!("{ours}/trash/restore"),
            ("item", "trs_01arz3ndektsv4rrffq69g5fav"),
        ),
    ] {
        let refused = stranger.submit(&path, &[field]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let fields = [("name", "x"), ("access", "read_write")];
    let refused = stranger.submit(&format!("{ours}/tokens"), &fields).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    assert!(!stranger.get("/").await.text("main").contains("main"));
}

#[tokio::test]
async fn a_cap_holds_from_the_next_call_on() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let path = format!("{}/cap", server.workspace_path());
    for cap in ["", "many", "-1", "1.5", "99999999999999999999"] {
        let again = owner.submit(&path, &[("cap", cap)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "{cap}");
        assert!(!again.text("#cap-error").is_empty(), "{cap}");
        assert_eq!(again.attribute("#cap", "value").unwrap(), cap);
    }
    assert_eq!(
        owner.submit(&path, &[("cap", "2")]).await.location(),
        server.workspace_path()
    );
    for _ in 0..2 {
        server
            .call(&server.token, "list_files", json!({}))
            .await
            .unwrap();
    }
    let over = server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap_err();
    assert!(over.contains("DAILY_CAP"), "{over}");
    let page = owner.get(&server.workspace_path()).await;
    assert!(
        page.text("#usage").contains("2 of 2"),
        "{}",
        page.text("#usage")
    );
}

#[tokio::test]
async fn deleted_files_come_back() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let write = json!({ "path": "notes/a.txt", "content": "kept" });
    server
        .call(&server.token, "write_file", write.clone())
        .await
        .unwrap();
    let delete = json!({ "path": "notes/a.txt" });
    server
        .call(&server.token, "delete_file", delete.clone())
        .await
        .unwrap();
    let page = owner.get(&server.workspace_path()).await;
    assert!(
        page.text("#trash").contains("notes/a.txt"),
        "{}",
        page.text("#trash")
    );
    let item = page.attribute("#trash input[name=item]", "value").unwrap();
    let path = format!("{}/trash/restore", server.workspace_path());
    let restored = owner.submit(&path, &[("item", &item)]).await;
    assert_eq!(restored.location(), server.workspace_path());
    let read = json!({ "path": "notes/a.txt" });
    server.call(&server.token, "read_file", read).await.unwrap();

    let again = owner.submit(&path, &[("item", &item)]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!again.text("#notices .failed").is_empty());

    server
        .call(&server.token, "delete_file", delete)
        .await
        .unwrap();
    server
        .call(&server.token, "write_file", write)
        .await
        .unwrap();
    let page = owner.get(&server.workspace_path()).await;
    let item = page.attribute("#trash input[name=item]", "value").unwrap();
    let taken = owner.submit(&path, &[("item", &item)]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        taken.text("#trash").contains("notes/a.txt"),
        "still there to restore"
    );
}

#[tokio::test]
async fn a_member_sees_and_does_what_is_theirs() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    assert!(
        member
            .get("/")
            .await
            .attribute("#workspace-name", "id")
            .is_none()
    );
    let refused = member.submit("/workspaces", &[("name", "mine")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = member.get(&server.workspace_path()).await;
    assert!(page.attribute("#cap", "id").is_none());
    assert!(
        page.attribute("#tokens .cell-actions button", "type")
            .is_none()
    );
    let cap = format!("{}/cap", server.workspace_path());
    assert_eq!(
        member.submit(&cap, &[("cap", "1")]).await.status,
        StatusCode::FORBIDDEN
    );
    let default = server.token.split_once('.').unwrap().0;
    let revoke = format!("{}/tokens/{default}/revoke", server.workspace_path());
    assert_eq!(
        member.submit(&revoke, &[]).await.status,
        StatusCode::NOT_FOUND
    );

    let tokens = format!("{}/tokens", server.workspace_path());
    let fields = [("name", "own"), ("access", "read_only")];
    let own = member.submit(&tokens, &fields).await.text("#token");
    let id = own.split_once('.').unwrap().0;
    let revoked = member.submit(&format!("{tokens}/{id}/revoke"), &[]).await;
    assert_eq!(revoked.location(), server.workspace_path());
    assert!(
        owner
            .get(&server.workspace_path())
            .await
            .attribute("#cap", "value")
            .is_some()
    );
}
