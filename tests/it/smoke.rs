//! The first five minutes: start, connect, edit a file, restart.

use quaymaster_tests::{Database, Mcp, Server};
use serde_json::json;

// promise: S1.1, S1.65
#[tokio::test]
async fn a_new_server_serves_files_with_the_printed_token_on_both_databases() {
    for database in Database::BOTH {
        let mut server = Server::start_on(database).await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let written = mcp
            .call(
                "write_file",
                json!({ "path": "notes/a.txt", "content": "one\n" }),
            )
            .await;
        assert_eq!(written.unwrap()["path"], "notes/a.txt");
        let on_disk = std::fs::read_to_string(server.home().join("notes/a.txt")).unwrap();
        assert_eq!(on_disk, "one\n");
        server.stop().await;
        let greeting = server.restart().await;
        assert!(
            greeting.get("first_start").is_none(),
            "secrets are printed once: {greeting}"
        );
        let mcp = Mcp::stateless(&server.endpoint, &server.token);
        let read = mcp
            .call(
                "read_file",
                json!({ "path": "/notes/a.txt", "line_numbers": false }),
            )
            .await;
        assert_eq!(read.unwrap()["content"], "one\n");
    }
}

// promise: S4.1, S4.4
#[tokio::test]
async fn the_endpoint_is_mcp_on_the_address_listened_on_and_localhost_names_it_too() {
    let server = Server::start().await;
    let (scheme_and_host, port) = server.url.rsplit_once(':').unwrap();
    assert_eq!(scheme_and_host, "http://127.0.0.1");
    assert_eq!(server.endpoint, format!("http://127.0.0.1:{port}/mcp"));
    let by_name = format!("http://localhost:{port}/mcp");
    let mcp = Mcp::stateless(&by_name, &server.token);
    assert!(mcp.call("list_files", json!({})).await.is_ok());
    let help = server.cli(&["--help"]).await;
    assert!(String::from_utf8_lossy(&help.stdout).contains("127.0.0.1:8080"));
}
