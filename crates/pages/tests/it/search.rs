use axum::http::StatusCode;

use crate::server::Server;

#[tokio::test]
async fn a_part_of_a_name_leads_to_the_thing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    owner.submit("/workspaces", &[("name", "Ärger & Co")]).await;
    let page = owner.get("/search").await;
    assert!(
        page.text("#found").starts_with("Home"),
        "{}",
        page.text("#found")
    );
    for (query, name, path) in [
        ("%C3%A4RG", "Ärger & Co workspace", "/workspaces/ws_"),
        ("git", "GitHub", "/connectors/github"),
        ("api%20k", "API keys page", "/settings/api-keys"),
        ("changes", "Changes page", "/activity/changes"),
    ] {
        let page = owner.get(&format!("/search?q={query}")).await;
        assert!(
            page.text("#found").contains(name),
            "{query}: {}",
            page.text("#found")
        );
        let first = page.addresses("#found a")[0].clone();
        assert!(first.starts_with(path), "{query}: {first}");
        assert_eq!(owner.get(&first).await.status, StatusCode::OK, "{first}");
    }
    let none = owner.get("/search?q=%3Cscript%3E").await;
    assert_eq!(none.text("#found"), "Nothing has such a name.");
    assert!(!none.body.contains("<script>"));
    let mut member = server.member().await;
    let page = member.get("/search?q=changes").await;
    assert!(page.addresses("#found a").is_empty());
    let (mut stranger, _) = server.stranger().await;
    let page = stranger.get("/search?q=%C3%A4rger").await;
    assert_eq!(page.text("#found"), "Nothing has such a name.");
}
