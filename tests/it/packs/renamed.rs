//! Flows of a pack that got another name: they are the pack's still.

use super::own::{PACK, given, list_of, newer};
use super::*;

/// What a flow of the pack is called in the workspace, and its state.
async fn own(desk: &Developer, flow: &str) -> (Value, String) {
    let answer = desk.did("GET", &path_of(desk, "slack_digest"), None).await;
    let flows = answer["pack"]["flows"].as_array().unwrap();
    let found = flows.iter().find(|own| own["name"] == flow).unwrap();
    let state = found["state"].as_str().unwrap().to_owned();
    (found["ownName"].clone(), state)
}

async fn rename(desk: &Developer, from: &str, to: &str, changed: (&str, &str)) {
    let text = source(desk, from).await;
    let text = text.replacen(&format!("flow: {from}\n"), &format!("flow: {to}\n"), 1);
    let text = text.replace(changed.0, changed.1);
    let path = format!("/workspaces/{}/flows/{from}", desk.server.workspace);
    let saved = desk
        .did("PUT", &path, Some(json!({ "source": text })))
        .await;
    assert_eq!(saved["flow"]["name"], to, "{saved}");
}

#[tokio::test]
async fn a_renamed_flow_belongs_to_its_pack_and_is_written_under_its_own_name() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        desk.chat_account("spare").await;
        let path = path_of(&desk, "slack_digest");
        let put = async |body: Value| became(&desk.did("PUT", &path, Some(body)).await);
        let some = json!(["slack_find_channel", "slack_find_person"]);
        put(json!({ "variables": { "slack": "main" }, "flows": some })).await;
        assert_eq!(
            own(&desk, "slack_find_person").await,
            (json!("slack_find_person"), "same".to_owned())
        );

        let nothing = ("Find a person", "Find a person");
        rename(&desk, "slack_find_person", "find_colleague", nothing).await;
        let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
        let names = agent.tool_names().await;
        assert!(names.contains(&"find_colleague".to_owned()), "{names:?}");
        assert!(
            !names.contains(&"slack_find_person".to_owned()),
            "{names:?}"
        );
        assert_eq!(
            own(&desk, "slack_find_person").await,
            (json!("find_colleague"), "same".to_owned())
        );
        let done = put(json!({})).await;
        assert_eq!(done[1], pair("slack_find_person", "unchanged"));
        let done = put(json!({ "variables": { "slack": "spare" } })).await;
        assert_eq!(done[1], pair("slack_find_person", "updated"));
        let text = source(&desk, "find_colleague").await;
        assert!(text.starts_with("flow: find_colleague\n"), "{text}");
        assert!(text.contains("slack: \"spare\""), "{text}");

        // Its name in the pack is free for a flow of the workspace's own.
        let flows = format!("/workspaces/{}/flows", desk.server.workspace);
        let mine = "flow: slack_find_person\nsteps: [{ map: \"{}\" }]\n";
        desk.made(&flows, json!({ "source": mine })).await;
        assert_eq!(own(&desk, "slack_find_person").await.1, "same");

        // A change by hand beside the name is one.
        let change = ("Find a person", "Find somebody of ours");
        rename(&desk, "find_colleague", "find_somebody", change).await;
        assert_eq!(
            own(&desk, "slack_find_person").await,
            (json!("find_somebody"), "changed".to_owned())
        );
        let main = json!({ "variables": { "slack": "main" } });
        assert_eq!(put(main).await[1], pair("slack_find_person", "kept"));
        let done = put(json!({ "replaceChanged": true })).await;
        assert_eq!(done[1], pair("slack_find_person", "updated"));
        let text = source(&desk, "find_somebody").await;
        assert!(!text.contains("somebody of ours"), "{text}");

        let removed = desk.did("DELETE", &path, None).await;
        let gone = json!(["slack_find_channel", "find_somebody"]);
        assert_eq!(removed["deleted"], gone, "{removed}");
        assert_eq!(source(&desk, "slack_find_person").await, mine);
    }
}

/// The texts of the greetings, installed.
async fn greetings(desk: &Developer) -> String {
    desk.made(&list_of(desk), json!({ "source": PACK })).await;
    let path = path_of(desk, "greetings");
    let word = json!({ "variables": { "word": "Ahoy" } });
    desk.did("PUT", &path, Some(word)).await;
    path
}

const NOTHING: (&str, &str) = ("Says", "Says");

#[tokio::test]
async fn renamed_flows_of_a_pack_of_ones_own_are_upgraded_and_deleted_by_the_names_that_they_have()
{
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let path = greetings(&desk).await;
        rename(&desk, "greet", "welcome", NOTHING).await;
        rename(&desk, "part", "leave", NOTHING).await;
        // The name that the pack gave is one of the workspace's own by now.
        let flows = format!("/workspaces/{}/flows", desk.server.workspace);
        let mine = "flow: part\nsteps: [{ map: \"{}\" }]\n";
        desk.made(&flows, json!({ "source": mine })).await;

        let added = desk
            .did("POST", &list_of(&desk), Some(given(&newer())))
            .await;
        assert_eq!(added["pack"]["dropped"], json!(["leave"]), "{added}");
        let body = json!({ "flows": ["greet", "wave"] });
        let put = desk.did("PUT", &path, Some(body)).await;
        let wanted = [
            ("part", "removed"),
            ("greet", "updated"),
            ("wave", "created"),
        ];
        assert_eq!(became(&put), pairs(&wanted));
        assert_eq!(put["pack"]["dropped"], json!([]), "{put}");
        desk.refused(404, "GET", &format!("{flows}/leave"), None)
            .await;
        assert_eq!(source(&desk, "part").await, mine);
        let text = source(&desk, "welcome").await;
        assert!(text.starts_with("flow: welcome\nvars:\n"), "{text}");
        assert!(text.contains("Greets somebody"), "{text}");
    }
}

#[tokio::test]
async fn a_flow_that_its_pack_has_no_longer_is_not_lost_under_a_name_that_the_pack_has() {
    let desk = Developer::open(Database::Sqlite).await;
    let path = greetings(&desk).await;
    rename(&desk, "part", "wave", NOTHING).await;
    let own = source(&desk, "wave").await;
    desk.did("POST", &list_of(&desk), Some(given(&newer())))
        .await;
    let body = json!({ "flows": ["greet", "wave"] });
    desk.refused(409, "PUT", &path, Some(body)).await;
    assert_eq!(source(&desk, "wave").await, own);
    let put = desk.did("PUT", &path, Some(json!({}))).await;
    let wanted = [("part", "kept"), ("greet", "updated")];
    assert_eq!(became(&put), pairs(&wanted));
    assert_eq!(source(&desk, "wave").await, own);
}
