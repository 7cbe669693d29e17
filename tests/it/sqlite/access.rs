//! Who reaches which file.

use super::{connect, count, desk, run_over};
use serde_json::json;

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let desk = desk().await;
    std::os::unix::fs::symlink("/etc/passwd", super::path(&desk, "link.db")).unwrap();
    for (number, (file, code)) in [
        ("../../../quaymaster.db", "PATH_OUTSIDE_WORKSPACE"),
        ("a/../../x.db", "PATH_OUTSIDE_WORKSPACE"),
        ("link.db", "PATH_OUTSIDE_WORKSPACE"),
        ("/quaymaster.db", "NOT_FOUND"),
        (".", "IS_A_DIRECTORY"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("bad{number}");
        let account = connect(&desk, &name, file).await;
        assert_eq!(account["status"], "ERROR", "{file}: {account}");
        let fault = run_over(&desk, &name, "query", "SELECT 1", json!({})).await;
        let fault = fault.expect_err(file);
        assert_eq!(fault["code"], code, "{file}: {fault}");
    }
}

#[tokio::test]
async fn a_workspace_is_named_by_its_id_or_its_name_and_is_never_another_organizations() {
    let desk = desk().await;
    let stranger = desk.server.stranger().await;
    let (_, theirs) = desk
        .server
        .rest(&stranger, "GET", "/api/v1/workspaces", None)
        .await;
    assert!(!theirs.to_string().contains(&desk.server.workspace));
    // Both ways round: our workspace for them, theirs for us.
    let own = json!({ "workspace": desk.server.workspace, "file": "shop.db" });
    let body = json!({ "connector": "sqlite", "name": "shop", "fields": own });
    let (status, made) = desk
        .server
        .rest(&stranger, "POST", "/api/v1/connections", Some(body))
        .await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["connection"]["status"], "ERROR", "{made}");
    let their_agent = quaymaster_tests::Mcp::open(&desk.server.endpoint, &stranger).await;
    let call = json!({ "service": "sqlite:shop", "method": "query", "body": { "query": "SELECT n FROM counts" } });
    let fault = their_agent
        .call("connector_execute", call)
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "NOT_FOUND", "{fault}");
    let unknown = json!({ "connector": "sqlite", "name": "theirs", "fields": { "workspace": "Theirs", "file": "shop.db" } });
    let (_, made) = desk
        .rest("POST", "/api/v1/connections", Some(unknown))
        .await;
    assert_eq!(made["connection"]["status"], "ERROR", "{made}");
    // Ours by its name.
    let path = format!("/api/v1/workspaces/{}", desk.server.workspace);
    let (_, workspace) = desk.rest("GET", &path, None).await;
    let workspace = workspace.get("workspace").unwrap_or(&workspace);
    let named = json!({ "connector": "sqlite", "name": "named", "fields": { "workspace": workspace["name"], "file": "shop.db" } });
    let (status, made) = desk.rest("POST", "/api/v1/connections", Some(named)).await;
    assert_eq!(
        (status, &made["connection"]["status"]),
        (201, &json!("ACTIVE")),
        "{made}"
    );
    assert_eq!(count(&desk).await, 0);
}

#[tokio::test]
async fn whoever_is_sent_a_link_names_no_file() {
    let desk = desk().await;
    let workspace = &desk.server.workspace;
    let body = json!({ "workspaceId": workspace, "externalId": "customer-1" });
    let (status, made) = desk.rest("POST", "/api/v1/end-users", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let fields = json!({ "workspace": workspace, "file": "shop.db" });
    let end_user = made.get("endUser").unwrap_or(&made)["id"].clone();
    let body = json!({
        "connector": "sqlite", "endUserId": end_user, "workspaceId": workspace,
        "scope": "USER", "externalId": "customer-1", "fields": fields,
    });
    let (status, fault) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 403, "{fault}");
    assert!(
        fault.to_string().contains("an administrator connects"),
        "{fault}"
    );
}

#[tokio::test]
async fn calls_of_files_stand_in_the_audit_as_those_of_services() {
    let desk = desk().await;
    let one = run_over(&desk, "shop", "query", "SELECT 1 AS one", json!({})).await;
    assert_eq!(one.unwrap()["rows"][0]["one"], 1);
    let path = "/api/v1/calls?account=sqlite:shop";
    let mut found = json!(null);
    // Rows are written once a second.
    for _ in 0..50 {
        (_, found) = desk.rest("GET", path, None).await;
        if found["calls"]
            .as_array()
            .is_some_and(|calls| !calls.is_empty())
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found["calls"][0]["tool"], "connector_execute", "{found}");
    let asked = json!({ "service": "sqlite", "module": "sql" });
    let passport = desk.text("describe_service", asked).await;
    assert!(
        passport.contains("execute") && passport.contains(":name"),
        "{passport}"
    );
}
