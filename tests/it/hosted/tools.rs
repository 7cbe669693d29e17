//! TOOLS mode against a real service: what agents see, and what their calls do.

use quaymaster_tests::{Database, Developer, Made, Mcp, Service};
use serde_json::{Value, json};

/// A session at one address and a stateless caller at the other.
async fn both_eras(server: &Made) -> [Mcp; 2] {
    [
        Mcp::open(&server.protocol, &server.token).await,
        Mcp::stateless(&server.endpoint, &server.token),
    ]
}

async fn listed(mcp: &Mcp) -> Value {
    mcp.request("tools/list", json!({})).await["result"]["tools"].clone()
}

fn named<'a>(tools: &'a Value, name: &str) -> &'a Value {
    let mut all = tools.as_array().unwrap().iter();
    all.find(|tool| tool["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {tools}"))
}

// promise: S3.1, S3.2, S3.4, S3.25, S3.26, S3.27, S3.28, S3.29, S3.33, S3.34, S3.35, S3.46
#[tokio::test]
async fn two_aliases_call_two_accounts_of_a_live_service_in_both_eras_at_both_addresses() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (north, south) = (Service::powerdns().await, Service::powerdns().await);
        let first = desk.account("powerdns", "north", &north).await;
        let second = desk.account("powerdns", "south", &south).await;
        let server = desk.serve(json!({})).await;
        let tool = |alias: &str, action: &str, connection: &str| {
            json!({
                "integrationName": "powerdns", "integrationAlias": alias,
                "actionName": action, "connectionId": connection,
            })
        };
        for action in ["create_zone", "get_zone"] {
            desk.add(&server, tool("dns_north", action, &first)).await;
        }
        desk.add(&server, tool("dns_south", "get_zone", &second))
            .await;
        desk.add(&server, tool("dns_south", "create_zone", &second))
            .await;
        let own = [
            "dns_north__create_zone",
            "dns_north__get_zone",
            "dns_north__list_zone_ids",
            "dns_south__get_zone",
            "dns_south__create_zone",
            "dns_south__list_zone_ids",
        ];
        for (index, mcp) in both_eras(&server).await.iter().enumerate() {
            let mut names = mcp.tool_names().await;
            names.sort();
            let mut wanted = own.map(str::to_owned);
            wanted.sort();
            assert_eq!(names, wanted);
            let zone = |side: &str| format!("{side}{index}.example.org.");
            for side in ["north", "south"] {
                let new = json!({
                    "name": zone(side), "kind": "Native", "nameservers": ["ns1.example.org."],
                });
                let made = mcp
                    .call(&format!("dns_{side}__create_zone"), new)
                    .await
                    .unwrap();
                assert_eq!(made["data"]["name"], zone(side).as_str(), "{made}");
            }
            // Each alias has its own account: what one made the other has not.
            let read = |side: &'static str, of: &'static str| {
                let call = json!({ "zone_id": zone(of) });
                async move { mcp.call(&format!("dns_{side}__get_zone"), call).await }
            };
            read("north", "north").await.unwrap();
            let missing = read("south", "north").await.unwrap_err();
            assert_eq!(missing["code"], "UPSTREAM_ERROR", "{missing}");
            let options = mcp
                .call("dns_north__list_zone_ids", json!({}))
                .await
                .unwrap();
            let options = options["options"].as_array().unwrap();
            assert!(
                options
                    .iter()
                    .any(|one| one["value"] == zone("north").as_str()),
                "{options:?}"
            );
            let few = json!({ "search": zone("north") });
            let few = mcp.call("dns_north__list_zone_ids", few).await.unwrap();
            assert_eq!(few["options"].as_array().unwrap().len(), 1, "{few}");
        }
    }
}

// promise: S3.1, S3.4, S3.5, S3.6, S3.34
#[tokio::test]
async fn a_server_without_picked_tools_follows_its_workspace() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    assert_eq!(mcp.tool_names().await, [""; 0]);
    desk.integrate(json!({
        "integrationName": "slack", "connectionId": main,
        "enabledActions": ["send_channel_message"],
    }))
    .await;
    let per_user = |name: &str, action: &str| {
        json!({
            "integrationName": name, "connectionStrategy": "per_user", "enabledActions": [action],
        })
    };
    // A hyphen in the name of a connector is an underscore.
    desk.integrate(per_user("google-sheets", "read_rows")).await;
    desk.integrate(per_user("github", "create_issue")).await;
    let names = mcp.tool_names().await;
    for wanted in [
        "slack__send_channel_message",
        "slack__list_channels",
        "google_sheets__read_rows",
        "github__create_issue",
    ] {
        assert!(
            names.iter().any(|name| name == wanted),
            "{wanted}: {names:?}"
        );
    }
    let path = format!("/mcp/servers/{}", server.id);
    let read = desk.did("GET", &path, None).await;
    assert_eq!(read["server"]["isPicked"], false, "{read}");
    assert_eq!(read["tools"].as_array().unwrap().len(), 3, "{read}");

    // The first picked tool makes it a list of its own.
    let tool = json!({ "integrationName": "slack", "actionName": "send_channel_message" });
    desk.add(&server, tool).await;
    let names = mcp.tool_names().await;
    assert_eq!(
        names,
        ["slack__send_channel_message", "slack__list_channels"]
    );
    let picked = desk.did("GET", &path, None).await;
    assert_eq!(picked["server"]["isPicked"], true, "{picked}");
}

// promise: S3.33, S3.34, S3.35
#[tokio::test]
async fn a_companion_tells_the_channels_that_a_message_can_go_to() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
    });
    desk.add(&server, tool).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let tools = listed(&mcp).await;
    let companion = named(&tools, "slack__list_channels");
    assert_eq!(
        companion["annotations"]["readOnlyHint"], true,
        "{companion}"
    );
    let said = companion["description"].as_str().unwrap();
    assert!(said.contains("slack__send_channel_message"), "{said}");
    let answer = mcp.call("slack__list_channels", json!({})).await.unwrap();
    let wanted = json!([
        { "value": "C1", "label": "general" },
        { "value": "C2", "label": "cranes" },
    ]);
    assert_eq!(answer["options"], wanted);
    // What is not right about a call is told before anybody is asked.
    let before = desk.chat.asked().len();
    let wrong = json!({ "chanel": "C1" });
    let wrong = mcp
        .call("slack__send_channel_message", wrong)
        .await
        .unwrap_err();
    assert_eq!(wrong["code"], "INVALID_ARG", "{wrong}");
    let unknown = mcp
        .call("slack__send_message", json!({}))
        .await
        .unwrap_err();
    assert_eq!(unknown["code"], "NOT_FOUND", "{unknown}");
    assert!(
        unknown["hint"]
            .as_str()
            .unwrap()
            .contains("slack__send_channel_message"),
        "{unknown}"
    );
    assert_eq!(desk.chat.asked().len(), before);
}

// promise: S3.48, S3.50
#[tokio::test]
async fn a_tool_has_the_words_and_defaults_that_its_maker_gave() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk
        .serve(json!({ "description": "For the harbour" }))
        .await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
        "displayName": "Tell the cranes", "description": "Sends a message to the crane drivers.",
        "inputDefaults": { "channel": "C2" },
    });
    let added = desk.add(&server, tool).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let tools = listed(&mcp).await;
    let shown = named(&tools, "slack__send_channel_message");
    assert_eq!(shown["title"], "Tell the cranes", "{shown}");
    let said = shown["description"].as_str().unwrap();
    assert!(
        said.starts_with("Sends a message to the crane drivers."),
        "{said}"
    );
    let sent = mcp
        .call("slack__send_channel_message", json!({ "text": "Up" }))
        .await
        .unwrap();
    assert_eq!(sent["data"]["channel"], "C2", "{sent}");
    let given = json!({ "text": "Up", "channel": "C1" });
    let sent = mcp
        .call("slack__send_channel_message", given)
        .await
        .unwrap();
    assert_eq!(
        sent["data"]["channel"], "C1",
        "an agent wins over a default: {sent}"
    );

    let path = format!("/mcp/servers/{}", server.id);
    let read = desk.did("GET", &path, None).await;
    assert_eq!(read["server"]["description"], "For the harbour", "{read}");
    assert_eq!(
        read["tools"][0]["inputDefaults"],
        json!({ "channel": "C2" })
    );
    let path = format!("{path}/tools/{}", added["id"].as_str().unwrap());
    let change = json!({ "description": null, "inputDefaults": {} });
    let changed = desk.did("PATCH", &path, Some(change)).await;
    assert!(changed["tool"].get("description").is_none(), "{changed}");
    let tools = listed(&mcp).await;
    let said = named(&tools, "slack__send_channel_message")["description"]
        .as_str()
        .unwrap();
    assert!(!said.contains("crane"), "{said}");
}
