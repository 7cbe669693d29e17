//! Clients that say nothing, or too slowly, and hold connections by it.

use quaymaster_tests::{Mcp, Server};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than the server waits for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the server leaves a connection open that sends `says` again and again.
async fn left_open(server: &Server, greeting: &[u8], says: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(&server.listening).await.unwrap();
    stream.write_all(greeting).await.unwrap();
    let mut buffer = [0; 1024];
    while begun.elapsed() < PATIENCE {
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) || stream.write_all(says).await.is_err() {
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
async fn a_connection_that_asks_nothing_is_closed_and_one_that_streams_is_not() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let mut stream = mcp.stream().await;
    let held = tokio::join!(
        left_open(&server, b"", b""),
        left_open(&server, b"P", b""),
        left_open(&server, b"GET / HTTP/1.1\r\nhost: localhost\r\na: ", b"a"),
        left_open(&server, HTTP2, PING),
    );
    let held: [Duration; 4] = held.into();
    for (n, time) in held.into_iter().enumerate() {
        assert!(time < Duration::from_secs(15), "{n}: {time:?}");
    }
    while let Ok(chunk) = tokio::time::timeout(Duration::from_millis(200), stream.chunk()).await {
        assert!(matches!(chunk, Ok(Some(_))), "the stream ended: {chunk:?}");
    }
}
