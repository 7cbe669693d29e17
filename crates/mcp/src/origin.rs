//! Whose `Host` and `Origin` are accepted: the defence against DNS rebinding, which turns a
//! visitor's browser into a client of a server on their own machine (MCP, Streamable HTTP,
//! security warning; CVE-2026-42559).

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};
use quaymaster_core::{Code, Fault};

/// The origins by which the server may be addressed.
#[derive(Debug, Clone)]
pub struct Origins {
    public: Vec<Tuple>,
}

/// Scheme, host and port of RFC 6454 §4.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tuple {
    scheme: String,
    host: String,
    port: u16,
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

fn tuple(origin: &str) -> Option<Tuple> {
    let uri: Uri = origin.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?;
    if !matches!(scheme.as_str(), "http" | "https") || authority.as_str().contains('@') {
        return None;
    }
    let port = authority
        .port_u16()
        .unwrap_or_else(|| default_port(&scheme));
    Some(Tuple {
        host: authority.host().to_ascii_lowercase(),
        scheme,
        port,
    })
}

impl Origins {
    /// Loopback names by any port are always ours; besides, the given addresses of the server.
    pub fn new<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Self {
        Origins {
            public: addresses.into_iter().filter_map(tuple).collect(),
        }
    }

    fn host_is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if authority.as_str().contains('@') {
            return false;
        }
        let name = authority.host().to_ascii_lowercase();
        is_loopback(&name)
            || self.public.iter().any(|ours| {
                ours.host == name && authority.port_u16().is_none_or(|port| port == ours.port)
            })
    }

    fn origin_is_ours(&self, origin: &str) -> bool {
        tuple(origin)
            .is_some_and(|theirs| is_loopback(&theirs.host) || self.public.contains(&theirs))
    }

    /// 403 for a `Host` that is not this server's.
    pub fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let host = headers
            .get(HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| uri.authority().map(Authority::as_str));
        if host.is_some_and(|host| self.host_is_ours(host)) {
            return Ok(());
        }
        Err(Box::new(refuse(
            "Host",
            "the address under which this server is reached",
        )))
    }

    /// 403 for a `Host` or `Origin` that is not this server's. A request without `Origin` does not
    /// come from a page and passes.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
        self.check_host(uri, headers)?;
        let mut origins = headers.get_all(ORIGIN).iter();
        let all_ours = origins.all(|value| {
            value
                .to_str()
                .is_ok_and(|origin| self.origin_is_ours(origin))
        });
        if all_ours {
            Ok(())
        } else {
            Err(Box::new(refuse("Origin", "a page of this server")))
        }
    }
}

fn refuse(header: &str, wanted: &str) -> Response {
    let fault = Fault::new(
        Code::Forbidden,
        format!("The header {header} of the request is not {wanted}."),
    )
    .hint("An operator sets the server's own address with --public-url.");
    (StatusCode::FORBIDDEN, Json(fault)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        Origins::new(["https://tools.example.com"])
            .check(&Uri::from_static("/mcp"), &headers)
            .is_ok()
    }

    #[test]
    fn only_our_own_names_pass() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "[::1]:8080",
            "tools.example.com",
            "tools.example.com:443",
        ] {
            assert!(passes(host, None), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "tools.example.com:8443",
            "a@localhost",
            "",
        ] {
            assert!(!passes(host, None), "{host}");
        }
        for origin in [
            "http://localhost:3000",
            "https://tools.example.com",
            "http://127.0.0.1:8080",
        ] {
            assert!(passes("localhost", Some(origin)), "{origin}");
        }
        for origin in [
            "http://evil.example",
            "null",
            "http://tools.example.com",
            "file:///etc",
            "http://a@localhost",
        ] {
            assert!(!passes("localhost", Some(origin)), "{origin}");
        }
    }
}
