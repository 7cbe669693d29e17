//! Other MCP servers as services, at the door of the running binary: servers made with the official
//! SDKs, of both eras, and another server of this very kind.

use quaymaster_tests::script::{Script, node, python, script_path};
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};

const CONNECTIONS: &str = "/api/v1/connections";
const TOKEN: &str = "an-upstream-token";

struct Desk {
    server: Server,
    key: String,
    mcp: Mcp,
}

impl Desk {
    async fn open(database: Database) -> Desk {
        let server = Server::start_on(database).await;
        let key = server.api_key(&[]).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        Desk { server, key, mcp }
    }

    async fn connect(&self, name: &str, auth: &str, fields: Value) -> Value {
        let body = json!({
            "connector": "mcp_server", "name": name, "auth": auth, "fields": fields, "isLocal": true,
        });
        let made = self.rest("POST", CONNECTIONS, Some(body)).await;
        made["connection"].clone()
    }

    async fn rest(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.server.rest(&self.key, method, path, body).await;
        assert!(status < 300, "{status} {answer}");
        answer
    }

    async fn tools(&self, connection: &Value) -> Value {
        let id = connection["id"].as_str().unwrap();
        self.rest("GET", &format!("{CONNECTIONS}/{id}/tools"), None)
            .await
    }

    async fn describe(&self, service: &str) -> Value {
        let arguments = json!({ "service": service, "module": "tools" });
        self.mcp.call("describe_service", arguments).await.unwrap()
    }

    async fn execute(&self, service: &str, tool: &str, body: Value) -> Result<Value, Value> {
        let arguments = json!({ "service": service, "method": tool, "body": body });
        self.mcp.call("connector_execute", arguments).await
    }
}

fn url(port: &Value) -> String {
    format!("http://127.0.0.1:{port}/mcp")
}

fn calls(passport: &Value) -> Vec<&str> {
    let actions = passport["actions"].as_array().unwrap();
    actions
        .iter()
        .filter_map(|action| action["call"].as_str())
        .collect()
}

fn action<'p>(passport: &'p Value, call: &str) -> &'p Value {
    let actions = passport["actions"].as_array().unwrap();
    let found = actions.iter().find(|action| action["call"] == call);
    found.unwrap_or_else(|| panic!("no {call} in {passport}"))
}

/// The other server's files, as a workspace token reaches them.
#[tokio::test]
async fn another_server_of_this_kind_is_a_service_with_its_files() {
    for database in Database::BOTH {
        let mut other = Server::start().await;
        let desk = Desk::open(database).await;
        let nothing = desk
            .execute("mcp_server", "list_files", json!({}))
            .await
            .unwrap_err();
        assert_eq!(nothing["code"], "CONNECTION_REQUIRED", "{nothing}");
        let setup = nothing["details"]["setup_url"].as_str().unwrap();
        assert!(setup.ends_with("/connectors/mcp_server"), "{setup}");

        let fields = json!({ "url": other.endpoint, "token": other.token });
        let files = desk.connect("files", "token", fields).await;
        assert_eq!(
            (&files["status"], &files["label"]),
            (&json!("ACTIVE"), &json!("Quaymaster")),
            "{files}"
        );
        let passport = desk.describe("mcp_server").await;
        assert_eq!(calls(&passport), quaymaster_tests::FILE_TOOLS);
        assert_eq!(action(&passport, "list_files")["read_only"], true);
        assert!(action(&passport, "write_file")["body"]["properties"]["content"].is_object());

        let written = json!({ "path": "a.txt", "content": "from afar" });
        desk.execute("mcp_server", "write_file", written)
            .await
            .unwrap();
        let listed = desk
            .execute("mcp_server", "list_files", json!({}))
            .await
            .unwrap();
        assert_eq!(listed["data"]["entries"][0]["path"], "a.txt", "{listed}");
        assert_eq!(listed["meta"]["account"], "files");

        // Checked here, before the other server hears of it.
        let wrong = desk
            .execute("mcp_server", "read_file", json!({ "pathh": "a.txt" }))
            .await
            .unwrap_err();
        assert_eq!(wrong["code"], "INVALID_ARG", "{wrong}");
        assert!(wrong["details"]["errors"].is_array(), "{wrong}");
        let slip = desk
            .execute("mcp_server", "list_file", json!({}))
            .await
            .unwrap_err();
        assert_eq!(slip["details"]["did_you_mean"][0], "list_files", "{slip}");
        // Refused there, in its own words.
        let missing = desk
            .execute("mcp_server", "read_file", json!({ "path": "b.txt" }))
            .await
            .unwrap_err();
        assert_eq!(missing["code"], "UPSTREAM_ERROR", "{missing}");
        assert_eq!(
            missing["details"]["upstream"]["code"], "NOT_FOUND",
            "{missing}"
        );

        let fields = json!({ "url": other.endpoint, "token": "not-the-token" });
        let wrong = desk.connect("wrong", "token", fields).await;
        assert_eq!(wrong["status"], "ERROR", "{wrong}");
        let refused = desk
            .execute("mcp_server:wrong", "list_files", json!({}))
            .await
            .unwrap_err();
        // Nothing was found with it, so nothing is there to be called.
        assert_eq!(refused["code"], "CONNECTION_REQUIRED", "{refused}");
        assert!(!refused.to_string().contains("not-the-token"));

        // One that is gone hides nobody's tools, and its own stay listed.
        let id = files["id"].as_str().unwrap().to_owned();
        let second = Server::start().await;
        let fields = json!({ "url": second.endpoint, "token": second.token });
        desk.connect("second", "token", fields).await;
        other.kill().await;
        let gone = desk
            .execute("mcp_server:files", "list_files", json!({}))
            .await
            .unwrap_err();
        assert_eq!(
            (&gone["code"], &gone["retryable"]),
            (&json!("UPSTREAM_ERROR"), &json!(true)),
            "{gone}"
        );
        assert_eq!(calls(&desk.describe("mcp_server:files").await).len(), 19);
        let all = desk
            .execute("mcp_server", "list_files", json!({}))
            .await
            .unwrap();
        let answers = all["data"].as_array().unwrap();
        assert_eq!(answers.len(), 2, "{all}");
        assert_eq!(answers[0]["error"]["code"], "UPSTREAM_ERROR", "{all}");
        assert_eq!(answers[1]["data"]["entries"], json!([]), "{all}");
        let which = desk
            .execute("mcp_server", "create_directory", json!({ "path": "d" }))
            .await
            .unwrap_err();
        let candidates = json!(["mcp_server:files", "mcp_server:second"]);
        assert_eq!(which["details"]["candidates"], candidates, "{which}");
        desk.rest("POST", &format!("{CONNECTIONS}/{id}/verify"), None)
            .await;
        assert_eq!(
            desk.tools(&files).await["tools"].as_array().unwrap().len(),
            19
        );
        desk.rest("DELETE", &format!("{CONNECTIONS}/{id}"), None)
            .await;
        let listed = desk
            .execute("mcp_server", "list_files", json!({}))
            .await
            .unwrap();
        assert_eq!(listed["meta"]["account"], "second", "{listed}");
    }
}

// live: mcp_server
/// The Python SDK's server answers without sessions.
#[tokio::test]
async fn a_server_of_the_python_sdk_is_called_and_watched() {
    for database in Database::BOTH {
        let mut adder = Script::start(&python(), &[&script_path("upstream.py")], TOKEN);
        let port = adder.step("listening").await["port"].clone();
        let desk = Desk::open(database).await;
        let fields = json!({ "url": url(&port), "token": TOKEN });
        let connection = desk.connect("adder", "token", fields).await;
        assert_eq!(connection["status"], "ACTIVE", "{connection}");
        let sum = desk
            .execute("mcp_server", "add", json!({ "a": 2, "b": 3 }))
            .await
            .unwrap();
        assert_eq!(sum["data"], json!({ "result": 5 }), "{sum}");
        let failed = desk
            .execute("mcp_server", "fail", json!({}))
            .await
            .unwrap_err();
        assert_eq!(failed["code"], "UPSTREAM_ERROR");
        assert!(
            failed["message"].as_str().unwrap().contains("it is broken"),
            "{failed}"
        );
        let picture = json!({ "service": "mcp_server", "method": "picture", "body": {} });
        let params = json!({ "name": "connector_execute", "arguments": picture });
        let picture = desk.mcp.request("tools/call", params).await;
        let blocks = picture["result"]["content"].as_array().unwrap();
        assert_eq!(
            (&blocks[1]["type"], &blocks[1]["mimeType"]),
            (&json!("image"), &json!("image/png")),
            "{picture}"
        );

        // What reads needs less than what does not say so.
        let reader = desk.server.api_key(&["read:tools"]).await;
        let reader = Mcp::open(&desk.server.endpoint, &reader).await;
        let call = |tool: &str, body: Value| json!({ "service": "mcp_server", "method": tool, "body": body });
        let sum = call("add", json!({ "a": 1, "b": 1 }));
        reader.call("connector_execute", sum).await.unwrap();
        let note = call("take_note", json!({ "text": "x" }));
        let refused = reader.call("connector_execute", note).await.unwrap_err();
        assert_eq!(refused["code"], "SCOPE_DENIED", "{refused}");

        adder.say("change").await;
        let changed = adder.step("changed").await;
        assert_eq!(changed["versions"], json!(["2026-07-28"]));
        let before = desk.describe("mcp_server").await;
        let id = connection["id"].as_str().unwrap();
        desk.rest("POST", &format!("{CONNECTIONS}/{id}/verify"), None)
            .await;
        let after = desk.describe("mcp_server").await;
        assert_ne!(before["version"], after["version"]);
        assert!(!calls(&after).contains(&"take_note"), "{after}");
        let tools = desk.tools(&connection).await;
        let changes = json!({ "added": [], "removed": ["take_note"], "changed": ["add"] });
        assert_eq!(tools["changes"], changes, "{tools}");
        let events = desk.rest("GET", "/api/v1/events", None).await;
        let events = events["events"].as_array().unwrap();
        let event = events
            .iter()
            .find(|event| event["action"] == "connection.tools_changed");
        assert_eq!(event.unwrap()["details"]["tools"], changes);
        let accepted = desk
            .rest("POST", &format!("{CONNECTIONS}/{id}/tools/accept"), None)
            .await;
        assert_eq!(accepted["changes"]["changed"], json!([]), "{accepted}");
        adder.end_of_input().await;
    }
}

/// The TypeScript SDK's server keeps sessions, and has a header of its own for its key.
#[tokio::test]
async fn a_server_of_the_typescript_sdk_keeps_one_session_for_each_account() {
    let mut shelf = Script::start(&node(), &[&script_path("upstream.mjs")], TOKEN);
    let port = shelf.step("listening").await["port"].clone();
    let desk = Desk::open(Database::Sqlite).await;
    let fields = json!({ "url": url(&port), "header": "X-Api-Key", "value": TOKEN });
    let shown = desk.connect("shelf", "header", fields.clone()).await;
    assert_eq!(
        (&shown["status"], &shown["label"]),
        (&json!("ACTIVE"), &json!("shelf")),
        "{shown}"
    );
    let passport = desk.describe("mcp_server").await;
    assert_eq!(action(&passport, "find-book")["action"], "find_book");
    assert_eq!(action(&passport, "putBook")["action"], "put_book");
    let find = || desk.execute("mcp_server:shelf", "find-book", json!({ "title": "Tides" }));
    let first = find().await.unwrap();
    let session = first["data"]["session"].as_str().unwrap().to_owned();
    assert_eq!(find().await.unwrap()["data"]["session"], session.as_str());
    // A question of the server's gets its refusal, and the tool goes on.
    let put = desk
        .execute("mcp_server", "put_book", json!({ "title": "Tides" }))
        .await
        .unwrap();
    assert_eq!(put["data"], "Tides -32601", "{put}");
    // A server that forgot is asked again.
    shelf.say("forget").await;
    assert_eq!(shelf.step("sessions").await["known"], 1);
    let again = find().await.unwrap();
    assert_ne!(again["data"]["session"], session.as_str());
    // Two accounts share none, and each has what its own server offers.
    desk.connect("other", "header", fields).await;
    let other = desk
        .execute("mcp_server:other", "find-book", json!({ "title": "Tides" }))
        .await
        .unwrap();
    assert_ne!(other["data"]["session"], again["data"]["session"]);
    let files = Server::start().await;
    let fields = json!({ "url": files.endpoint, "token": files.token });
    desk.connect("files", "token", fields).await;
    let passport = desk.describe("mcp_server").await;
    assert_eq!(calls(&passport).len(), 21);
    let accounts = passport["accounts"].as_array().unwrap();
    let of = |name: &str| {
        let account = accounts.iter().find(|account| account["account"] == name);
        account.unwrap()["calls"].clone()
    };
    assert_eq!(of("shelf"), json!(["find-book", "putBook"]));
    assert_eq!(of("files").as_array().unwrap().len(), 19);
    // A read goes to those that have it.
    let listed = desk
        .execute("mcp_server", "list_files", json!({}))
        .await
        .unwrap();
    assert_eq!(listed["meta"]["account"], "files", "{listed}");
    shelf.end_of_input().await;
}

#[tokio::test]
async fn a_person_connects_a_server_and_reads_its_tools_on_the_page() {
    let other = Server::start().await;
    let desk = Desk::open(Database::Sqlite).await;
    let fields = json!({ "url": other.endpoint, "token": other.token });
    let connection = desk.connect("files", "token", fields).await;
    let mut owner = quaymaster_tests::Visitor::owner(&desk.server).await;
    let path = format!("/connections/{}", connection["id"].as_str().unwrap());
    let page = owner.get(&path).await.body;
    for word in [
        "Tools of its server",
        "<code>write_file</code>",
        "list_files",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains(&other.token));
}
