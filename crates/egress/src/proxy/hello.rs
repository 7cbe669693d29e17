//! The beginning of a TLS handshake, read to learn whom the client wants, and passed on as it came.

use rustls::server::Acceptor;
use std::io::Cursor;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longer than any client's first message.
const LONGEST: usize = 32 * 1024;

/// A client's first message.
pub(super) struct Hello {
    /// The host that it names, if it does.
    pub(super) name: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// None when it is no such message.
pub(super) async fn read(client: &mut (impl AsyncRead + Unpin)) -> Option<Hello> {
    let mut acceptor = Acceptor::default();
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        if start >= LONGEST || client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let mut came = Cursor::new(&bytes[start..]);
        while (came.position() as usize) < bytes.len() - start {
            if acceptor.read_tls(&mut came).ok()? == 0 {
                return None;
            }
        }
        if let Some(accepted) = acceptor.accept().ok()? {
            let name = accepted.client_hello().server_name().map(str::to_owned);
            return Some(Hello { name, bytes });
        }
    }
}
