//! Requests and connections to outside servers.

use crate::dial::{Dialer, Speaks};
use crate::host::Host;
use crate::redirect::{self, Message};
use crate::stream::{Limits, Stream};
use crate::target::{Target, invalid};
use crate::{
    Allow, EgressError, MAX_REDIRECTS, Policy, PolicyError, Request, Resolver, Response,
    SystemResolver, roots,
};
use bytes::{Bytes, BytesMut};
use http::header;
use http::{HeaderValue, Method, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use quaymaster_core::Fut;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tower::Service;

/// A connection that [`Egress::encrypt`] made.
pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("quaymaster/", env!("CARGO_PKG_VERSION")));
/// The head of an answer, all fields together.
const HEAD_BYTES: u32 = 64 * 1024;
const HEAD_FIELDS: usize = 100;
/// Connections that are kept for the next request, and for how long.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 32;
/// Ways out with one more host that are kept.
const WIDER_AT_MOST: usize = 256;

/// They describe the connection or the length of the body, which only the client knows; a `Host`
/// of the caller's would ask the server for a host that nobody checked.
const NOT_YOURS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The way out. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Egress {
    dialer: Dialer,
    client: Client<Connector, Full<Bytes>>,
    connect_timeout: Duration,
    tls: ClientConfig,
    /// Those that [`Egress::allowing`] made.
    wider: Arc<Mutex<HashMap<(Host, u16), Egress>>>,
}

impl Egress {
    /// The way out under a policy, with the system's lookup of names.
    pub fn new(policy: Policy) -> Result<Egress, PolicyError> {
        Egress::with_resolver(policy, SystemResolver::default())
    }

    /// As [`Egress::new`], with another lookup of names.
    pub fn with_resolver(policy: Policy, resolver: impl Resolver) -> Result<Egress, PolicyError> {
        let tls = roots::tls(policy.extra_roots)?;
        let dialer = Dialer::new(policy.allow, resolver);
        Ok(Egress::over(dialer, tls, policy.connect_timeout))
    }

    fn over(dialer: Dialer, tls: ClientConfig, connect_timeout: Duration) -> Egress {
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dialer.clone());
        let connector = Connector {
            https,
            limit: connect_timeout,
        };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEAD_BYTES as usize)
            .http1_max_headers(HEAD_FIELDS)
            .http2_max_header_list_size(HEAD_BYTES)
            .build(connector);
        Egress {
            dialer,
            client,
            connect_timeout,
            tls,
            wider: Arc::default(),
        }
    }

    /// A way out that reaches one port of one host besides, wherever it is and also by plain http:
    /// for what an administrator said is inside the network. Never to be made from what a stranger
    /// says. It shares no connection with this one, so that what it opened serves nobody else, and
    /// is the same one for the same host and port.
    pub fn allowing(&self, host: &str, port: u16) -> Result<Egress, EgressError> {
        if port == 0 {
            return Err(invalid("nothing is at port 0"));
        }
        let host = Host::parse(host).map_err(invalid)?;
        let mut wider = self.wider.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = wider.get(&(host.clone(), port)) {
            return Ok(known.clone());
        }
        // They only save connections, and whoever is using one has its own.
        if wider.len() >= WIDER_AT_MOST {
            wider.clear();
        }
        let dialer = self.dialer.allowing(Allow::one(&host, port));
        let made = Egress::over(dialer, self.tls.clone(), self.connect_timeout);
        wider.insert((host, port), made.clone());
        Ok(made)
    }

    /// Sends a request and takes its whole answer, of any status.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let mut stream = self.open(request).await?;
        let mut body = BytesMut::new();
        while let Some(bytes) = stream.chunk().await? {
            body.extend_from_slice(&bytes);
        }
        Ok(Response {
            status: stream.status,
            headers: stream.headers,
            body: body.freeze(),
            url: stream.url,
        })
    }

    /// Sends a request and answers with the head of what comes back, of any status. The limits of
    /// the request hold for the whole body, however slowly it is read.
    pub async fn open(&self, request: Request) -> Result<Stream, EgressError> {
        let mut target = Target::parse(&request.url)?;
        let mut message = message(&request)?;
        let deadline = Instant::now() + request.timeout;
        let late = |target: &Target| EgressError::Timeout {
            host: target.name(),
            limit: request.timeout,
        };
        let mut hops = 0;
        loop {
            let answer = timeout_at(deadline, self.exchange(&target, &message))
                .await
                .map_err(|_| late(&target))??;
            let (head, body) = answer.into_parts();
            if request.follow_redirects
                && let Some(to) = redirect::destination(&target, head.status, &head.headers)?
            {
                if hops == MAX_REDIRECTS {
                    return Err(redirect::refused(
                        &target,
                        "there were more than 3 before it",
                    ));
                }
                hops += 1;
                message.follow(head.status, &target, &to)?;
                target = to;
                continue;
            }
            let limits = Limits {
                deadline,
                timeout: request.timeout,
                most: request.max_body,
            };
            return Stream::of(head, body, target, limits);
        }
    }

    /// A connection for another protocol than HTTP, to a public address or one that the operator
    /// allowed. What is spoken, and whether it is encrypted, is the caller's matter.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, EgressError> {
        self.connect_speaking(host, port, Speaks::Other).await
    }

    /// As [`Egress::connect`], for what will not be encrypted: only to what the operator allowed, as
    /// plain http.
    pub async fn connect_plain(&self, host: &str, port: u16) -> Result<TcpStream, EgressError> {
        self.connect_speaking(host, port, Speaks::Plain).await
    }

    async fn connect_speaking(
        &self,
        host: &str,
        port: u16,
        speaks: Speaks,
    ) -> Result<TcpStream, EgressError> {
        if port == 0 {
            return Err(invalid("nothing is at port 0"));
        }
        let host = Host::parse(host).map_err(invalid)?;
        let connecting = self.dialer.dial(&host, port, speaks);
        timeout(self.connect_timeout, connecting)
            .await
            .map_err(|_| EgressError::Timeout {
                host: host.to_string(),
                limit: self.connect_timeout,
            })?
    }

    /// As [`Egress::connect`], for a host that was read before, and without a limit in time.
    pub(crate) async fn dial(
        &self,
        host: &Host,
        port: u16,
        speaks: Speaks,
    ) -> Result<TcpStream, EgressError> {
        self.dialer.dial(host, port, speaks).await
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Encrypts a connection to `host`, whose certificate must be for that name and of an authority
    /// that the policy believes.
    pub async fn encrypt(&self, host: &str, stream: TcpStream) -> Result<TlsStream, EgressError> {
        let tls = || EgressError::Tls {
            host: host.to_owned(),
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| tls())?;
        let connector = TlsConnector::from(Arc::new(self.tls.clone()));
        let encrypting = timeout(self.connect_timeout, connector.connect(name, stream));
        let encrypted = encrypting.await.map_err(|_| EgressError::Timeout {
            host: host.to_owned(),
            limit: self.connect_timeout,
        })?;
        encrypted.map_err(|error| {
            tracing::debug!(%host, %error, "not encrypted");
            tls()
        })
    }

    async fn exchange(
        &self,
        target: &Target,
        message: &Message,
    ) -> Result<http::Response<Incoming>, EgressError> {
        let mut request = http::Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = target.uri.clone();
        *request.headers_mut() = message.headers.clone();
        let sent = self.client.request(request).await;
        let answer = sent.map_err(|error| went_wrong(&error, target))?;
        // The limits of the client are those of its buffers, and a head may be a little longer.
        let fields = answer.headers().iter();
        let head: usize = fields
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if head > HEAD_BYTES as usize {
            tracing::debug!(host = %target.host, head, "the head of the answer is too large");
            return Err(EgressError::Exchange {
                host: target.name(),
            });
        }
        Ok(answer)
    }
}

/// What is sent first, if the caller may ask for it.
fn message(request: &Request) -> Result<Message, EgressError> {
    if request.method == Method::CONNECT {
        return Err(EgressError::NotYours {
            name: request.method.to_string(),
        });
    }
    let mut headers = request.headers.clone();
    if let Some(name) = NOT_YOURS.iter().find(|name| headers.contains_key(**name)) {
        return Err(EgressError::NotYours {
            name: (*name).to_owned(),
        });
    }
    headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    headers
        .entry(header::ACCEPT_ENCODING)
        .or_insert(HeaderValue::from_static("identity"));
    Ok(Message {
        method: request.method.clone(),
        headers,
        body: request.body.clone(),
    })
}

/// What the dialer said, if it did; else by how far the request came.
fn went_wrong(error: &ClientError, target: &Target) -> EgressError {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(known) = inner.downcast_ref::<EgressError>() {
            return known.clone();
        }
        cause = inner.source();
    }
    let host = target.name();
    tracing::debug!(%host, error = error as &dyn Error, "not answered");
    if error.is_connect() {
        // The dialer had connected.
        EgressError::Tls { host }
    } else {
        EgressError::Exchange { host }
    }
}

/// Connects by the dialer, then by TLS, within one limit. It must be here and not around the
/// request alone: the client finishes a connection that a request no longer waits for.
#[derive(Clone)]
struct Connector {
    https: HttpsConnector<Dialer>,
    limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<Dialer> as Service<Uri>>::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Fut<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = self.limit;
        let host = uri.host().unwrap_or_default().to_owned();
        let connecting = self.https.call(uri);
        Box::pin(async move {
            timeout(limit, connecting)
                .await
                .unwrap_or_else(|_| Err(EgressError::Timeout { host, limit }.into()))
        })
    }
}
