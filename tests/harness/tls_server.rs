//! A server with a certificate of its own on loopback, which answers as a test wants and remembers
//! what it was asked.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What goes back for a path: the status line from the code on, further headers, the body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(body: impl Into<Vec<u8>>) -> Answer {
        Answer::of("application/json", body)
    }

    pub fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status: "200 OK",
            headers: vec![("Content-Type", content_type.to_owned())],
            body: body.into(),
        }
    }

    pub fn redirect(location: &str) -> Answer {
        Answer {
            status: "302 Found",
            headers: vec![("Location", location.to_owned())],
            body: Vec::new(),
        }
    }

    pub fn not_found() -> Answer {
        Answer {
            status: "404 Not Found",
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    /// `METHOD /path` of each request.
    requests: Mutex<Vec<String>>,
}

/// Ends when it is dropped.
pub struct TlsServer {
    /// Address and port.
    pub authority: String,
    seen: Arc<Seen>,
    directory: TempDir,
    listening: AbortHandle,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl TlsServer {
    /// On 127.0.0.1, with a certificate for that and for `localhost`. `answer` gets the server's
    /// origin and the path with its query.
    pub async fn start(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> TlsServer {
        let directory = TempDir::new().expect("a temporary directory");
        let acceptor = acceptor(directory.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let authority = listener.local_addr().expect("its address").to_string();
        let seen = Arc::<Seen>::default();
        let (origin, shared) = (format!("https://{authority}"), seen.clone());
        let answer = Arc::new(move |path: &str| answer(&origin, path));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, answer, seen) = (acceptor.clone(), answer.clone(), shared.clone());
                // A connection that breaks is its client's affair.
                tokio::spawn(async move { serve(stream, &acceptor, &*answer, &seen).await });
            }
        });
        TlsServer {
            authority,
            seen,
            directory,
            listening: listening.abort_handle(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority)
    }

    /// The certificate, for whoever is to believe it.
    pub fn ca_file(&self) -> PathBuf {
        ca_file(self.directory.path())
    }

    /// TCP connections so far, whatever came of them.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// `METHOD /path` of each request so far.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.seen.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// For 127.0.0.1 and `localhost`; the certificate is written as [`ca_file`] into a directory.
pub(crate) fn acceptor(directory: &Path) -> TlsAcceptor {
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).expect("a certificate");
    std::fs::write(ca_file(directory), cert.pem()).expect("the certificate is written");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) fn ca_file(directory: &Path) -> PathBuf {
    directory.join("ca.pem")
}

async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    answer: &(dyn Fn(&str) -> Answer + Send + Sync),
    seen: &Seen,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next(), words.next());
    let path = path.unwrap_or_default();
    let request = format!("{} {path}", method.unwrap_or_default());
    let requests = seen.requests.lock();
    requests
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    let Answer {
        status,
        headers,
        body,
    } = answer(path);
    let mut head = vec![format!("HTTP/1.1 {status}")];
    head.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    head.push(format!("Content-Length: {}", body.len()));
    head.push("Connection: close\r\n\r\n".into());
    let head = head.join("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}
