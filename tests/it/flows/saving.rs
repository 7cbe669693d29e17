//! From a text to a tool and back.

use super::{create, desk, desk_on, flows, get_weather, plain, put, run, runs, weather};
use quaymaster_tests::{Database, Mcp};
use serde_json::json;

// promise: S4.2, S4.25
#[tokio::test]
async fn a_saved_flow_is_a_tool_at_once_and_its_run_is_kept() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        let service = weather().await;
        let before = desk.mcp.tool_names().await;
        assert!(!before.contains(&"get_weather".to_owned()));
        let made = create(
            &desk,
            &get_weather(&service.url(), "Current weather of a city."),
        )
        .await;
        assert_eq!(made["flow"]["tool"], "get_weather");
        assert_eq!(made["flow"]["version"], 1);
        let message = desk.mcp.request("tools/list", json!({})).await;
        let tools = message["result"]["tools"].as_array().unwrap();
        let tool = tools
            .iter()
            .find(|tool| tool["name"] == "get_weather")
            .unwrap();
        insta::assert_json_snapshot!("get_weather", tool);
        let answer = desk
            .mcp
            .call("get_weather", json!({ "city": "Lisbon" }))
            .await
            .unwrap();
        let expected =
            json!({ "city": "Lisbon, Portugal", "temperature": 21.5, "units": "celsius" });
        assert_eq!(answer, expected);
        let text = desk.text("get_weather", json!({ "city": "Lisbon" })).await;
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            expected
        );
        let asked = service.take();
        assert_eq!(asked[0].target, "/search?name=Lisbon");
        assert_eq!(asked[1].target, "/forecast?latitude=38.7");
        let kept = runs(&desk).await;
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0]["state"], "done");
        let whole = run(&desk, &kept[0]).await;
        assert_eq!(
            whole["run"]["input"],
            json!({ "city": "Lisbon", "units": "celsius" })
        );
        assert_eq!(whole["run"]["output"], expected);
        assert_eq!(whole["flow"], "get_weather");
        let steps = whole["steps"].as_array().unwrap();
        let geo = steps.iter().find(|step| step["path"] == "geo").unwrap();
        assert_eq!(
            (&geo["kind"], &geo["state"]),
            (&json!("http"), &json!("done"))
        );
        assert_eq!(geo["output"]["body"]["results"][0]["name"], "Lisbon");
    }
}

// promise: S4.26
#[tokio::test]
async fn many_flows_appear_together_on_connect_and_over_rest() {
    let desk = desk().await;
    for number in 0..25 {
        create(
            &desk,
            &plain(
                &format!("tool_{number}"),
                &format!("steps:\n  - map: \"{number}\"\n"),
            ),
        )
        .await;
    }
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let names = mcp.tool_names().await;
    let ours = names
        .iter()
        .filter(|name| name.starts_with("tool_"))
        .count();
    assert_eq!(ours, 25);
    let stateless = Mcp::stateless(&desk.server.endpoint, &desk.key);
    assert_eq!(stateless.tool_names().await, names);
    let (status, called) = desk
        .rest("POST", "/api/v1/tools/tool_7", Some(json!({})))
        .await;
    assert_eq!(status, 200, "{called}");
    assert_eq!(called["content"][0]["text"], "7");
    let (_, listed) = desk.rest("GET", &flows(&desk), None).await;
    assert_eq!(listed["total"], 25);
}

#[tokio::test]
async fn a_text_with_problems_is_refused_with_every_place_and_the_version_before_goes_on() {
    let desk = desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"41\"\n")).await;
    let wrong = plain(
        "answer",
        "stepz: []\nsteps:\n  - id: a\n    map: \".steps.nothing.x +\"\n  - http: { get: 1 }\n",
    );
    let (status, fault) = put(&desk, "answer", &wrong).await;
    assert_eq!(status, 422, "{fault}");
    assert_eq!(fault["code"], "VALIDATION_ERROR");
    let problems = fault["details"]["problems"].as_array().unwrap();
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(problem["line"].as_u64().unwrap() > 1, "{problem}");
    }
    // Valid to everybody but jq.
    let (status, fault) = put(
        &desk,
        "answer",
        &plain("answer", "steps:\n  - map: \". | foo(1)\"\n"),
    )
    .await;
    assert_eq!(status, 422, "{fault}");
    let problem = &fault["details"]["problems"][0];
    assert_eq!(problem["line"], 5, "{fault}");
    // Its own tests do not pass.
    let failing = plain(
        "answer",
        "steps:\n  - map: \"42\"\ntests:\n  - name: the question\n    expect: { result: 43 }\n",
    );
    let (status, fault) = put(&desk, "answer", &failing).await;
    assert_eq!(status, 422, "{fault}");
    assert_eq!(fault["details"]["tests"][0]["passed"], false);
    assert_eq!(desk.text("answer", json!({})).await, "41");
    let (_, read) = desk
        .rest("GET", &format!("{}/answer", flows(&desk)), None)
        .await;
    assert_eq!(
        (&read["flow"]["version"], &read["flow"]["versions"]),
        (&json!(1), &json!(1))
    );
    // The same is found without saving.
    let drafts = format!(
        "/api/v1/workspaces/{}/flow-drafts/validate",
        desk.server.workspace
    );
    let (status, checked) = desk
        .rest("POST", &drafts, Some(json!({ "source": failing })))
        .await;
    assert_eq!((status, &checked["valid"]), (200, &json!(false)));
    assert_eq!(checked["tests"][0]["name"], "the question");
}

#[tokio::test]
async fn versions_stay_and_rolling_back_moves_the_pointer() {
    let desk = desk().await;
    let text = |number: u8| plain("answer", &format!("steps:\n  - map: \"{number}\"\n"));
    create(&desk, &text(1)).await;
    let (status, saved) = put(&desk, "answer", &text(2)).await;
    assert_eq!(
        (status, &saved["outcome"]),
        (200, &json!("updated")),
        "{saved}"
    );
    let (_, same) = put(&desk, "answer", &text(2)).await;
    assert_eq!(same["outcome"], "unchanged");
    assert_eq!(desk.text("answer", json!({})).await, "2");
    let path = format!("{}/answer", flows(&desk));
    let back = Some(json!({ "version": 1 }));
    let (status, rolled) = desk.rest("POST", &format!("{path}/rollback"), back).await;
    assert_eq!(
        (status, &rolled["flow"]["version"]),
        (200, &json!(1)),
        "{rolled}"
    );
    assert_eq!(desk.text("answer", json!({})).await, "1");
    let (status, _) = desk
        .rest(
            "POST",
            &format!("{path}/rollback"),
            Some(json!({ "version": 9 })),
        )
        .await;
    assert_eq!(status, 404);
    // A version that was read before somebody else changed the flow is not written over.
    let stale = json!({ "source": text(3), "ifVersion": 2 });
    let (status, fault) = desk.rest("PUT", &path, Some(stale)).await;
    assert_eq!(
        (status, &fault["fault"]),
        (412, &json!("PRECONDITION_FAILED")),
        "{fault}"
    );
    let (_, third) = put(&desk, "answer", &text(3)).await;
    assert_eq!(third["flow"]["version"], 3);
    let (_, versions) = desk.rest("GET", &format!("{path}/versions"), None).await;
    let numbers: Vec<_> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["version"].clone())
        .collect();
    assert_eq!(numbers, [json!(3), json!(2), json!(1)]);
    let (_, second) = desk.rest("GET", &format!("{path}/versions/2"), None).await;
    assert_eq!(second["version"]["source"], text(2));
}

#[tokio::test]
async fn names_are_one_flows_own() {
    let desk = desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"1\"\n")).await;
    let body = |source: String| Some(json!({ "source": source }));
    let again = body(plain("answer", "steps:\n  - map: \"2\"\n"));
    let (status, fault) = desk.rest("POST", &flows(&desk), again).await;
    assert_eq!(
        (status, &fault["fault"]),
        (409, &json!("ALREADY_EXISTS")),
        "{fault}"
    );
    // A tool of another flow, under a name of its own.
    let other = "flow: other\ntriggers:\n  - mcp_tool: { name: answer, description: Tries a taken name. }\nsteps:\n  - map: \"3\"\n";
    let (status, fault) = desk.rest("POST", &flows(&desk), body(other.into())).await;
    assert_eq!(
        (status, &fault["fault"]),
        (409, &json!("ALREADY_EXISTS")),
        "{fault}"
    );
    for built_in in ["connector_execute", "read_file", "list_services"] {
        let (status, fault) = desk
            .rest(
                "POST",
                &flows(&desk),
                body(plain(built_in, "steps:\n  - map: \"1\"\n")),
            )
            .await;
        assert_eq!(
            (status, &fault["fault"]),
            (409, &json!("ALREADY_EXISTS")),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_flow_that_is_switched_off_or_deleted_is_called_by_nobody() {
    let desk = desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"1\"\n")).await;
    let path = format!("{}/answer", flows(&desk));
    let (status, off) = desk.rest("POST", &format!("{path}/disable"), None).await;
    assert_eq!((status, &off["flow"]["enabled"]), (200, &json!(false)));
    assert!(!desk.mcp.tool_names().await.contains(&"answer".to_owned()));
    let fault = desk.mcp.call("answer", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "NOT_FOUND");
    desk.rest("POST", &format!("{path}/enable"), None).await;
    assert_eq!(desk.text("answer", json!({})).await, "1");
    let (status, gone) = desk.rest("DELETE", &path, None).await;
    assert_eq!((status, &gone["deleted"]), (200, &json!(true)));
    assert!(!desk.mcp.tool_names().await.contains(&"answer".to_owned()));
    let (status, _) = desk.rest("GET", &path, None).await;
    assert_eq!(status, 404);
    assert!(runs(&desk).await.is_empty());
}

#[tokio::test]
async fn another_organization_finds_nothing_of_a_flow() {
    let desk = desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"1\"\n")).await;
    desk.text("answer", json!({})).await;
    let run = runs(&desk).await[0]["id"].as_str().unwrap().to_owned();
    let key = desk.server.stranger().await;
    let base = format!("/api/v1/workspaces/{}", desk.server.workspace);
    for (method, path, body) in [
        ("GET", "/flows".to_owned(), None),
        ("GET", "/flows/answer".to_owned(), None),
        ("DELETE", "/flows/answer".to_owned(), None),
        (
            "PUT",
            "/flows/answer".to_owned(),
            Some(json!({ "source": "x" })),
        ),
        ("POST", "/flows/answer/disable".to_owned(), None),
        ("GET", format!("/flow-runs/{run}"), None),
        ("GET", "/flow-secrets".to_owned(), None),
        (
            "PUT",
            "/flow-secrets/KEY".to_owned(),
            Some(json!({ "value": "x" })),
        ),
        (
            "POST",
            "/flow-drafts/try".to_owned(),
            Some(json!({ "flow": "answer" })),
        ),
    ] {
        let (status, answer) = desk
            .server
            .rest(&key, method, &format!("{base}{path}"), body)
            .await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
    let mcp = Mcp::open(&desk.server.endpoint, &key).await;
    assert!(!mcp.tool_names().await.contains(&"answer".to_owned()));
    assert_eq!(
        mcp.call("answer", json!({})).await.unwrap_err()["code"],
        "NOT_FOUND"
    );
    // Their own workspace does not lead to it either.
    let (_, theirs) = desk
        .server
        .rest(&key, "GET", "/api/v1/workspaces", None)
        .await;
    let theirs = theirs["workspaces"][0]["id"].as_str().unwrap();
    let (_, made) = desk
        .rest("GET", &format!("{}/answer", flows(&desk)), None)
        .await;
    let id = made["flow"]["id"].as_str().unwrap();
    let path = format!("/api/v1/workspaces/{theirs}/flows/{id}");
    assert_eq!(desk.server.rest(&key, "GET", &path, None).await.0, 404);
}

#[tokio::test]
async fn a_second_workspace_puts_its_name_in_front_of_every_tool() {
    let desk = desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"1\"\n")).await;
    let body = Some(json!({ "name": "Second quay" }));
    let (_, second) = desk.rest("POST", "/api/v1/workspaces", body).await;
    let second = second["workspace"]["id"].as_str().unwrap();
    let path = format!("/api/v1/workspaces/{second}/flows");
    let source = plain("answer", "steps:\n  - map: \"2\"\n");
    let (status, made) = desk
        .rest("POST", &path, Some(json!({ "source": source })))
        .await;
    assert_eq!(status, 201, "{made}");
    let (_, first) = desk
        .rest(
            "GET",
            &format!("/api/v1/workspaces/{}", desk.server.workspace),
            None,
        )
        .await;
    let first = first["workspace"]["slug"]
        .as_str()
        .or(first["slug"].as_str())
        .unwrap()
        .to_owned();
    let names = desk.mcp.tool_names().await;
    let ours: Vec<_> = names
        .iter()
        .filter(|name| name.ends_with("__answer"))
        .collect();
    assert_eq!(ours.len(), 2, "{names:?}");
    assert_eq!(desk.text("second-quay__answer", json!({})).await, "2");
    assert_eq!(desk.text(&format!("{first}__answer"), json!({})).await, "1");
}

#[tokio::test]
async fn a_key_that_only_reads_sees_only_flows_that_do() {
    let desk = desk().await;
    create(&desk, &plain("writes", "steps:\n  - map: \"1\"\n")).await;
    let reads = "flow: reads\ntriggers:\n  - mcp_tool:\n      description: Reads something for a test.\n      annotations: { readOnlyHint: true }\nsteps:\n  - map: \"2\"\n";
    create(&desk, reads).await;
    let key = desk.server.api_key(&["read:tools"]).await;
    let mcp = Mcp::open(&desk.server.endpoint, &key).await;
    let names = mcp.tool_names().await;
    assert!(names.contains(&"reads".to_owned()) && !names.contains(&"writes".to_owned()));
    let fault = mcp.call("writes", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "SCOPE_DENIED");
}

#[tokio::test]
async fn a_directory_of_flows_is_applied_whole_or_not_at_all() {
    let desk = desk().await;
    let directory = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("a.yaml", &plain("first", "steps:\n  - map: \"1\"\n"));
    write("b.yaml", &plain("second", "steps:\n  - mapp: \"1\"\n"));
    write("notes.txt", "no flow");
    let path = directory.path().to_str().unwrap();
    let key = desk.key.as_str();
    let arguments = [
        "flow",
        "apply",
        path,
        "--server",
        &desk.server.url,
        "--key",
        key,
        "--json",
    ];
    let output = desk.server.cli(&arguments).await;
    assert!(!output.status.success());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["files"][0]["outcome"], "left alone");
    assert_eq!(told["files"][1]["outcome"], "refused");
    assert!(
        told["files"][1]["fault"]["problems"][0]["line"]
            .as_u64()
            .unwrap()
            > 0,
        "{told}"
    );
    let (_, listed) = desk.rest("GET", &flows(&desk), None).await;
    assert_eq!(listed["total"], 0);
    write("b.yaml", &plain("second", "steps:\n  - map: \"2\"\n"));
    for outcome in ["created", "unchanged"] {
        let told = desk
            .server
            .cli_json(&arguments[..arguments.len() - 1])
            .await;
        assert_eq!(told["files"][0]["outcome"], outcome, "{told}");
        assert_eq!(told["files"][1]["outcome"], outcome, "{told}");
    }
    assert_eq!(desk.text("second", json!({})).await, "2");
}
