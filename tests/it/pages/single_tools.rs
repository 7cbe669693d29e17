//! Choosing single tools of a toolset that has more of them than a page has room for.

use super::looks::look;
use super::*;
use quaymaster_tests::Person;

const FLOWS: usize = 60;

async fn with_flows() -> (Server, String) {
    let server = Server::start().await;
    let admin = server.api_key(&["admin"]).await;
    let path = format!("/api/v1/workspaces/{}/flows", server.workspace);
    for number in 0..FLOWS {
        let source = format!(
            "flow: count_{number}\n\
             triggers: [{{ mcp_tool: {{ description: Counts. }} }}]\n\
             steps: [{{ id: a, map: \"{number}\" }}]\n"
        );
        let body = json!({ "source": source });
        let (status, answer) = server.rest(&admin, "POST", &path, Some(body)).await;
        assert_eq!(status, 201, "{answer}");
    }
    (server, admin)
}

#[tokio::test]
async fn single_tools_of_a_large_toolset_come_when_they_are_opened() {
    let (server, _) = with_flows().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    let ticks = "document.querySelectorAll('#single-flows [name=tools]').length";
    assert_eq!(tab.value(ticks).await, 0);
    tab.click("details.mix > summary").await;
    tab.click("#single-flows > summary").await;
    tab.until(&format!("{ticks} === {FLOWS}")).await;
    look(&tab, "the single tools of a large toolset").await;
    let toolset = "[data-mix-group]:has(#single-flows) [name=toolsets]";
    tab.click(toolset).await;
    let total = tab.text("[data-mix-total]").await;
    tab.click("#single-flows [value=count_7]").await;
    assert_ne!(tab.text("[data-mix-total]").await, total);
    tab.fill("#token-name", "Counting").await;
    tab.follow("form[action$='/tokens'] button.primary").await;
    let token = tab.text("#token").await;
    let listed = Mcp::open(&server.endpoint, &token).await.tool_names().await;
    let counts = listed.iter().filter(|name| name.starts_with("count_"));
    assert_eq!(counts.count(), FLOWS - 1);
    assert!(!listed.contains(&"count_7".to_owned()), "{listed:?}");
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_large_toolset_that_nobody_opened_is_given_as_a_whole() {
    let (server, _) = with_flows().await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let page = person
        .get(&format!("/workspaces/{}", server.workspace))
        .await;
    let action = format!("/workspaces/{}/tokens", server.workspace);
    let mut form = page.form(&action);
    form.push(("toolsets".to_owned(), "flows".to_owned()));
    let given = [("name", "All"), ("access", "read_write")];
    let fresh = person.send(&action, &form, &given).await;
    let token = fresh.texts("#token").remove(0);
    let listed = Mcp::open(&server.endpoint, &token).await.tool_names().await;
    let counts = listed.iter().filter(|name| name.starts_with("count_"));
    assert_eq!(counts.count(), FLOWS);
}

#[tokio::test]
async fn single_tools_are_shown_to_people_of_the_workspace_alone() {
    let server = Server::start().await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let path = |kind: &str, toolset: &str, workspace: &str| {
        format!("/mix?kind={kind}&toolset={toolset}&workspace={workspace}")
    };
    let own = path("workspace-token", "files", &server.workspace);
    assert_eq!(person.get(&own).await.texts(".ticks label").len(), 19);
    for wrong in [
        path("workspace-token", "files", "ws_01arz3ndektsv4rrffq69g5fav"),
        path("workspace-token", "ships", &server.workspace),
        path("ship", "files", &server.workspace),
        path("workspace-token", "files", "<b>"),
        "/mix".to_owned(),
    ] {
        assert_eq!(person.get(&wrong).await.status, 404, "{wrong}");
    }
    let stranger = Person::of(&server.url);
    assert!(stranger.get(&own).await.texts(".ticks label").is_empty());
}
