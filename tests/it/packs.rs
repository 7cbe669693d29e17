//! Packs: their own tests; installed with one account for all tools, changed, left alone where somebody
//! changed a flow by hand, removed. And the playbook of the guide, run as it is printed.

mod applying;
mod own;
mod page;
mod playbook;
mod refused;
mod renamed;

use quaymaster_tests::{Database, Developer, Mcp, program};
use serde_json::{Value, json};
use std::path::PathBuf;

fn path_of(desk: &Developer, pack: &str) -> String {
    format!("/workspaces/{}/packs/{pack}", desk.server.workspace)
}

/// What became of each flow of a pack that was put.
fn became(answer: &Value) -> Vec<(String, String)> {
    let flows = answer["flows"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    flows
        .map(|flow| (text(&flow["name"]), text(&flow["became"])))
        .collect()
}

fn pair(name: &str, became: &str) -> (String, String) {
    (name.to_owned(), became.to_owned())
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, became): &(&str, &str)| pair(name, became);
    all.iter().map(owned).collect()
}

/// The state of a flow of a pack.
async fn state(desk: &Developer, pack: &str, flow: &str) -> String {
    let answer = desk.did("GET", &path_of(desk, pack), None).await;
    let flows = answer["pack"]["flows"].as_array().unwrap();
    let found = flows.iter().find(|own| own["name"] == flow).unwrap();
    found["state"].as_str().unwrap().to_owned()
}

/// The text of a flow of the workspace, as it is now.
async fn source(desk: &Developer, flow: &str) -> String {
    let path = format!("/workspaces/{}/flows/{flow}", desk.server.workspace);
    let answer = desk.did("GET", &path, None).await;
    answer["source"].as_str().unwrap().to_owned()
}

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../packs");
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files
}

async fn goes_well(verb: &str, files: &[PathBuf]) {
    let output = program().args(["flow", verb]).args(files).output().await;
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{problems}");
}

#[tokio::test]
async fn the_tests_of_every_pack_pass_and_no_pack_has_a_mistake() {
    for verb in ["check", "test"] {
        goes_well(verb, &shipped()).await;
    }
}

/// They run when a pack is installed, and an account may have any name.
#[tokio::test]
async fn the_tests_of_every_pack_pass_whichever_account_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for path in shipped() {
        let text = std::fs::read_to_string(&path).unwrap();
        let chosen = "type: string, default: another-one, ";
        let line = |line: &str| match line.split_once("type: connection, service: ") {
            Some((before, after)) => {
                let (_, after) = after.split_once(", ").unwrap();
                format!("{before}{chosen}{after}\n")
            }
            None => format!("{line}\n"),
        };
        let file = folder.path().join(path.file_name().unwrap());
        std::fs::write(&file, text.lines().map(line).collect::<String>()).unwrap();
        files.push(file);
    }
    goes_well("test", &files).await;
}

// promise: S4.27, S4.28, S4.29
#[tokio::test]
async fn a_pack_gives_a_full_set_of_tools_at_once_over_an_account_that_is_chosen_once() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        desk.chat_account("spare").await;
        let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
        let path = path_of(&desk, "slack_digest");
        let listed = desk.did("GET", &path, None).await;
        assert_eq!(listed["pack"]["installed"], Value::Null, "{listed}");
        assert_eq!(listed["pack"]["variables"][0]["service"], "slack");

        let body = json!({ "variables": { "slack": "spare" } });
        let (status, answer) = desk.ask("PUT", &path, Some(body.clone())).await;
        assert_eq!(status, 201, "{answer}");
        let all = became(&answer);
        assert_eq!(all.len(), 5, "{answer}");
        assert!(
            all.iter().all(|(_, became)| became == "created"),
            "{answer}"
        );

        let names = agent.tool_names().await;
        for (name, _) in &all {
            assert!(names.contains(name), "{name} in {names:?}");
        }
        let found = agent
            .call("slack_find_channel", json!({ "name": "cranes" }))
            .await;
        let found = found.unwrap();
        assert_eq!(found["channels"][0]["id"], "C2", "{found}");
        let asked = desk.chat.asked();
        assert_eq!(asked.last().unwrap().token, "xoxb-spare");

        // Once more changes nothing.
        let (status, answer) = desk.ask("PUT", &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        let all = became(&answer);
        assert!(
            all.iter().all(|(_, became)| became == "unchanged"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_flow_that_was_changed_by_hand_is_left_alone_until_somebody_says_otherwise() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.chat_account("main").await;
    desk.chat_account("spare").await;
    let path = path_of(&desk, "slack_digest");
    let put = async |body: Value| became(&desk.did("PUT", &path, Some(body)).await);
    let some = json!(["slack_find_channel", "slack_find_person"]);
    put(json!({ "variables": { "slack": "main" }, "flows": some })).await;
    assert_eq!(state(&desk, "slack_digest", "slack_digest").await, "absent");

    let before = source(&desk, "slack_find_person").await;
    assert!(before.contains("slack: \"main\""), "{before}");
    let own = before.replace("Find a person", "Find somebody of ours");
    let flow = format!(
        "/workspaces/{}/flows/slack_find_person",
        desk.server.workspace
    );
    desk.did("PUT", &flow, Some(json!({ "source": own }))).await;
    assert_eq!(
        state(&desk, "slack_digest", "slack_find_person").await,
        "changed"
    );

    // Another account: what was not touched is written anew, what was is kept.
    let done = put(json!({ "variables": { "slack": "spare" } })).await;
    let wanted = [
        pair("slack_find_channel", "updated"),
        pair("slack_find_person", "kept"),
    ];
    assert_eq!(done, wanted);
    assert!(
        source(&desk, "slack_find_channel")
            .await
            .contains("slack: \"spare\"")
    );
    assert_eq!(source(&desk, "slack_find_person").await, own);

    let done = put(json!({ "replaceChanged": true })).await;
    let wanted = [
        pair("slack_find_channel", "unchanged"),
        pair("slack_find_person", "updated"),
    ];
    assert_eq!(done, wanted);
    assert_eq!(
        source(&desk, "slack_find_person").await,
        before.replace("\"main\"", "\"spare\"")
    );

    // Another choice of flows.
    let done = put(json!({ "flows": ["slack_find_person", "slack_send"] })).await;
    let wanted = [
        pair("slack_find_channel", "removed"),
        pair("slack_find_person", "unchanged"),
        pair("slack_send", "created"),
    ];
    assert_eq!(done, wanted);
    let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let names = agent.tool_names().await;
    assert!(!names.iter().any(|name| name == "slack_find_channel"));
    assert!(names.iter().any(|name| name == "slack_send"));
}

#[tokio::test]
async fn a_pack_that_cannot_be_installed_as_it_is_wanted_changes_nothing() {
    let desk = Developer::open(Database::Sqlite).await;
    let path = path_of(&desk, "slack_digest");
    let none = desk.refused(400, "PUT", &path, Some(json!({}))).await;
    assert!(
        none["message"].as_str().unwrap().contains("Slack account"),
        "{none}"
    );
    let put = |body: Value| desk.refused(400, "PUT", &path, Some(body));
    let unknown = put(json!({ "variables": { "slack": "main" } })).await;
    assert!(
        unknown["hint"]
            .as_str()
            .unwrap()
            .contains("Connect an account"),
        "{unknown}"
    );
    desk.chat_account("main").await;
    let unknown = put(json!({ "variables": { "slack": "mian" } })).await;
    assert!(
        unknown["hint"].as_str().unwrap().contains("main"),
        "{unknown}"
    );
    let variables = json!({ "slack": "main" });
    let unknown = put(json!({ "variables": variables, "flows": ["slack_sent"] })).await;
    assert!(
        unknown["hint"].as_str().unwrap().contains("slack_send"),
        "{unknown}"
    );
    put(json!({ "variables": variables, "flows": [] })).await;
    put(json!({ "variables": variables, "secrets": { "KEY": "x" } })).await;
    put(json!({ "variables": { "slack": "main", "other": "x" } })).await;

    // A flow of the workspace's own has the name of one of the pack's.
    let flows = format!("/workspaces/{}/flows", desk.server.workspace);
    let own = "flow: slack_send\nsteps: [{ map: \"{}\" }]\n";
    desk.made(&flows, json!({ "source": own })).await;
    let body = json!({ "variables": variables });
    let taken = desk.refused(409, "PUT", &path, Some(body)).await;
    assert!(
        taken["message"].as_str().unwrap().contains("slack_send"),
        "{taken}"
    );
    assert_eq!(state(&desk, "slack_digest", "slack_send").await, "taken");
    let listed = desk.did("GET", &flows, None).await;
    assert_eq!(listed["total"], 1, "{listed}");
    let listed = desk.did("GET", &path, None).await;
    assert_eq!(listed["pack"]["installed"], Value::Null, "{listed}");
    // Without that one it can.
    let body = json!({ "variables": variables, "flows": ["slack_find_channel"] });
    desk.did("PUT", &path, Some(body)).await;
    assert_eq!(source(&desk, "slack_send").await, own);
}

#[tokio::test]
async fn a_removed_pack_takes_its_flows_along_and_keeps_what_was_changed_where_that_is_wanted() {
    let desk = Developer::open(Database::Sqlite).await;
    let path = path_of(&desk, "weather");
    let (status, answer) = desk.ask("PUT", &path, Some(json!({}))).await;
    assert_eq!(status, 201, "{answer}");
    let own = source(&desk, "weather_now")
        .await
        .replace("Current weather", "The weather");
    let flows = format!("/workspaces/{}/flows", desk.server.workspace);
    let flow = format!("{flows}/weather_now");
    desk.did("PUT", &flow, Some(json!({ "source": own }))).await;

    let removed = desk.did("DELETE", &path, None).await;
    assert_eq!(removed["kept"], json!(["weather_now"]), "{removed}");
    assert_eq!(removed["deleted"].as_array().unwrap().len(), 3, "{removed}");
    let listed = desk.did("GET", &flows, None).await;
    assert_eq!(listed["total"], 1, "{listed}");
    assert_eq!(state(&desk, "weather", "weather_now").await, "taken");
    desk.refused(404, "DELETE", &path, None).await;
    let events = desk.did("GET", "/events?limit=20", None).await.to_string();
    for event in ["pack.installed", "pack.removed", "flow.deleted"] {
        assert!(events.contains(event), "{event} in {events}");
    }
}

#[tokio::test]
async fn packs_of_another_organization_and_unknown_packs_are_not_found() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.did("PUT", &path_of(&desk, "weather"), Some(json!({})))
        .await;
    let near = desk
        .refused(404, "GET", &path_of(&desk, "wether"), None)
        .await;
    assert!(near["hint"].as_str().unwrap().contains("weather"), "{near}");
    let reader = desk.server.api_key(&["read:tools"]).await;
    let other = desk.server.stranger().await;
    let path = format!("/api/v1{}", path_of(&desk, "weather"));
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| json!({}));
        let (status, answer) = desk.server.rest(&other, method, &path, body).await;
        assert_eq!(status, 404, "{method} {answer}");
    }
    // Who may not manage may not install.
    let (status, _) = desk
        .server
        .rest(&reader, "PUT", &path, Some(json!({})))
        .await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_web_page_becomes_text_and_whole_links_by_the_programs_of_its_pack() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.did("PUT", &path_of(&desk, "web_pages"), Some(json!({})))
        .await;
    let path = format!("/workspaces/{}/flow-drafts/try", desk.server.workspace);
    let read = async |flow: &str, url: &str, body: &str| {
        let asked = json!({
            "flow": flow, "input": { "url": url },
            "mocks": { "page": { "returns": { "body": body } } },
        });
        let tried = desk.did("POST", &path, Some(asked)).await;
        assert_eq!(tried["ok"], true, "{tried}");
        tried["result"].clone()
    };
    let html = "<html><head><title> Harbour </title><style>p {}</style></head><body>\
        <script>x('<p>')</script><h1>Tides</h1><p>High &amp; low</p><!-- no --></body></html>";
    let page = read("web_read_page", "https://example.com/", html).await;
    assert_eq!(page["title"], "Harbour", "{page}");
    assert_eq!(page["text"], "Tides\n\nHigh & low", "{page}");
    let text = read(
        "web_read_page",
        "https://example.com/robots.txt",
        "User-agent: *\n",
    )
    .await;
    assert_eq!(text["text"], "User-agent: *", "{text}");

    let html = "<a href='/about?a=1&amp;b=2'>About <b>us</b></a> <a class=x href='next.html#top'>Next</a> \
        <a href='/about?a=1&amp;b=2'>again</a> <a href='mailto:a@example.com'>Mail</a>";
    let found = read(
        "web_list_links",
        "https://example.com/docs/index.html",
        html,
    )
    .await;
    let wanted = json!([
        { "url": "https://example.com/about?a=1&b=2", "text": "About us" },
        { "url": "https://example.com/docs/next.html", "text": "Next" },
    ]);
    assert_eq!(found["links"], wanted, "{found}");
}
