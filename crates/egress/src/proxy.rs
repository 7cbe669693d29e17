//! A proxy for programs that have no other way out: HTTP by absolute address, everything encrypted by CONNECT
//! (RFC 9110 §9.3.6).
//!
//! Programs name a host; the proxy resolves it here, checks it by the rules of an [`Egress`], and lets through
//! only hosts that it was made for. Whoever opened a tunnel to one host cannot speak to another one behind the same
//! address: the name in the TLS handshake must be the tunnel's.

mod counted;
mod hello;

use crate::allow::Allow;
use crate::dial::Speaks;
use crate::host::Host;
use crate::{Egress, EgressError};
use bytes::Bytes;
use counted::Counted;
pub use counted::Visit;
use counted::{Counts, Entry};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// From the answer to CONNECT until the client has said whom it wants.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// Between two requests of one connection.
const IDLE: Duration = Duration::from_mins(2);

/// A host that may be reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// A name or an address, as in a URL.
    pub host: String,
    pub port: u16,
    /// An administrator said that it is inside the network. Nobody else may.
    pub inside: bool,
}

/// What programs may do.
#[derive(Debug, Clone)]
pub struct ProxyRules {
    pub places: Vec<Place>,
    /// Names besides, on the usual ports, as an operator lists them.
    pub names: Vec<Allow>,
    /// Connections at the same time.
    pub connections: usize,
    /// Of all connections together, both ways.
    pub bytes: u64,
}

/// The proxy of one session. Cheap to clone.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
}

struct Shared {
    egress: Egress,
    rules: ProxyRules,
    counts: Counts,
    room: Arc<Semaphore>,
}

/// A proxy that serves as long as this lives.
pub struct Serving {
    task: tokio::task::AbortHandle,
    _stop: watch::Sender<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Body = BoxBody<Bytes, hyper::Error>;

/// Why somebody was not let through.
struct Refused {
    status: StatusCode,
    reason: String,
}

fn refused(reason: &str) -> Refused {
    Refused {
        status: StatusCode::FORBIDDEN,
        reason: reason.to_owned(),
    }
}

impl Proxy {
    pub fn new(egress: Egress, rules: ProxyRules) -> Proxy {
        Proxy {
            shared: Arc::new(Shared {
                egress,
                counts: Counts::new(rules.bytes),
                room: Arc::new(Semaphore::new(rules.connections)),
                rules,
            }),
        }
    }

    /// Serves a listener, which may be in another network. To be called in a runtime.
    pub fn serve(&self, listener: std::net::TcpListener) -> std::io::Result<Serving> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(self.clone().accept(listener, stopped));
        Ok(Serving {
            task: task.abort_handle(),
            _stop: stop,
        })
    }

    /// What was reached, or refused, since this was asked last.
    pub fn visits(&self) -> Vec<Visit> {
        self.shared.counts.take()
    }

    async fn accept(self, listener: TcpListener, stopped: watch::Receiver<()>) {
        loop {
            let room = self.shared.room.clone().acquire_owned().await;
            let accepted = listener.accept().await;
            let (Ok(room), Ok((stream, _))) = (room, accepted) else {
                // No more files, for example; without a pause it would be asked without end.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (proxy, stopped) = (self.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut over = stopped.clone();
                tokio::select! {
                    () = proxy.speak(stream, stopped, Arc::new(room)) => {}
                    _ = over.changed() => {}
                }
            });
        }
    }

    /// One connection of a program, whose requests come one after the other.
    async fn speak(
        &self,
        stream: TcpStream,
        stopped: watch::Receiver<()>,
        room: Arc<tokio::sync::OwnedSemaphorePermit>,
    ) {
        let service = hyper::service::service_fn(|request| {
            let (proxy, stopped, room) = (self.clone(), stopped.clone(), room.clone());
            async move { Ok::<_, Infallible>(proxy.answer(request, stopped, room).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(hyper_util::rt::TokioTimer::new())
            .header_read_timeout(IDLE)
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "a program's connection to the proxy broke off");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        stopped: watch::Receiver<()>,
        room: Arc<tokio::sync::OwnedSemaphorePermit>,
    ) -> Response<Body> {
        let tunnel = request.method() == Method::CONNECT;
        let (host, port) = match asked(request.uri(), tunnel) {
            Ok(asked) => asked,
            Err(refused) => {
                let named = request.uri().host().unwrap_or_default();
                self.shared.counts.refuse(named, 0, &refused.reason);
                return told(&refused);
            }
        };
        let upstream = match self.reach(&host, port, tunnel).await {
            Ok(upstream) => upstream,
            Err(refused) => {
                let name = host.to_string();
                self.shared.counts.refuse(&name, port, &refused.reason);
                return told(&refused);
            }
        };
        let entry = self.shared.counts.begin(&host.to_string(), port);
        if tunnel {
            let proxy = self.clone();
            let upgrade = hyper::upgrade::on(request);
            tokio::spawn(async move {
                let mut over = stopped;
                tokio::select! {
                    () = proxy.tunnel(upgrade, upstream, &host, port, entry) => {}
                    _ = over.changed() => {}
                }
                drop(room);
            });
            return Response::new(empty());
        }
        let upstream = Counted::new(upstream, entry);
        match forward(request, upstream, &host, port, stopped).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%host, port, %error, "a program's request was not answered");
                told(&Refused {
                    status: StatusCode::BAD_GATEWAY,
                    reason: format!("{host} did not answer."),
                })
            }
        }
    }

    /// A connection to a host that may be reached.
    async fn reach(&self, host: &Host, port: u16, tunnel: bool) -> Result<TcpStream, Refused> {
        let shared = &self.shared;
        if shared.counts.is_used_up() {
            return Err(refused(
                "The session has sent and received as much as it may.",
            ));
        }
        let egress = shared.permitted(host, port)?;
        let speaks = if tunnel { Speaks::Other } else { Speaks::Plain };
        let dialed = timeout(
            shared.egress.connect_timeout(),
            egress.dial(host, port, speaks),
        );
        match dialed.await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error @ (EgressError::NotPublic { .. } | EgressError::PlainHttp { .. }))) => {
                Err(refused(&error.to_string()))
            }
            _ => Err(Refused {
                status: StatusCode::BAD_GATEWAY,
                reason: format!("{host} does not take connections."),
            }),
        }
    }

    async fn tunnel(
        &self,
        upgrade: hyper::upgrade::OnUpgrade,
        upstream: TcpStream,
        host: &Host,
        port: u16,
        entry: Entry,
    ) {
        let Ok(client) = upgrade.await else {
            return;
        };
        let mut client = TokioIo::new(client);
        let Ok(Some(said)) = timeout(HELLO_TIME, hello::read(&mut client)).await else {
            let reason = "What was said in the tunnel is not TLS.";
            self.shared.counts.refuse(&host.to_string(), port, reason);
            return;
        };
        let fits = match (host, &said.name) {
            (Host::Name(host), Some(name)) => {
                matches!(Host::parse(name), Ok(Host::Name(name)) if name == *host)
            }
            (Host::Name(_), None) => false,
            // Addresses are not named there (RFC 6066 §3).
            (Host::Address(_), name) => name.is_none(),
        };
        if !fits {
            let reason = "The name in the TLS handshake is another one than the tunnel's.";
            self.shared.counts.refuse(&host.to_string(), port, reason);
            return;
        }
        let mut upstream = Counted::new(upstream, entry);
        if upstream.write_all(&said.bytes).await.is_err() {
            return;
        }
        let sizes = (16 * 1024, 16 * 1024);
        let _ =
            tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, sizes.0, sizes.1)
                .await;
    }
}

impl Shared {
    /// The way to a host, if it may be reached.
    fn permitted(&self, host: &Host, port: u16) -> Result<Egress, Refused> {
        let is_usual = matches!(port, 80 | 443);
        let is = |place: &&Place| Host::parse(&place.host).is_ok_and(|own| own == *host);
        let known: Vec<&Place> = self.rules.places.iter().filter(is).collect();
        if known.iter().any(|place| place.inside && place.port == port) {
            let wider = self.egress.allowing(&host.to_string(), port);
            return wider.map_err(|error| refused(&error.to_string()));
        }
        let public = known.iter().filter(|place| !place.inside);
        if public
            .into_iter()
            .any(|place| place.port == port || is_usual)
        {
            return Ok(self.egress.clone());
        }
        match host {
            Host::Name(name) => {
                let listed = |allow: &Allow| allow.names(name, port);
                if is_usual && self.rules.names.iter().any(listed) {
                    return Ok(self.egress.clone());
                }
                if known.is_empty() {
                    return Err(refused(
                        "It is no host of a connected service. Connect the service, or ask an operator to list the host.",
                    ));
                }
                Err(refused("Its port is not the one of the connected service."))
            }
            Host::Address(_) => Err(refused(
                "It is an address. Name the host of a connected service.",
            )),
        }
    }
}

/// Host and port of a request, in the one spelling that is checked and connected to.
fn asked(uri: &Uri, tunnel: bool) -> Result<(Host, u16), Refused> {
    let bad = |reason: &str| Refused {
        status: StatusCode::BAD_REQUEST,
        reason: reason.to_owned(),
    };
    let authority = uri.authority().ok_or_else(|| bad("It names no host."))?;
    if authority.as_str().contains('@') {
        return Err(refused("There is a user name in front of the host."));
    }
    let port = match (tunnel, uri.scheme_str(), authority.port_u16()) {
        (true, _, Some(port)) => port,
        (true, _, None) => return Err(bad("It names no port.")),
        (false, Some("http"), port) => port.unwrap_or(80),
        (false, ..) => return Err(bad("Use CONNECT for anything but http.")),
    };
    let host = Host::parse(authority.host()).map_err(|_| bad("It is no host name."))?;
    Ok((host, port))
}

/// Headers that are meant for the proxy, or for one connection (RFC 9110 §7.6.1).
const OF_CONNECTION: &[HeaderName] = &[
    header::CONNECTION,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

fn end_to_end(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in OF_CONNECTION {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

async fn forward(
    request: Request<Incoming>,
    upstream: Counted,
    host: &Host,
    port: u16,
    mut stopped: watch::Receiver<()>,
) -> Result<Response<Body>, hyper::Error> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(upstream)).await?;
    tokio::spawn(async move {
        tokio::select! {
            _ = connection => {}
            _ = stopped.changed() => {}
        }
    });
    let (mut head, body) = request.into_parts();
    end_to_end(&mut head.headers);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    head.uri = path.parse().unwrap_or_default();
    // What was checked, whatever the program wrote there.
    let authority = if port == 80 {
        host.to_string()
    } else {
        format!("{host}:{port}")
    };
    if let Ok(value) = HeaderValue::from_str(&authority) {
        head.headers.insert(header::HOST, value);
    }
    let response = sender.send_request(Request::from_parts(head, body)).await?;
    let (mut head, body) = response.into_parts();
    end_to_end(&mut head.headers);
    Ok(Response::from_parts(head, body.boxed()))
}

fn empty() -> Body {
    Full::default()
        .map_err(|never: Infallible| match never {})
        .boxed()
}

fn told(refused: &Refused) -> Response<Body> {
    let text = Full::from(format!("{}\n", refused.reason));
    let mut response = Response::new(text.map_err(|never: Infallible| match never {}).boxed());
    *response.status_mut() = refused.status;
    response
}
