use axum::http::StatusCode;
use serde_json::json;

use crate::connecting::{Client, LOCAL, WEB};
use crate::server::{Answer, Server};

fn revoke_path(page: &Answer) -> String {
    let css = "#connected-clients form[action$='/revoke']";
    page.attribute(css, "action").unwrap()
}

#[tokio::test]
async fn a_connected_client_stands_on_the_page_until_it_is_revoked() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let path = server.workspace_path();
    let page = owner.get(&path).await;
    let empty = page.text("#connected-clients");
    assert!(empty.contains("Add custom connector"), "{empty}");

    let reader = Client::registered(&server, "Reader", WEB);
    let reading = reader.connect(&mut owner, false).await;
    let page = owner.get(&path).await;
    let revoke = revoke_path(&page);
    let editor = Client::registered(&server, "Editor", LOCAL);
    let editing = editor.connect(&mut owner, true).await;
    for token in [&reading, &editing] {
        server.call(token, "list_files", json!({})).await.unwrap();
    }

    let page = owner.get(&path).await;
    let clients = page.text("#connected-clients");
    assert!(
        clients.contains("Reader client.example Read only"),
        "{clients}"
    );
    assert!(
        clients.contains("Editor A program on A person’s computer Read and write"),
        "{clients}"
    );
    assert!(!page.text("#tokens").contains("Editor"));
    let calls = page.text("#calls");
    assert!(calls.contains("list_files OK Reader"), "{calls}");

    let revoked = owner.submit(&revoke, &[]).await;
    assert_eq!(revoked.location(), path);
    let page = owner.get(&path).await;
    assert!(page.text("#notices").contains("The client is revoked."));
    let clients = page.text("#connected-clients");
    assert!(!clients.contains("Reader") && clients.contains("Editor"));
    let refused = server.call(&reading, "list_files", json!({})).await;
    refused.unwrap_err();
    let still = server.call(&editing, "list_files", json!({})).await;
    still.unwrap();
    let again = owner.submit(&revoke, &[]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_whoever_connected_a_client_and_administrators_revoke_it() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let (mut stranger, theirs) = server.stranger().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let token = client.connect(&mut owner, true).await;
    let path = server.workspace_path();
    let revoke = revoke_path(&owner.get(&path).await);

    let page = member.get(&path).await;
    assert!(page.text("#connected-clients").contains("Editor"));
    let css = "#connected-clients form";
    assert!(page.attribute(css, "action").is_none());
    let elsewhere = revoke.replace(server.workspace.as_str(), theirs.as_str());
    for (browser, path) in [
        (&mut member, &revoke),
        (&mut stranger, &elsewhere),
        (&mut owner, &elsewhere),
    ] {
        let refused = browser.submit(path, &[]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let refused = stranger.submit(&revoke, &[]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let forged = owner.post(&revoke, &[("csrf", "0")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    server.call(&token, "list_files", json!({})).await.unwrap();

    let own = client.connect(&mut member, false).await;
    let page = member.get(&path).await;
    let revoked = member.submit(&revoke_path(&page), &[]).await;
    assert_eq!(revoked.location(), path);
    server
        .call(&own, "list_files", json!({}))
        .await
        .unwrap_err();
    server.call(&token, "list_files", json!({})).await.unwrap();
    let done = owner.submit(&revoke, &[]).await;
    assert_eq!(done.location(), path);
}

#[tokio::test]
async fn a_client_is_no_token_and_a_token_is_no_client() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    client.connect(&mut owner, true).await;
    let path = server.workspace_path();
    let revoke = revoke_path(&owner.get(&path).await);
    for verb in ["revoke", "regenerate"] {
        let turned = revoke
            .replace("connected-clients", "tokens")
            .replace("revoke", verb);
        let refused = owner.submit(&turned, &[]).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{verb}");
    }
    let token = server.token.split_once('.').unwrap().0;
    let turned = format!("{path}/connected-clients/{token}/revoke");
    let refused = owner.submit(&turned, &[]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let call = server.call(&server.token, "list_files", json!({}));
    call.await.unwrap();
}
