//! The proxy of programs: what it lets through, and what programs try with it.

use crate::names::Names;
use crate::server::{Reply, Server};
use quaymaster_egress::{Egress, Place, Policy, Proxy, ProxyRules, Serving, Visit};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

struct Tried {
    proxy: Proxy,
    address: SocketAddr,
    _serving: Serving,
}

fn place(host: &str, port: u16, inside: bool) -> Place {
    Place {
        host: host.to_owned(),
        port,
        inside,
    }
}

/// `allow` as an operator's `egress.allow`.
fn proxy(places: Vec<Place>, allow: &[&str], names: Names) -> Tried {
    let policy = Policy {
        allow: allow.iter().map(|entry| entry.parse().unwrap()).collect(),
        ..Policy::default()
    };
    let egress = Egress::with_resolver(policy, names).unwrap();
    let rules = ProxyRules {
        places,
        names: vec!["*.listed.example".parse().unwrap()],
        connections: 8,
        bytes: 100_000,
    };
    let proxy = Proxy::new(egress, rules);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = proxy.serve(listener).unwrap();
    Tried {
        proxy,
        address,
        _serving: serving,
    }
}

impl Tried {
    /// Status line and the rest of what comes back.
    async fn say(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let mut chunk = [0; 4096];
        // The head, and what comes with it.
        while let Ok(came @ 1..) = stream.read(&mut chunk).await {
            said.extend_from_slice(&chunk[..came]);
            if said.windows(4).any(|four| four == b"\r\n\r\n") {
                break;
            }
        }
        String::from_utf8(said).unwrap()
    }

    async fn get(&self, url: &str) -> String {
        self.say(&format!("GET {url} HTTP/1.1\r\nHost: elsewhere.example\r\nProxy-Authorization: Basic eA==\r\nConnection: close, x-mine\r\nX-Mine: 1\r\n\r\n"))
            .await
    }

    async fn connect(&self, authority: &str) -> String {
        self.say(&format!(
            "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
        ))
        .await
    }

    fn refusals(&self) -> Vec<Visit> {
        let visits = self.proxy.visits().into_iter();
        visits.filter(|visit| visit.refused.is_some()).collect()
    }
}

#[tokio::test]
async fn a_request_to_a_listed_host_goes_through_as_it_was_checked() {
    // py_proxy_allowed_host
    let server = Server::start("127.0.0.1", |_| Reply::ok("hello")).await;
    let port = server.address.port();
    let names = Names::default().with("shop.example", "127.0.0.1");
    let inside = vec![place("shop.example", port, true)];
    let tried = proxy(inside, &[], names);
    let answer = tried
        .get(&format!("http://SHOP.example:{port}/a?b=c"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = server.last();
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("GET", "/a?b=c")
    );
    assert_eq!(seen.header("host").unwrap(), format!("shop.example:{port}"));
    assert_eq!(seen.header("proxy-authorization"), None);
    assert_eq!(
        seen.header("x-mine"),
        None,
        "it was named as of the connection"
    );
    let visits = tried.proxy.visits();
    assert_eq!(
        (visits[0].host.as_str(), visits[0].port),
        ("shop.example", port)
    );
    assert!(
        visits[0].refused.is_none() && visits[0].bytes > 50,
        "{visits:?}"
    );
    assert!(tried.proxy.visits().is_empty(), "they are told once");
}

#[tokio::test]
async fn what_is_not_listed_is_refused_and_on_record() {
    // py_proxy_denied_host, py_proxy_ip_literal, py_proxy_dns_rebind, py_proxy_other_port, py_proxy_userinfo_host,
    // py_proxy_redirect_private
    let names = Names::default()
        .with("api.example", "127.0.0.1")
        .with("meta.example", "169.254.169.254")
        .with("a.listed.example", "10.0.0.1")
        .with("evil.example", "93.184.216.34");
    let places = ["api.example", "meta.example"].map(|host| place(host, 443, false));
    let tried = proxy(places.into(), &[], names);
    for authority in [
        "evil.example:443",
        "127.0.0.1:443",
        "169.254.169.254:80",
        "[::1]:443",
        "[::ffff:169.254.169.254]:443",
        "2130706433:443",
        "0x7f.1:443",
        // Listed, and leads inside once it is resolved.
        "api.example:443",
        "meta.example:443",
        "a.listed.example:443",
        "listed.example:443",
        "api.example:22",
        "api.example:8443",
        "api.example.evil.example:443",
        "user@api.example:443",
        "api.example@evil.example:443",
    ] {
        let answer = tried.connect(authority).await;
        assert!(
            answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 400"),
            "{authority}: {answer}"
        );
        let refusals = tried.refusals();
        let is_on_record = refusals.len() == 1 || answer.starts_with("HTTP/1.1 400");
        assert!(is_on_record, "{authority}: {refusals:?}");
    }
    for url in [
        "http://evil.example/",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/",
        "http://api.example/",
        "https://api.example/",
        "ftp://api.example/",
        "/relative",
        "http://user:password@api.example/",
    ] {
        let answer = tried.get(url).await;
        assert!(
            answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 400"),
            "{url}: {answer}"
        );
    }
}

#[tokio::test]
async fn what_is_no_request_reaches_nobody() {
    // py_proxy_crlf_host
    let server = Server::start("127.0.0.1", |_| Reply::ok("hello")).await;
    let port = server.address.port();
    let tried = proxy(vec![place("127.0.0.1", port, true)], &[], Names::default());
    for request in [
        format!("CONNECT 127.0.0.1:{port}\r\nX: y HTTP/1.1\r\n\r\n"),
        format!("GET http://127.0.0.1:{port}/\r\nHost: evil HTTP/1.1\r\n\r\n"),
        format!("CONNECT 127.0.0.1:{port}%0d%0a HTTP/1.1\r\n\r\n"),
        "CONNECT HTTP/1.1\r\n\r\n".to_owned(),
        "\0\0\0\0\r\n\r\n".to_owned(),
    ] {
        let answer = tried.say(&request).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{request:?}: {answer}");
    }
    assert_eq!(server.connections(), 0);
}

/// Sends the beginning of a TLS handshake for a name through a tunnel. Whether anything came out at the other end.
async fn reaches(tried: &Tried, authority: &str, name: &str, upstream: &TcpListener) -> bool {
    let mut stream = TcpStream::connect(tried.address).await.unwrap();
    let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let came = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..came]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (mut there, _) = upstream.accept().await.unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let shaking = tokio::spawn(async move { connector.connect(name, stream).await.is_ok() });
    let mut first = [0; 1];
    let came = there.read(&mut first).await.unwrap_or(0);
    drop(there);
    let _ = shaking.await;
    came == 1 && first[0] == 0x16
}

#[tokio::test]
async fn a_tunnel_leads_to_the_host_that_it_was_opened_for() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let names = Names::default().with("shop.example", "127.0.0.1");
    let tried = proxy(
        vec![
            place("shop.example", port, true),
            place("127.0.0.1", port, true),
        ],
        &[],
        names,
    );
    let authority = format!("shop.example:{port}");
    assert!(reaches(&tried, &authority, "shop.example", &upstream).await);
    assert!(reaches(&tried, &authority, "SHOP.example", &upstream).await);
    assert!(tried.refusals().is_empty());
    for other in ["evil.example", "127.0.0.1"] {
        assert!(
            !reaches(&tried, &authority, other, &upstream).await,
            "{other}"
        );
        let refusals = tried.refusals();
        assert!(
            refusals[0]
                .refused
                .as_ref()
                .unwrap()
                .contains("TLS handshake"),
            "{refusals:?}"
        );
    }
    let address = format!("127.0.0.1:{port}");
    assert!(reaches(&tried, &address, "127.0.0.1", &upstream).await);
    assert!(!reaches(&tried, &address, "shop.example", &upstream).await);
    // Anything but TLS.
    let mut stream = TcpStream::connect(tried.address).await.unwrap();
    let request = format!("CONNECT {authority} HTTP/1.1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let _ = stream.read(&mut answer).await.unwrap();
    let (mut there, _) = upstream.accept().await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(
        there.read(&mut answer).await.unwrap(),
        0,
        "nothing came out"
    );
}

#[tokio::test]
async fn a_session_moves_as_many_bytes_as_it_may() {
    let server = Server::start("127.0.0.1", |_| Reply::ok(vec![b'x'; 60_000])).await;
    let port = server.address.port();
    let tried = proxy(vec![place("127.0.0.1", port, true)], &[], Names::default());
    let url = format!("http://127.0.0.1:{port}/");
    let mut refused = false;
    for _ in 0..4 {
        let mut stream = TcpStream::connect(tried.address).await.unwrap();
        let request = format!("GET {url} HTTP/1.1\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        refused |= said.starts_with(b"HTTP/1.1 403");
    }
    assert!(refused);
    let all: u64 = tried.proxy.visits().iter().map(|visit| visit.bytes).sum();
    assert!((100_000..250_000).contains(&all), "{all}");
}

#[tokio::test]
async fn a_proxy_ends_with_its_session() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let tried = proxy(vec![place("127.0.0.1", port, true)], &[], Names::default());
    let mut stream = TcpStream::connect(tried.address).await.unwrap();
    let request = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 512];
    let _ = stream.read(&mut answer).await.unwrap();
    drop(tried);
    let (mut there, _) = upstream.accept().await.unwrap();
    assert_eq!(there.read(&mut answer).await.unwrap_or(0), 0);
    assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
}
