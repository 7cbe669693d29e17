use super::*;
use axum::routing::{any, get};
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const QUIET: Duration = Duration::from_millis(400);
/// Closed within this time, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn served(from_one_place: usize, place: Option<Place>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let slowly = || async {
        tokio::time::sleep(QUIET * 4).await;
        "late"
    };
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/mcp", any(|| async { "admitted" }))
        .route("/slow", get(slowly));
    let limits = Limits {
        quiet: QUIET,
        from_one_place,
    };
    let place_of = move |_| place;
    tokio::spawn(serve(
        listener,
        router,
        limits,
        place_of,
        stop.clone(),
        SOON,
    ));
    Served { address, stop }
}

/// How long the server leaves a connection open, while `says` is sent every 50 ms.
async fn left_open(server: &Served, greeting: &[u8], says: impl Fn(usize) -> Vec<u8>) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(greeting).await.unwrap();
    let mut buffer = [0; 1024];
    for n in 0.. {
        assert!(begun.elapsed() < SOON, "it is still open");
        let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut buffer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) || stream.write_all(&says(n)).await.is_err() {
            break;
        }
    }
    begun.elapsed()
}

/// What HTTP/2 begins with: the preface and empty settings (RFC 9113 §3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A ping (RFC 9113 §6.7).
const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0quayquay";

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_is_closed_whatever_drips_in() {
    let server = served(10, None).await;
    let nothing = |_| Vec::new();
    let dripping = |text: &'static [u8]| move |n| text.get(n..=n).unwrap_or_default().to_vec();
    let all = tokio::join!(
        left_open(&server, b"", nothing),
        left_open(&server, b"P", nothing),
        left_open(&server, b"", dripping(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        left_open(
            &server,
            b"",
            dripping(b"GET / HTTP/1.1\r\nhost: a\r\na: bcdefgh")
        ),
        left_open(&server, HTTP2, nothing),
        left_open(&server, HTTP2, |_| PING.to_vec()),
        left_open(&server, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", nothing),
    );
    let all: [Duration; 7] = all.into();
    for (n, time) in all.into_iter().enumerate() {
        assert!(time >= QUIET, "{n}: {time:?}");
    }
}

/// One request of HTTP/1.1 on a connection, and what is answered.
async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

#[tokio::test]
async fn a_connection_in_use_stays_open() {
    let server = served(10, None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let answer = ask(&mut stream, "/slow").await;
    assert!(answer.ends_with("late"), "{answer}");
    for _ in 0..8 {
        tokio::time::sleep(QUIET / 4).await;
        let answer = ask(&mut stream, "/").await;
        assert!(answer.ends_with("here"), "{answer}");
    }
}

#[tokio::test]
async fn one_place_has_so_many_connections_until_somebody_proves_who_they_are() {
    let server = served(2, Place::of("203.0.113.1".parse().unwrap())).await;
    let connect = async || TcpStream::connect(server.address).await.unwrap();
    let (mut first, mut second) = (connect().await, connect().await);
    ask(&mut first, "/").await;
    ask(&mut second, "/slow").await;
    let mut third = connect().await;
    let read = tokio::time::timeout(SOON, third.read(&mut [0; 8])).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "{read:?}");
    let mut first = connect_again(first, &server).await;
    assert!(ask(&mut first, "/mcp").await.ends_with("admitted"));
    let mut fourth = connect().await;
    assert!(ask(&mut fourth, "/").await.ends_with("here"));
}

/// Another connection in the place of one.
async fn connect_again(old: TcpStream, server: &Served) -> TcpStream {
    drop(old);
    let begun = Instant::now();
    loop {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        if asked.is_ok() && matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {
            return stream;
        }
        assert!(begun.elapsed() < SOON, "its seat is never free");
    }
}

#[tokio::test]
async fn what_runs_when_the_server_stops_is_answered() {
    let server = served(10, None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let asked = tokio::spawn(async move { ask(&mut stream, "/slow").await });
    tokio::time::sleep(QUIET / 2).await;
    server.stop.cancel();
    let answer = asked.await.unwrap();
    assert!(answer.ends_with("late"), "{answer}");
}
