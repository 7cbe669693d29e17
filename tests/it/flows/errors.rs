//! What goes wrong in a call of a flow, and what the caller learns.

use super::{create, desk, get_weather, plain, runs, weather};
use quaymaster_tests::{Act, Asked, Upstream};
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_arguments_never_start_a_flow() {
    let desk = desk().await;
    let service = weather().await;
    create(
        &desk,
        &get_weather(&service.url(), "Current weather of a city."),
    )
    .await;
    let fault = desk
        .mcp
        .call(
            "get_weather",
            json!({ "citi": "Lisbon", "units": "kelvin" }),
        )
        .await;
    let fault = fault.unwrap_err();
    assert_eq!(fault["code"], "INVALID_ARG");
    let errors = fault["details"]["errors"].as_array().unwrap();
    let rules: Vec<_> = errors
        .iter()
        .map(|error| error["rule"].as_str().unwrap())
        .collect();
    assert!(
        rules.contains(&"required") && rules.contains(&"enum"),
        "{fault}"
    );
    assert!(service.take().is_empty());
    assert!(runs(&desk).await.is_empty());
}

#[tokio::test]
async fn a_flow_fails_with_its_own_words() {
    let desk = desk().await;
    let service = weather().await;
    create(
        &desk,
        &get_weather(&service.url(), "Current weather of a city."),
    )
    .await;
    let fault = desk
        .mcp
        .call("get_weather", json!({ "city": "Atlantis" }))
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "NOT_FOUND");
    assert_eq!(fault["message"], "No city called Atlantis");
    assert_eq!(fault["hint"], "Try the English name");
    let kept = runs(&desk).await;
    assert_eq!(
        (&kept[0]["state"], &kept[0]["error"]["code"]),
        (&json!("failed"), &json!("NOT_FOUND"))
    );
}

#[tokio::test]
async fn a_result_that_does_not_fit_says_where() {
    let desk = desk().await;
    let source = plain(
        "answer",
        "output:\n  type: object\n  required: [n]\n  properties: { n: { type: integer } }\nsteps:\n  - map: \"{n: \\\"many\\\"}\"\n",
    );
    create(&desk, &source).await;
    let fault = desk.mcp.call("answer", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "FLOW_ERROR");
    assert!(fault["message"].as_str().unwrap().contains("/n"), "{fault}");
}

#[tokio::test]
async fn a_service_that_is_down_or_unwell_is_told_apart() {
    let desk = desk().await;
    let unwell = Upstream::start("127.0.0.1", |asked: &Asked| match asked.target.as_str() {
        "/broken" => Act::reply("200 OK\r\ncontent-type: application/json", "{oops"),
        "/reset" => vec![Act::Reset],
        _ => Act::reply(
            "503 Service Unavailable\r\nretry-after: 7\r\ncontent-type: text/plain",
            "down",
        ),
    })
    .await;
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let url = unwell.url();
    for (name, address) in [
        ("unwell", format!("{url}/x")),
        ("broken", format!("{url}/broken")),
        ("broken_off", format!("{url}/reset")),
        ("refused", gone),
        ("inside", "http://192.168.7.7/".to_owned()),
    ] {
        let source = plain(
            name,
            &format!("steps:\n  - id: ask\n    http: {{ get: \"{address}\" }}\n"),
        );
        create(&desk, &source).await;
    }
    let fault = async |tool: &str| desk.mcp.call(tool, json!({})).await.unwrap_err();
    let unwell = fault("unwell").await;
    assert_eq!(unwell["code"], "UPSTREAM_ERROR", "{unwell}");
    assert_eq!(unwell["details"]["upstream_status"], 503);
    assert_eq!(unwell["details"]["step"], "ask");
    let broken = fault("broken").await;
    assert_eq!(broken["code"], "UPSTREAM_ERROR", "{broken}");
    for tool in ["broken_off", "refused", "inside"] {
        let fault = fault(tool).await;
        assert_eq!(fault["details"]["step"], "ask", "{fault}");
        assert!(fault["hint"].is_string(), "{fault}");
        assert!(
            !fault.to_string().contains("192.168.7.7") || tool == "inside",
            "{fault}"
        );
    }
}

#[tokio::test]
async fn flows_that_call_each_other_end_with_a_fault() {
    let desk = desk().await;
    create(&desk, &plain("ping", "steps:\n  - flow: { name: pong }\n")).await;
    create(&desk, &plain("pong", "steps:\n  - flow: { name: ping }\n")).await;
    create(
        &desk,
        &plain("itself", "steps:\n  - flow: { name: itself }\n"),
    )
    .await;
    for tool in ["ping", "pong", "itself"] {
        let fault = desk.mcp.call(tool, json!({})).await.unwrap_err();
        assert_eq!(fault["code"], "FLOW_ERROR", "{fault}");
    }
    // Five deep is fine, six is not.
    for depth in 0..7 {
        let steps = match depth {
            0 => "steps:\n  - map: \"7\"\n".to_owned(),
            depth => format!("steps:\n  - flow: {{ name: deep_{} }}\n", depth - 1),
        };
        create(&desk, &plain(&format!("deep_{depth}"), &steps)).await;
    }
    assert_eq!(desk.text("deep_4", json!({})).await, "7");
    let fault = desk.mcp.call("deep_6", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "FLOW_ERROR", "{fault}");
    let missing = plain(
        "missing",
        "steps:\n  - id: sub\n    flow: { name: nobody }\n",
    );
    create(&desk, &missing).await;
    let fault = desk.mcp.call("missing", json!({})).await.unwrap_err();
    assert_eq!(fault["details"]["step"], "sub", "{fault}");
}

#[tokio::test]
async fn a_thousand_and_one_items_are_too_many() {
    let desk = desk().await;
    let source = plain(
        "each",
        "input:\n  type: object\n  properties: { n: { type: integer } }\nsteps:\n  - id: all\n    for_each:\n      in: \"[range(.input.n)]\"\n      do:\n        - map: .item\nreturn: .steps.all.items | length\n",
    );
    create(&desk, &source).await;
    assert_eq!(desk.text("each", json!({ "n": 900 })).await, "900");
    let fault = desk
        .mcp
        .call("each", json!({ "n": 1001 }))
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "FLOW_ERROR");
    assert_eq!(fault["details"]["step"], "all", "{fault}");
    assert!(
        fault["message"].as_str().unwrap().contains("1,0")
            || fault["message"].as_str().unwrap().contains("100"),
        "{fault}"
    );
}

#[tokio::test]
async fn expressions_that_never_end_or_reach_out_do_no_harm() {
    let desk = desk().await;
    create(
        &desk,
        &plain(
            "bomb",
            "steps:\n  - id: boom\n    map: reduce range(100) as $i (\"xxxxxxxx\"; . + .)\n",
        ),
    )
    .await;
    create(&desk, &plain("calm", "steps:\n  - map: 1 + 1\n")).await;
    let fault = desk.mcp.call("bomb", json!({})).await.unwrap_err();
    assert_eq!(
        (&fault["code"], &fault["details"]["step"]),
        (&json!("FLOW_ERROR"), &json!("boom")),
        "{fault}"
    );
    assert_eq!(desk.text("calm", json!({})).await, "2");
    let path = super::flows(&desk);
    for program in ["env", "$ENV", "input", "def f: f; f", "halt"] {
        let body =
            Some(json!({ "source": plain("out", &format!("steps:\n  - map: \"{program}\"\n")) }));
        let (status, fault) = desk.rest("POST", &path, body).await;
        assert_eq!(status, 422, "{program}: {fault}");
    }
}

#[tokio::test]
async fn a_capped_workspace_runs_no_more_flows() {
    let desk = quaymaster_tests::Desk::open_with(
        quaymaster_tests::Database::Sqlite,
        &[("DAILY_CAP", "2")],
    )
    .await;
    create(&desk, &plain("answer", "steps:\n  - map: \"1\"\n")).await;
    for _ in 0..2 {
        assert_eq!(desk.text("answer", json!({})).await, "1");
    }
    let fault: Value = desk.mcp.call("answer", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "DAILY_CAP");
    assert_eq!(runs(&desk).await.len(), 2);
}
