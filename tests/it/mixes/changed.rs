//! What was ticked, ticked anew while clients are connected.

use super::*;

/// The tools of an open session, once they are what they shall be.
async fn settles(mcp: &Mcp, wanted: &[&str]) {
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen = sorted(mcp.tool_names().await);
        if seen == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("within a second: {seen:?} and not {wanted:?}");
}

fn one_of(path: &str, view: &Value) -> String {
    format!("{path}/{}", view["id"].as_str().unwrap())
}

const CATALOG: [&str; 3] = ["connector_execute", "describe_service", "list_services"];

#[tokio::test]
async fn what_is_ticked_anew_holds_in_open_sessions_within_a_second() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let token = json!({ "name": "Token", "toolsets": ["files"], "tools": ["read_file"] });
        let key = json!({
            "name": "Key", "scopes": ["read:tools", "write:tools"],
            "toolsets": ["catalog"], "tools": ["describe_service"],
        });
        let keys = "/api/v1/api-keys".to_owned();
        for (path, body, view, secret, first) in [
            (office.tokens(), token, "credential", "token", "read_file"),
            (keys, key, "apiKey", "plainKey", "describe_service"),
        ] {
            let made = office.made(&path, body).await;
            let one = one_of(&path, &made[view]);
            let patch = |body: Value| office.rest("PATCH", &one, Some(body));
            let mcp = office.open_mcp(&made[secret]).await;
            settles(&mcp, &[first]).await;
            let both = json!({
                "toolsets": ["catalog", "repl"], "tools": ["list_services", "repl_execute"],
            });
            let (status, changed) = patch(both).await;
            assert_eq!(status, 200, "{changed}");
            assert_eq!(changed[view]["toolsets"], json!(["catalog", "repl"]));
            settles(&mcp, &["list_services", "repl_execute"]).await;
            assert_eq!(refused(&mcp, first).await, "NOT_FOUND");
            // A name alone leaves them as they are.
            let (status, changed) = patch(json!({ "name": "Renamed" })).await;
            assert_eq!(status, 200, "{changed}");
            settles(&mcp, &["list_services", "repl_execute"]).await;
            // Single tools do not become whole toolsets unsaid.
            let (status, fault) = patch(json!({ "toolsets": ["catalog"] })).await;
            assert_eq!(status, 400, "{fault}");
            assert_eq!(fault["details"]["errors"][0]["pointer"], "/tools");
            let whole = json!({ "toolsets": ["catalog"], "tools": null });
            assert_eq!(patch(whole).await.0, 200);
            settles(&mcp, &CATALOG).await;
            for wrong in [
                json!({ "tools": ["no_such_tool"] }),
                json!({ "toolsets": [] }),
            ] {
                let (status, fault) = patch(wrong).await;
                assert_eq!(status, 400, "{fault}");
            }
            settles(&mcp, &CATALOG).await;
        }
    }
}

#[tokio::test]
async fn without_ticks_a_token_is_what_its_kind_is_and_loses_the_scope_for_data() {
    let office = Office::open(Database::Sqlite).await;
    let body = json!({ "name": "Notes", "toolsets": ["memory"] });
    let made = office.made(&office.tokens(), body).await;
    let mcp = office.open_mcp(&made["token"]).await;
    settles(&mcp, &["read_memory", "write_memory"]).await;
    let one = one_of(&office.tokens(), &made["credential"]);
    let usual = json!({ "toolsets": null });
    let (status, changed) = office.rest("PATCH", &one, Some(usual)).await;
    assert_eq!(status, 200, "{changed}");
    assert!(!changed.to_string().contains("read:data"), "{changed}");
    assert!(changed["credential"]["toolsets"].is_null(), "{changed}");
    let files = file_tools();
    settles(&mcp, &files.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_flow_token_is_changed_and_one_for_addresses_stays_with_flows() {
    let office = Office::open(Database::Sqlite).await;
    let path = office.flow_tokens();
    let made = office.made(&path, json!({ "name": "Desk" })).await;
    let mcp = office.open_mcp(&made["token"]).await;
    let body = json!({ "name": "Desk two", "toolsets": ["flows", "catalog"] });
    let one = one_of(&path, &made["flowToken"]);
    let (status, changed) = office.rest("PATCH", &one, Some(body)).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["flowToken"]["name"], "Desk two");
    settles(&mcp, &CATALOG).await;

    let body = json!({ "name": "Open", "inUrl": true });
    let made = office.made(&path, body).await;
    let one = one_of(&path, &made["flowToken"]);
    for (body, wanted) in [
        (json!({ "toolsets": ["flows", "catalog"] }), 400),
        (json!({ "name": "Desk two" }), 409),
    ] {
        let (status, fault) = office.rest("PATCH", &one, Some(body)).await;
        assert_eq!(status, wanted, "{fault}");
    }
}

#[tokio::test]
async fn what_acts_as_somebody_else_gets_no_more_of_theirs() {
    let office = Office::open(Database::Sqlite).await;
    let mut owner = Visitor::owner(&office.server).await;
    let mut colleague = owner.invite("colleague@example.com", "admin").await;
    let fields = [
        ("name", "Theirs"),
        ("access", "read_write"),
        ("mix", "yes"),
        ("toolsets", "memory"),
        ("tools", "read_memory"),
        ("shown_tools", "read_memory"),
        ("shown_tools", "write_memory"),
    ];
    let path = format!("/workspaces/{}/tokens", office.server.workspace);
    let page = colleague.submit(&path, &fields).await;
    let mcp = Mcp::open(&office.server.endpoint, &page.text_of("token")).await;
    settles(&mcp, &["read_memory"]).await;
    let (_, listed) = office.rest("GET", &office.tokens(), None).await;
    let mut tokens = listed["tokens"].as_array().unwrap().iter();
    let theirs = tokens.find(|one| one["name"] == "Theirs").unwrap();
    let one = one_of(&office.tokens(), theirs);
    for more in [
        json!({ "toolsets": ["memory"], "tools": null }),
        json!({ "toolsets": ["memory"], "tools": ["write_memory"] }),
        json!({ "toolsets": ["memory", "catalog"], "tools": null }),
    ] {
        let (status, fault) = office.rest("PATCH", &one, Some(more)).await;
        assert_eq!((status, &fault["code"]), (403, &json!("FORBIDDEN")));
    }
    // Files are the workspace's.
    let files = json!({ "toolsets": ["files"], "tools": ["read_file"] });
    let (status, fault) = office.rest("PATCH", &one, Some(files)).await;
    assert_eq!(status, 200, "{fault}");
    settles(&mcp, &["read_file"]).await;
}
