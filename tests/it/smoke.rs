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
