//! What an agent does with all of it together: a service's data, a skill's script, Python, memory.

use quaymaster_tests::services::Service;
use quaymaster_tests::{Database, Desk};
use serde_json::{Value, json};

const SCRIPT: &str = "
def share(names, ending):
    return sum(name.endswith(ending) for name in names) / len(names)
";

async fn did(desk: &Desk, verb: &str, path: &str, body: Value) -> Value {
    let (status, answer) = desk.rest(verb, path, Some(body)).await;
    assert!((200..300).contains(&status), "{verb} {path}: {answer}");
    answer
}

async fn with_skill(desk: &Desk) {
    let skill = json!({
        "name": "zones", "description": "Tells what the zones of a name server are.",
        "systemPrompt": "Count them with scripts/zones.py.", "service": "powerdns",
    });
    did(desk, "POST", "/api/v1/skills", skill).await;
    let script = json!({ "text": SCRIPT });
    did(
        desk,
        "PUT",
        "/api/v1/skills/zones/files/scripts/zones.py",
        script,
    )
    .await;
}

// promise: S0.42, S0.43
#[tokio::test]
async fn an_agent_runs_a_skills_script_over_a_services_data_and_keeps_what_it_found() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let service = Service::powerdns().await;
        desk.connect("powerdns", "main", &service, &[]).await;
        with_skill(&desk).await;
        for name in ["a.example.", "b.example.", "c.test."] {
            let zone = json!({
                "service": "powerdns", "module": "zones", "method": "POST",
                "path": "/servers/localhost/zones",
                "body": { "name": name, "kind": "Native", "nameservers": ["ns1.example."] },
            });
            desk.execute(zone).await.unwrap();
        }
        let python = async |code: &str| {
            let call = json!({ "code": code, "skills": ["zones"] });
            desk.mcp.call("repl_execute", call).await
        };
        // Three steps, each with what the one before left.
        python(
            "import json, os, urllib.request
asked = urllib.request.Request(os.environ['POWERDNS_URL'] + '/api/v1/servers/localhost/zones', headers={'X-API-Key': os.environ['POWERDNS_API_KEY']})
names = [zone['name'] for zone in json.load(urllib.request.urlopen(asked))]",
        )
        .await
        .unwrap();
        python("import sys; sys.path.insert(0, '/mnt/skills/zones/scripts'); import zones")
            .await
            .unwrap();
        let found = python("round(zones.share(names, '.example.'), 2)")
            .await
            .unwrap();
        assert_eq!(
            (&found["result"], &found["state"]),
            (&json!("0.67"), &json!("kept")),
            "{found}"
        );
        let nothing = python("os.listdir('/mnt/memory')").await.unwrap();
        assert_eq!(nothing["result"], "[]", "{nothing}");
        let note =
            json!({ "command": "create", "path": "zones.md", "content": "0.67 are examples" });
        desk.mcp.call("write_memory", note).await.unwrap();
        // A session sees memory as it was when the session began.
        let call = json!({
            "code": "open('/mnt/memory/zones.md').read()", "skills": ["zones"], "reset": true,
        });
        let read = desk.mcp.call("repl_execute", call).await.unwrap();
        assert_eq!(read["result"], "'0.67 are examples'", "{read}");
        for forbidden in [
            "open('/mnt/memory/zones.md', 'w')",
            "open('/mnt/skills/zones/scripts/zones.py', 'a')",
            "open('/mnt/skills/zones/new', 'w')",
        ] {
            let fault = python(forbidden).await.unwrap_err();
            let said = fault["message"].as_str().unwrap();
            assert!(
                said.contains("Read-only") || said.contains("Permission denied"),
                "{fault}"
            );
        }
    }
}

#[tokio::test]
async fn a_skill_that_changed_makes_a_new_session_and_one_that_is_unknown_none() {
    let desk = Desk::open(Database::Sqlite).await;
    with_skill(&desk).await;
    let call = async |code: &str, skill: &str| {
        let call = json!({ "code": code, "skills": [skill] });
        desk.mcp.call("repl_execute", call).await
    };
    let first = call("x = 1; open('/mnt/skills/zones/SKILL.md').read()", "zones");
    let first = first.await.unwrap();
    assert!(
        first["result"]
            .as_str()
            .unwrap()
            .contains("scripts/zones.py")
    );
    let unknown = call("x", "zone").await.unwrap_err();
    assert_eq!(unknown["code"], "NOT_FOUND");
    assert_eq!(unknown["hint"], "Did you mean zones?");
    assert_eq!(call("x", "zones").await.unwrap()["result"], "1");
    let changed = json!({ "systemPrompt": "Count them by hand." });
    did(&desk, "PATCH", "/api/v1/skills/zones", changed).await;
    let after = call("open('/mnt/skills/zones/SKILL.md').read()", "zones").await;
    let after = after.unwrap();
    assert_eq!(after["state"], "new", "{after}");
    assert!(after["result"].as_str().unwrap().contains("by hand"));
    let off = json!({ "enabled": false });
    did(&desk, "PATCH", "/api/v1/skills/zones", off).await;
    let disabled = call("1", "zones").await.unwrap_err();
    assert_eq!(disabled["code"], "NOT_FOUND");
}

// promise: S0.6
#[tokio::test]
async fn programs_that_speak_no_mcp_get_the_same_tools() {
    let desk = Desk::open(Database::Sqlite).await;
    let (status, listed) = desk.rest("GET", "/api/v1/tools", None).await;
    assert_eq!(status, 200, "{listed}");
    let names: Vec<&str> = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, desk.mcp.tool_names().await);
    for known in ["list_services", "repl_execute", "read_memory"] {
        assert!(names.contains(&known), "{names:?}");
    }
}

// promise: S0.53
#[tokio::test]
async fn a_tool_that_fails_answers_an_error_whose_text_is_json() {
    let desk = Desk::open(Database::Sqlite).await;
    for (tool, arguments, code) in [
        (
            "describe_service",
            json!({ "service": "nothing" }),
            "UNKNOWN_SERVICE",
        ),
        ("connector_execute", json!({ "service": 1 }), "INVALID_ARG"),
        ("read_memory", json!({ "path": "none.md" }), "NOT_FOUND"),
        ("repl_execute", json!({ "code": "1 / 0" }), "CODE_ERROR"),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = desk.mcp.request("tools/call", params).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        let fault: Value = serde_json::from_str(text).unwrap();
        assert_eq!(fault["code"], code, "{fault}");
        assert!(fault["message"].is_string() && fault["retryable"].is_boolean());
    }
}
