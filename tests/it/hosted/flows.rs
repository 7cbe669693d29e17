//! Flows on hosted servers: they come and go while clients are connected, and nobody else has them.

use super::changes::Stream;
use quaymaster_tests::{Database, Developer, Made, Mcp, Visitor};
use serde_json::{Value, json};

const GREET: &str = r#"
flow: greet
title: Greet somebody
triggers:
  - mcp_tool:
      description: Greets a person by name.
      annotations: { readOnlyHint: true, openWorldHint: false }
      servers: [SERVERS]
input:
  type: object
  required: [name]
  additionalProperties: false
  properties: { name: { type: string, minLength: 1 } }
output:
  type: object
  required: [greeting]
  properties: { greeting: { type: string } }
steps:
  - { id: said, map: '"Hello, " + .input.name' }
return: "{ greeting: .steps.said }"
"#;

/// A flow that greets, on these servers.
pub(super) fn greet(servers: &str) -> String {
    GREET.replace("SERVERS", servers)
}

pub(super) fn flows(desk: &Developer) -> String {
    format!("/workspaces/{}/flows", desk.server.workspace)
}

pub(super) async fn save(desk: &Developer, name: &str, source: &str) -> Value {
    let path = format!("{}/{name}", flows(desk));
    desk.did("PUT", &path, Some(json!({ "source": source })))
        .await
}

async fn server(desk: &Developer, name: &str) -> Made {
    desk.serve(json!({ "name": name })).await
}

async fn has(mcp: &Mcp, tools: &[&str]) {
    assert_eq!(mcp.tool_names().await, tools);
}

async fn is_gone(mcp: &Mcp, tool: &str) {
    let gone = mcp.call(tool, json!({ "name": "Ada" })).await.unwrap_err();
    assert_eq!(gone["code"], "NOT_FOUND", "{gone}");
}

#[tokio::test]
async fn a_flow_is_on_the_servers_that_it_names_while_it_names_them_and_is_on() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (support, sales) = (server(&desk, "Support").await, server(&desk, "Sales").await);
        let ours = Mcp::open(&support.endpoint, &support.token).await;
        let others = Mcp::open(&sales.protocol, &sales.token).await;
        let mut stream = Stream(ours.stream().await);

        desk.made(&flows(&desk), json!({ "source": greet("Support") }))
            .await;
        stream.is_told("a flow").await;
        has(&ours, &["greet"]).await;
        let greeted = ours.call("greet", json!({ "name": "Ada" })).await.unwrap();
        assert_eq!(greeted, json!({ "greeting": "Hello, Ada" }));
        let wrong = ours.call("greet", json!({ "nam": "Ada" })).await;
        assert_eq!(wrong.unwrap_err()["code"], "INVALID_ARG");
        // The token of another server neither sees nor calls it; the endpoint of all has it too.
        has(&others, &[]).await;
        is_gone(&others, "greet").await;
        let all = Mcp::open(&desk.server.endpoint, &desk.key).await;
        assert!(all.tool_names().await.contains(&"greet".to_owned()));

        // By its id, and another server.
        save(&desk, "greet", &greet(&sales.id)).await;
        stream.is_told("a flow that went").await;
        has(&ours, &[]).await;
        is_gone(&ours, "greet").await;
        has(&others, &["greet"]).await;
        save(&desk, "greet", &greet("Support, Sales")).await;
        stream.is_told("a flow that came back").await;
        has(&ours, &["greet"]).await;
        has(&others, &["greet"]).await;

        let path = format!("{}/greet", flows(&desk));
        desk.did("POST", &format!("{path}/disable"), None).await;
        is_gone(&ours, "greet").await;
        stream.is_told("a flow that was switched off").await;
        has(&ours, &[]).await;
        desk.did("POST", &format!("{path}/enable"), None).await;
        stream.is_told("a flow that was switched on").await;
        has(&ours, &["greet"]).await;
        let back = json!({ "version": 2 });
        desk.did("POST", &format!("{path}/rollback"), Some(back))
            .await;
        stream.is_told("an older version").await;
        has(&ours, &[]).await;
        has(&others, &["greet"]).await;
        desk.did("DELETE", &path, None).await;
        stream.is_told("a flow that is no more").await;
        has(&others, &[]).await;
    }
}

#[tokio::test]
async fn a_flow_passes_the_guard_of_its_server_like_any_tool() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let support = server(&desk, "Support").await;
        save(&desk, "greet", &greet("Support")).await;
        // One that may change something, and whose runs are answered at once.
        let later = "flow: later\ntriggers:\n  - mcp_tool: { description: Takes its time., mode: async, servers: [Support] }\nsteps:\n  - map: \"42\"\n";
        save(&desk, "later", later).await;
        let ours = Mcp::open(&support.endpoint, &support.token).await;
        has(&ours, &["greet", "later", "get_run"]).await;
        let begun = ours.call("later", json!({})).await.unwrap();
        let asked = json!({ "run_id": begun["run_id"], "wait_s": 30 });
        let ended = ours.call("get_run", asked.clone()).await.unwrap();
        assert_eq!(
            (&ended["state"], &ended["result"]),
            (&json!("done"), &json!(42))
        );

        // For an end user, who may only read, and has no part in that run.
        desk.end_user("user_1").await;
        let body = json!({ "endUserId": "user_1", "scopes": ["read:tools"] });
        let path = format!("/mcp/servers/{}/access-tokens", support.id);
        let made = desk.made(&path, body).await;
        let token = made["accessToken"].as_str().unwrap();
        let reader = Mcp::stateless(&support.endpoint, token);
        has(&reader, &["greet", "get_run"]).await;
        let greeted = reader.call("greet", json!({ "name": "Ada" })).await;
        assert_eq!(greeted.unwrap()["greeting"], "Hello, Ada");
        let denied = reader.call("later", json!({})).await.unwrap_err();
        assert_eq!(denied["code"], "SCOPE_DENIED", "{denied}");
        let foreign = reader.call("get_run", asked).await.unwrap_err();
        assert_eq!(foreign["code"], "NOT_FOUND", "{foreign}");

        // Each call is on record, with the workspace that it counts to.
        let path = format!("/workspaces/{}/calls", desk.server.workspace);
        let calls = desk.did("GET", &path, None).await;
        let of = |tool: &str| {
            let calls = calls["calls"].as_array().unwrap().iter();
            calls
                .filter(|call| call["tool"] == tool && call["outcome"] == "OK")
                .count()
        };
        assert_eq!((of("greet"), of("later")), (1, 1), "{calls}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_its_place_and_nothing_is_saved() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        server(&desk, "Support").await;
        let twins = [server(&desk, "Twin").await, server(&desk, "Twin").await];
        let body = json!({ "name": "Second", "slug": "second" });
        desk.made("/workspaces", body).await;
        let elsewhere = json!({ "name": "Elsewhere", "workspaceId": "second" });
        let elsewhere = desk.serve(elsewhere).await;
        let stranger = desk.server.stranger().await;
        let path = "/api/v1/workspaces";
        let (_, theirs) = desk.server.rest(&stranger, "GET", path, None).await;
        let body = json!({ "name": "Theirs", "workspaceId": theirs["workspaces"][0]["id"] });
        let path = "/api/v1/mcp/servers";
        let (status, theirs) = desk.server.rest(&stranger, "POST", path, Some(body)).await;
        assert_eq!(status, 201, "{theirs}");

        let refused = async |servers: &str, message: &str| {
            let body = json!({ "source": greet(servers) });
            let drafts = format!("/workspaces/{}/flow-drafts/validate", desk.server.workspace);
            let draft = desk.did("POST", &drafts, Some(body.clone())).await;
            assert_eq!(draft["valid"], false, "{draft}");
            let answer = desk.refused(422, "POST", &flows(&desk), Some(body)).await;
            let problems = &answer["details"]["problems"];
            assert_eq!(problems.as_array().unwrap().len(), 1, "{answer}");
            assert_eq!(problems[0]["key"], "triggers.0.mcp_tool.servers.1");
            assert_eq!(problems[0]["line"], 8, "{answer}");
            let said = problems[0]["message"].as_str().unwrap();
            assert!(said.contains(message), "{servers}: {said}");
        };
        refused("Support, Suport", "Did you mean \"Support\"?").await;
        refused("Support, Twin", "Several servers").await;
        // What is another workspace's or organization's is as unknown as what never was.
        let never = "srv_01kahwz8x4m2q7r9s3t5v6w7y8";
        let theirs = theirs["id"].as_str().unwrap();
        for unknown in ["Elsewhere", &elsewhere.id, "Theirs", theirs, never] {
            let message = format!("The workspace has no hosted server {unknown:?}.");
            refused(&format!("Support, {unknown}"), &message).await;
        }
        let none = desk.did("GET", &flows(&desk), None).await;
        assert_eq!(none["total"], 0, "{none}");

        // Names with two underscores in a row are those of actions.
        let named = greet("Support").replace("greet\n", "say__greet\n");
        let body = Some(json!({ "source": named }));
        let answer = desk.refused(422, "POST", &flows(&desk), body).await;
        assert!(answer.to_string().contains("two underscores"), "{answer}");

        save(&desk, "greet", &greet(&twins[0].id)).await;
        let shown = Mcp::stateless(&twins[0].endpoint, &twins[0].token);
        has(&shown, &["greet"]).await;
        let twin = Mcp::stateless(&twins[1].endpoint, &twins[1].token);
        has(&twin, &[]).await;
    }
}

#[tokio::test]
async fn a_flow_goes_on_where_else_it_is_when_a_server_is_deleted_and_the_gap_is_told() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (support, sales) = (server(&desk, "Support").await, server(&desk, "Sales").await);
        let text = greet("Support, Sales");
        save(&desk, "greet", &text).await;
        let path = format!("{}/greet", flows(&desk));
        let flow = desk.did("GET", &path, None).await;
        assert_eq!(flow["servers"].as_array().unwrap().len(), 2, "{flow}");
        assert_eq!(flow["unknownServers"], json!([]), "{flow}");

        desk.did("DELETE", &format!("/mcp/servers/{}", support.id), None)
            .await;
        let others = Mcp::open(&sales.endpoint, &sales.token).await;
        let greeted = others.call("greet", json!({ "name": "Ada" })).await;
        assert_eq!(greeted.unwrap()["greeting"], "Hello, Ada");
        let flow = desk.did("GET", &path, None).await;
        let left = json!([{ "id": sales.id, "name": "Sales" }]);
        assert_eq!(flow["servers"], left, "{flow}");
        assert_eq!(flow["unknownServers"], json!(["Support"]), "{flow}");
        let mut owner = Visitor::owner(&desk.server).await;
        let page = owner.get(&path).await.body;
        assert!(page.contains("<q>Support</q>"), "{page}");
        let again = Some(json!({ "source": text }));
        desk.refused(422, "PUT", &path, again).await;

        // A new server of that name has nothing until the flow is saved for it.
        let anew = server(&desk, "Support").await;
        let ours = Mcp::open(&anew.endpoint, &anew.token).await;
        has(&ours, &[]).await;
        let mut stream = Stream(ours.stream().await);
        let saved = save(&desk, "greet", &text).await;
        assert_eq!(
            (&saved["outcome"], &saved["flow"]["version"]),
            (&json!("updated"), &json!(1))
        );
        stream.is_told("a flow that was saved anew").await;
        has(&ours, &["greet"]).await;
        assert_eq!(save(&desk, "greet", &text).await["outcome"], "unchanged");

        // An older version runs again, though a server that it names is gone.
        save(&desk, "greet", &greet("Sales")).await;
        desk.did("DELETE", &format!("/mcp/servers/{}", anew.id), None)
            .await;
        let back = json!({ "version": 1 });
        desk.did("POST", &format!("{path}/rollback"), Some(back))
            .await;
        has(&others, &["greet"]).await;
    }
}

#[tokio::test]
async fn people_see_which_flows_a_server_has_and_what_they_cost() {
    let desk = Developer::open(Database::Sqlite).await;
    let support = server(&desk, "Support").await;
    let path = format!("/mcp/servers/{}", support.id);
    let size = format!("{path}/tool-list-size");
    let before = desk.did("GET", &size, None).await;
    save(&desk, "greet", &greet("Support")).await;
    let after = desk.did("GET", &size, None).await;
    assert_eq!((&before["tools"], &after["tools"]), (&json!(0), &json!(1)));
    let tokens = |size: &Value| size["toolsModeTokens"].as_u64().unwrap();
    assert!(tokens(&after) > tokens(&before) + 20, "{after}");
    let read = desk.did("GET", &path, None).await;
    assert_eq!(read["flows"][0]["tool"], "greet", "{read}");
    let call = json!({ "name": "greet", "arguments": { "name": "Ada" } });
    let called = desk.did("POST", &format!("{path}/call"), Some(call)).await;
    assert_eq!(
        called["structuredContent"],
        json!({ "greeting": "Hello, Ada" }),
        "{called}"
    );

    let mut owner = Visitor::owner(&desk.server).await;
    let at = format!("/servers/{}", support.id);
    let page = owner.get(&at).await.body;
    let link = format!("/workspaces/{}/flows/greet", desk.server.workspace);
    assert!(
        page.contains(&link) && page.contains("and 1 flow."),
        "{page}"
    );
    let page = owner.get(&format!("{at}/try/greet")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let page = owner.get(&link).await.body;
    assert!(
        page.contains(&format!("<a href=\"{at}\">Support</a>")),
        "{page}"
    );
}
