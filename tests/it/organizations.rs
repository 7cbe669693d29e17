//! Several organizations on one server: who is let into which.

use quaymaster_tests::person::PASSWORD;
use quaymaster_tests::{Database, Mcp, Server, Visitor};
use serde_json::json;

/// The owner of a second organization, which the operator makes.
async fn stranger(server: &Server) -> Visitor {
    let made = server.cli_json(&["organization", "create", "Pier"]).await;
    let link = made["sign_in_link"].as_str().unwrap();
    Visitor::first(server, link, "stranger@example.com", "Pier").await
}

async fn reconnect_link(server: &Server) -> String {
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let asked = json!({ "client_name": "Cursor" });
    let made = agent.call("get_reconnect_url", asked).await.unwrap();
    let url = made["url"].as_str().unwrap();
    url.strip_prefix(&server.url).unwrap().to_owned()
}

// promise: S1.32
#[tokio::test]
async fn a_reconnect_link_lets_members_of_its_organization_in_and_nobody_else() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let mut owner = Visitor::owner(&server).await;
        let mut stranger = stranger(&server).await;
        let mut colleague = owner.invite("colleague@example.com", "member").await;
        let link = reconnect_link(&server).await;

        let mut unknown = Visitor::unknown(&server.url);
        for page in [unknown.get(&link).await, unknown.post(&link, &[]).await] {
            assert!(page.location.starts_with("/sign-in"), "{page:?}");
        }
        for page in [stranger.get(&link).await, stranger.submit(&link, &[]).await] {
            assert!(page.body.contains("This link is for somebody else"));
            assert!(!page.body.contains("id=\"token\""));
            assert!(!page.body.contains(&server.workspace));
        }
        let asked = colleague.get(&link).await;
        assert!(asked.body.contains("Reconnect a client"), "{}", asked.body);
        let token = colleague.submit(&link, &[]).await.text_of("token");
        let agent = Mcp::open(&server.endpoint, &token).await;
        agent.call("list_files", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn somebody_of_two_organizations_switches_to_the_one_of_the_link() {
    let server = Server::start().await;
    let mut owner = Visitor::owner(&server).await;
    let mut stranger = stranger(&server).await;
    let invited = owner.invitation("stranger@example.com", "member").await;
    stranger.submit(&format!("{invited}/accept"), &[]).await;
    let account = stranger.get("/settings/account").await;
    let start = account
        .body
        .find("/settings/account/organizations/")
        .unwrap();
    let path = account.body[start..].split('"').next().unwrap().to_owned();
    assert!(
        path.ends_with("/switch") || path.ends_with("/leave"),
        "{path}"
    );

    // The browser shows the other organization: the page says so, and leads on.
    let listed = server.cli_json(&["organization", "list"]).await;
    let all = listed["organizations"].as_array().unwrap();
    let id = |name: &str| {
        let found = all.iter().find(|one| one["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let switch = |name: &str| format!("/settings/account/organizations/{}/switch", id(name));
    assert_eq!(stranger.submit(&switch("Pier"), &[]).await.location, "/");
    let link = reconnect_link(&server).await;
    let page = stranger.get(&link).await;
    assert!(
        page.body.contains("another organization of yours"),
        "{}",
        page.body
    );
    assert_eq!(page.value_of("next"), link);
    let next = [("next", link.as_str())];
    let switched = stranger.submit(&switch("Harbour"), &next).await;
    assert_eq!(switched.location, link);
    let made = stranger.submit(&link, &[]).await;
    assert_eq!(made.status, 200);
    made.text_of("token");
}

#[tokio::test]
async fn the_operator_makes_organizations_and_links_for_their_people() {
    let server = Server::start().await;
    Visitor::owner(&server).await;
    stranger(&server).await;
    let twice = server.cli(&["organization", "create", "Pier"]).await;
    assert!(!twice.status.success());
    let several = server.cli(&["sign-in"]).await;
    assert!(!several.status.success());
    let text = String::from_utf8_lossy(&several.stderr).into_owned();
    assert!(text.contains("several organizations"), "{text}");

    let whom = ["--org", "Pier", "--email", "Stranger@example.com"];
    let made = server.cli_json(&[&["sign-in"], &whom[..]].concat()).await;
    let link = made["sign_in_link"].as_str().unwrap();
    let mut person = Visitor::unknown(&server.url);
    let path = link.strip_prefix(&server.url).unwrap();
    assert_eq!(person.post(path, &[]).await.location, "/");
    assert!(person.get("/").await.body.contains("Pier"));

    let made = server
        .cli_json(&[&["sign-in", "--reset"], &whom[..]].concat())
        .await;
    let link = made["reset_link"].as_str().unwrap();
    let path = link.strip_prefix(&server.url).unwrap();
    let mut anybody = Visitor::unknown(&server.url);
    let page = anybody.get(path).await;
    assert!(page.body.contains("stranger@example.com"), "{}", page.body);
    let set = anybody
        .post(path, &[("password", "another long password")])
        .await;
    assert_eq!(set.location, "/sign-in");
    assert_eq!(person.get("/").await.location, "/sign-in", "signed out");
    assert_eq!(
        anybody
            .sign_in("stranger@example.com", PASSWORD)
            .await
            .status,
        422
    );
    let new = anybody.sign_in("stranger@example.com", "another long password");
    assert_eq!(new.await.location, "/");

    // Somebody with an account owns another one.
    let arguments = [
        "organization",
        "create",
        "Mole",
        "--owner",
        "owner@example.com",
    ];
    server.cli_json(&arguments).await;
    let mut owner = Visitor::unknown(&server.url);
    owner.sign_in("owner@example.com", PASSWORD).await;
    let page = owner.get("/settings/account").await;
    assert!(page.body.contains("Mole") && page.body.contains("Harbour"));
    let unknown = [
        "organization",
        "create",
        "X",
        "--owner",
        "nobody@example.com",
    ];
    assert!(!server.cli(&unknown).await.status.success());
}
