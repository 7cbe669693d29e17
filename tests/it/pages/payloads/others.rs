//! What writes besides the fields of the API: files, documents, memory, flows, packs, definitions, clients, people, and services.

use super::super::walk::scene::Scene;
use super::super::walk::seed::Seeded;
use super::super::walk::stops::{Stop, Who};
use super::{PAYLOADS, Places, archive};
use form_urlencoded::Serializer;
use quaymaster_tests::{Developer, Mcp, OAuthClient, Tab, Upstream};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// What was written here, with the stop that shows it.
pub(super) const SHOWN: [(&str, &str); 48] = [
    ("name of the organization", "home"),
    ("name of the owner", "members"),
    ("name of a file", "files"),
    ("text of a file", "file"),
    ("text of a file", "file-edit"),
    ("title of a document", "documents"),
    ("text of a note", "memory-note"),
    ("prompt of a skill", "skill"),
    ("description of a skill", "skills"),
    ("name of a file of a skill", "skill-of-payloads"),
    ("text of an imported skill", "skill-of-payloads"),
    ("description of an imported skill", "skill-of-payloads"),
    ("title of a flow", "flows"),
    ("description of a flow", "flow"),
    ("description of an input of a flow", "flow-try"),
    ("text in a step of a flow", "flow-run"),
    ("text in a result of a flow", "flow-run"),
    ("argument of a flow", "flow-run"),
    ("name of a test of a flow", "flow-version"),
    ("title of a pack", "packs"),
    ("description of a pack", "packs"),
    ("title of a pack", "pack-of-payloads"),
    ("title of a variable of a pack", "pack-of-payloads"),
    ("description of a variable of a pack", "pack-of-payloads"),
    ("default of a variable of a pack", "pack-of-payloads"),
    ("value of a variable of a pack", "pack-of-payloads"),
    ("title of a flow of a pack", "pack-of-payloads"),
    ("description of a flow of a pack", "pack-of-payloads"),
    ("message of a flow that fails", "run-that-failed"),
    ("hint of a flow that fails", "run-that-failed"),
    ("title of a definition", "own-connector"),
    ("title of a definition", "connectors"),
    ("summary of a definition", "connectors"),
    ("title of a field of a definition", "connector-of-payloads"),
    ("help of a field of a definition", "connector-of-payloads"),
    ("title of an action", "module-of-payloads"),
    ("summary of an action", "module-of-payloads"),
    ("title of a recipe", "connector-of-payloads"),
    ("label of an account", "account-of-payloads"),
    ("title of an upstream server", "account-of-tools"),
    ("title of a tool", "account-of-tools"),
    ("description of a tool", "account-of-tools"),
    ("title of a tool", "picker-of-payloads"),
    ("name of a client", "activity"),
    ("version of a client", "activity"),
    ("name of a tool that is not there", "activity"),
    ("name of a client that asks for a token", "reconnect"),
    ("name of an OAuth client", "consent"),
];

/// Tabs and NUL, which stand in no name and in few texts.
const TAB: usize = 9;
const NUL: usize = 32;

/// What there is besides what the walk seeds.
pub(super) struct Made {
    notes: String,
    tools: String,
    failed_run: String,
    /// A server with a tool of each of the services.
    pub(super) server: String,
}

impl Made {
    /// More instances of pages that the walk has.
    pub(super) fn stops(&self, seeded: &Seeded) -> Vec<Stop> {
        let workspace = &seeded.workspace;
        let stop = |name, path: String| Stop {
            name,
            path,
            who: Who::Member,
            status: 200,
        };
        let module = "/connectors/notes/modules/notes";
        vec![
            stop("connector-of-payloads", "/connectors/notes".to_owned()),
            stop("connector-of-tools", "/connectors/mcp_server".to_owned()),
            stop("module-of-payloads", module.to_owned()),
            stop(
                "account-of-payloads",
                format!("/connections/{}", self.notes),
            ),
            stop("account-of-tools", format!("/connections/{}", self.tools)),
            stop(
                "run-that-failed",
                format!("/workspaces/{workspace}/flow-runs/{}", self.failed_run),
            ),
            stop(
                "pack-of-payloads",
                format!("/workspaces/{workspace}/packs/of_payloads"),
            ),
            stop(
                "text-of-payloads",
                format!("/workspaces/{workspace}/own-packs?pack=of_payloads"),
            ),
            stop("search-of-payloads", "/search?q=pwned".to_owned()),
            stop("skill-of-payloads", "/skills/of-payloads".to_owned()),
            stop(
                "playground-of-payloads",
                format!("/servers/{}/try/mcp_server_there__tool_1", self.server),
            ),
            stop(
                "picker-of-payloads",
                format!("/servers/{}/tools?query=mcp_server_there", seeded.server),
            ),
        ]
    }
}

/// Puts payloads wherever something can be written, and what has them in the place of what the walk shows.
pub(super) async fn put(scene: &mut Scene, service: &Upstream, places: &mut Places) -> Made {
    scene.seeded.document = knowledge(&scene.desk, places).await;
    skill(&scene.desk, places).await;
    archive::import(&scene.desk, places).await;
    let (notes, tools) = accounts(&scene.desk, service, places).await;
    let made = scene.desk.serve(json!({ "name": "Of services" })).await;
    for (connector, action) in [("mcp_server", "tool_1"), ("notes", "list_notes")] {
        let tool = json!({
            "integrationName": connector, "actionName": action,
            "integrationAlias": format!("{connector}_there"),
        });
        scene.desk.add(&made, tool).await;
    }
    flows(&scene.desk, places).await;
    pack(&scene.desk, places).await;
    client(&scene.desk, places).await;
    let run = async |state: &str| {
        let here = format!("/workspaces/{}/flow-runs", scene.seeded.workspace);
        let runs = scene.desk.did("GET", &here, None).await;
        let mut all = runs["runs"].as_array().into_iter().flatten();
        let found = all.find(|run| run["state"] == state);
        string(&found.unwrap_or_else(|| panic!("no run is {state}: {runs}"))["id"])
    };
    let failed_run = run("failed").await;
    let done = run("done").await;
    scene.seeded.run = done;

    let server = &scene.desk.server;
    let named = places.put("name of an OAuth client", 3);
    let about = json!({
        "logo_uri": places.put("logo of an OAuth client", 8),
        "client_uri": places.put("address of an OAuth client", 11),
        "tos_uri": places.put("terms of an OAuth client", 5),
        "software_id": places.put("software of an OAuth client", 39),
    });
    let asking = OAuthClient::register_with(&server.url, &named, about).await;
    scene.seeded.consent = path(&scene.desk, &asking.question(&[]));
    let named = places.put("name of a client that asks for a token", 6);
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let asked = json!({ "client_name": named });
    let link = agent
        .call("get_reconnect_url", asked)
        .await
        .expect("a link");
    scene.seeded.reconnect_link = path(&scene.desk, &string(&link["url"]));

    let url = &server.url;
    let name = places.put("name of the owner", 39);
    submit(
        &scene.owner,
        url,
        "/settings/account",
        "/settings/account/name",
        "#name",
        &name,
    )
    .await;
    let name = places.put("name of the organization", 2);
    submit(
        &scene.owner,
        url,
        "/settings",
        "/settings",
        "#organization",
        &name,
    )
    .await;
    Made {
        notes,
        tools,
        failed_run,
        server: made.id,
    }
}

async fn submit(tab: &Tab, url: &str, page: &str, action: &str, field: &str, text: &str) {
    tab.open(&format!("{url}{page}")).await;
    tab.fill(field, text).await;
    tab.follow(&format!("form[action='{action}'] button[type=submit]"))
        .await;
}

fn string(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The path of an address of the server.
fn path(desk: &Developer, url: &str) -> String {
    let path = url.strip_prefix(&desk.server.url);
    path.expect("an address of the server").to_owned()
}

/// Sends bytes, with an etag if there is one.
async fn send(
    desk: &Developer,
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    etag: Option<&str>,
    bytes: String,
) -> Value {
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    let url = format!("{}/api/v1{path}?{query}", desk.server.url);
    let mut request = Client::new().request(method, url).bearer_auth(&desk.key);
    if let Some(etag) = etag {
        let json = "application/json";
        request = request
            .header("if-match", etag)
            .header("content-type", json);
    }
    let answer = request
        .body(bytes)
        .send()
        .await
        .expect("the server answers");
    let status = answer.status();
    let said = answer.text().await.expect("a body");
    assert!(status.is_success(), "{path}: {status} {said}");
    serde_json::from_str(&said).expect("JSON")
}

/// Files, documents and a note of memory. Answers the last document.
async fn knowledge(desk: &Developer, places: &mut Places) -> String {
    let mut document = String::new();
    // Names of files have neither of these, nor backslashes.
    for one in (1..=PAYLOADS.len()).filter(|one| ![TAB, NUL].contains(one)) {
        let title = places.put("title of a document", one);
        let text = places.put("text of a document", one);
        let name = format!("payloads/{one}.md");
        let query = [("path", name.as_str()), ("title", title.as_str())];
        let text = format!("# {text}\n\nThe crane: {text}\n");
        let made = send(desk, Method::POST, "/documents", &query, None, text).await;
        document = string(&made["document"]["id"]);
    }
    let content = format!("/workspaces/{}/files/content", desk.server.workspace);
    for one in (1..=PAYLOADS.len()).filter(|one| ![TAB, NUL, 33].contains(one)) {
        let has_slash = PAYLOADS[one - 1].text.contains('/');
        let kind = if has_slash {
            "path of a file"
        } else {
            "name of a file"
        };
        let name = format!("reports/{}", places.put(kind, one));
        let text = places.put("text of another file", one);
        let query = [("path", name.as_str())];
        send(desk, Method::PUT, &content, &query, None, text).await;
    }
    let text = places.put_all("text of a file", &[NUL]).join("\n");
    let query = [("path", "reports/berths.md"), ("replace", "true")];
    send(desk, Method::PUT, &content, &query, None, text).await;

    let note = "/memory/files/projects/timetable.md";
    let now = desk.did("GET", note, None).await;
    let etag = format!("\"{}\"", string(&now["etag"]));
    let text = places.put_all("text of a note", &[NUL]).join("\n");
    let body = json!({ "content": text }).to_string();
    send(desk, Method::PUT, note, &[], Some(&etag), body).await;
    document
}

async fn skill(desk: &Developer, places: &mut Places) {
    let prompt = places.put_all("prompt of a skill", &[TAB, NUL]).join("\n");
    let description = places.put("description of a skill", 3);
    let body = json!({ "systemPrompt": prompt, "description": description });
    desk.did("PATCH", "/skills/berth-planning", Some(body))
        .await;
}

/// The organization's own connector with payloads in its texts, and accounts at the service that answers with more.
async fn accounts(desk: &Developer, service: &Upstream, places: &mut Places) -> (String, String) {
    let mut quoted = |name: &str, payload| json!(places.put(name, payload)).to_string();
    let source = [
        ("title: Notes\n", "title: TITLE\n"),
        ("summary: Notes of a team", "summary: SUMMARY"),
        ("{title: Address,", "{title: FIELD, help: HELP,"),
        ("{title: List notes,", "{title: ACTION, summary: SAYS,"),
        ("{title: All notes,", "{title: RECIPE,"),
    ]
    .iter()
    .fold(
        crate::definitions::NOTES.to_owned(),
        |source, (old, new)| source.replacen(old, new, 1),
    );
    let source = source
        .replace("TITLE", &quoted("title of a definition", 3))
        .replace("SUMMARY", &quoted("summary of a definition", 4))
        .replace("FIELD", &quoted("title of a field of a definition", 5))
        .replace("HELP", &quoted("help of a field of a definition", 6))
        .replace("ACTION", &quoted("title of an action", 7))
        .replace("SAYS", &quoted("summary of an action", 2))
        .replace("RECIPE", &quoted("title of a recipe", 12));
    let body = json!({ "source": source });
    desk.did("PUT", "/connectors/own/notes", Some(body)).await;
    let connect = async |connector: &str, auth: &str, fields: Value| {
        let body = json!({
            "connector": connector, "name": "payloads", "auth": auth, "fields": fields,
            "isLocal": true,
        });
        let made = desk.made("/connections", body).await;
        assert_eq!(made["connection"]["status"], "ACTIVE", "{made}");
        let id = string(&made["connection"]["id"]);
        let on = json!({
            "integrationName": connector, "alias": format!("{connector}_there"),
            "connectionId": id,
        });
        desk.integrate(on).await;
        id
    };
    let fields = json!({ "url": service.url(), "token": "a-token" });
    let notes = connect("notes", "token", fields).await;
    let fields = json!({ "url": format!("{}/mcp", service.url()) });
    let tools = connect("mcp_server", "none", fields).await;
    (notes, tools)
}

/// The walk's flow with payloads in its texts, and one that fails with them.
async fn flows(desk: &Developer, places: &mut Places) {
    let here = format!("/workspaces/{}/flows", desk.server.workspace);
    let result = places.put("text in a result of a flow", 5);
    let flow = json!({
        "flow": "berth_note",
        "title": places.put("title of a flow", 1),
        "triggers": [{ "mcp_tool": { "description": places.put("description of a flow", 2) } }],
        "input": { "type": "object", "properties": { "ship": {
            "type": "string", "description": places.put("description of an input of a flow", 3),
        } } },
        // Texts of expressions are quoted as those of JSON.
        "steps": [{ "id": "a", "map": json!(places.put("text in a step of a flow", 4)).to_string() }],
        "return": format!("{{ note: {}, ship: .input.ship }}", json!(result)),
        "tests": [{
            "name": places.put("name of a test of a flow", 6),
            "input": { "ship": "Aurora" },
            "expect": { "result": { "note": result, "ship": "Aurora" } },
        }],
    });
    let body = json!({ "source": flow.to_string() });
    desk.did("PUT", &format!("{here}/berth_note"), Some(body))
        .await;
    let fails = json!({
        "flow": "fails",
        "title": places.put("title of a flow", 8),
        "triggers": [{ "mcp_tool": { "description": places.put("description of a flow that fails", 10) } }],
        "steps": [{ "id": "no", "fail": {
            "code": "NOT_FOUND",
            "message": places.put("message of a flow that fails", 10),
            "hint": places.put("hint of a flow that fails", 13),
        } }],
    });
    desk.made(&here, json!({ "source": fails.to_string() }))
        .await;
}

/// A pack of the workspace's own with payloads in its texts.
async fn pack(desk: &Developer, places: &mut Places) {
    let pack = json!({
        "pack": "quaymaster/v1",
        "id": "of_payloads",
        "title": places.put("title of a pack", 3),
        "version": "1.0.0",
        "description": places.put("description of a pack", 4),
        "variables": {
            "word": {
                "type": "string",
                "title": places.put("title of a variable of a pack", 1),
                "description": places.put("description of a variable of a pack", 7),
                "default": places.put("default of a variable of a pack", 5),
            },
            "other": { "type": "string", "title": "Another word" },
        },
        "flows": [{
            "flow": "of_a_pack",
            "title": places.put("title of a flow of a pack", 2),
            "triggers": [{ "mcp_tool": { "description": places.put("description of a flow of a pack", 13) } }],
            "steps": [{ "id": "a", "map": ".vars.word + .vars.other" }],
        }],
    });
    let here = format!("/workspaces/{}/packs", desk.server.workspace);
    desk.made(&here, json!({ "source": pack.to_string() }))
        .await;
    let value = places.put("value of a variable of a pack", 20);
    let chosen = json!({ "variables": { "other": value } });
    desk.did("PUT", &format!("{here}/of_payloads"), Some(chosen))
        .await;
}

/// A client that says who it is with payloads, and calls tools with them.
async fn client(desk: &Developer, places: &mut Places) {
    let mcp = Mcp::stateless(&desk.server.endpoint, &desk.key);
    let info = json!({
        "name": places.put("name of a client", 1),
        "title": places.put("title of a client", 2),
        "version": places.put("version of a client", 3),
    });
    let hello = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info,
        },
    });
    let mut headers = mcp.headers();
    let answer = mcp
        .send(Method::POST, headers.clone(), hello.to_string())
        .await;
    let session = answer.headers.get("mcp-session-id").expect("a session");
    headers.insert("mcp-session-id", session.clone());
    let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    mcp.send(Method::POST, headers.clone(), done.to_string())
        .await;
    let calls = [
        (
            "main__berth_note".to_owned(),
            json!({ "ship": places.put("argument of a flow", 3) }),
        ),
        ("main__fails".to_owned(), json!({})),
        (places.put("name of a tool that is not there", 4), json!({})),
        (
            "connector_execute".to_owned(),
            json!({
                "service": places.put("service of a call", 5),
                "method": places.put("method of a call", 6),
            }),
        ),
        (
            "search_knowledge".to_owned(),
            json!({ "query": places.put("query of a call", 7) }),
        ),
        (
            "list_services".to_owned(),
            json!({ "query": places.put("query of a call", 36) }),
        ),
    ];
    for (id, (name, arguments)) in calls.into_iter().enumerate() {
        let call = json!({
            "jsonrpc": "2.0", "id": id + 1, "method": "tools/call",
            "params": { "name": name, "arguments": arguments },
        });
        let answer = mcp
            .send(Method::POST, headers.clone(), call.to_string())
            .await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}
