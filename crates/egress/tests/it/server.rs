//! An HTTP/1.1 server that answers as a test wants, and remembers what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

pub(crate) struct Reply {
    /// Everything after the status code, without the empty line.
    pub(crate) head: String,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Whole(Vec<u8>),
    /// A length, and then nothing.
    Announced(u64),
    /// Chunks without end, as fast as they are taken.
    Endless,
    /// A byte every 20 ms, without end.
    Drip,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            head: "200 OK".into(),
            body: Body::Whole(body.into()),
        }
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Reply {
        Reply {
            head: format!("{status} Moved\r\nLocation: {location}"),
            body: Body::Whole(b"moved".to_vec()),
        }
    }
}

type Answer = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    /// Bytes of endless bodies that went out.
    pub(crate) sent: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(
        ip: &str,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::over(ip, None, Arc::new(answer)).await
    }

    pub(crate) async fn start_tls(
        tls: TlsAcceptor,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Server {
        Server::over("127.0.0.1", Some(tls), Arc::new(answer)).await
    }

    async fn over(ip: &str, tls: Option<TlsAcceptor>, answer: Answer) -> Server {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
            sent: Arc::default(),
        };
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                own.connections.fetch_add(1, Ordering::SeqCst);
                let (own, answer, tls) = (own.clone(), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => own.serve(stream, answer).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => own.serve(stream, answer).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn serve<S>(self, stream: S, answer: Answer) -> Option<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = BufReader::new(stream);
        loop {
            let seen = read(&mut stream).await?;
            let reply = answer(&seen);
            self.seen.lock().unwrap().push(seen);
            let head = format!("HTTP/1.1 {}\r\n", reply.head);
            stream.write_all(head.as_bytes()).await.ok()?;
            match reply.body {
                Body::Whole(body) => {
                    let length = format!("Content-Length: {}\r\n\r\n", body.len());
                    stream.write_all(length.as_bytes()).await.ok()?;
                    stream.write_all(&body).await.ok()?;
                    stream.flush().await.ok()?;
                }
                Body::Announced(length) => {
                    let length = format!("Content-Length: {length}\r\n\r\n");
                    stream.write_all(length.as_bytes()).await.ok()?;
                    stream.flush().await.ok()?;
                }
                Body::Endless => {
                    self.chunks(&mut stream, 64 * 1024, Duration::ZERO).await?;
                }
                Body::Drip => {
                    self.chunks(&mut stream, 1, Duration::from_millis(20))
                        .await?;
                }
            }
        }
    }

    async fn chunks<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        size: usize,
        pause: Duration,
    ) -> Option<()> {
        let start = b"Transfer-Encoding: chunked\r\n\r\n";
        stream.write_all(start).await.ok()?;
        let chunk = format!("{size:x}\r\n{}\r\n", "x".repeat(size));
        loop {
            stream.write_all(chunk.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
            self.sent.fetch_add(size, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<Seen> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let headers: HashMap<String, String> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        method,
        path,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}
