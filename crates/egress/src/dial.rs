//! Checks a host and connects to it. Nothing else in the program connects to an outside server.

use crate::allow::Allow;
use crate::host::Host;
use crate::target::invalid;
use crate::{EgressError, Resolver, ranges};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use hyper_util::rt::TokioIo;
use quaymaster_core::Fut;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower::Service;

/// Before the next address is tried beside one that does not answer (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of a name that are tried. All are checked.
const ATTEMPTS: usize = 8;

/// What is spoken on a connection, as far as it decides whether it may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Anybody on the way can read and change it: only to what the operator allowed.
    Plain,
    /// https, or a protocol that is its caller's matter.
    Other,
}

/// Makes checked connections, for the HTTP client and for others. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Dialer {
    shared: Arc<Shared>,
}

struct Shared {
    allow: Vec<Allow>,
    resolver: Arc<dyn Resolver>,
}

impl Dialer {
    pub(crate) fn new(allow: Vec<Allow>, resolver: impl Resolver) -> Dialer {
        Dialer {
            shared: Arc::new(Shared {
                allow,
                resolver: Arc::new(resolver),
            }),
        }
    }

    /// A dialer that may also reach what `allow` says. Lookups are shared.
    pub(crate) fn allowing(&self, allow: Allow) -> Dialer {
        let mut all = self.shared.allow.clone();
        all.push(allow);
        Dialer {
            shared: Arc::new(Shared {
                allow: all,
                resolver: self.shared.resolver.clone(),
            }),
        }
    }

    /// Connects to a checked address of the host. Takes as long as the network does.
    pub(crate) async fn dial(
        &self,
        host: &Host,
        port: u16,
        speaks: Speaks,
    ) -> Result<TcpStream, EgressError> {
        let addresses = self.shared.checked(host, port, speaks).await?;
        let stream = first_to_connect(&addresses, port).await.map_err(|error| {
            tracing::debug!(%host, port, ?addresses, %error, "not connected");
            EgressError::Connect {
                host: host.to_string(),
            }
        })?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%host, %error, "small packets may wait");
        }
        Ok(stream)
    }
}

impl Shared {
    /// Every address of the host; all of them may be reached.
    ///
    /// Whether a name is unknown or private must not be told apart by the answer.
    async fn checked(
        &self,
        host: &Host,
        port: u16,
        speaks: Speaks,
    ) -> Result<Vec<IpAddr>, EgressError> {
        let plain = speaks == Speaks::Plain;
        let named = match host {
            Host::Name(name) => self.allow.iter().any(|allow| allow.names(name, port)),
            Host::Address(_) => false,
        };
        let refusal = || {
            let host = host.to_string();
            if plain && !named {
                EgressError::PlainHttp { host }
            } else {
                EgressError::NotPublic { host }
            }
        };
        if plain && !named && !self.allow.iter().any(Allow::is_range) {
            return Err(refusal());
        }
        let addresses = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolver.resolve(name).await.unwrap_or_else(|error| {
                tracing::debug!(%host, %error, "not resolved");
                Vec::new()
            }),
        };
        if addresses.is_empty() {
            return Err(refusal());
        }
        // An IPv4 address inside an IPv6 one is connected to as what it is.
        let addresses: Vec<IpAddr> = addresses.iter().map(IpAddr::to_canonical).collect();
        if named {
            return Ok(addresses);
        }
        for address in &addresses {
            if self.allow.iter().any(|allow| allow.covers(*address, port)) {
                continue;
            }
            let kind = ranges::not_public(*address);
            if plain || kind.is_some() {
                let kind = kind.unwrap_or("public, but by plain http");
                tracing::debug!(%host, port, %address, kind, "not allowed; see egress.allow");
                return Err(refusal());
            }
        }
        Ok(addresses)
    }
}

/// Tries the addresses one beside the other, both families in turn (RFC 8305).
async fn first_to_connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut left = in_turn(addresses).into_iter().take(ATTEMPTS);
    let mut running = FuturesUnordered::new();
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = left.next() {
            running.push(TcpStream::connect(SocketAddr::new(address, port)));
        }
        let ended = if left.len() == 0 {
            running.next().await
        } else {
            match tokio::time::timeout(STAGGER, running.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => failed = error,
            None => return Err(failed),
        }
    }
}

fn in_turn(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first_family = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<IpAddr>, Vec<IpAddr>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == first_family);
    let longer = first.len().max(second.len());
    (0..longer)
        .flat_map(|at| [first.get(at), second.get(at)])
        .flatten()
        .copied()
        .collect()
}

/// For the HTTP client, which asks for a connection by scheme, host and port.
impl Service<Uri> for Dialer {
    type Response = TokioIo<TcpStream>;
    type Error = EgressError;
    type Future = Fut<'static, Result<Self::Response, EgressError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        Box::pin(async move {
            let (speaks, default_port) = match uri.scheme_str() {
                Some("http") => (Speaks::Plain, 80),
                Some("https") => (Speaks::Other, 443),
                _ => return Err(EgressError::Scheme),
            };
            let host = Host::parse(uri.host().unwrap_or_default()).map_err(invalid)?;
            let port = uri.port_u16().unwrap_or(default_port);
            dialer.dial(&host, port, speaks).await.map(TokioIo::new)
        })
    }
}
