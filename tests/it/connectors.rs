//! The three tools of connectors, at the MCP door, against a real service: a name server with two
//! accounts, one of which has a wrong key.

use quaymaster_tests::services::Service;
use quaymaster_tests::{Database, Desk, Mcp};
use serde_json::{Value, json};

const ZONES: &str = "/servers/localhost/zones";

fn read_zones(service: &str) -> Value {
    json!({ "service": service, "module": "zones", "method": "GET", "path": ZONES })
}

fn create_zone(service: &str, zone: &str) -> Value {
    json!({
        "service": service, "module": "zones", "method": "POST", "path": ZONES,
        "body": { "name": zone, "kind": "Native", "nameservers": [format!("ns1.{zone}")] },
    })
}

// promise: S0.29, S0.30, S2.1, S2.3, S2.4, S2.5, S2.6
#[tokio::test]
async fn the_catalog_is_a_handshake_of_lines_with_the_connected_ones_first() {
    let desk = Desk::open(Database::Sqlite).await;
    let names = desk.mcp.tool_names().await;
    for tool in ["list_services", "describe_service", "connector_execute"] {
        assert!(names.contains(&tool.to_owned()), "{names:?}");
    }
    let before = desk.text("list_services", json!({})).await;
    assert!(before.len() <= 5_000, "{}", before.len());
    assert!(
        before.contains("github: ") && before.contains("powerdns: "),
        "{before}"
    );
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let after = desk.text("list_services", json!({})).await;
    let [dns, github] = ["powerdns: ", "github: "].map(|line| after.find(line).unwrap());
    assert!(dns < github, "{after}");
    let structured = desk
        .mcp
        .call("list_services", json!({ "format": "json" }))
        .await;
    let structured = structured.unwrap();
    let connected = |key: &str| {
        let services = structured["services"].as_array().unwrap();
        let service = services
            .iter()
            .find(|service| service["key"] == key)
            .unwrap();
        service["connected"].clone()
    };
    assert_eq!(
        (connected("powerdns"), connected("github")),
        (json!(true), json!(false))
    );
    let found = desk
        .text("list_services", json!({ "query": "dns zones" }))
        .await;
    assert!(found.contains("powerdns: "), "{found}");
}

// promise: S0.31, S0.32, S0.34, S0.35, S0.36, S2.7, S2.8, S2.10, S2.12, S2.13, S2.14, S2.15, S2.16, S2.29
#[tokio::test]
async fn the_passport_has_an_index_and_a_whole_module() {
    let desk = Desk::open(Database::Sqlite).await;
    let index = desk
        .mcp
        .call("describe_service", json!({ "service": "powerdns" }))
        .await;
    let index = index.unwrap();
    let text = index.to_string();
    assert!(
        index["version"].is_string() && index["ttl"].is_u64(),
        "{index}"
    );
    for word in ["zones", "keys", "recipes", "POST /servers/localhost/zones"] {
        assert!(text.contains(word), "{word}: {index}");
    }
    let whole = json!({ "service": "powerdns", "module": "zones" });
    let whole = desk
        .mcp
        .call("describe_service", whole)
        .await
        .unwrap()
        .to_string();
    for word in ["create_zone", "nameservers", "Native", "examples", "DELETE"] {
        assert!(whole.contains(word), "{word}: {whole}");
    }
    assert!(whole.len() > text.len());
}

// promise: S0.37, S0.38, S2.17, S2.18, S2.20, S2.21, S2.22, S2.23, S2.24, S2.25, S2.26, S2.30, S2.31, S2.33, S2.34, S2.35, S2.42, S0.62, S2.44, S2.45
#[tokio::test]
async fn calls_reach_one_account_or_all_and_each_answers_for_itself() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let nothing = desk.refused(read_zones("powerdns")).await;
        assert_eq!(nothing["code"], "CONNECTION_REQUIRED");
        let setup = nothing["details"]["setup_url"].as_str().unwrap();
        assert!(setup.ends_with("/connectors/powerdns"), "{setup}");

        let service = Service::powerdns().await;
        let main = desk.connect("powerdns", "main", &service, &[]).await;
        assert_eq!(main["status"], "ACTIVE", "{main}");
        let made = desk
            .execute(create_zone("powerdns", "example.org."))
            .await
            .unwrap();
        assert_eq!(made["meta"]["upstream_status"], 201, "{made}");
        let listed = desk.execute(read_zones("powerdns")).await.unwrap();
        assert_eq!(listed["data"][0]["name"], "example.org.", "{listed}");

        let wrong = [("api_key", "not-the-key-at-all")];
        let second = desk.connect("powerdns", "second", &service, &wrong).await;
        assert_eq!(second["status"], "ERROR", "{second}");
        let all = desk.execute(read_zones("powerdns")).await.unwrap();
        let answers = all["data"].as_array().unwrap();
        assert_eq!(answers.len(), 2, "{all}");
        assert_eq!(answers[0]["account"], "main");
        assert_eq!(answers[0]["data"][0]["name"], "example.org.");
        assert_eq!(answers[1]["account"], "second");
        assert_eq!(answers[1]["error"]["code"], "CONNECTION_REQUIRED", "{all}");
        // No secret comes back.
        assert!(!all.to_string().contains("not-the-key-at-all"));

        let which = desk.refused(create_zone("powerdns", "other.org.")).await;
        assert_eq!(which["code"], "INVALID_ARG");
        let candidates = json!(["powerdns:main", "powerdns:second"]);
        assert_eq!(which["details"]["candidates"], candidates, "{which}");
        desk.execute(create_zone("powerdns:main", "other.org."))
            .await
            .unwrap();
        let mut by_id = read_zones("powerdns");
        by_id["instance_id"] = main["id"].clone();
        let by_id = desk.execute(by_id).await.unwrap();
        assert_eq!(by_id["data"].as_array().unwrap().len(), 2, "{by_id}");
        let unknown = desk.refused(read_zones("powerdns:mian")).await;
        assert_eq!(unknown["code"], "UNKNOWN_INSTANCE");
        assert!(
            unknown["details"]["candidates"]
                .to_string()
                .contains("main"),
            "{unknown}"
        );

        // The service's own error, told truly.
        let again = desk
            .refused(create_zone("powerdns:main", "other.org."))
            .await;
        assert_eq!(again["code"], "UPSTREAM_ERROR");
        assert_eq!(again["retryable"], false, "{again}");
        assert!(again.get("status").is_none(), "{again}");
        // Checked before anything is sent.
        let mut bad = create_zone("powerdns:main", "third.org.");
        bad["body"] = json!({ "kind": "Native" });
        let bad = desk.refused(bad).await;
        assert_eq!(bad["code"], "INVALID_ARG", "{bad}");
        assert!(bad["details"]["errors"].is_array(), "{bad}");
    }
}

// promise: S0.57, S0.58, S0.59, S0.60, S2.19, S2.36, S2.37, S2.38, S2.39, S2.40, S2.41, S2.43
#[tokio::test]
async fn a_slip_is_told_with_what_was_meant() {
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let unknown = desk.refused(read_zones("powrdns")).await;
    assert_eq!(unknown["code"], "UNKNOWN_SERVICE");
    let hint = unknown["hint"].as_str().unwrap();
    assert!(
        hint.starts_with("Did you mean powerdns? Known services: "),
        "{hint}"
    );
    assert!(hint.contains("github, gitlab"), "{hint}");
    let mut module = read_zones("powerdns");
    module["module"] = json!("zonse");
    let module = desk.refused(module).await;
    assert_eq!(module["code"], "INVALID_ARG");
    assert_eq!(module["details"]["did_you_mean"][0], "zones");
    assert!(module["details"]["known_modules"].as_array().unwrap().len() > 1);
    let mut verb = read_zones("powerdns");
    verb["method"] = json!("FETCH");
    assert_eq!(desk.refused(verb).await["code"], "INVALID_ARG");
    // A path that is not listed is tried, and what was meant stands beside the answer.
    let mut path = read_zones("powerdns");
    path["path"] = json!("/servers/localhost/statistics");
    let tried = desk.execute(path).await.unwrap();
    assert!(tried["data"].is_array(), "{tried}");
    let mut slip = read_zones("powerdns");
    slip["path"] = json!("/servers/localhost/zoness");
    let slip = desk.refused(slip).await;
    assert_eq!(slip["code"], "UPSTREAM_ERROR", "{slip}");
}

// promise: S2.32
#[tokio::test]
async fn what_reads_and_what_writes_is_decided_before_anything_is_sent() {
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let reader = desk.server.api_key(&["read:tools"]).await;
    let reader = Mcp::open(&desk.server.endpoint, &reader).await;
    let names = reader.tool_names().await;
    assert!(names.contains(&"connector_execute".to_owned()), "{names:?}");
    reader
        .call("connector_execute", read_zones("powerdns"))
        .await
        .unwrap();
    let refused = reader
        .call("connector_execute", create_zone("powerdns", "x.org."))
        .await;
    assert_eq!(refused.unwrap_err()["code"], "SCOPE_DENIED");
    let listed = desk.execute(read_zones("powerdns")).await.unwrap();
    assert_eq!(listed["data"], json!([]));
    // The audit tells the account and what the service answered.
    let path = "/api/v1/calls?limit=5";
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let (_, calls) = desk.server.rest(&desk.key, "GET", path, None).await;
    let calls = calls["calls"].as_array().unwrap();
    let reached = calls
        .iter()
        .find(|call| call["accounts"] == "powerdns:main");
    assert_eq!(reached.unwrap()["upstreamStatus"], 200, "{calls:?}");
}

// promise: S0.6, S2.2
#[tokio::test]
async fn the_same_tools_are_there_over_rest() {
    let desk = Desk::open(Database::Sqlite).await;
    let (status, tools) = desk
        .server
        .rest(&desk.key, "GET", "/api/v1/tools", None)
        .await;
    assert_eq!(status, 200, "{tools}");
    assert!(tools.to_string().contains("connector_execute"));
    let path = "/api/v1/tools/list_services";
    let (status, answer) = desk
        .server
        .rest(&desk.key, "POST", path, Some(json!({})))
        .await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.to_string().contains("github: "), "{answer}");
}

#[tokio::test]
async fn an_account_inside_the_network_is_reached_only_when_an_administrator_says_so() {
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    let fields: serde_json::Map<String, Value> = service
        .fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let body = json!({ "connector": "powerdns", "auth": service.auth, "fields": fields });
    let path = "/api/v1/connections";
    let (status, answer) = desk.server.rest(&desk.key, "POST", path, Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["connection"]["status"], "ERROR", "{answer}");
    let refused = desk.refused(read_zones("powerdns")).await;
    assert_ne!(refused["code"], "OK");
    assert!(!refused.to_string().contains("harbour-secret"), "{refused}");
}
