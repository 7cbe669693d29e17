//! A service on loopback that answers byte by byte as a test wants, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub verb: String,
    /// Path and query.
    pub target: String,
    /// The head as it came.
    pub head: String,
    pub body: String,
}

impl Asked {
    /// The values of a header, in their order.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

/// What a connection does next.
#[derive(Debug, Clone)]
pub enum Act {
    Write(Vec<u8>),
    Wait(Duration),
    /// The same bytes for ever, with a pause between.
    Forever(Vec<u8>, Duration),
    /// Ends the connection with a reset.
    Reset,
    Close,
}

impl Act {
    /// A whole answer; `head` is the status line without the version, and headers.
    pub fn reply(head: &str, body: impl AsRef<[u8]>) -> Vec<Act> {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
        vec![Act::Write([head.as_bytes(), body].concat())]
    }

    pub fn json(body: &str) -> Vec<Act> {
        Act::reply("200 OK\r\ncontent-type: application/json", body)
    }

    /// A piece of a chunked body.
    pub fn chunk(bytes: &[u8]) -> Vec<u8> {
        let length = format!("{:x}\r\n", bytes.len());
        [length.as_bytes(), bytes, b"\r\n"].concat()
    }
}

type Answers = Arc<dyn Fn(&Asked) -> Vec<Act> + Send + Sync>;

#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Upstream {
    /// Listens at an address of loopback.
    pub async fn start(
        ip: &str,
        answers: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static,
    ) -> Upstream {
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let upstream = Upstream {
            address: listener.local_addr().expect("its address"),
            asked: Arc::default(),
        };
        let own = upstream.clone();
        let answers: Answers = Arc::new(answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream, answers.clone()));
            }
        });
        upstream
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far; the next look begins anew.
    pub fn take(&self) -> Vec<Asked> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }

    async fn serve(self, mut stream: TcpStream, answers: Answers) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut unread = Vec::new();
        loop {
            let asked = next(&mut stream, &mut unread).await?;
            let acts = answers(&asked);
            let remembered = &self.asked;
            remembered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(asked);
            for act in acts {
                match act {
                    Act::Write(bytes) => stream.write_all(&bytes).await.ok()?,
                    Act::Wait(time) => tokio::time::sleep(time).await,
                    Act::Forever(bytes, pause) => loop {
                        stream.write_all(&bytes).await.ok()?;
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
}

/// The next request on the connection.
async fn next(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Asked> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, unread).await?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    let mut words = head.split(' ');
    let mut asked = Asked {
        verb: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        head: head.clone(),
        body: String::new(),
    };
    let length = asked.header("content-length").first().copied();
    let length: usize = length.unwrap_or("0").parse().ok()?;
    while unread.len() < end + length {
        more(stream, unread).await?;
    }
    asked.body = String::from_utf8_lossy(&unread[end..end + length]).into_owned();
    unread.drain(..end + length);
    Some(asked)
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let taken = stream.read_buf(unread).await.ok()?;
    (taken > 0).then_some(())
}
