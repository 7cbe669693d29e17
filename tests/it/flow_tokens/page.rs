//! The settings of a workspace.

use super::*;
use quaymaster_tests::Visitor;

fn settings(server: &Server) -> String {
    format!("/workspaces/{}/settings", server.workspace)
}

// promise: S4.10, S4.13, S4.14, S4.15, S4.22
#[tokio::test]
async fn the_settings_page_has_the_switch_and_the_tokens() {
    let server = Server::start().await;
    let mut owner = Visitor::owner(&server).await;
    let workspace = format!("/workspaces/{}", server.workspace);
    let page = owner.get(&workspace).await;
    let path = settings(&server);
    assert!(page.body.contains(&format!("href=\"{path}\"")), "a link");
    let page = owner.get(&path).await;
    for text in [
        "MCP Authentication",
        "Require authentication",
        "Create Token",
    ] {
        assert!(page.body.contains(text), "{text}");
    }

    let create = format!("{workspace}/flow-tokens");
    let fields = [("name", "Claude Desktop"), ("in_url", "yes")];
    let made = owner.submit(&create, &fields).await;
    let token = made.text_of("token");
    assert!(token.starts_with("at_"), "{token}");
    let address = format!("{}?token={token}", server.endpoint);
    assert!(made.body.contains(&address), "the lines are filled in");
    assert_answered(&curl(&address, None).await);
    let mcp = Mcp::open(&server.endpoint, &token).await;
    mcp.call("no_such_tool", json!({})).await.unwrap_err();
    let page = owner.get(&path).await;
    assert!(page.body.contains("Claude Desktop"));
    assert!(!page.body.contains(token.rsplit('.').next().unwrap()));
    let page = owner.submit(&create, &fields).await;
    assert_eq!(page.status, 422);
    assert!(
        page.body
            .contains("There is a flow token named Claude Desktop already.")
    );
    let page = owner.submit(&create, &[("name", "Header")]).await;
    let header_only = page.text_of("token");
    assert!(!page.body.contains("?token="), "only lines with the header");
    let reply = curl(&format!("{}?token={header_only}", server.endpoint), None).await;
    assert_refused(&reply);

    // Whoever looks at calls sees them written, and so the last use.
    owner.get(&workspace).await;
    let page = owner.get(&path).await;
    let (_, row) = page.body.split_once("Claude Desktop</span>").unwrap();
    let (row, _) = row.split_once("</tr>").unwrap();
    assert!(!row.contains("Never"), "{row}");

    let id = format!("crd_{}", token["at_".len()..].split('.').next().unwrap());
    let revoked = owner.submit(&format!("{create}/{id}/revoke"), &[]).await;
    assert_eq!(revoked.location, path);
    assert_refused(&curl(&address, None).await);
}

#[tokio::test]
async fn flows_are_named_where_there_are_too_many_to_tick() {
    let desk = Desk::start().await;
    let mut owner = Visitor::owner(&desk.server).await;
    let path = settings(&desk.server);
    for n in 0..101 {
        let source = format!("flow: made_{n}\nsteps:\n  - map: \"{n}\"\n");
        let at = format!("{}/flows/made_{n}", desk.workspace());
        let (status, made) = desk
            .rest("PUT", &at, Some(json!({ "source": source })))
            .await;
        assert!(status < 300, "{made}");
        if n == 99 {
            let page = owner.get(&path).await;
            assert_eq!(page.body.matches("name=\"flows\"").count(), 100);
            assert!(!page.body.contains("name=\"named_flows\""));
        }
    }
    let page = owner.get(&path).await;
    assert_eq!(page.body.matches("name=\"flows\"").count(), 0);
    assert!(page.body.contains("name=\"named_flows\""));

    let create = format!("/workspaces/{}/flow-tokens", desk.server.workspace);
    let fields = [("name", "Two"), ("named_flows", "made_7\nmade_nine\n")];
    let page = owner.submit(&create, &fields).await;
    assert_eq!(page.status, 422);
    let refused = "The workspace has no flow &#34;made_nine&#34;.";
    assert!(page.body.contains(refused), "{}", page.body);
    assert!(
        page.body.contains("made_7\nmade_nine"),
        "what was written stays"
    );
    let fields = [("name", "Two"), ("named_flows", "made_7\r\n made_9 ")];
    let made = owner.submit(&create, &fields).await;
    assert!(made.text_of("token").starts_with("at_"));
    let (_, all) = desk
        .rest("GET", &format!("{}/flow-tokens", desk.workspace()), None)
        .await;
    let flows = all["flowTokens"][0]["flows"].as_array().unwrap();
    assert_eq!(flows.len(), 2, "{all}");
}

// promise: S4.11, S4.13
#[tokio::test]
async fn an_administrator_moves_the_switch_on_the_page_and_a_member_does_not() {
    let server = Server::start().await;
    let mut owner = Visitor::owner(&server).await;
    let mut member = owner.invite("member@example.com", "member").await;
    let path = format!("/workspaces/{}/authentication", server.workspace);
    assert_eq!(member.submit(&path, &[]).await.status, 403);
    assert_refused(&curl(&server.endpoint, None).await);
    let done = owner.submit(&path, &[]).await;
    assert_eq!(done.location, settings(&server));
    assert_answered(&curl(&server.endpoint, None).await);
    let page = owner.get(&settings(&server)).await;
    assert!(page.body.contains("Anybody who reaches the endpoint"));
    let page = member.get(&settings(&server)).await;
    assert!(page.body.contains("Authentication is not required."));
    owner.submit("/workspaces", &[("name", "Second")]).await;
    let key = server.api_key(&["admin"]).await;
    let (_, all) = server.rest(&key, "GET", "/api/v1/workspaces", None).await;
    let second = all["workspaces"][1]["id"].as_str().unwrap();
    let second = format!("/workspaces/{second}/authentication");
    let page = owner.submit(&second, &[]).await;
    assert_eq!(page.status, 422);
    assert!(
        page.body
            .contains("The workspace main is open at /mcp already")
    );
    let done = owner.submit(&path, &[("require", "yes")]).await;
    assert_eq!(done.location, settings(&server));
    assert_refused(&curl(&server.endpoint, None).await);
}
