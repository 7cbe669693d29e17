//! Something in every list, as a small team would have it.

use super::{EMAIL, PASSWORD};
use quaymaster_tests::{Developer, Mcp, OAuthClient, Person};
use serde_json::{Value, json};
use std::time::Duration;

/// Ids and paths of what was made.
pub(in crate::pages) struct Seeded {
    pub(in crate::pages) workspace: String,
    pub(in crate::pages) connection: String,
    pub(in crate::pages) failed_connection: String,
    pub(in crate::pages) authorization: String,
    pub(in crate::pages) integration: String,
    pub(in crate::pages) partial: String,
    pub(in crate::pages) end_user: String,
    pub(in crate::pages) server: String,
    pub(in crate::pages) code_server: String,
    pub(in crate::pages) tool: String,
    pub(in crate::pages) run: String,
    pub(in crate::pages) document: String,
    pub(in crate::pages) setup_link: String,
    pub(in crate::pages) reconnect_link: String,
    pub(in crate::pages) consent: String,
    pub(in crate::pages) invitation: String,
    pub(in crate::pages) reset_link: String,
    pub(in crate::pages) sign_in_link: String,
}

const FLOW: &str = r#"flow: berth_note
title: Write a berth note
triggers: [{ mcp_tool: { description: Writes one line for the log of the harbour., annotations: { readOnlyHint: true } } }]
input:
  type: object
  required: [berth, ship]
  properties:
    berth: { type: integer, description: Number of the berth }
    ship: { type: string, description: Name of the ship }
steps:
  - id: side
    switch:
      - when: .input.berth % 2 == 0
        do: [{ id: east, map: '"east quay"' }]
      - do: [{ id: west, map: '"west quay"' }]
return: '{ note: "\(.input.ship) lies at berth \(.input.berth), \(.steps.side)" }'
tests:
  - name: an even berth
    input: { berth: 4, ship: Aurora }
    expect: { result: { note: "Aurora lies at berth 4, east quay" } }
"#;
const SKILL: &str = "# Planning berths\n\n1. Read `reports/berths.md`.\n2. Run `scripts/plan.py` with the list of ships.\n3. Post the plan in the channel of the quay.\n";
const BERTHS: &str = "# Berths\n\n| berth | depth | crane |\n|---|---|---|\n| 1 | 9.5 m | yes |\n| 2 | 9.5 m | no |\n| 3 | 12 m | yes |\n| 4 | 12 m | yes |\n\nBerth 2 is closed until the fenders are changed.\n";
const HANDBOOK: &str = "# Cranes\n\nThe crane stops at night, from ten to six.\n\n## Wind\n\nAbove 20 metres a second the crane is locked and the boom is raised.\n";

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The path of an address of the server.
fn path(desk: &Developer, url: &Value) -> String {
    let url = text(url);
    let path = url.strip_prefix(&desk.server.url);
    path.expect("an address of the server").to_owned()
}

/// Sends bytes.
async fn send(desk: &Developer, method: &str, path: &str, bytes: &'static str) -> Value {
    let url = format!("{}/api/v1{path}", desk.server.url);
    let answer = reqwest::Client::new()
        .request(method.parse().expect("a method"), url)
        .bearer_auth(&desk.key)
        .body(bytes)
        .send();
    let answer = answer.await.expect("the server answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

pub(in crate::pages) async fn plant(desk: &Developer) -> Seeded {
    let workspace = desk.server.workspace.clone();
    let here = |path: &str| format!("/workspaces/{workspace}{path}");
    desk.made("/workspaces", json!({ "name": "Website" })).await;
    desk.made("/workspaces", json!({ "name": "Invoices" }))
        .await;
    credentials(desk).await;
    knowledge(desk).await;
    let document = send(desk, "POST", "/documents?path=handbook/cranes.md", HANDBOOK).await;
    let document = text(&document["document"]["id"]);
    read(desk, &document).await;

    let connection = desk.chat_account("harbour").await;
    // Nobody listens there.
    let failed = json!({
        "type": "CUSTOM_AUTH", "integrationName": "powerdns", "externalId": "names",
        "displayName": "Names", "props": { "url": "http://127.0.0.1:9", "api_key": "a-key" },
    });
    let failed = desk.made("/connections", failed).await;
    let own = json!({ "source": crate::definitions::NOTES });
    desk.made("/connectors/own", own).await;
    let app = json!({ "clientId": "harbour-works", "clientSecret": "never-shown-again" });
    desk.did("PUT", "/connectors/github/oauth-app", Some(app))
        .await;
    let begun = json!({ "connector": "github", "auth": "oauth2" });
    let begun = desk.made("/connections/authorizations", begun).await;

    let own = json!({ "integrationName": "slack", "connectionId": connection });
    let integration = desk.integrate(own).await;
    let partial = json!({
        "actionName": "send_channel_message", "name": "Only cranes",
        "description": "Messages go to the channel of the cranes.",
        "values": { "channel": "C2" }, "enforcedKeys": ["channel"],
    });
    let partial = desk.partial(partial).await;
    let end_user = json!({
        "workspaceId": workspace, "externalId": "customer-204", "displayName": "Customer 204",
        "email": "customer-204@example.com",
    });
    let end_user = text(&desk.made("/end-users", end_user).await["endUser"]["id"]);
    let asked = format!("/end-users/{end_user}/connect-token");
    let service = json!({ "integrationName": "slack" });
    let asked = desk.did("POST", &asked, Some(service)).await;
    let server = json!({ "name": "Harbour bot", "description": "Tells the quay what happens." });
    let server = desk.serve(server).await;
    let mut tools = Vec::new();
    for action in ["send_channel_message", "list_users", "get_permalink"] {
        let tool =
            json!({ "integrationName": "slack", "actionName": action, "connectionId": connection });
        tools.push(desk.add(&server, tool).await);
    }
    let code = desk
        .serve(json!({ "name": "Night shift", "mode": "CODE" }))
        .await;

    flows(desk).await;
    calls(desk, &server).await;
    let runs = desk.did("GET", &here("/flow-runs"), None).await;

    let client = OAuthClient::register(&desk.server.url, "Claude").await;
    let person = Person::of(&desk.server.url);
    assert_eq!(person.sign_in(EMAIL, PASSWORD).await.status, 200);
    let page = person.get(&client.question(&[])).await;
    let agreed = [("answer", "allow"), ("workspace", workspace.as_str())];
    let fields = page.form("/authorize");
    let page = person.send("/authorize", &fields, &agreed).await;
    let answer = page.away.expect("sent back to the client");
    assert_eq!(client.exchange(&answer).await.0, 200);
    let agent = Mcp::open(&desk.server.endpoint, &desk.server.token).await;
    let reconnect = agent.call(
        "get_reconnect_url",
        json!({ "client_name": "Claude Desktop" }),
    );
    let reconnect = reconnect.await.expect("a link");
    let invitation = json!({ "email": "colleague@example.com", "role": "member" });
    let invitation = desk.made("/invitations", invitation).await;
    let reset = desk
        .server
        .cli_json(&["sign-in", "--reset", "--email", EMAIL])
        .await;
    let link = desk.server.cli_json(&["sign-in", "--email", EMAIL]).await;
    Seeded {
        connection,
        failed_connection: text(&failed["connection"]["id"]),
        authorization: text(&begun["authorization"]["id"]),
        integration: text(&integration["id"]),
        partial: text(&partial["id"]),
        end_user,
        server: server.id,
        code_server: code.id,
        tool: text(&tools[0]["id"]),
        run: text(&runs["runs"][0]["id"]),
        document,
        setup_link: path(desk, &asked["connectUrl"]),
        reconnect_link: path(desk, &reconnect["url"]),
        consent: path(desk, &json!(client.question(&[]))),
        invitation: path(desk, &invitation["url"]),
        reset_link: path(desk, &reset["reset_link"]),
        sign_in_link: path(desk, &link["sign_in_link"]),
        workspace,
    }
}

async fn credentials(desk: &Developer) {
    let here = format!("/workspaces/{}", desk.server.workspace);
    let read_only = json!({ "name": "Build server", "readOnly": true });
    desk.made(&format!("{here}/tokens"), read_only).await;
    let scopes = json!({ "name": "Nightly report", "scopes": ["read:tools", "read:data"] });
    desk.made("/api-keys", scopes).await;
    let display = json!({ "name": "Tide display" });
    desk.made(&format!("{here}/flow-tokens"), display).await;
}

async fn knowledge(desk: &Developer) {
    let content = format!("/workspaces/{}/files/content?path=", desk.server.workspace);
    for (name, bytes) in [
        (
            "README.md",
            "# Harbour works\n\nPlans and reports of the quay.\n",
        ),
        ("reports/berths.md", BERTHS),
        ("reports/october.csv", "day,ships\n1,14\n2,11\n3,17\n"),
        ("reports/old.txt", "Nobody needs this.\n"),
    ] {
        send(desk, "PUT", &format!("{content}{name}"), bytes).await;
    }
    let skill = json!({
        "name": "berth-planning", "systemPrompt": SKILL,
        "description": "Plans which ship lies where, from the list of arrivals.",
    });
    desk.made("/skills", skill).await;
    let file = json!({ "text": "import sys\n\nprint(sorted(sys.argv[1:]))\n" });
    let path = "/skills/berth-planning/files/scripts/plan.py";
    desk.did("PUT", path, Some(file)).await;
    for (path, content) in [
        (
            "projects/timetable.md",
            "# Timetable\n\nThe new timetable begins on the first of March.\n",
        ),
        (
            "people/preferences.md",
            "Reports are short, with numbers first.\n",
        ),
    ] {
        let file = json!({ "content": content });
        desk.did("PUT", &format!("/memory/files/{path}"), Some(file))
            .await;
    }
}

/// Until the worker has read a document.
async fn read(desk: &Developer, document: &str) {
    for _ in 0..400 {
        let now = desk
            .did("GET", &format!("/documents/{document}"), None)
            .await;
        if now["document"]["state"] == "indexed" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the document is not read");
}

async fn flows(desk: &Developer) {
    let here = format!("/workspaces/{}", desk.server.workspace);
    let flow = json!({ "source": FLOW });
    desk.made(&format!("{here}/flows"), flow).await;
    let changed = json!({ "source": FLOW.replace("one line", "one short line") });
    desk.did("PUT", &format!("{here}/flows/berth_note"), Some(changed))
        .await;
    let secret = json!({ "value": "never-shown-again" });
    desk.did(
        "PUT",
        &format!("{here}/flow-secrets/TIDE_KEY"),
        Some(secret),
    )
    .await;
    desk.did("PUT", &format!("{here}/packs/weather"), Some(json!({})))
        .await;
}

/// Calls of every kind, some of them refused.
async fn calls(desk: &Developer, server: &quaymaster_tests::Made) {
    let files = Mcp::open(&desk.server.endpoint, &desk.server.token).await;
    for path in ["README.md", "reports/berths.md", "reports/november.csv"] {
        let read = files.call("read_file", json!({ "path": path })).await;
        assert_eq!(read.is_ok(), !path.contains("november"), "{read:?}");
    }
    let old = json!({ "path": "reports/old.txt" });
    files.call("delete_file", old).await.expect("it is deleted");
    let bot = Mcp::open(&server.endpoint, &server.token).await;
    for words in ["Aurora lies at berth 4.", "The crane stops at ten."] {
        let message = json!({ "channel": "C2", "text": words });
        bot.call("slack__send_channel_message", message)
            .await
            .expect("it is sent");
    }
    let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
    for berth in [4, 3] {
        let note = json!({ "berth": berth, "ship": "Aurora" });
        agent.call("main__berth_note", note).await.expect("a note");
    }
    let found = agent
        .call("search_knowledge", json!({ "query": "crane" }))
        .await;
    found.expect("passages");
}
