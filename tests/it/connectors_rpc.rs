//! Services that are called by the name of a method: `Bitrix24` and 1C, with their own definitions,
//! against a service of the test. And what passports tell besides, and the pages about errors.

use quaymaster_tests::{Act, Database, Desk, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The definition of Bitrix24 reaches portals by https only; here it takes any address.
async fn desk() -> (Desk, TempDir) {
    let file = format!(
        "{}/../catalog/bitrix24/connector.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let own = std::fs::read_to_string(file).unwrap();
    let open = own.replace("\"https://{portal}/rest\"", "\"{portal}/rest\"");
    let open = open.replace("pattern: \"[a-z0-9.-]+\", ", "");
    assert_ne!(open, own);
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("bitrix24.yaml"), open).unwrap();
    let settings = [("DEFINITIONS", directory.path().to_str().unwrap())];
    let desk = Desk::open_with(Database::Sqlite, &settings).await;
    (desk, directory)
}

async fn recipe(desk: &Desk, service: &str, title: &str) -> Value {
    let index = json!({ "service": service });
    let index = desk.mcp.call("describe_service", index).await.unwrap();
    let recipes = index["recipes"].as_array().unwrap();
    let found = recipes.iter().find(|one| one["title"] == title);
    found.unwrap_or_else(|| panic!("{index}")).clone()
}

/// What an agent sends who copies a recipe: the method's name and no path.
async fn copied(desk: &Desk, service: &str, title: &str) -> Value {
    let recipe = recipe(desk, service, title).await;
    let mut arguments = json!({
        "service": service, "module": recipe["module"], "method": recipe["call"], "path": "",
    });
    if let Some(body) = recipe.get("body") {
        arguments["body"] = body.clone();
    }
    arguments
}

// promise: S0.39, S2.1, S2.21, S2.22, S2.27, S2.29
#[tokio::test]
async fn bitrix24_is_called_by_the_name_of_a_method_without_a_path() {
    let (desk, _definitions) = desk().await;
    let upstream = Upstream::start("127.77.33.1", |asked| {
        if asked.target.ends_with("user.current") {
            return Act::json("{\"result\": {\"ID\": \"1\", \"EMAIL\": \"ann@example.com\"}}");
        }
        Act::json("{\"result\": [{\"ID\": \"410\"}], \"total\": 1}")
    })
    .await;
    let url = upstream.url();
    let fields = [
        ("portal", url.as_str()),
        ("user_id", "1"),
        ("code", "harboursecret"),
    ];
    let account = desk
        .connect_local("bitrix24", "main", "webhook", &fields)
        .await;
    assert_eq!(account["status"], "ACTIVE", "{account}");
    assert_eq!(account["label"], "ann@example.com", "{account}");
    upstream.take();
    let call = copied(&desk, "bitrix24", "Deals changed since a day").await;
    assert_eq!(call["method"], "crm.deal.list");
    let answer = desk.execute(call.clone()).await.unwrap();
    assert_eq!(answer["data"][0]["ID"], "410", "{answer}");
    let asked = upstream.take();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].target, "/rest/1/harboursecret/crm.deal.list");
    let sent: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(sent, call["body"]);
    // A method that is not listed is tried; one that changes something needs the scope for it.
    let unlisted = json!({ "service": "bitrix24", "method": "crm.quote.list" });
    let tried = desk.execute(unlisted.clone()).await.unwrap();
    let close = tried["meta"]["method_did_you_mean"].to_string();
    assert!(close.contains("crm."), "{tried}");
    assert!(upstream.take()[0].target.ends_with("/crm.quote.list"));
    let reader = desk.server.api_key(&["read:tools"]).await;
    let reader = quaymaster_tests::Mcp::open(&desk.server.endpoint, &reader).await;
    let refused = reader.call("connector_execute", unlisted).await;
    assert_eq!(refused.unwrap_err()["code"], "SCOPE_DENIED");
    assert!(upstream.take().is_empty());
}

// promise: S0.39, S2.28, S2.29
#[tokio::test]
async fn both_keys_of_the_onec_family_are_called_as_their_recipes_show() {
    let (desk, _definitions) = desk().await;
    let upstream = Upstream::start("127.77.33.2", |asked| {
        if asked.target.contains("/hs/") {
            return Act::json("{\"jsonrpc\": \"2.0\", \"id\": 1, \"result\": {\"tools\": []}}");
        }
        Act::json("{\"value\": [{\"Description\": \"Socks\"}]}")
    })
    .await;
    let url = format!("{}/trade", upstream.url());
    let fields = [
        ("address", url.as_str()),
        ("username", "ann"),
        ("password", "harbour-secret"),
    ];
    for connector in ["onec", "onec_bsl"] {
        let account = desk
            .connect_local(connector, "main", "basic", &fields)
            .await;
        assert_eq!(account["status"], "ACTIVE", "{account}");
    }
    upstream.take();
    let call = copied(&desk, "onec_bsl", "What the service can do").await;
    let answer = desk.execute(call).await.unwrap();
    assert_eq!(answer["data"]["tools"], json!([]), "{answer}");
    let asked = upstream.take();
    assert_eq!(asked[0].target, "/trade/hs/mcp/rpc");
    let sent: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(sent["method"], "tools/list");
    let found = desk.text("list_services", json!({ "query": "1C" })).await;
    for key in ["onec", "onec_bsl"] {
        assert!(found.contains(&format!("{key}: ")), "{key}: {found}");
    }
    let recipe = recipe(&desk, "onec", "Find a product").await;
    let method = recipe["call"].as_str().unwrap();
    let mut call = json!({ "service": "onec", "module": recipe["module"] });
    match method.split_once(' ') {
        Some((verb, path)) => {
            call["method"] = verb.into();
            call["path"] = path.into();
        }
        None => call["method"] = method.into(),
    }
    for part in ["query", "body"] {
        if let Some(own) = recipe.get(part) {
            call[part] = own.clone();
        }
    }
    let answer = desk.execute(call).await.unwrap();
    assert!(answer.to_string().contains("Socks"), "{answer}");
    let asked = upstream.take();
    let target = &asked[0].target;
    assert!(
        target.starts_with("/trade/odata/standard.odata/Catalog_"),
        "{target}"
    );
}

// promise: S0.33, S2.9
#[tokio::test]
async fn the_passport_tells_the_limits_of_the_service() {
    let (desk, _definitions) = desk().await;
    for module in [None, Some("crm")] {
        let mut asked = json!({ "service": "bitrix24" });
        if let Some(module) = module {
            asked["module"] = module.into();
        }
        let passport = desk.mcp.call("describe_service", asked).await.unwrap();
        let limit = &passport["rate_limits"][0];
        assert_eq!(
            (&limit["requests"], &limit["per_s"]),
            (&json!(2), &json!(1))
        );
        assert!(
            limit["note"]
                .as_str()
                .unwrap()
                .contains("QUERY_LIMIT_EXCEEDED")
        );
    }
}

// promise: S0.35, S2.11
#[tokio::test]
async fn the_passport_tells_how_lists_go_on() {
    let (desk, _definitions) = desk().await;
    let asked = json!({ "service": "redmine", "module": "issues" });
    let passport = desk.mcp.call("describe_service", asked).await.unwrap();
    let actions = passport["actions"].as_array().unwrap();
    let list = actions.iter().find(|one| one["action"] == "list_issues");
    let paging = &list.unwrap()["pagination"];
    assert_eq!(paging["type"], "offset", "{paging}");
    assert_eq!(paging["param"], "offset", "{paging}");
    assert_eq!(paging["page_size"]["max"], 100, "{paging}");
}

// promise: S0.61
#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let desk = Desk::open(Database::Sqlite).await;
    let files = quaymaster_tests::Mcp::open(&desk.server.endpoint, &desk.server.token).await;
    let read = files
        .call("read_file", json!({ "path": "no/such/file.md" }))
        .await;
    let fault = read.unwrap_err();
    assert_eq!(fault["code"], "NOT_FOUND", "{fault}");
    assert_eq!(fault["retryable"], false, "{fault}");
}

// promise: S2.46
#[tokio::test]
async fn the_pages_about_errors_and_limits_say_what_the_server_does() {
    let page = |name: &str| {
        let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    };
    let (errors, limits) = (page("errors.md"), page("rate-limits.md"));
    let readme = page("../README.md");
    assert!(readme.contains("docs/errors.md") && readme.contains("docs/rate-limits.md"));
    // What both refusals tell stands in the tables.
    let settings = [("CALLS_PER_SECOND", "1"), ("DAILY_CAP", "2")];
    let desk = Desk::open_with(Database::Sqlite, &settings).await;
    let other = desk.server.api_key(&[]).await;
    let other = quaymaster_tests::Mcp::open(&desk.server.endpoint, &other).await;
    let hasty = (0..8).map(|_| desk.mcp.call("list_services", json!({})));
    let hasty = futures_util::future::join_all(hasty).await;
    // Two passed at once, then it was too fast for this key, and it is too much for any.
    let another = other.call("list_services", json!({})).await;
    let met = hasty.into_iter().chain([another]).filter_map(Result::err);
    let met: Vec<Value> = met.collect();
    let codes = ["RATE_LIMITED", "DAILY_CAP"];
    for code in codes {
        let fault = met.iter().find(|fault| fault["code"] == code);
        let fault = fault.unwrap_or_else(|| panic!("no {code} in {met:?}"));
        assert!(errors.contains(&format!("`{code}`")));
        assert!(limits.contains(&format!("`{code}`")));
        for detail in fault["details"].as_object().unwrap().keys() {
            assert!(limits.contains(&format!("`{detail}`")), "{detail}");
        }
    }
}
