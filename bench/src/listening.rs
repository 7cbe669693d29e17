//! A client of the era with sessions that holds its stream open, to see when it is told something.

use crate::load::Target;
use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const VERSION: &str = "2025-11-25";

pub(crate) struct Listener {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Listener {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Listener> {
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": VERSION, "capabilities": {}, "clientInfo": { "name": "bench", "version": "1.0" },
        } });
        let answer = post(target, "", &hello).await?;
        let session = answer
            .lines()
            .find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("mcp-session-id")
                    .then(|| value.trim().to_owned())
            })
            .with_context(|| answer.clone())?;
        let session = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: {VERSION}\r\n");
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        post(target, &session, &ready).await?;
        let mut stream = TcpStream::connect(&target.address).await?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n{session}\r\n",
            target.path, target.address, target.token
        );
        stream.write_all(request.as_bytes()).await?;
        let mut listener = Listener {
            stream,
            unread: Vec::new(),
        };
        listener.until(b"\r\n\r\n").await?;
        Ok(listener)
    }

    /// Reads on until there was this text, and forgets what was before.
    pub(crate) async fn until(&mut self, text: &[u8]) -> anyhow::Result<()> {
        loop {
            let found = self
                .unread
                .windows(text.len())
                .position(|part| part == text);
            if let Some(at) = found {
                self.unread.drain(..at + text.len());
                return Ok(());
            }
            let read = self.stream.read_buf(&mut self.unread).await?;
            anyhow::ensure!(read > 0, "the server closed the stream");
        }
    }
}

/// One message; answers the whole response.
async fn post(target: &Target, headers: &str, message: &Value) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(&target.address).await?;
    let body = message.to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        target.path,
        target.address,
        target.token,
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    Ok(answer)
}
