//! What is read by URI goes with what was ticked.

use super::*;

/// What a client of a new key finds; none where it is told that there are no resources.
async fn resources(office: &Office, more: Value) -> Option<String> {
    let mut body = json!({
        "name": "Reader", "scopes": ["read:tools", "write:tools", "read:data"],
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let made = office.made("/api/v1/api-keys", body).await;
    let mcp = office.open_mcp(&made["plainKey"]).await;
    let answer = mcp.request("resources/list", json!({})).await;
    let listed = answer["result"]["resources"].as_array();
    listed.map(|all| json!(all).to_string())
}

#[tokio::test]
async fn resources_show_only_with_their_toolset_or_the_tool_that_reads_them() {
    for database in Database::BOTH {
        let office = Office::open(database).await;
        let skill = json!({
            "name": "refunds", "description": "Pays money back.", "systemPrompt": "Do it well.",
        });
        office.made("/api/v1/skills", skill).await;
        let answer = reqwest::Client::new()
            .post(format!("{}/api/v1/documents?path=a.md", office.server.url))
            .bearer_auth(&office.admin)
            .body("# A crane\n")
            .send()
            .await;
        assert_eq!(answer.unwrap().status().as_u16(), 201);
        let skills = "skill://refunds";

        // Whole toolsets, ticked or not.
        let all = resources(&office, json!({})).await.unwrap();
        assert!(all.contains(skills), "{all}");
        let all = resources(&office, json!({ "toolsets": ["skills"] })).await;
        assert!(all.unwrap().contains(skills));
        // A tool of something else shows neither skills nor documents.
        for tools in [
            json!(["read_memory"]),
            json!(["list_services", "write_memory"]),
        ] {
            assert_eq!(resources(&office, json!({ "tools": tools })).await, None);
        }
        let more = json!({ "toolsets": ["memory", "knowledge"], "tools": ["read_memory"] });
        assert_eq!(resources(&office, more).await, None);
        // The tool that reads documents shows documents, and skills that were named stay.
        let more = json!({ "tools": ["search_knowledge"] });
        let found = resources(&office, more).await.unwrap();
        assert!(!found.contains(skills), "{found}");
        let more = json!({ "toolsets": ["memory", "skills"], "tools": ["read_memory"] });
        let found = resources(&office, more).await.unwrap();
        assert!(
            found.contains(skills) && !found.contains("drive://"),
            "{found}"
        );
    }
}
