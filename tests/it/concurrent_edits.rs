//! Two clients that change one file at the same time.

use futures_util::future::join_all;
use quaymaster_tests::{Mcp, Server};
use serde_json::json;

#[tokio::test]
async fn of_two_clients_that_edit_the_same_version_exactly_one_wins() {
    let server = Server::start().await;
    let other = server.cli_json(&["token", "create"]).await;
    let clients = [
        Mcp::open(&server.endpoint, &server.token).await,
        Mcp::open(&server.endpoint, other["token"].as_str().unwrap()).await,
    ];
    let first = json!({ "path": "shared.txt", "content": "0\n" });
    let mut etag = clients[0].call("write_file", first).await.unwrap()["etag"].clone();
    for round in 0..25 {
        let edits = clients.iter().enumerate().map(|(who, mcp)| {
            let content = format!("{round} by {who}\n");
            let arguments = if round % 2 == 0 {
                json!({ "path": "shared.txt", "content": content, "if_match": etag })
            } else {
                json!({
                    "path": "shared.txt", "start_line": 1, "end_line": 1, "content": content,
                    "if_match": etag,
                })
            };
            let tool = if round % 2 == 0 {
                "write_file"
            } else {
                "replace_lines"
            };
            async move { (content, mcp.call(tool, arguments).await) }
        });
        let answers = join_all(edits).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer.is_ok());
        assert_eq!((won.len(), lost.len()), (1, 1), "{answers:?}");
        let fault = lost[0].1.as_ref().unwrap_err();
        assert_eq!(fault["code"], "PRECONDITION_FAILED");
        let winner = won[0].1.as_ref().unwrap();
        assert_eq!(fault["details"]["current_etag"], winner["etag"]);
        let on_disk = std::fs::read_to_string(server.home().join("shared.txt")).unwrap();
        assert_eq!(on_disk, won[0].0);
        etag = winner["etag"].clone();
    }
}
