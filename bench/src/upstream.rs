//! A bare service over HTTP/1.1 that answers every request with one small JSON object, in a process
//! of its own; and what it does when it is asked directly.

use crate::load::{Measured, Target, measured};
use anyhow::Context as _;
use futures_util::future::try_join_all;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const TOKEN: &str = "harbour-secret";
const ANSWER: &str = r#"{"id": 7, "name": "Ship 7", "tons": 70, "port": "HAM", "state": "open", "tags": ["old", "red"], "owner": {"id": 3, "name": "Ann"}, "built": "1974-05-02"}"#;

pub(crate) struct Upstream {
    pub(crate) address: String,
    child: Child,
}

impl Upstream {
    pub(crate) async fn start() -> anyhow::Result<Upstream> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("upstream")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let address = lines.next_line().await?.context("the service ended")?;
        Ok(Upstream { address, child })
    }
}

/// Serves on a free port and prints it.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let mut unread = Vec::with_capacity(4_096);
    loop {
        if stream.read_buf(&mut unread).await.ok()? == 0 {
            return None;
        }
        // All requests here are without a body.
        while let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            unread.drain(..at + 4);
            stream.write_all(reply.as_bytes()).await.ok()?;
        }
    }
}

/// Kept connections to the service itself, each with room for an answer.
pub(crate) struct Direct {
    streams: Vec<(TcpStream, Vec<u8>)>,
    request: String,
}

impl Direct {
    pub(crate) async fn open(upstream: &Upstream, connections: usize) -> anyhow::Result<Direct> {
        let address = &upstream.address;
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push((stream, vec![0; 4_096]));
        }
        let request = format!(
            "GET /v1/ships/7?fields=name HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\nAccept: application/json\r\n\r\n"
        );
        Ok(Direct { streams, request })
    }

    /// One request over each connection, all at the same time.
    pub(crate) async fn ask_all(&mut self) -> anyhow::Result<()> {
        let request = &self.request;
        let asked = self.streams.iter_mut();
        let asked = asked.map(|(stream, buffer)| ask(stream, buffer, request));
        try_join_all(asked).await?;
        Ok(())
    }
}

async fn ask(stream: &mut TcpStream, buffer: &mut [u8], request: &str) -> anyhow::Result<()> {
    stream.write_all(request.as_bytes()).await?;
    let mut read = 0;
    while !buffer[..read].ends_with(ANSWER.as_bytes()) {
        let more = stream.read(&mut buffer[read..]).await?;
        anyhow::ensure!(more > 0, "the service closed the connection");
        read += more;
    }
    Ok(())
}

/// Asks the service itself over so many connections.
pub(crate) async fn measure(upstream: &Upstream, connections: usize) -> anyhow::Result<Measured> {
    let target = Target {
        address: upstream.address.clone(),
        path: "/mcp".to_owned(),
        token: TOKEN.to_owned(),
        pid: upstream.child.id().context("the service ended")?,
    };
    let Direct { streams, request } = Direct::open(upstream, connections).await?;
    measured(&target, streams, move |(mut stream, mut buffer)| {
        let request = request.clone();
        async move {
            ask(&mut stream, &mut buffer, &request).await?;
            Ok((stream, buffer))
        }
    })
    .await
}
