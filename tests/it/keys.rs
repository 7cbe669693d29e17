//! The key that seals what must be kept: who may read it, what a wrong one does, rotation.

use crate::outside::sqlite;
use crate::sending::Session;
use quaymaster_tests::{Mcp, Server};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn what_the_server_writes_is_for_its_owner_only_whoever_made_the_data_directory() {
    let server = Server::start().await;
    // The directory was made by the test, which does as a package or a container does.
    let rights = std::fs::metadata(server.data.path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(rights & 0o077, 0o055, "others may enter");
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    mcp.call("write_file", json!({ "path": "d/f", "content": "x" }))
        .await
        .unwrap();
    let names = [
        "quaymaster.db",
        "quaymaster.db-wal",
        "key",
        "server.json",
        "workspaces",
    ];
    for path in names.map(|name| server.data.path().join(name)) {
        let rights = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(
            rights & 0o077,
            0,
            "{} is open to others: {rights:o}",
            path.display()
        );
    }
}

#[tokio::test]
async fn a_wrong_key_refuses_to_start_and_names_the_right_one() {
    let mut server = Server::start().await;
    let good = server.cli_json(&["keys", "verify"]).await;
    let id = good["key_id"].as_str().unwrap();
    server.stop().await;
    let file = server.data.path().join("key");
    let key = std::fs::read_to_string(&file).unwrap();
    let other = "00112233445566778899aabbccddeeff".repeat(2);
    std::fs::write(&file, format!("{other}\n")).unwrap();
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["token", "list"],
        &["keys", "verify"],
    ] {
        let output = server.cli(arguments).await;
        assert!(!output.status.success(), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(id), "{said}");
        assert!(
            !said.contains(&other) && !said.contains(key.trim()),
            "{said}"
        );
    }
    std::fs::write(&file, &key).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = server.cli(&["token", "list"]).await;
    assert!(
        !exposed.status.success(),
        "a key that others can read is no secret"
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    server.restart().await;
}

#[tokio::test]
async fn both_layers_of_keys_rotate_while_the_server_runs() {
    let mut server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let file = server.data.path().join("key");
    let mut ids = vec![server.cli_json(&["keys", "verify"]).await["key_id"].clone()];
    for _ in 0..2 {
        let before = std::fs::read_to_string(&file).unwrap();
        let open = Session::create(
            &mcp,
            json!({ "path": format!("f{}", ids.len()), "size": 3 }),
        )
        .await;
        let rotated = server.cli_json(&["keys", "rotate"]).await;
        assert_eq!(rotated["unreadable"], 0);
        assert!(!ids.contains(&rotated["key_id"]));
        ids.push(rotated["key_id"].clone());
        assert_ne!(std::fs::read_to_string(&file).unwrap(), before);
        let data = server.cli_json(&["keys", "rotate-data"]).await;
        assert_eq!(data["unreadable"], 0);
        let verified = server.cli_json(&["keys", "verify"]).await;
        assert_eq!(
            (&verified["unreadable"], &verified["key_id"]),
            (&json!(0), &rotated["key_id"])
        );
        assert_eq!(
            open.put(0, b"abc".to_vec(), None).await.0,
            200,
            "addresses stay good"
        );
        mcp.call("complete_upload_session", open.named())
            .await
            .unwrap();
        Session::create(
            &mcp,
            json!({ "path": format!("later{}", ids.len()), "size": 0 }),
        )
        .await;
    }
    let pending = Session::create(&mcp, json!({ "path": "last", "size": 3 })).await;
    server.stop().await;
    server.restart().await;
    let path = &pending.template[pending.template.find("/u/").unwrap()..];
    let address = format!("{}{}", server.url, path.replace("{n}", "0"));
    let sent = reqwest::Client::new()
        .put(address)
        .body("abc")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 200, "and after a restart");
    server.stop().await;
    let retired = "SELECT COUNT(*) > 0 FROM data_keys WHERE retired_at IS NOT NULL";
    assert_eq!(sqlite(server.data.path(), retired).await, json!([[1]]));
}
