//! Flows on hosted servers in CODE mode: three tools as before, and programs call them.

use super::flows::{flows, greet, save};
use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::{Value, json};

async fn desk(database: Database) -> (Developer, Mcp) {
    let desk = Developer::open(database).await;
    let server = desk
        .serve(json!({ "name": "Support", "mode": "CODE" }))
        .await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    (desk, mcp)
}

async fn run(mcp: &Mcp, code: &str) -> Result<Value, Value> {
    let ran = mcp
        .call("quaymaster_execute", json!({ "code": code }))
        .await?;
    Ok(ran["result"].clone())
}

#[tokio::test]
async fn programs_find_read_and_call_the_flows_of_their_server() {
    for database in Database::BOTH {
        let (desk, mcp) = desk(database).await;
        let three = [
            "quaymaster_search",
            "quaymaster_read_api",
            "quaymaster_execute",
        ];
        let nothing = json!({ "integration": "flows" });
        let unknown = mcp.call("quaymaster_search", nothing.clone()).await;
        assert_eq!(unknown.unwrap_err()["code"], "INVALID_ARG");
        save(&desk, "greet", &greet("Support")).await;
        assert_eq!(mcp.tool_names().await, three);

        let all = mcp.call("quaymaster_search", json!({})).await.unwrap();
        let flows = &all["integrations"][0];
        assert_eq!(
            (&flows["integration"], &flows["actions"]),
            (&json!("flows"), &json!(1))
        );
        let asked = json!({ "query": "greet a person" });
        for asked in [asked, nothing] {
            let found = mcp.call("quaymaster_search", asked).await.unwrap();
            assert_eq!(found["actions"][0]["integration"], "flows", "{found}");
            assert_eq!(found["actions"][0]["call"], "greet(name)", "{found}");
        }
        let params = json!({
            "name": "quaymaster_read_api",
            "arguments": { "integration": "flows", "action": "greet" },
        });
        let read = mcp.request("tools/call", params).await.to_string();
        for word in [
            "quaymaster.flows.greet",
            "name: string",
            "JSON Schema",
            "greeting",
        ] {
            assert!(read.contains(word), "{word}: {read}");
        }

        let greeted = run(&mcp, "return await quaymaster.flows.greet({ name: 'Ada' })").await;
        assert_eq!(greeted.unwrap(), json!({ "greeting": "Hello, Ada" }));
        let wrong = "try { await quaymaster.flows.greet({}) } catch (error) { return error.code }";
        assert_eq!(run(&mcp, wrong).await.unwrap(), "INVALID_ARG");
        // It is for programs alone.
        let plain = mcp.call("greet", json!({ "name": "Ada" })).await;
        assert_eq!(plain.unwrap_err()["code"], "NOT_FOUND");
        let path = format!("/workspaces/{}/calls", desk.server.workspace);
        let calls = desk.did("GET", &path, None).await;
        let calls = calls["calls"].as_array().unwrap().iter();
        let mut calls = calls.filter(|call| call["tool"] == "greet");
        let call = calls.next().unwrap();
        assert_eq!(
            (&call["source"], &call["outcome"]),
            (&json!("code"), &json!("OK"))
        );
    }
}

#[tokio::test]
async fn a_program_gets_a_flows_value_as_it_is_and_waits_for_one_that_takes_long() {
    let (desk, mcp) = desk(Database::Sqlite).await;
    let flow = |name: &str, rest: &str| {
        format!(
            "flow: {name}\ntriggers:\n  - mcp_tool: {{ description: Tries something out., servers: [Support]{rest}"
        )
    };
    let whole = flow("whole", " }\nsteps:\n  - map: '{data: 1, more: [2]}'\n");
    save(&desk, "whole", &whole).await;
    let text = flow("text", " }\nsteps:\n  - map: '\"12\"'\n");
    save(&desk, "text", &text).await;
    let later = flow("later", ", mode: async }\nsteps:\n  - map: \"42\"\n");
    save(&desk, "later", &later).await;
    let code = "const flows = quaymaster.flows;
        const { run_id } = await flows.later({});
        const ended = await flows.get_run({ run_id, wait_s: 30 });
        return [await flows.whole({}), await flows.text({}), ended.result]";
    let values = run(&mcp, code).await.unwrap();
    assert_eq!(values, json!([{ "data": 1, "more": [2] }, "12", 42]));
}

#[tokio::test]
async fn a_flow_that_is_switched_off_is_gone_for_programs_at_once() {
    let (desk, mcp) = desk(Database::Sqlite).await;
    save(&desk, "greet", &greet("Support")).await;
    let code = "return await quaymaster.flows.greet({ name: 'Ada' })";
    run(&mcp, code).await.unwrap();
    let path = format!("{}/greet", flows(&desk));
    desk.did("POST", &format!("{path}/disable"), None).await;
    let gone = run(&mcp, code).await.unwrap_err();
    assert_eq!(gone["code"], "CODE_ERROR", "{gone}");
}

#[tokio::test]
async fn no_integration_has_the_alias_of_flows() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let body = json!({ "integrationName": "slack", "alias": "flows", "connectionId": main });
    let path = format!("/workspaces/{}/integrations", desk.server.workspace);
    let refused = desk.refused(400, "POST", &path, Some(body)).await;
    assert!(
        refused.to_string().contains("quaymaster.flows"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_integration_that_had_the_alias_of_flows_before_them_keeps_it() {
    let (desk, mcp) = desk(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let path = format!("/workspaces/{}/integrations", desk.server.workspace);
    let body = json!({ "integrationName": "slack", "alias": "chat", "connectionId": main });
    let made = desk.made(&path, body).await;
    // Earlier versions of the program gave it.
    let file = desk.server.data.path().join("quaymaster.db");
    let database = rusqlite::Connection::open(file).unwrap();
    let changed = database.execute("UPDATE integrations SET alias = 'flows'", []);
    assert_eq!(changed.unwrap(), 1);
    save(&desk, "greet", &greet("Support")).await;

    let all = mcp.call("quaymaster_search", json!({})).await.unwrap();
    let all = all["integrations"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["integration"], "flows", "{all:?}");
    assert_ne!(all[0]["title"], "Flows", "{all:?}");
    let known = "return Object.keys(quaymaster.flows).includes('greet')";
    assert_eq!(run(&mcp, known).await.unwrap(), false);

    // It can be changed without a change of its alias, and with another one flows are there.
    let path = format!("{path}/{}", made["integration"]["id"].as_str().unwrap());
    let change = json!({ "alias": "flows", "displayName": "Chat" });
    desk.did("PATCH", &path, Some(change)).await;
    let change = json!({ "alias": "chat" });
    desk.did("PATCH", &path, Some(change)).await;
    let greeted = run(&mcp, "return await quaymaster.flows.greet({ name: 'Ada' })").await;
    assert_eq!(greeted.unwrap(), json!({ "greeting": "Hello, Ada" }));
}
