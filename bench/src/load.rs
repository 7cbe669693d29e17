//! A load generator that costs little itself: raw HTTP/1.1 over kept connections, every JSON-RPC
//! id unique.

use crate::server::cpu_time;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Connections of a measurement.
const CONNECTIONS: usize = 8;
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(5);

/// Whom to ask, and for what.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: String,
    pub(crate) path: String,
    pub(crate) token: String,
    pub(crate) pid: u32,
}

pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) cpu_us: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

pub(crate) struct Connection {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n",
            target.path, target.address, target.token
        );
        Ok(Connection {
            stream,
            head,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// One `tools/call` of the stateless era; answers the raw response.
    pub(crate) async fn call(
        &mut self,
        id: u64,
        tool: &str,
        args: &Value,
    ) -> anyhow::Result<String> {
        let params = json!({ "name": tool, "arguments": args });
        self.request(id, "tools/call", Some(tool), params).await
    }

    /// One request of the stateless era; answers the raw response.
    pub(crate) async fn request(
        &mut self,
        id: u64,
        method: &str,
        name: Option<&str>,
        mut params: Value,
    ) -> anyhow::Result<String> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let body = body.to_string();
        let name = name.map_or_else(String::new, |name| format!("Mcp-Name: {name}\r\n"));
        let request = format!(
            "{}Mcp-Method: {method}\r\n{name}Content-Length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        loop {
            let read = self.stream.read(&mut self.buffer).await?;
            anyhow::ensure!(read > 0, "the server closed the connection");
            answer.extend_from_slice(&self.buffer[..read]);
            // Answers are chunked streams; the last chunk is empty.
            if answer.ends_with(b"0\r\n\r\n") {
                return Ok(String::from_utf8_lossy(&answer).into_owned());
            }
            anyhow::ensure!(
                answer.starts_with(b"HTTP/1.1 2"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    }
}

/// Calls one tool over eight connections for five seconds, after a warm-up.
pub(crate) async fn measure(target: &Target, tool: &str, args: Value) -> anyhow::Result<Measured> {
    measure_over(target, tool, args, CONNECTIONS).await
}

/// The same over so many connections.
pub(crate) async fn measure_over(
    target: &Target,
    tool: &str,
    args: Value,
    connections: usize,
) -> anyhow::Result<Measured> {
    let next = Arc::new(AtomicU64::new(1));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(target).await?);
    }
    let (tool, args) = (tool.to_owned(), Arc::new(args));
    measured(target, open, move |mut connection: Connection| {
        let (next, tool, args) = (next.clone(), tool.clone(), args.clone());
        async move {
            let id = next.fetch_add(1, Ordering::Relaxed);
            connection.call(id, &tool, &args).await?;
            Ok(connection)
        }
    })
    .await
}

/// Asks over open connections for five seconds, after a warm-up.
pub(crate) async fn measured<C, F>(
    target: &Target,
    connections: Vec<C>,
    ask: impl Fn(C) -> F + Clone + Send + 'static,
) -> anyhow::Result<Measured>
where
    C: Send + 'static,
    F: Future<Output = anyhow::Result<C>> + Send,
{
    let (counting, stop) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let mut workers = Vec::new();
    for mut connection in connections {
        let (counting, stop, ask) = (counting.clone(), stop.clone(), ask.clone());
        workers.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                connection = ask(connection).await?;
                if counting.load(Ordering::Relaxed) {
                    times.push(begun.elapsed());
                }
            }
            anyhow::Ok(times)
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    let cpu = cpu_time(target.pid)?;
    let begun = Instant::now();
    counting.store(true, Ordering::Relaxed);
    tokio::time::sleep(MEASURED).await;
    stop.store(true, Ordering::Relaxed);
    let elapsed = begun.elapsed().as_secs_f64();
    let cpu = cpu_time(target.pid)?.saturating_sub(cpu);
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await??);
    }
    times.sort_unstable();
    let at = |share: f64| -> anyhow::Result<f64> {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        Ok(times
            .get(index)
            .context("no call was answered")?
            .as_secs_f64()
            * 1_000.0)
    };
    Ok(Measured {
        per_second: times.len() as f64 / elapsed,
        cpu_us: cpu.as_secs_f64() * 1e6 / times.len() as f64,
        p50_ms: at(0.5)?,
        p99_ms: at(0.99)?,
    })
}

/// The structured content of an answer.
pub(crate) fn structured(answer: &str) -> anyhow::Result<Value> {
    let message = message(answer)?;
    anyhow::ensure!(message["result"]["isError"] != true, "{message}");
    Ok(message["result"]["structuredContent"].clone())
}

/// The last message of an answer.
pub(crate) fn message(answer: &str) -> anyhow::Result<Value> {
    let line = answer
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .next_back()
        .context("no event")?;
    Ok(serde_json::from_str(line)?)
}
