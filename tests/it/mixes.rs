//! Any mix: toolsets and single tools, ticked for a credential over REST, on a page and on the consent
//! page, and what a client sees and may call of them.

mod changed;
mod flows;
mod resources;

use quaymaster_tests::{Database, FILE_TOOLS, Mcp, OAuthClient, Person, Server, Visitor};
use serde_json::{Value, json};

struct Office {
    server: Server,
    admin: String,
}

impl Office {
    async fn open(database: Database) -> Office {
        let server = Server::start_on(database).await;
        let admin = server.api_key(&["admin"]).await;
        Office { server, admin }
    }

    async fn rest(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.server.rest(&self.admin, method, path, body).await
    }

    fn tokens(&self) -> String {
        format!("/api/v1/workspaces/{}/tokens", self.server.workspace)
    }

    fn flow_tokens(&self) -> String {
        format!("/api/v1/workspaces/{}/flow-tokens", self.server.workspace)
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let (status, made) = self.rest("POST", path, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    async fn open_mcp(&self, token: &Value) -> Mcp {
        Mcp::open(&self.server.endpoint, token.as_str().unwrap()).await
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn file_tools() -> Vec<String> {
    sorted(FILE_TOOLS.map(str::to_owned).to_vec())
}

async fn refused(mcp: &Mcp, tool: &str) -> Value {
    mcp.call(tool, json!({})).await.unwrap_err()["code"].clone()
}

#[tokio::test]
async fn a_tool_that_was_not_ticked_is_neither_listed_nor_callable() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let body = json!({
            "name": "Mixed", "toolsets": ["files", "catalog", "memory"],
            "tools": ["read_file", "list_services"],
        });
        let made = office.made(&office.tokens(), body).await;
        let token = &made["credential"];
        // A toolset none of whose tools is named is none that it has.
        assert_eq!(token["toolsets"], json!(["files", "catalog"]));
        assert_eq!(token["tools"], json!(["list_services", "read_file"]));
        let mcp = office.open_mcp(&made["token"]).await;
        assert_eq!(
            sorted(mcp.tool_names().await),
            ["list_services", "read_file"]
        );
        mcp.call("list_services", json!({})).await.unwrap();
        for tool in ["write_file", "read_memory", "connector_execute", "get_run"] {
            assert_eq!(refused(&mcp, tool).await, "NOT_FOUND", "{tool}");
        }
        // What is not there is not suggested either.
        let fault = mcp.call("read_fil", json!({})).await.unwrap_err();
        assert!(fault["hint"].as_str().unwrap().contains("read_file"));
        let fault = mcp.call("write_fil", json!({})).await.unwrap_err();
        assert!(!fault.to_string().contains("write_file"), "{fault}");

        // One that takes its place is the same.
        let id = token["id"].as_str().unwrap();
        let path = format!("{}/{id}/regenerate", office.tokens());
        let (_, again) = office.rest("POST", &path, None).await;
        assert_eq!(again["credential"]["tools"], token["tools"], "{again}");
        let mcp = office.open_mcp(&again["token"]).await;
        assert_eq!(mcp.tool_names().await.len(), 2);
    }
}

#[tokio::test]
async fn the_same_holds_for_tools_over_rest_and_for_memory() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let body = json!({
            "name": "Narrow", "scopes": ["read:tools", "write:tools", "read:data", "chat"],
            "toolsets": ["catalog"],
        });
        let made = office.made("/api/v1/api-keys", body).await;
        assert_eq!(made["apiKey"]["toolsets"], json!(["catalog"]));
        assert!(made["apiKey"]["tools"].is_null());
        let key = made["plainKey"].as_str().unwrap();
        let (_, listed) = office.server.rest(key, "GET", "/api/v1/tools", None).await;
        let names = listed["tools"].as_array().unwrap().iter();
        let names: Vec<&str> = names.map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["list_services", "describe_service", "connector_execute"]
        );
        let call = |path| office.server.rest(key, "POST", path, Some(json!({})));
        let (status, _) = call("/api/v1/tools/list_services").await;
        assert_eq!(status, 200);
        let (status, fault) = call("/api/v1/tools/read_memory").await;
        assert_eq!((status, &fault["code"]), (404, &json!("NOT_FOUND")));
        let (status, fault) = office
            .server
            .rest(key, "GET", "/api/v1/memory/files", None)
            .await;
        assert_eq!((status, &fault["code"]), (403, &json!("FORBIDDEN")));
        // The same of one that was given the tool that reads, and not the one that writes.
        let body = json!({
            "name": "Reader", "scopes": ["read:tools", "write:tools", "read:data"],
            "toolsets": ["memory"], "tools": ["read_memory"],
        });
        let made = office.made("/api/v1/api-keys", body).await;
        let key = made["plainKey"].as_str().unwrap();
        let files = "/api/v1/memory/files";
        let (status, _) = office.server.rest(key, "GET", files, None).await;
        assert_eq!(status, 200);
        let note = Some(json!({ "content": "x" }));
        let path = format!("{files}/note.md");
        let (status, fault) = office.server.rest(key, "PUT", &path, note).await;
        assert_eq!((status, &fault["code"]), (403, &json!("FORBIDDEN")));
    }
}

#[tokio::test]
async fn names_that_are_not_there_are_refused_with_what_was_meant() {
    let office = Office::open(Database::Sqlite).await;
    for (more, pointer, meant) in [
        (json!({ "toolsets": ["file"] }), "/toolsets/0", "files"),
        (json!({ "tools": ["reed_file"] }), "/tools/0", "read_file"),
        // It is a tool, and of none of its toolsets.
        (
            json!({ "toolsets": ["files"], "tools": ["connector_execute"] }),
            "/tools/0",
            "/api/v1/toolsets",
        ),
        (json!({ "toolsets": [] }), "/toolsets", "usually"),
        (json!({ "tools": [] }), "/tools", "toolsets"),
    ] {
        let mut body = json!({ "name": "Wrong" });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        let (status, fault) = office.rest("POST", &office.tokens(), Some(body)).await;
        assert_eq!(status, 400, "{fault}");
        assert_eq!(fault["details"]["errors"][0]["pointer"], pointer, "{fault}");
        assert!(fault["hint"].as_str().unwrap().contains(meant), "{fault}");
    }
    let key = json!({ "name": "Wrong", "toolsets": ["files"] });
    let (status, fault) = office.rest("POST", "/api/v1/api-keys", Some(key)).await;
    assert_eq!(status, 400, "an API key has no workspace: {fault}");
}

#[tokio::test]
async fn without_ticks_every_kind_has_what_it_had() {
    let office = Office::open(Database::Sqlite).await;
    let made = office
        .made(&office.tokens(), json!({ "name": "Usual" }))
        .await;
    assert!(made["credential"]["toolsets"].is_null(), "{made}");
    let mcp = office.open_mcp(&made["token"]).await;
    assert_eq!(sorted(mcp.tool_names().await), file_tools());
    let made = office
        .made("/api/v1/api-keys", json!({ "name": "Usual" }))
        .await;
    let names = office.open_mcp(&made["plainKey"]).await.tool_names().await;
    for tool in [
        "list_services",
        "repl_execute",
        "read_memory",
        "search_knowledge",
    ] {
        assert!(names.iter().any(|name| name == tool), "{names:?}");
    }
    assert!(!names.iter().any(|name| name == "read_file"), "{names:?}");
}

#[tokio::test]
async fn a_flow_token_with_more_acts_for_whoever_made_it_and_a_member_gets_no_more_than_they_have()
{
    let office = Office::open(Database::Sqlite).await;
    let body = json!({ "name": "Desk", "toolsets": ["flows", "memory", "files"], "inUrl": false });
    let made = office.made(&office.flow_tokens(), body).await;
    let mcp = office.open_mcp(&made["token"]).await;
    let names = mcp.tool_names().await;
    assert!(names.iter().any(|name| name == "read_memory"), "{names:?}");
    assert!(names.iter().any(|name| name == "write_file"), "{names:?}");
    mcp.call("read_memory", json!({ "prefix": "" }))
        .await
        .unwrap();

    // A member ticks no scope that they lack, whatever the toolsets.
    let mut owner = Visitor::owner(&office.server).await;
    let mut member = owner.invite("member@example.com", "member").await;
    let fields = [
        ("name", "Mine"),
        ("expiry", "7"),
        ("scopes", "admin"),
        ("mix", "yes"),
        ("toolsets", "catalog"),
    ];
    let page = member.submit("/settings/api-keys", &fields).await;
    assert_eq!(page.status, 422);
    let fields = [
        ("name", "Mine"),
        ("expiry", "7"),
        ("scopes", "read:tools"),
        ("mix", "yes"),
        ("toolsets", "catalog"),
        ("toolsets", "memory"),
    ];
    let page = member.submit("/settings/api-keys", &fields).await;
    let mcp = Mcp::open(&office.server.endpoint, &page.text_of("key")).await;
    // Memory needs read:data, and changing needs write:tools.
    let names = mcp.tool_names().await;
    assert!(
        names.iter().any(|name| name == "list_services"),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.contains("memory")),
        "{names:?}"
    );
    assert_eq!(refused(&mcp, "read_memory").await, "SCOPE_DENIED");
}

/// The fields of a form with the picker: these toolsets, and all tools but these.
fn picked(
    page: &quaymaster_tests::person::Page,
    action: &str,
    toolsets: &[&str],
    without: &[&str],
) -> Vec<(String, String)> {
    let mut fields = page.form(action);
    fields.retain(|(name, value)| match name.as_str() {
        "toolsets" => false,
        "tools" => !without.contains(&value.as_str()),
        _ => true,
    });
    let toolsets = toolsets.iter();
    fields.extend(toolsets.map(|name| ("toolsets".to_owned(), (*name).to_owned())));
    fields
}

#[tokio::test]
async fn a_person_ticks_on_the_page_and_sees_what_the_list_costs() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let person = Person::owner(&office.server.url, &office.server.sign_in_link).await;
        let workspace = format!("/workspaces/{}", office.server.workspace);
        let action = format!("{workspace}/tokens");
        let page = person.get(&workspace).await;
        // Each tool says its cost, and all of the files are ticked.
        let costs = page.texts("[data-mix-group] .ticks label");
        assert!(
            costs.iter().all(|text| text.ends_with("tokens")),
            "{costs:?}"
        );
        let given = [("name", "Usual"), ("access", "read_write")];
        let fresh = person.send(&action, &page.form(&action), &given).await;
        let token = fresh.texts("#token").remove(0);
        let mcp = Mcp::open(&office.server.endpoint, &token).await;
        assert_eq!(sorted(mcp.tool_names().await), file_tools());
        assert!(fresh.html.contains("It sees 19 tools"), "{}", fresh.html);

        let without = ["write_memory", "connector_execute", "describe_service"];
        let fields = picked(&page, &action, &["catalog", "memory"], &without);
        let given = [("name", "Mixed"), ("access", "read_write")];
        let fresh = person.send(&action, &fields, &given).await;
        assert!(fresh.html.contains("It sees 2 tools"), "{}", fresh.html);
        let token = fresh.texts("#token").remove(0);
        let mcp = Mcp::open(&office.server.endpoint, &token).await;
        assert_eq!(
            sorted(mcp.tool_names().await),
            ["list_services", "read_memory"]
        );
        let page = person.get(&workspace).await;
        let rows = page.texts("#tokens tbody tr");
        let row = rows.iter().find(|row| row.starts_with("Mixed")).unwrap();
        assert!(row.contains("Connectors, Memory: 2 tools"), "{row}");

        // Nothing ticked is refused, and what was ticked stays.
        let fields = picked(&page, &action, &[], &[]);
        let given = [("name", "None"), ("access", "read_write")];
        let again = person.send(&action, &fields, &given).await;
        assert_eq!(again.status, 422);
        assert!(!again.texts("#mix-error").is_empty());
        let kept = again.form(&action);
        assert!(!kept.iter().any(|(name, _)| name == "toolsets"), "{kept:?}");
        assert!(kept.contains(&("name".to_owned(), "None".to_owned())));
    }
}

#[tokio::test]
async fn a_client_that_signs_in_gets_what_was_ticked_and_keeps_it() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let client = OAuthClient::register(&server.url, "Test client").await;
        let page = person.get(&client.question(&[])).await;
        let without = ["write_file", "write_memory"];
        let fields = picked(&page, "/authorize", &["files", "memory"], &without);
        let answered = person
            .send("/authorize", &fields, &[("answer", "allow")])
            .await;
        let (status, tokens) = client.exchange(&answered.away.unwrap()).await;
        assert_eq!(status, 200, "{tokens}");
        // The answer says the scope that the toolsets need besides.
        let scope = tokens["scope"].as_str().unwrap();
        assert!(scope.contains("read:data"), "{scope}");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let (status, renewed) = client.refresh(refresh).await;
        assert_eq!(status, 200, "{renewed}");
        for tokens in [&tokens, &renewed] {
            let access = tokens["access_token"].as_str().unwrap();
            let mcp = Mcp::open(&server.endpoint, access).await;
            let names = mcp.tool_names().await;
            assert_eq!(names.len(), FILE_TOOLS.len(), "{names:?}");
            assert!(names.iter().any(|name| name == "read_memory"), "{names:?}");
            mcp.call("read_memory", json!({ "prefix": "" }))
                .await
                .unwrap();
            for tool in without {
                assert_eq!(refused(&mcp, tool).await, "NOT_FOUND");
            }
            assert_eq!(refused(&mcp, "list_services").await, "NOT_FOUND");
        }
        let page = person
            .get(&format!("/workspaces/{}", server.workspace))
            .await;
        let rows = page.texts("#connected-clients tbody tr");
        assert!(rows[0].contains("Files, Memory: 19 tools"), "{rows:?}");
    }
}

#[tokio::test]
async fn the_toolsets_and_the_costs_of_their_tools_are_listed() {
    let office = Office::open(Database::Sqlite).await;
    let path = format!(
        "/api/v1/toolsets?kind=workspace_token&workspace={}",
        office.server.workspace
    );
    let (status, listed) = office.rest("GET", &path, None).await;
    assert_eq!(status, 200, "{listed}");
    let toolsets = listed["toolsets"].as_array().unwrap();
    let usual = toolsets.iter().filter(|one| one["usual"] == true);
    let usual: Vec<_> = usual.map(|one| &one["name"]).collect();
    assert_eq!(usual, ["files"]);
    let files = toolsets.iter().find(|one| one["name"] == "files").unwrap();
    let tools = files["tools"].as_array().unwrap();
    assert_eq!(tools.len(), FILE_TOOLS.len());
    assert!(
        tools
            .iter()
            .all(|tool| tool["tokens"].as_u64().unwrap() > 20)
    );
    let stranger = office.server.stranger().await;
    let (status, _) = office.server.rest(&stranger, "GET", &path, None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_nul_in_a_filter_is_the_fault_of_who_sent_it() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let person = Person::owner(&office.server.url, &office.server.sign_in_link).await;
        for path in [
            "/activity?tool=a%00b",
            "/activity?account=%00",
            "/activity/changes?actor=%00",
            "/search?q=a%00b",
            "/documents?q=%00",
            "/memory?q=%00",
            "/connectors?query=%00",
            "/skills?query=%00",
        ] {
            let status = person.get(path).await.status;
            assert!(status < 500, "{path}: {status}");
        }
        let (status, _) = office.rest("GET", "/api/v1/calls?tool=%00", None).await;
        assert!(status < 500, "{status}");
    }
}
