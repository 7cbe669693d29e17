//! The onec family at the MCP door: calls by the names of methods, against a server that answers
//! with the request that reached it.

use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Answers every request with `value`: a list of one object with its `verb`, `target` and `body`; and the same
/// as the `result` of JSON-RPC. Ends when it is dropped.
struct Mirror {
    address: String,
    listening: AbortHandle,
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Mirror {
    async fn start() -> Mirror {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/base", listener.local_addr().unwrap());
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(answer(client));
            }
        });
        Mirror {
            address,
            listening: listening.abort_handle(),
        }
    }
}

async fn answer(client: TcpStream) {
    let mut reader = BufReader::new(client);
    let mut first = String::new();
    reader.read_line(&mut first).await.unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let mut words = first.split_whitespace();
    let request = json!({
        "verb": words.next(),
        "target": words.next(),
        "body": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
    });
    let text = json!({ "jsonrpc": "2.0", "id": 1, "value": [request], "result": request });
    let text = text.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    let mut client = reader.into_inner();
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(text.as_bytes()).await.unwrap();
}

async fn connect(server: &Server, key: &str, connector: &str, mirror: &Mirror) {
    let body = json!({
        "connector": connector, "name": "main", "auth": "basic", "isLocal": true,
        "fields": { "address": mirror.address, "username": "carrier", "password": "harbour-secret" },
    });
    let path = "/api/v1/connections";
    let (status, answer) = server.rest(key, "POST", path, Some(body)).await;
    assert_eq!(status, 201, "{answer}");
}

// promise: S2.28
#[tokio::test]
async fn both_keys_of_the_onec_family_are_called_by_the_names_of_methods() {
    let mirror = Mirror::start().await;
    let server = Server::start_on(Database::Sqlite).await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    for connector in ["onec", "onec_bsl"] {
        connect(&server, &key, connector, &mirror).await;
    }
    let execute = |arguments: Value| mcp.call("connector_execute", arguments);

    let body = json!({ "name": "Goods", "$top": 2 });
    let call = json!({ "service": "onec", "method": "catalog.list", "path": "", "body": body });
    let read = execute(call).await.unwrap();
    let request = &read["data"][0];
    assert_eq!(request["verb"], "GET", "{read}");
    assert_eq!(
        request["target"],
        "/base/odata/standard.odata/Catalog_Goods?%24top=2&%24format=json"
    );

    let fields = json!({ "Date": "2026-11-20T12:00:00" });
    let body = json!({ "name": "Sale", "fields": fields });
    let call = json!({ "service": "onec", "method": "document.create", "body": body });
    let made = execute(call).await.unwrap();
    let request = &made["data"]["result"];
    assert_eq!(request["verb"], "POST", "{made}");
    assert_eq!(request["body"], fields, "{made}");

    let body = json!({ "name": "list_metadata_objects", "arguments": { "metaType": "Catalogs" } });
    let call = json!({ "service": "onec_bsl", "method": "tools/call", "body": body });
    let called = execute(call).await.unwrap();
    assert_eq!(called["data"]["verb"], "POST", "{called}");
    assert_eq!(called["data"]["body"]["method"], "tools/call", "{called}");
    assert_eq!(called["data"]["body"]["params"], body, "{called}");

    let with_path = json!({ "service": "onec", "method": "GET", "path": "/Catalog_Goods" });
    let refused = execute(with_path).await.unwrap_err();
    assert_eq!(refused["code"], "INVALID_ARG", "{refused}");
    let slip = json!({ "service": "onec", "method": "catalog.lst", "body": {} });
    let refused = execute(slip).await.unwrap_err();
    assert_eq!(
        refused["details"]["did_you_mean"][0], "catalog.list",
        "{refused}"
    );

    // Whoever may only read reads by these names too, and posts nothing.
    let reader = server.api_key(&["read:tools"]).await;
    let reader = Mcp::open(&server.endpoint, &reader).await;
    let call = json!({ "service": "onec", "method": "document.list", "body": { "name": "Sale" } });
    reader.call("connector_execute", call).await.unwrap();
    let post = json!({ "name": "Sale", "key": "cf6eca39-7e2d-11e4-93f9-00155d012345", "PostingModeOperational": false });
    let call = json!({ "service": "onec", "method": "document.post", "body": post });
    let refused = reader.call("connector_execute", call).await.unwrap_err();
    assert_eq!(refused["code"], "SCOPE_DENIED", "{refused}");
}
