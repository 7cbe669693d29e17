//! Behind a reverse proxy every connection comes from the proxy. What limits by address shall go by
//! the client's, which the proxy says in `X-Forwarded-For`; a client may write that header too, so
//! only what trusted proxies added to it counts.

use anyhow::Context as _;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use ipnet::IpNet;
use quaymaster_core::Place;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};

/// The networks that the operator trusts.
#[derive(Debug, Clone)]
pub(crate) struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub(crate) fn read(networks: &[String]) -> anyhow::Result<Self> {
        let read = |text: &String| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().ok().or_else(|| address().ok());
            network.with_context(|| {
                format!("trusted_proxies: {text:?} is no network, for example 10.0.0.0/8")
            })
        };
        let networks: anyhow::Result<Vec<_>> = networks.iter().map(read).collect();
        Ok(Proxies(networks?.into()))
    }

    /// Whether what a peer says about its clients is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asked: the last address before those of trusted proxies. Each proxy appends whom it
    /// spoke with, so what stands further left is only what somebody claims.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let chain = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in chain {
            if !self.trusts(client) {
                break;
            }
            let Some(before) = address_of(hop.trim()) else {
                break;
            };
            client = before;
        }
        client
    }
}

/// An address, with or without a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>();
    let address = address.or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Once is enough.
static WARN: Once = Once::new();

/// Replaces the peer's address by the client's, for everything behind.
pub(crate) async fn client_address(
    State(proxies): State<Proxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let is_named = request.headers().contains_key("x-forwarded-for");
        if is_named && Place::of(peer.ip()).is_none() && !proxies.trusts(peer.ip()) {
            WARN.call_once(|| {
                tracing::warn!(
                    peer = %peer.ip(),
                    "a proxy names its clients and is not in trusted_proxies: limits by address \
                     take all of them for one"
                );
            });
        }
        let client = proxies.client(peer.ip(), request.headers());
        let client = SocketAddr::new(client, peer.port());
        request.extensions_mut().insert(ConnectInfo(client));
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, lines: &[&str]) -> String {
        let trusted: Vec<_> = trusted.iter().map(|&text| text.to_owned()).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let proxies = Proxies::read(&trusted).unwrap();
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_last_address_before_the_trusted_ones_is_the_client() {
        let inside = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"];
        for (peer, lines, wanted) in [
            ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &["198.51.100.1, 203.0.113.9, 10.9.9.9"],
                "203.0.113.9",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1", "203.0.113.9", "10.9.9.9"],
                "203.0.113.9",
            ),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, "], "10.0.0.1"),
        ] {
            assert_eq!(client(&inside, peer, lines), wanted, "{peer} {lines:?}");
        }
    }

    #[test]
    fn who_is_no_trusted_proxy_names_nobody_else() {
        let forged = &["203.0.113.9"][..];
        assert_eq!(client(&[], "127.0.0.1", forged), "127.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", forged), "192.0.2.1");
        assert!(Proxies::read(&["10.0.0.0/33".to_owned()]).is_err());
    }
}
