//! A service outside, with a certificate of its own on loopback: it answers as a test wants, remembers what it was
//! asked, and holds callers back while a test does something else.

use crate::tls_server::{acceptor, ca_file};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// One request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    /// What stood behind `Bearer`.
    pub token: String,
    /// The JSON of the body, or null.
    pub body: Value,
}

type Respond = dyn Fn(&Asked) -> (u16, Value) + Send + Sync;

/// Ends when it is dropped.
pub struct OutsideService {
    pub url: String,
    seen: Arc<Mutex<Vec<Asked>>>,
    came: watch::Receiver<usize>,
    gate: watch::Sender<bool>,
    directory: TempDir,
    listening: AbortHandle,
}

impl Drop for OutsideService {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl OutsideService {
    pub async fn start(
        respond: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static,
    ) -> OutsideService {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("its address"));
        let directory = TempDir::new().expect("a temporary directory");
        let tls = acceptor(directory.path());
        let seen = Arc::<Mutex<Vec<Asked>>>::default();
        let (count, came) = watch::channel(0);
        let (gate, open) = watch::channel(true);
        let (respond, shared, count) = (
            Arc::new(respond) as Arc<Respond>,
            seen.clone(),
            Arc::new(count),
        );
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (respond, seen, count) = (respond.clone(), shared.clone(), count.clone());
                let (open, tls) = (open.clone(), tls.clone());
                // A connection that breaks is its client's affair.
                tokio::spawn(
                    async move { serve(stream, &tls, &*respond, &seen, &count, open).await },
                );
            }
        });
        OutsideService {
            url,
            seen,
            came,
            gate,
            directory,
            listening: listening.abort_handle(),
        }
    }

    /// The certificate, for whoever is to believe it.
    pub fn ca_file(&self) -> PathBuf {
        ca_file(self.directory.path())
    }

    /// A chat that speaks as the connector `slack` wants. Every token that begins with `xoxb-` is
    /// good, and messages tell what stood behind it: the token itself is taken out of every answer. The
    /// message `late` is answered as by a gateway that lost the service.
    pub async fn chat() -> OutsideService {
        OutsideService::start(|asked| {
            if !asked.token.starts_with("xoxb-") {
                return (200, json!({ "ok": false, "error": "invalid_auth" }));
            }
            let method = asked.path.split('?').next().unwrap_or_default();
            let is_late = asked.body["text"] == "late";
            let answer = match method {
                "/api/auth.test" => json!({ "ok": true, "team": "Harbour", "user": "bot" }),
                "/api/conversations.list" => json!({ "ok": true, "channels": [
                    { "id": "C1", "name": "general" }, { "id": "C2", "name": "cranes" },
                ] }),
                "/api/chat.postMessage" => {
                    let mut answer = asked.body.clone();
                    answer["ok"] = json!(true);
                    answer["sent_with"] = json!(asked.token.trim_start_matches("xoxb-"));
                    answer
                }
                _ => json!({ "ok": false, "error": "unknown_method" }),
            };
            (if is_late { 504 } else { 200 }, answer)
        })
        .await
    }

    /// Writes the connector of the catalog that calls this service instead of the one on the
    /// internet, into a directory of definitions.
    pub fn stand_in_for(&self, connector: &str, real: &str, directory: &Path) {
        let catalog = format!("{}/../catalog/{connector}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(format!("{catalog}/connector.yaml"));
        let text = text.expect("the connector is in the catalog");
        let (old, new) = (
            format!("base_url: {real}"),
            format!("base_url: {}", self.url),
        );
        assert!(text.contains(&old), "{connector} is not at {real}");
        let folder = directory.join(connector);
        std::fs::create_dir_all(&folder).expect("a directory");
        std::fs::write(folder.join("connector.yaml"), text.replace(&old, &new))
            .expect("the definition is written");
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets nobody have an answer until [`OutsideService::let_go`].
    pub fn hold(&self) {
        self.gate.send_replace(false);
    }

    pub fn let_go(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until so many requests have come in all.
    pub async fn has_come(&self, wanted: usize) {
        let mut came = self.came.clone();
        let waited = tokio::time::timeout(
            std::time::Duration::from_secs(20),
            came.wait_for(|came| *came >= wanted),
        );
        waited
            .await
            .expect("the request comes")
            .expect("it listens");
    }
}

async fn serve(
    stream: TcpStream,
    tls: &TlsAcceptor,
    respond: &Respond,
    seen: &Mutex<Vec<Asked>>,
    count: &watch::Sender<usize>,
    mut open: watch::Receiver<bool>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(tls.accept(stream).await?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let header = |name: &str| {
            head.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        let length = header("content-length").and_then(|text| text.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        let mut words = head.split(' ').map(str::to_owned);
        let asked = Asked {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            token: header("authorization")
                .and_then(|text| text.strip_prefix("Bearer ").map(str::to_owned))
                .unwrap_or_default(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        let (status, answer) = respond(&asked);
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
        count.send_modify(|count| *count += 1);
        if open.wait_for(|open| *open).await.is_err() {
            return Ok(());
        }
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}
