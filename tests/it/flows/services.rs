//! What steps reach, with whose secrets and accounts.

use super::{create, desk, plain, run, runs};
use quaymaster_tests::{Act, Asked, Upstream};
use serde_json::json;

const SECRET: &str = "canary-flow-secret-91c4";

// A service that says everything back that it was sent.
async fn echo() -> Upstream {
    Upstream::start("127.0.0.1", |asked: &Asked| {
        let said = json!({ "target": asked.target, "head": asked.head, "body": asked.body });
        Act::json(&said.to_string())
    })
    .await
}

#[tokio::test]
async fn secrets_are_sent_and_stand_nowhere_else() {
    let desk = desk().await;
    let service = echo().await;
    let secrets = format!("/api/v1/workspaces/{}/flow-secrets", desk.server.workspace);
    let source = plain(
        "ask",
        &format!(
            "steps:\n  - id: ask\n    http:\n      post: {}/x\n      query: {{ key: \"${{{{ secret.KEY }}}}\" }}\n      headers: {{ X-Key: \"k ${{{{ secret.KEY }}}}\" }}\n      auth: {{ bearer: \"${{{{ secret.KEY }}}}\" }}\n      body: {{ a: 1 }}\nreturn: .steps.ask\n",
            service.url()
        ),
    );
    create(&desk, &source).await;
    // Not there yet.
    let fault = desk.mcp.call("ask", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
    assert!(fault["message"].as_str().unwrap().contains("KEY"));
    let body = Some(json!({ "value": SECRET }));
    let (status, set) = desk
        .rest("PUT", &format!("{secrets}/KEY"), body.clone())
        .await;
    assert_eq!(status, 201, "{set}");
    assert_eq!(
        desk.rest("PUT", &format!("{secrets}/KEY"), body).await.0,
        200
    );
    assert_eq!(
        desk.rest(
            "PUT",
            &format!("{secrets}/key"),
            Some(json!({ "value": "x" }))
        )
        .await
        .0,
        400
    );
    let answer = desk.text("ask", json!({})).await;
    let asked = service.take().pop().unwrap();
    assert_eq!(asked.target, format!("/x?key={SECRET}"));
    assert_eq!(asked.header("x-key"), [format!("k {SECRET}")]);
    assert_eq!(asked.header("authorization"), [format!("Bearer {SECRET}")]);
    assert_eq!(asked.header("content-type"), ["application/json"]);
    assert_eq!(asked.body, r#"{"a":1}"#);
    // It came back three times and is told to nobody.
    assert!(
        answer.contains("[redacted]") && !answer.contains(SECRET),
        "{answer}"
    );
    let kept = runs(&desk).await;
    let whole = run(&desk, &kept[0]).await.to_string();
    assert!(
        whole.contains("secret.KEY") && !whole.contains(SECRET),
        "{whole}"
    );
    let (_, listed) = desk.rest("GET", &secrets, None).await;
    assert_eq!(listed["secrets"][0]["name"], "KEY");
    assert!(!listed.to_string().contains(SECRET));
    let log = std::fs::read_to_string(desk.server.data.path().join("server.log")).unwrap();
    assert!(!log.contains(SECRET));
    let (status, _) = desk.rest("DELETE", &format!("{secrets}/KEY"), None).await;
    assert_eq!(status, 200);
    assert_eq!(
        desk.rest("DELETE", &format!("{secrets}/KEY"), None).await.0,
        404
    );
    // Nor at rest.
    let found = crate::outside::tree(desk.server.data.path());
    let is_in = |bytes: &[u8]| {
        bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes())
    };
    assert!(!found.iter().any(|(_, bytes)| is_in(bytes)));
}

#[tokio::test]
async fn values_are_kept_between_runs_and_apart_by_workspace() {
    let desk = desk().await;
    let count = "steps:\n  - id: was\n    kv: { get: { key: visits } }\n  - id: now\n    kv: { set: { key: visits, value: \"${{ (.steps.was.value // 0) + 1 }}\" } }\nreturn: .steps.now.value\n";
    create(&desk, &plain("visit", count)).await;
    for expected in ["1", "2", "3"] {
        assert_eq!(desk.text("visit", json!({})).await, expected);
    }
}

#[tokio::test]
async fn a_cached_answer_is_asked_for_once() {
    let desk = desk().await;
    let service = echo().await;
    let source = plain(
        "ask",
        &format!(
            "steps:\n  - id: ask\n    http: {{ get: \"{}/x\" }}\n    cache: {{ ttl: 1h }}\nreturn: .steps.ask.body.target\n",
            service.url()
        ),
    );
    create(&desk, &source).await;
    for _ in 0..3 {
        assert_eq!(desk.text("ask", json!({})).await, "/x");
    }
    assert_eq!(service.take().len(), 1);
}

#[tokio::test]
async fn a_flow_is_tried_with_answers_that_are_made_up_or_real() {
    let desk = desk().await;
    let service = echo().await;
    let source = plain(
        "ask",
        &format!(
            "steps:\n  - id: one\n    http: {{ get: \"{0}/one\" }}\n  - id: two\n    http: {{ get: \"{0}/two\" }}\nreturn: \"[.steps.one.body.target, .steps.two.body.target]\"\n",
            service.url()
        ),
    );
    let path = format!(
        "/api/v1/workspaces/{}/flow-drafts/try",
        desk.server.workspace
    );
    let body = json!({ "source": source, "mocks": { "one": { "returns": { "body": { "target": "made up" } } } } });
    let (status, tried) = desk.rest("POST", &path, Some(body)).await;
    assert_eq!((status, &tried["ok"]), (200, &json!(true)), "{tried}");
    assert_eq!(tried["result"], json!(["made up", "/two"]));
    assert_eq!(tried["steps"][0]["path"], "one");
    assert_eq!(service.take().len(), 1);
    // Nothing was saved or kept.
    assert!(runs(&desk).await.is_empty());
    create(&desk, &source).await;
    let (_, tried) = desk
        .rest("POST", &path, Some(json!({ "flow": "ask" })))
        .await;
    assert_eq!(tried["result"], json!(["/one", "/two"]), "{tried}");
    assert_eq!(runs(&desk).await[0]["startedBy"], "try");
    let (status, _) = desk.rest("POST", &path, Some(json!({}))).await;
    assert_eq!(status, 400);
    let (status, fault) = desk
        .rest(
            "POST",
            &path,
            Some(json!({ "flow": "ask", "mocks": { "one": 3 } })),
        )
        .await;
    assert_eq!(status, 400, "{fault}");
}

#[tokio::test]
async fn a_connector_is_called_with_the_workspaces_account() {
    let desk = desk().await;
    let service = echo().await;
    let (status, added) = desk
        .rest(
            "POST",
            "/api/v1/connectors/own",
            Some(json!({ "source": crate::definitions::NOTES })),
        )
        .await;
    assert_eq!(status, 201, "{added}");
    let by_path = plain(
        "notes",
        "steps:\n  - id: list\n    call: { service: notes, method: GET, path: /notes }\nreturn: .steps.list.body.target\n",
    );
    create(&desk, &by_path).await;
    let fault = desk.mcp.call("notes", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
    assert!(fault["details"]["setup_url"].is_string(), "{fault}");
    let body = json!({ "connector": "notes", "fields": { "url": service.url(), "token": SECRET }, "isLocal": true });
    let (status, connected) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 201, "{connected}");
    service.take();
    assert!(desk.text("notes", json!({})).await.ends_with("/notes"));
    let asked = service.take().pop().unwrap();
    assert!(asked.head.contains(SECRET));
    let kept = run(&desk, &runs(&desk).await[0]).await;
    assert_eq!(kept["steps"][0]["kind"], "call");
    assert!(!kept.to_string().contains(SECRET));
    let wrong = plain(
        "wrong",
        "steps:\n  - id: x\n    call: { service: nowhere, method: GET, path: / }\n",
    );
    create(&desk, &wrong).await;
    let fault = desk.mcp.call("wrong", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "UNKNOWN_SERVICE", "{fault}");
}

#[tokio::test]
async fn python_computes_with_nothing_but_its_input() {
    let desk = desk().await;
    let source = plain(
        "compute",
        r#"input:
  type: object
  properties: { numbers: { type: array, items: { type: number } } }
steps:
  - id: mean
    python:
      code: |
        import statistics, os
        seen = sorted(os.environ)
        {"mean": statistics.mean(input["numbers"]), "secrets": [name for name in seen if "KEY" in name]}
      input: { numbers: "${{ .input.numbers }}" }
return: .steps.mean
"#,
    );
    create(&desk, &source).await;
    let answer = desk.text("compute", json!({ "numbers": [1, 2, 6] })).await;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, json!({ "mean": 3, "secrets": [] }));
    let fault = desk
        .mcp
        .call("compute", json!({ "numbers": [] }))
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "FLOW_ERROR", "{fault}");
    assert!(
        fault["message"].as_str().unwrap().contains("mean"),
        "{fault}"
    );
}
