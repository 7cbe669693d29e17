//! Single flows that were ticked.

use super::*;

struct Flows {
    office: Office,
    path: String,
}

impl Flows {
    async fn open(database: Database) -> Flows {
        let office = Office::open(database).await;
        let path = format!("/api/v1/workspaces/{}/flows", office.server.workspace);
        let flows = Flows { office, path };
        flows.save("note", "").await;
        flows.save("other", "").await;
        flows
    }

    fn source(name: &str, tool: &str) -> Value {
        let own = if tool.is_empty() {
            String::new()
        } else {
            format!("name: {tool}, ")
        };
        let source = format!(
            "flow: {name}\ntriggers:\n  - mcp_tool: {{ {own}description: Tries something out for a test. }}\n\
             steps:\n  - map: '\"here\"'\n"
        );
        json!({ "source": source })
    }

    async fn save(&self, name: &str, tool: &str) {
        self.office
            .made(&self.path, Flows::source(name, tool))
            .await;
    }

    async fn delete(&self, name: &str) {
        let path = format!("{}/{name}", self.path);
        let (status, answer) = self.office.rest("DELETE", &path, None).await;
        assert!(status < 300, "{answer}");
    }

    /// A token and a key that have one flow.
    async fn ticked(&self, tool: &str) -> Vec<(String, &'static str, Value)> {
        let office = &self.office;
        let flow = json!({ "name": "One flow", "toolsets": ["flows"], "tools": [tool] });
        let token = office.made(&office.tokens(), flow.clone()).await;
        assert_eq!(token["credential"]["tools"], json!([tool]), "{token}");
        let key = office.made("/api/v1/api-keys", flow).await;
        assert_eq!(key["apiKey"]["tools"], json!([tool]), "{key}");
        vec![
            (office.tokens(), "tokens", token),
            ("/api/v1/api-keys".to_owned(), "apiKeys", key),
        ]
    }
}

fn secret(made: &Value) -> &Value {
    if made["token"].is_string() {
        &made["token"]
    } else {
        &made["plainKey"]
    }
}

#[tokio::test]
async fn a_later_flow_of_the_same_name_is_not_ticked() {
    for database in Database::BOTH {
        let flows = Flows::open(database).await;
        let ticked = flows.ticked("note").await;
        let mut open = Vec::new();
        for (_, _, made) in &ticked {
            let mcp = flows.office.open_mcp(secret(made)).await;
            assert_eq!(mcp.tool_names().await, ["note"]);
            mcp.call("note", json!({})).await.unwrap();
            open.push(mcp);
        }
        flows.delete("note").await;
        flows.save("note", "").await;
        for mcp in &open {
            assert_eq!(mcp.tool_names().await, [""; 0]);
            assert_eq!(refused(mcp, "note").await, "NOT_FOUND");
        }
        // It is told as it is, and can be ticked by somebody.
        for (path, list, _) in &ticked {
            let (_, listed) = flows.office.rest("GET", path, None).await;
            let all = listed[list].as_array().unwrap().iter();
            let mut ours = all.filter(|one| one["name"] == "One flow");
            assert_eq!(ours.next().unwrap()["tools"], json!([]));
        }
        let again = flows.ticked("note").await;
        let mcp = flows.office.open_mcp(secret(&again[0].2)).await;
        mcp.call("note", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn a_ticked_flow_whose_tool_gets_another_name_stays_ticked() {
    for database in Database::BOTH {
        let flows = Flows::open(database).await;
        let ticked = flows.ticked("note").await;
        let path = format!("{}/note", flows.path);
        let renamed = Flows::source("note", "berth_note");
        let (status, saved) = flows.office.rest("PUT", &path, Some(renamed)).await;
        assert_eq!(status, 200, "{saved}");
        for (path, list, made) in &ticked {
            let mcp = flows.office.open_mcp(secret(made)).await;
            assert_eq!(mcp.tool_names().await, ["berth_note"]);
            mcp.call("berth_note", json!({})).await.unwrap();
            let (_, listed) = flows.office.rest("GET", path, None).await;
            let mut all = listed[list].as_array().unwrap().iter();
            let ours = all.find(|one| one["name"] == "One flow").unwrap();
            assert_eq!(ours["tools"], json!(["berth_note"]));
        }
        // A second workspace puts a name in front of a key's flows.
        let second = json!({ "name": "Second" });
        flows.office.made("/api/v1/workspaces", second).await;
        let mcp = flows.office.open_mcp(secret(&ticked[1].2)).await;
        assert_eq!(mcp.tool_names().await, ["main__berth_note"]);
    }
}
