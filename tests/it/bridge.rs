//! `quaymaster connect` against servers that restart, break off and contradict themselves.

use quaymaster_tests::{Mcp, Server, server::program};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc;

/// A bridge as a client starts it, on a machine whose proxy leads nowhere.
struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Bridge {
    fn start(endpoint: &str, token: &str) -> Bridge {
        let mut child = program()
            .args(["connect", endpoint])
            .env("QUAYMASTER_TOKEN", token)
            .env("http_proxy", "http://127.0.0.1:1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Bridge {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    async fn send_bytes(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).await.unwrap();
        input.write_all(b"\n").await.unwrap();
        input.flush().await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.send_bytes(message.to_string().as_bytes()).await;
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(20), self.output.next_line()).await;
        let line = line.expect("a line in time").unwrap();
        serde_json::from_str(&line.expect("the bridge runs")).unwrap()
    }

    /// The answer to a request; what else arrives before is left out.
    async fn ask(&mut self, id: i64, method: &str, params: Value) -> Value {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        loop {
            let message = self.next().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    async fn handshake(&mut self) {
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "tests", "version": "1.0" },
        });
        let answer = self.ask(0, "initialize", params).await;
        assert_eq!(
            answer["result"]["protocolVersion"], "2025-06-18",
            "{answer}"
        );
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
    }

    async fn call(&mut self, id: i64, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask(id, "tools/call", params).await
    }

    /// Closes its input and reads what still comes until it ends.
    async fn end(mut self, within: Duration) -> Vec<Value> {
        self.input = None;
        let ended = tokio::time::timeout(within, async {
            let mut rest = Vec::new();
            while let Some(line) = self.output.next_line().await.unwrap() {
                rest.push(serde_json::from_str(&line).unwrap());
            }
            assert!(self.child.wait().await.unwrap().success());
            rest
        });
        ended.await.expect("the bridge ends in time")
    }
}

/// A server at the same address again, on the same data.
async fn serve_at(address: &str, data: &Path) -> Child {
    let mut child = program()
        .args(["serve", "--json", "--listen", address, "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
    let greeting = started.unwrap().unwrap().unwrap();
    assert!(greeting.contains("listening"), "{greeting}");
    child
}

#[tokio::test]
async fn a_restart_of_the_server_is_not_noticed_by_the_client() {
    let mut server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut bridge = Bridge::start(&server.endpoint, &server.token);
    bridge.handshake().await;
    let file = json!({ "path": "a.txt", "content": "a\n" });
    let written = bridge.call(1, "write_file", file).await;
    assert_eq!(written["result"]["isError"], false, "{written}");
    server.stop().await;

    // At once after the restart, when the listening stream may not be back yet.
    let mut child = serve_at(&address, server.data.path()).await;
    for id in 2..6 {
        let read = bridge
            .call(id, "read_file", json!({ "path": "a.txt" }))
            .await;
        assert_eq!(read["result"]["isError"], false, "{read}");
    }
    child.kill().await.unwrap();

    // And with nothing sent at all: the listening stream comes back by itself.
    let _child = serve_at(&address, server.data.path()).await;
    let endpoint = &server.endpoint;
    let key = server
        .cli_json(&["token", "create", "--org", "--scopes", "admin"])
        .await;
    let key = key["token"].as_str().unwrap();
    let listed = server.cli_json(&["token", "list"]).await;
    let all = listed["credentials"].as_array().unwrap();
    let own = all.iter().find(|one| one["origin"] == "default").unwrap();
    let (workspace, own) = (&server.workspace, own["id"].as_str().unwrap());
    let path = format!("/api/v1/workspaces/{workspace}/tokens/{own}");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let mut read_only = false;
    loop {
        assert!(
            tokio::time::Instant::now() < deadline,
            "no word of the change"
        );
        let (status, answer) = server
            .rest(key, "PATCH", &path, Some(json!({ "readOnly": read_only })))
            .await;
        assert_eq!(status, 200, "{answer}");
        read_only = !read_only;
        let line = tokio::time::timeout(Duration::from_secs(1), bridge.output.next_line()).await;
        if let Ok(line) = line {
            let message: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
            assert_eq!(
                message["method"], "notifications/tools/list_changed",
                "{message}"
            );
            break;
        }
    }
    let sessionless = Mcp::stateless(endpoint, &server.token);
    assert_eq!(sessionless.initialize("2025-06-18").await.status, 200);
    bridge.end(Duration::from_secs(4)).await;
}

#[tokio::test]
async fn a_line_that_is_no_message_is_answered_and_left_behind() {
    let server = Server::start().await;
    let mut bridge = Bridge::start(&server.endpoint, &server.token);
    bridge.handshake().await;
    let cut = [
        &b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\""[..],
        &[0xff, 0xfe],
        b"\"}",
    ]
    .concat();
    for line in [&cut[..], b"{\"jsonrpc\": ", b"plain words", &[0xc3, 0x28]] {
        bridge.send_bytes(line).await;
        let answer = bridge.next().await;
        assert_eq!(answer["error"]["code"], -32_700, "{answer}");
        assert!(answer["id"].is_null());
    }
    bridge
        .send_bytes(b"[{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}]")
        .await;
    let answer = bridge.next().await;
    assert_eq!(
        (&answer["id"], &answer["error"]["code"]),
        (&json!(7), &json!(-32_600))
    );
    let answer = bridge.ask(8, "ping", json!({})).await;
    assert!(answer["result"].is_object(), "{answer}");
    assert!(bridge.end(Duration::from_secs(4)).await.is_empty());
}

fn stateless_params() -> Value {
    json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1.0" },
    } })
}

#[tokio::test]
async fn an_open_subscription_does_not_hold_the_bridge_back() {
    let server = Server::start().await;
    let mut bridge = Bridge::start(&server.endpoint, &server.token);
    let mut params = stateless_params();
    params["notifications"] = json!({ "toolsListChanged": true });
    bridge
        .send(json!({
            "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params,
        }))
        .await;
    let said = bridge.next().await;
    assert_eq!(
        said["method"], "notifications/subscriptions/acknowledged",
        "{said}"
    );
    bridge.end(Duration::from_secs(2)).await;
}

/// What the crooked server got, in order: method and id, or `closed`.
type Seen = mpsc::UnboundedReceiver<String>;

/// A server that answers as the method's name says.
async fn crooked() -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/mcp", listener.local_addr().unwrap());
    let (tell, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, tell.clone()));
        }
    });
    (endpoint, seen)
}

async fn answer(mut stream: TcpStream, tell: mpsc::UnboundedSender<String>) -> Option<()> {
    let mut got = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut got).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&got).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let message: Value = serde_json::from_str(&body).unwrap_or_default();
    let id = &message["id"];
    let method = message["method"].as_str().unwrap_or_default();
    let _ = tell.send(format!("{method} {id}"));
    let result = json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    let stream_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n";
    let whole = match method {
        _ if !head.starts_with("POST") => "HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n".into(),
        "initialize" => {
            let result = json!({
                "jsonrpc": "2.0", "id": id, "result": { "protocolVersion": "2025-06-18" },
            });
            format!("{stream_head}mcp-session-id: s1\r\n\r\ndata: {result}\n\n")
        }
        "notifications/initialized" | "notifications/cancelled" => {
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into()
        }
        "nothing" => format!("{stream_head}\r\n: nothing\n\n"),
        "cut" => format!("{stream_head}content-length: 900\r\n\r\ndata: {{\"jsonrpc\":"),
        "twice" => format!("{stream_head}\r\ndata: {result}\n\ndata: {result}\n\n"),
        "cut after" => format!("{stream_head}content-length: 900\r\n\r\ndata: {result}\n\n"),
        "no id" => {
            let error =
                json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -5, "message": "no" } });
            let error = error.to_string();
            format!(
                "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{error}",
                error.len()
            )
        }
        "slow" => {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let _ = tell.send("slow has its headers".into());
            stream
                .write_all(format!("{stream_head}\r\n").as_bytes())
                .await
                .ok()?;
            tokio::time::sleep(Duration::from_millis(300)).await;
            String::new()
        }
        "open" => {
            stream
                .write_all(format!("{stream_head}\r\n: open\n\n").as_bytes())
                .await
                .ok()?;
            let ended = stream.read(&mut [0; 16]).await;
            let _ = tell.send(format!("closed {}", ended.unwrap_or(0)));
            return None;
        }
        "vanish" => return None,
        "ping" => format!("{stream_head}\r\ndata: {result}\n\n"),
        _ => "HTTP/1.1 502 Bad\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>".into(),
    };
    stream.write_all(whole.as_bytes()).await.ok()
}

#[tokio::test]
async fn every_request_gets_one_answer_whatever_the_server_does() {
    let (endpoint, _seen) = crooked().await;
    let mut bridge = Bridge::start(&endpoint, "token");
    let methods = [
        "nothing",
        "cut",
        "twice",
        "cut after",
        "no id",
        "vanish",
        "page",
        "ping",
    ];
    for (id, method) in methods.iter().enumerate() {
        bridge
            .send(json!({ "jsonrpc": "2.0", "id": id, "method": method }))
            .await;
    }
    // These ask for nothing, and get nothing, though the server fails.
    bridge
        .send(json!({ "jsonrpc": "2.0", "id": 0, "result": {} }))
        .await;
    bridge
        .send(json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": "no" } }))
        .await;
    bridge
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/page" }))
        .await;
    let answers = bridge.end(Duration::from_secs(8)).await;
    assert_eq!(answers.len(), methods.len(), "{answers:?}");
    for (id, method) in methods.iter().enumerate() {
        let own: Vec<_> = answers.iter().filter(|one| one["id"] == id).collect();
        assert_eq!(own.len(), 1, "{method}: {answers:?}");
        let good = matches!(*method, "twice" | "cut after" | "ping");
        assert_eq!(own[0]["result"].is_object(), good, "{method}: {}", own[0]);
        let code = if *method == "no id" { -5 } else { -32_000 };
        assert!(
            good || own[0]["error"]["code"] == code,
            "{method}: {}",
            own[0]
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_each_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let mut bridge = Bridge::start(&endpoint, "token");
    bridge
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }))
        .await;
    let answer = bridge.ask(1, "ping", json!({})).await;
    assert_eq!(answer["error"]["code"], -32_000, "{answer}");
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("does not answer")
    );
    assert!(bridge.end(Duration::from_secs(4)).await.is_empty());
}

#[tokio::test]
async fn a_cancellation_does_not_overtake_its_request() {
    let (endpoint, mut seen) = crooked().await;
    let mut bridge = Bridge::start(&endpoint, "token");
    bridge.handshake().await;
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 5 },
    });
    bridge
        .send(json!({ "jsonrpc": "2.0", "id": 5, "method": "slow" }))
        .await;
    bridge.send(cancel).await;
    let mut order = Vec::new();
    while order
        .last()
        .is_none_or(|last: &String| !last.contains("cancelled"))
    {
        let next = tokio::time::timeout(Duration::from_secs(10), seen.recv()).await;
        order.push(next.expect("the cancellation arrives").unwrap());
    }
    let at = |what: &str| order.iter().position(|one| one.contains(what));
    assert!(at("slow has its headers") < at("cancelled"), "{order:?}");
    assert!(at("slow has its headers").is_some(), "{order:?}");
    let rest = bridge.end(Duration::from_secs(4)).await;
    assert!(rest.is_empty(), "who cancelled wants no answer: {rest:?}");
}

#[tokio::test]
async fn cancelling_without_a_session_closes_the_answers_stream() {
    let (endpoint, mut seen) = crooked().await;
    let mut bridge = Bridge::start(&endpoint, "token");
    let params = stateless_params();
    bridge
        .send(json!({ "jsonrpc": "2.0", "id": "x", "method": "open", "params": params }))
        .await;
    assert_eq!(seen.recv().await.unwrap(), "open \"x\"");
    let params = json!({ "requestId": "x" });
    bridge
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }))
        .await;
    let closed = tokio::time::timeout(Duration::from_secs(5), seen.recv()).await;
    assert_eq!(closed.expect("the stream is closed").unwrap(), "closed 0");
    let answer = bridge.ask(2, "ping", stateless_params()).await;
    assert!(answer["result"].is_object());
    assert_eq!(
        seen.recv().await.unwrap(),
        "ping 2",
        "no message told the server"
    );
    assert!(bridge.end(Duration::from_secs(4)).await.is_empty());
}
