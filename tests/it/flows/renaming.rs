//! Flows that get another name by a save: who is told, what keeps them, and what refuses it.

use super::waiting::{begin, get_run, later, put_off};
use super::{create, desk_on, flows, plain, put, run};
use crate::hosted::changes::Stream;
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Person, Upstream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

fn answers(name: &str, number: u8) -> String {
    plain(name, &format!("steps:\n  - map: \"{number}\"\n"))
}

/// A flow that is a part of others, and runs one.
fn runs_another(name: &str, other: &str) -> String {
    format!("flow: {name}\nsteps:\n  - flow: {{ name: {other} }}\n")
}

async fn roll_back(desk: &Desk, name: &str, version: u8) -> (u16, Value) {
    let path = format!("{}/{name}/rollback", flows(desk));
    let body = json!({ "version": version });
    desk.rest("POST", &path, Some(body)).await
}

/// What is made by a POST below the workspace.
async fn made(desk: &Desk, below: &str, body: Value) -> Value {
    let path = format!("/api/v1/workspaces/{}/{below}", desk.server.workspace);
    let (status, answer) = desk.rest("POST", &path, Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

#[tokio::test]
async fn a_renamed_flow_keeps_all_it_has_and_clients_and_calls_under_way_lose_nothing() {
    for database in Database::BOTH {
        let arrived = Arc::new(Semaphore::new(0));
        let slow = {
            let arrived = arrived.clone();
            Upstream::start("127.0.0.1", move |_: &Asked| {
                arrived.add_permits(1);
                vec![
                    Act::Wait(Duration::from_millis(1_500)),
                    Act::Write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()),
                ]
            })
            .await
        };
        let desk = desk_on(database).await;
        let first = plain(
            "answer",
            &format!(
                "steps:\n  - http: {{ get: \"{}/\" }}\n  - map: .run.flow\n",
                slow.url()
            ),
        );
        let mut stream = Stream(desk.mcp.stream().await);
        let flow = create(&desk, &first).await["flow"]["id"].clone();
        stream.is_told("a flow").await;
        create(&desk, &answers("other", 7)).await;
        stream.is_told("another flow").await;
        let token = json!({ "name": "One flow", "flows": ["answer"] });
        let token = made(&desk, "flow-tokens", token).await["token"].clone();
        let ticked = json!({ "name": "One tool", "toolsets": ["flows"], "tools": ["answer"] });
        let ticked = made(&desk, "tokens", ticked).await["token"].clone();

        let other = Mcp::open(&desk.server.endpoint, &desk.key).await;
        let running = tokio::spawn(async move {
            let params = json!({ "name": "answer", "arguments": {} });
            other.request("tools/call", params).await
        });
        arrived.acquire().await.unwrap().forget();
        let (status, saved) = put(&desk, "answer", &answers("reply", 2)).await;
        assert_eq!(
            (status, &saved["outcome"]),
            (200, &json!("updated")),
            "{saved}"
        );
        assert_eq!(
            (&saved["flow"]["name"], &saved["flow"]["id"]),
            (&json!("reply"), &flow)
        );
        let names = desk.mcp.tool_names().await;
        assert!(names.contains(&"reply".to_owned()), "{names:?}");
        assert!(!names.contains(&"answer".to_owned()), "{names:?}");
        stream.is_told("a new name").await;
        let ended = running.await.unwrap();
        let text = &ended["result"]["content"][0]["text"];
        assert_eq!(text, "answer", "{ended}");
        assert_eq!(desk.text("reply", json!({})).await, "2");
        let fault = desk.mcp.call("answer", json!({})).await.unwrap_err();
        assert_eq!(fault["code"], "NOT_FOUND");

        // Whoever was given the flow has it still, and nothing else.
        for token in [&token, &ticked] {
            let mcp = Mcp::open(&desk.server.endpoint, token.as_str().unwrap()).await;
            assert_eq!(mcp.tool_names().await, ["reply"]);
            mcp.call("reply", json!({})).await.unwrap();
        }
        create(&desk, &answers("answer", 3)).await;
        for token in [&token, &ticked] {
            let mcp = Mcp::open(&desk.server.endpoint, token.as_str().unwrap()).await;
            assert_eq!(mcp.tool_names().await, ["reply"]);
        }
        let path = format!("{}/reply/versions", flows(&desk));
        let (_, versions) = desk.rest("GET", &path, None).await;
        assert_eq!(versions["versions"].as_array().unwrap().len(), 2);
        let path = format!(
            "/api/v1/workspaces/{}/flow-runs?flow=reply",
            desk.server.workspace
        );
        let (_, listed) = desk.rest("GET", &path, None).await;
        let runs = listed["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 4, "{listed}");
        assert_eq!(runs[3]["version"], 1, "{listed}");

        // The name of an older version comes back with it, once it is free.
        let (status, fault) = roll_back(&desk, "reply", 1).await;
        assert_eq!(status, 409, "{fault}");
        let (status, _) = put(&desk, "answer", &answers("third", 3)).await;
        assert_eq!(status, 200);
        let (status, rolled) = roll_back(&desk, "reply", 1).await;
        assert_eq!(
            (status, &rolled["flow"]["name"], &rolled["flow"]["id"]),
            (200, &json!("answer"), &flow),
            "{rolled}"
        );
        let names = desk.mcp.tool_names().await;
        assert!(names.contains(&"answer".to_owned()), "{names:?}");
        assert!(!names.contains(&"reply".to_owned()), "{names:?}");
        let events = desk.rest("GET", "/api/v1/events?limit=20", None).await.1;
        assert!(events.to_string().contains("renamed_from"), "{events}");
    }
}

#[tokio::test]
async fn a_name_is_refused_that_another_flow_has_or_while_others_call_the_one_before() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        create(&desk, &answers("answer", 1)).await;
        create(&desk, &answers("other", 2)).await;
        for caller in ["caller", "idle"] {
            create(&desk, &runs_another(caller, "answer")).await;
        }
        // One that is switched off calls it, too, once it is switched on again.
        let idle = format!("{}/idle/disable", flows(&desk));
        assert_eq!(desk.rest("POST", &idle, None).await.0, 200);

        let (status, fault) = put(&desk, "answer", &answers("other", 3)).await;
        assert_eq!(
            (status, &fault["fault"]),
            (409, &json!("ALREADY_EXISTS")),
            "{fault}"
        );
        let (status, fault) = put(&desk, "answer", &answers("reply", 3)).await;
        assert_eq!(status, 400, "{fault}");
        assert_eq!(fault["details"]["callers"], json!(["caller", "idle"]));
        let message = fault["message"].as_str().unwrap();
        assert!(message.contains("caller, idle"), "{message}");
        let itself = plain("again", "steps:\n  - flow: { name: other }\n");
        let (status, fault) = put(&desk, "other", &itself).await;
        assert_eq!(
            (status, &fault["details"]["callers"]),
            (400, &json!(["other"])),
            "{fault}"
        );
        let path = format!("{}/answer", flows(&desk));
        let stale = json!({ "source": answers("reply", 3), "ifVersion": 7 });
        assert_eq!(desk.rest("PUT", &path, Some(stale)).await.0, 412);
        let (status, fault) = put(&desk, "nothing", &answers("reply", 3)).await;
        assert_eq!(status, 400, "{fault}");
        // Nothing was changed by any of them.
        let (_, read) = desk.rest("GET", &path, None).await;
        assert_eq!(read["flow"]["version"], 1, "{read}");
        assert_eq!(desk.text("answer", json!({})).await, "1");
        let names = desk.mcp.tool_names().await;
        assert!(!names.contains(&"reply".to_owned()), "{names:?}");

        // Those that call it say the new name first.
        for caller in ["caller", "idle"] {
            let (status, answer) = put(&desk, caller, &runs_another(caller, "reply")).await;
            assert_eq!(status, 200, "{answer}");
        }
        let (status, saved) = put(&desk, "answer", &answers("reply", 3)).await;
        assert_eq!(status, 200, "{saved}");
        let drafts = format!(
            "/api/v1/workspaces/{}/flow-drafts/try",
            desk.server.workspace
        );
        let body = json!({ "flow": "caller", "input": {} });
        let (_, tried) = desk.rest("POST", &drafts, Some(body)).await;
        assert_eq!(tried["result"], 3, "{tried}");
        let (status, fault) = roll_back(&desk, "reply", 1).await;
        assert_eq!(
            (status, &fault["details"]["callers"]),
            (400, &json!(["caller", "idle"])),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_durable_run_goes_on_under_the_name_that_its_version_has() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        let rest =
            "limits: { timeout: 1m }\nsteps:\n  - id: pause\n    wait: 6s\nreturn: .run.flow\n";
        create(&desk, &later("patient", rest)).await;
        let id = begin(&desk, "patient").await;
        put_off(&desk, &id).await;
        let (status, saved) = put(&desk, "patient", &later("calm", rest)).await;
        assert_eq!(status, 200, "{saved}");
        let told = get_run(&desk.mcp, &id).await.unwrap();
        assert_eq!(
            (&told["state"], &told["result"]),
            (&json!("done"), &json!("patient")),
            "{told}"
        );
        let whole = run(&desk, &json!({ "id": id })).await;
        assert_eq!(
            (&whole["flow"], &whole["run"]["version"]),
            (&json!("calm"), &json!(1)),
            "{whole}"
        );
    }
}

#[tokio::test]
async fn a_flow_is_renamed_and_restored_in_the_editor() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        create(&desk, &answers("answer", 1)).await;
        create(&desk, &runs_another("caller", "answer")).await;
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let list = format!("/workspaces/{}/flows", desk.server.workspace);
        let page = |name: &str| format!("{list}/{name}");
        let save = async |name: &str, text: &str| {
            let path = page(name);
            let mut fields = person.get(&path).await.form(&path);
            fields.retain(|(name, _)| matches!(name.as_str(), "csrf" | "version"));
            let given = [("source", text), ("do", "save")];
            person.send(&path, &fields, &given).await
        };
        let refused = save("answer", &answers("reply", 2)).await;
        assert_eq!(refused.status, 422, "{}", refused.html);
        assert!(refused.html.contains("by this one: caller"));
        save("caller", &runs_another("caller", "reply")).await;
        let saved = save("answer", &answers("reply", 2)).await;
        assert_eq!(
            (saved.status, saved.path.as_str()),
            (200, page("reply").as_str()),
            "{}",
            saved.html
        );
        assert_eq!(desk.text("reply", json!({})).await, "2");
        assert_eq!(person.get(&page("answer")).await.status, 404);

        save("caller", "flow: caller\nsteps:\n  - map: \"1\"\n").await;
        let version = format!("{}/versions/1", page("reply"));
        let shown = person.get(&version).await;
        let action = format!("{version}/restore");
        let restored = person.send(&action, &shown.form(&action), &[]).await;
        assert_eq!(
            (restored.status, restored.path.as_str()),
            (200, page("answer").as_str()),
            "{}",
            restored.html
        );
        assert_eq!(desk.text("answer", json!({})).await, "1");
    }
}

#[tokio::test]
async fn no_flow_is_called_like_an_id_which_could_be_another_flows() {
    let desk = desk_on(Database::Sqlite).await;
    let made = create(&desk, &answers("answer", 1)).await;
    let id = made["flow"]["id"].as_str().unwrap();
    let (status, fault) = put(&desk, id, &answers(id, 2)).await;
    assert_eq!(status, 422, "{fault}");
    let problem = &fault["details"]["problems"][0];
    assert_eq!(
        (&problem["key"], &problem["line"]),
        (&json!("flow"), &json!(1))
    );
    assert_eq!(desk.text("answer", json!({})).await, "1");
}
