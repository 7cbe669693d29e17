//! Hosted servers over other MCP servers: what the account's server has are tools of the alias, and
//! change with it.

use quaymaster_tests::script::{Script, python, script_path};
use quaymaster_tests::{Database, Desk, Mcp, Server};
use serde_json::{Value, json};

const TOKEN: &str = "an-upstream-token";

async fn rest(desk: &Desk, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = (!body.is_null()).then_some(body);
    desk.server.rest(&desk.key, method, path, body).await
}

async fn made(desk: &Desk, path: &str, body: Value) -> Value {
    let (status, answer) = rest(desk, "POST", path, body).await;
    assert!(status < 300, "{status} {answer}");
    answer
}

async fn workspace(desk: &Desk) -> String {
    let (_, all) = rest(desk, "GET", "/api/v1/workspaces", Value::Null).await;
    let id = all["workspaces"][0]["id"].as_str();
    id.unwrap_or_else(|| panic!("{all}")).to_owned()
}

/// A client of a new server of the workspace.
async fn hosted(desk: &Desk, workspace: &str, mode: &str) -> (String, Mcp) {
    let body = json!({ "name": mode, "workspaceId": workspace, "mode": mode });
    let server = made(desk, "/api/v1/mcp/servers", body).await;
    let endpoint = server["mcpEndpoint"].as_str().unwrap();
    let token = server["bearerToken"].as_str().unwrap();
    let id = server["id"].as_str().unwrap().to_owned();
    (id, Mcp::open(endpoint, token).await)
}

#[tokio::test]
async fn the_tools_of_an_upstream_are_tools_of_a_hosted_server() {
    for database in Database::BOTH {
        let other = Server::start().await;
        let desk = Desk::open(database).await;
        let fields = [("url", &*other.endpoint), ("token", &*other.token)];
        let files = desk
            .connect_local("mcp_server", "files", "token", &fields)
            .await;
        let workspace = workspace(&desk).await;
        let integrations = format!("/api/v1/workspaces/{workspace}/integrations");
        let new = |actions: Value| {
            json!({
                "integrationName": "mcp_server", "alias": "there",
                "connectionId": files["id"], "enabledActions": actions,
            })
        };
        let (status, wrong) = rest(&desk, "POST", &integrations, new(json!(["list_file"]))).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(
            wrong["hint"].as_str().unwrap().contains("list_files"),
            "{wrong}"
        );
        let (_, client) = hosted(&desk, &workspace, "TOOLS").await;
        assert_eq!(client.tool_names().await.len(), 0);

        made(&desk, &integrations, new(Value::Null)).await;
        let names = client.tool_names().await;
        for tool in quaymaster_tests::FILE_TOOLS {
            assert!(
                names.contains(&format!("there__{tool}")),
                "{tool}: {names:?}"
            );
        }
        let written = json!({ "path": "a.txt", "content": "from afar" });
        client.call("there__write_file", written).await.unwrap();
        let listed = client.call("there__list_files", json!({})).await.unwrap();
        assert_eq!(listed["data"]["entries"][0]["path"], "a.txt", "{listed}");
        let wrong = client
            .call("there__read_file", json!({ "pathh": "a.txt" }))
            .await
            .unwrap_err();
        assert_eq!(wrong["code"], "INVALID_ARG", "{wrong}");

        // One action for programs of developers, over the same account.
        let acted = json!({
            "integrationName": "mcp_server", "actionName": "list_files",
            "workspaceId": workspace, "connectionExternalId": "files", "input": {},
        });
        let acted = made(&desk, "/api/v1/actions/execute", acted).await;
        assert_eq!(acted["output"]["entries"][0]["path"], "a.txt", "{acted}");

        // Picked by hand, a server has no others.
        let (id, picked) = hosted(&desk, &workspace, "TOOLS").await;
        let tool = json!({ "integrationName": "mcp_server", "integrationAlias": "there", "actionName": "list_files" });
        made(&desk, &format!("/api/v1/mcp/servers/{id}/tools"), tool).await;
        assert_eq!(picked.tool_names().await, ["there__list_files"]);
        picked.call("there__list_files", json!({})).await.unwrap();

        // Without the account there is nothing to call.
        let path = format!("/api/v1/connections/{}", files["id"].as_str().unwrap());
        let (status, gone) = rest(&desk, "DELETE", &path, Value::Null).await;
        assert!(status < 300, "{gone}");
        assert_eq!(client.tool_names().await.len(), 0);
    }
}

#[tokio::test]
async fn a_hosted_server_follows_an_upstream_whose_tools_change() {
    for database in Database::BOTH {
        let mut adder = Script::start(&python(), &[&script_path("upstream.py")], TOKEN);
        let port = adder.step("listening").await["port"].clone();
        let desk = Desk::open(database).await;
        let url = format!("http://127.0.0.1:{port}/mcp");
        let fields = [("url", &*url), ("token", TOKEN)];
        let connection = desk
            .connect_local("mcp_server", "adder", "token", &fields)
            .await;
        let workspace = workspace(&desk).await;
        let new = json!({ "integrationName": "mcp_server", "alias": "sums", "connectionId": connection["id"] });
        made(
            &desk,
            &format!("/api/v1/workspaces/{workspace}/integrations"),
            new,
        )
        .await;
        let (_, client) = hosted(&desk, &workspace, "TOOLS").await;
        let names = client.tool_names().await;
        assert!(names.contains(&"sums__take_note".to_owned()), "{names:?}");
        let sum = client
            .call("sums__add", json!({ "a": 2, "b": 3 }))
            .await
            .unwrap();
        assert_eq!(sum["data"], json!({ "result": 5 }), "{sum}");

        adder.say("change").await;
        adder.step("changed").await;
        let id = connection["id"].as_str().unwrap();
        let verify = format!("/api/v1/connections/{id}/verify");
        made(&desk, &verify, json!({})).await;
        let names = client.tool_names().await;
        assert!(!names.contains(&"sums__take_note".to_owned()), "{names:?}");
        let more = json!({ "a": 1, "b": 2, "c": 3 });
        let sum = client.call("sums__add", more).await.unwrap();
        assert_eq!(sum["data"], json!({ "result": 6 }), "{sum}");
        adder.end_of_input().await;
    }
}
