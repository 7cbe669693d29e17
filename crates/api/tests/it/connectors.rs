//! The catalog: found and read.

use crate::product::Product;
use http::StatusCode;
use serde_json::{Value, json};

const CONNECTORS: &str = "/api/v1/connectors";

fn keys(list: &Value) -> Vec<&str> {
    let all = list["connectors"].as_array().unwrap();
    all.iter().map(|one| one["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn connectors_are_found_by_words_and_category_and_cut_into_pages() {
    let product = Product::start().await;
    let all = product.get(CONNECTORS).await.body;
    let total = all["total"].as_u64().unwrap();
    assert!(total >= 6, "{total}");
    assert_eq!(keys(&all).len() as u64, total);
    let mut sorted = keys(&all);
    sorted.sort_unstable();
    assert_eq!(keys(&all), sorted);

    let found = product
        .get("/api/v1/connectors?query=pull%20requests")
        .await;
    assert!(keys(&found.body).contains(&"github"), "{}", found.body);
    assert!(!keys(&found.body).contains(&"powerdns"), "{}", found.body);
    let found = product.get("/api/v1/connectors?category=DNS").await.body;
    assert!(keys(&found).contains(&"powerdns"), "{found}");
    assert!(!keys(&found).contains(&"github"), "{found}");
    // Numbers and truths are words like any other.
    for query in ["365", "true"] {
        let found = product.get(&format!("{CONNECTORS}?query={query}")).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    }

    let page = product
        .get("/api/v1/connectors?limit=2&offset=1")
        .await
        .body;
    assert_eq!(keys(&page), &keys(&all)[1..3]);
    assert_eq!(page["total"], total);
    for wrong in ["limit=0", "offset=-1", "connected=maybe", "kategory=dns"] {
        let refused = product.get(&format!("{CONNECTORS}?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn a_connector_says_all_that_is_needed_to_connect_and_to_call_it() {
    let product = Product::start().await;
    let answer = product.get("/api/v1/connectors/transmission").await;
    assert_eq!(answer.status, StatusCode::OK);
    let connector = &answer.body["connector"];
    assert_eq!(connector["connected"], false);
    assert_eq!(connector["mayBeLocal"], true);
    assert!(connector["version"].is_string() && connector["ttl"].is_u64());
    assert!(["live", "schema"].contains(&connector["tested"].as_str().unwrap()));
    let basic = &connector["auth"][0];
    assert_eq!(
        (&basic["type"], &basic["connectable"]),
        (&json!("basic"), &json!(true))
    );
    let fields: Vec<(&str, bool, bool)> = basic["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            let says = |name: &str| field[name].as_bool().unwrap();
            (
                field["name"].as_str().unwrap(),
                says("secret"),
                says("required"),
            )
        })
        .collect();
    let wanted = [
        ("url", false, true),
        ("username", false, true),
        ("password", true, true),
    ];
    assert_eq!(fields, wanted);
    let torrents = &connector["modules"][0];
    assert_eq!(torrents["key"], "torrents");
    let list = &torrents["actions"][0];
    assert_eq!(
        (&list["call"], &list["readOnly"]),
        (&json!("torrent-get"), &json!(true))
    );
    assert!(connector["recipes"].as_array().unwrap().len() >= 3);
    assert!(connector["recipes"][0]["call"].is_string());

    let github = product.get("/api/v1/connectors/github").await.body;
    assert_eq!(github["connector"]["mayBeLocal"], false);
    assert_eq!(github["connector"]["auth"][0]["connectable"], false);
    assert_eq!(github["connector"]["rateLimits"][0]["perSeconds"], 3600);
}

#[tokio::test]
async fn every_connector_and_module_can_be_read() {
    let product = Product::start().await;
    let all = product.get("/api/v1/connectors?limit=500").await.body;
    for key in keys(&all) {
        let path = format!("{CONNECTORS}/{key}");
        let connector = product.get(&path).await;
        assert_eq!(connector.status, StatusCode::OK, "{key}");
        for module in connector.body["connector"]["modules"].as_array().unwrap() {
            let module = module["key"].as_str().unwrap();
            let read = product.get(&format!("{path}/modules/{module}")).await;
            assert_eq!(read.status, StatusCode::OK, "{key} {module}: {}", read.body);
            for action in read.body["module"]["actions"].as_array().unwrap() {
                let schema = &action["inputSchema"];
                assert_eq!(schema["type"], "object", "{key}: {action}");
                assert!(!schema.to_string().contains("\"$enum\""), "{key}: {action}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_mistyped_is_not_found_with_what_was_meant() {
    let product = Product::start().await;
    let refused = product.get("/api/v1/connectors/githb").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(refused.body["fault"], "UNKNOWN_SERVICE");
    assert_eq!(refused.body["details"]["did_you_mean"][0], "github");
    let refused = product.get("/api/v1/connectors/github/modules/isues").await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert_eq!(refused.body["details"]["did_you_mean"][0], "issues");
}
