//! Hosted servers in code mode, at the MCP door: three tools instead of one for each action, and
//! programs over two live services whose calls pass the same guard.

use quaymaster_tests::services::Service;
use quaymaster_tests::{Database, Desk, Developer, Made, Mcp};
use serde_json::{Value, json};

/// A server in code mode over the name server and Prometheus, with a locked input.
struct Code {
    desk: Desk,
    workspace: String,
    server: String,
    mcp: Mcp,
    /// They end with this.
    _services: [Service; 2],
}

impl Code {
    async fn open(database: Database) -> Code {
        let desk = Desk::open(database).await;
        let services = [Service::powerdns().await, Service::prometheus().await];
        let dns = desk.connect("powerdns", "main", &services[0], &[]).await;
        let metrics = desk.connect("prometheus", "main", &services[1], &[]).await;
        let (_, workspaces) = desk.rest("GET", "/api/v1/workspaces", None).await;
        let workspace = text(&workspaces["workspaces"][0]["id"]);
        for (name, alias, connection) in [
            ("powerdns", "dns", &dns),
            ("prometheus", "metrics", &metrics),
        ] {
            let body = json!({
                "integrationName": name, "alias": alias, "connectionId": connection["id"],
            });
            let path = format!("/api/v1/workspaces/{workspace}/integrations");
            let (status, answer) = desk.rest("POST", &path, Some(body)).await;
            assert_eq!(status, 201, "{answer}");
        }
        let body = json!({ "name": "Code", "workspaceId": workspace, "mode": "CODE" });
        let (status, made) = desk.rest("POST", "/api/v1/mcp/servers", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let mcp = Mcp::open(&text(&made["endpoint"]), &text(&made["bearerToken"])).await;
        Code {
            desk,
            workspace,
            server: text(&made["id"]),
            mcp,
            _services: services,
        }
    }

    async fn execute(&self, code: &str) -> Result<Value, Value> {
        let arguments = json!({ "code": code });
        self.mcp.call("quaymaster_execute", arguments).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

// promise: S3.3, S3.7, S3.8, S3.9, S3.10, S3.11
#[tokio::test]
async fn an_agent_finds_reads_and_runs_what_it_needs_with_three_tools() {
    let code = Code::open(Database::Sqlite).await;
    let names = code.mcp.tool_names().await;
    let three = [
        "quaymaster_search",
        "quaymaster_read_api",
        "quaymaster_execute",
    ];
    assert_eq!(names, three);
    let found = code
        .mcp
        .call("quaymaster_search", json!({ "query": "list dns zones" }))
        .await
        .unwrap();
    let first = &found["actions"][0];
    assert_eq!(first["integration"], "dns", "{found}");
    let asked = json!({ "integration": "dns", "action": first["action"] });
    let params = json!({ "name": "quaymaster_read_api", "arguments": asked });
    let read = code.mcp.request("tools/call", params).await;
    let read = text(&read["result"]["content"][0]["text"]);
    assert!(read.contains("quaymaster.dns."), "{read}");
    // Prompts for the hosted product of the same shape run as they are.
    let ran = code
        .mcp
        .call(
            "weavz_execute",
            json!({ "code": "const zones = await weavz.dns.list_zones({}); return zones.length" }),
        )
        .await
        .unwrap();
    assert_eq!((&ran["outcome"], &ran["result"]), (&json!("ok"), &json!(0)));
}

// promise: S3.10
#[tokio::test]
async fn a_program_joins_two_live_services_and_every_call_is_on_record() {
    for database in Database::BOTH {
        let code = Code::open(database).await;
        let ran = code
            .execute(
                "type Zone = { name: string };
                 await quaymaster.dns.create_zone({ name: 'code.example.', kind: 'Native', nameservers: ['ns1.code.example.'] });
                 const [zones, up] = await Promise.all([
                   quaymaster.dns.list_zones({}) as Promise<Zone[]>,
                   quaymaster.metrics.query({ query: 'vector(1)' }),
                 ]);
                 console.log('zones', zones.length);
                 return { zones: zones.map((zone: Zone) => zone.name), up: up.resultType ?? typeof up };",
            )
            .await
            .unwrap();
        assert_eq!(ran["outcome"], "ok", "{ran}");
        assert_eq!(ran["result"]["zones"], json!(["code.example."]), "{ran}");
        assert_eq!(ran["calls"].as_array().unwrap().len(), 3, "{ran}");
        assert!(ran["logs"].to_string().contains("zones"), "{ran}");
        let path = format!("/api/v1/workspaces/{}/calls", code.workspace);
        let (_, calls) = code.desk.rest("GET", &path, None).await;
        let inner = calls["calls"].as_array().unwrap();
        let inner = inner.iter().filter(|call| call["source"] == "code");
        assert_eq!(inner.count(), 3, "{calls}");
    }
}

#[tokio::test]
async fn a_locked_input_wins_in_programs_too_and_a_wrong_call_says_what_is_meant() {
    let code = Code::open(Database::Sqlite).await;
    let made = code
        .execute(
            "const zone = (name: string) =>
               quaymaster.dns.create_zone({ name, kind: 'Native', nameservers: ['ns1.' + name] });
             await Promise.all([zone('ours.example.'), zone('theirs.example.')]);
             return (await quaymaster.dns.list_zones({ zone: 'theirs.example.' })).length",
        )
        .await
        .unwrap();
    assert_eq!(made["result"], 1, "{made}");
    let body = json!({
        "workspaceId": code.workspace, "integrationName": "powerdns", "name": "Ours",
        "actionName": "list_zones", "values": { "zone": "ours.example." },
        "enforcedKeys": ["zone"], "isDefault": true,
    });
    let (status, made) = code.desk.rest("POST", "/api/v1/partials", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let asked = json!({ "integration": "dns", "action": "list_zones" });
    let params = json!({ "name": "quaymaster_read_api", "arguments": asked });
    let read = code.mcp.request("tools/call", params).await.to_string();
    assert!(!read.contains("Only this name"), "{read}");
    let ran = code
        .execute(
            "const other = await quaymaster.dns.list_zones({ zone: 'theirs.example.' });
             let wrong;
             try { await quaymaster.dns.list_zone({}) } catch (error: any) { wrong = String(error.hint) }
             return { names: other.map((zone: any) => zone.name), wrong }",
        )
        .await
        .unwrap();
    assert_eq!(ran["result"]["names"], json!(["ours.example."]), "{ran}");
    assert!(
        text(&ran["result"]["wrong"]).contains("list_zones"),
        "{ran}"
    );
}

#[tokio::test]
async fn a_program_that_fails_says_where_and_what_it_had_done() {
    let code = Code::open(Database::Sqlite).await;
    let fault = code
        .execute("await quaymaster.dns.list_zones({});\nnull.length")
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "CODE_ERROR", "{fault}");
    assert_eq!(fault["details"]["error"]["line"], 2, "{fault}");
    assert_eq!(fault["details"]["calls"].as_array().unwrap().len(), 1);
    let fault = code.execute("while (true) {}").await;
    let fault = fault.unwrap_err();
    assert_eq!(fault["details"]["outcome"], "cpu_limit", "{fault}");
    // The same by the management API, where a program that failed is no failed request.
    let path = format!("/api/v1/mcp/servers/{}/execute-code", code.server);
    let body = json!({ "code": "throw new Error('no')" });
    let (status, answer) = code.desk.rest("POST", &path, Some(body)).await;
    assert_eq!(
        (status, &answer["isError"]),
        (200, &json!(true)),
        "{answer}"
    );
}

/// The letters of a tool list, of which tokens are made.
async fn size_of_tools(server: &Made) -> usize {
    let mcp = Mcp::stateless(&server.protocol, &server.token);
    let listed = mcp.request_stateless("tools/list", json!({})).await;
    listed.message()["result"]["tools"].to_string().len()
}

// promise: S3.12
#[tokio::test]
async fn over_ten_services_the_tools_of_code_mode_are_a_fiftieth_of_the_others() {
    let desk = Developer::open(Database::Sqlite).await;
    let ten = [
        "github",
        "gitlab",
        "google_calendar",
        "google_drive",
        "google_sheets",
        "jira",
        "notion",
        "slack",
        "stripe",
        "trello",
    ];
    for name in ten {
        desk.integrate(json!({ "integrationName": name, "connectionStrategy": "per_user" }))
            .await;
    }
    desk.end_user("user_123").await;
    let tools = desk
        .serve(json!({ "mode": "TOOLS", "endUserId": "user_123" }))
        .await;
    let code = desk
        .serve(json!({ "mode": "CODE", "endUserId": "user_123" }))
        .await;
    let (tools, code) = (size_of_tools(&tools).await, size_of_tools(&code).await);
    assert!(
        code * 50 <= tools,
        "{code} letters in code mode, {tools} in tools mode"
    );
}
