//! A service on loopback that answers as a test wants, byte by byte, and remembers what it was
//! asked; and listeners that nobody may connect to.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) verb: String,
    /// Path and query.
    pub(crate) target: String,
    /// The head as it came, in lower case but for values.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether these letters came anywhere.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.head.contains(text) || self.body.contains(text)
    }
}

/// What a connection does next.
#[derive(Clone)]
pub(crate) enum Act {
    Write(Vec<u8>),
    Wait(Duration),
    /// The same bytes for ever, with a pause between.
    Forever(Vec<u8>, Duration),
    /// Ends the connection with a reset.
    Reset,
    Close,
}

/// A whole answer with its length.
pub(crate) fn reply(head: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Act::Write(bytes)]
}

pub(crate) fn json(body: &str) -> Vec<Act> {
    reply("200 OK\r\ncontent-type: application/json", body)
}

/// Bytes as they are, and the end of the connection.
pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Vec<Act> {
    vec![Act::Write(bytes.into()), Act::Close]
}

type Answers = Arc<dyn Fn(&Seen, usize) -> Vec<Act> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    /// Bytes that went out.
    pub(crate) sent: Arc<AtomicUsize>,
}

impl Upstream {
    /// Answers by the request and how many came before it.
    pub(crate) async fn start(
        ip: &str,
        answers: impl Fn(&Seen, usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Upstream {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let upstream = Upstream {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            connections: Arc::default(),
            sent: Arc::default(),
        };
        let own = upstream.clone();
        let answers: Answers = Arc::new(answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(own.clone().serve(stream, answers.clone()));
            }
        });
        upstream
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    async fn serve(self, mut stream: TcpStream, answers: Answers) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut unread = Vec::new();
        loop {
            let seen = next(&mut stream, &mut unread).await?;
            let before = {
                let mut all = self.seen.lock().unwrap();
                all.push(seen.clone());
                all.len() - 1
            };
            for act in answers(&seen, before) {
                match act {
                    Act::Write(bytes) => self.write(&mut stream, &bytes).await?,
                    Act::Wait(time) => tokio::time::sleep(time).await,
                    Act::Forever(bytes, pause) => loop {
                        self.write(&mut stream, &bytes).await?;
                        tokio::time::sleep(pause).await;
                    },
                    Act::Reset => {
                        stream.set_zero_linger().ok()?;
                        return None;
                    }
                    Act::Close => return None,
                }
            }
        }
    }

    async fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> Option<()> {
        stream.write_all(bytes).await.ok()?;
        self.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Some(())
    }
}

/// The next request on the connection.
async fn next(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, unread).await?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    let mut seen = Seen {
        verb: head.split(' ').next()?.to_owned(),
        target: head.split(' ').nth(1)?.to_owned(),
        head,
        body: String::new(),
    };
    let length: usize = seen
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    while unread.len() < end + length {
        more(stream, unread).await?;
    }
    seen.body = String::from_utf8_lossy(&unread[end..end + length]).into_owned();
    unread.drain(..end + length);
    Some(seen)
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let taken = stream.read_buf(unread).await.ok()?;
    (taken > 0).then_some(())
}

/// Listeners that nobody may connect to.
pub(crate) struct Canaries(pub(crate) Vec<(SocketAddr, Arc<AtomicUsize>)>);

impl Canaries {
    pub(crate) async fn listen() -> Canaries {
        let mut all = Vec::new();
        for ip in ["127.0.0.1", "127.0.0.1", "127.0.0.2", "::1"] {
            let ip: IpAddr = ip.parse().unwrap();
            let Ok(listener) = TcpListener::bind((ip, 0)).await else {
                assert!(ip.is_ipv6(), "{ip}");
                continue;
            };
            let address = listener.local_addr().unwrap();
            let count = Arc::new(AtomicUsize::new(0));
            let own = count.clone();
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    own.fetch_add(1, Ordering::SeqCst);
                }
            });
            all.push((address, count));
        }
        Canaries(all)
    }

    /// Fails if anybody connected. A connection of our own comes after all that came before.
    pub(crate) async fn are_silent(&self) {
        for (address, count) in &self.0 {
            let before = count.load(Ordering::SeqCst);
            let own = TcpStream::connect(address).await.unwrap();
            while count.load(Ordering::SeqCst) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(own);
            assert_eq!(
                count.fetch_sub(1, Ordering::SeqCst),
                1,
                "somebody connected to {address}"
            );
        }
    }
}
