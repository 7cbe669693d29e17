//! A loopback proxy that puts a bearer token on every request, for programs that cannot.
//!
//! It reads the head of one request and copies the rest of the connection byte by byte, so that
//! streams stream and `Host` and `Origin` arrive as sent. `Connection: close` makes the client open
//! a new connection for its next request.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Ends when it is dropped.
pub struct BearerProxy {
    /// The address of the endpoint through the proxy.
    pub endpoint: String,
    listening: AbortHandle,
}

impl Drop for BearerProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl BearerProxy {
    /// In front of `endpoint`, for example `http://127.0.0.1:8080/mcp`.
    pub async fn start(endpoint: &str, token: &str) -> BearerProxy {
        let rest = endpoint.strip_prefix("http://").expect("plain HTTP");
        let (address, path) = rest.split_once('/').expect("an endpoint has a path");
        let (address, token) = (address.to_owned(), token.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("its address");
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (address, token) = (address.clone(), token.clone());
                // A connection that breaks is its client's affair.
                tokio::spawn(async move { pass(client, &address, &token).await });
            }
        });
        BearerProxy {
            endpoint: format!("http://{own}/{path}"),
            listening: listening.abort_handle(),
        }
    }
}

async fn pass(client: TcpStream, server: &str, token: &str) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if line == "\r\n" {
            break;
        }
        let name = line.split(':').next().unwrap_or_default();
        if !name.eq_ignore_ascii_case("connection") {
            head.push_str(&line);
        }
    }
    head.push_str("Connection: close\r\nAuthorization: Bearer ");
    head.push_str(token);
    head.push_str("\r\n\r\n");
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    server.write_all(head.as_bytes()).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
