//! Whose certificates are believed.

use crate::names::Names;
use crate::server::{Reply, Server};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use quaymaster_egress::{Egress, EgressError, Policy, PolicyError, Request};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// An authority that nobody knows.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
            dir: TempDir::new().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        let file = self.dir.path().join("ca.pem");
        std::fs::write(&file, self.issuer.pem()).unwrap();
        file
    }

    fn server(&self, name: &str) -> TlsAcceptor {
        Arc::new(self.config(name)).into()
    }

    fn config(&self, name: &str) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }
}

fn egress(authority: Option<&Authority>) -> Egress {
    let file = authority.map(Authority::file);
    let allow = ["127.0.0.1".to_owned()];
    let policy = Policy::configured(&allow, file.as_deref()).unwrap();
    let names = Names::default()
        .with("tls.example", "127.0.0.1")
        .with("other.example", "127.0.0.1");
    Egress::with_resolver(policy, names).unwrap()
}

fn url(server: &Server, host: &str) -> String {
    format!("https://{host}:{}/", server.address.port())
}

#[tokio::test]
async fn an_own_authority_is_believed_when_it_is_configured() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("tls.example"), |_| Reply::ok("safe")).await;
    let request = || Request::get(url(&server, "tls.example"));
    let answer = egress(Some(&authority)).send(request()).await.unwrap();
    assert_eq!(answer.body, "safe");
    for stranger in [None, Some(&Authority::new())] {
        let refused = egress(stranger).send(request()).await;
        assert!(
            matches!(refused, Err(EgressError::Tls { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(server.seen().len(), 1);
}

/// A server of HTTP/2 whose answers have 64 KiB of body and head bytes as the path says.
async fn http2(authority: &Authority) -> SocketAddr {
    let mut config = authority.config("tls.example");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = service_fn(async |request: http::Request<Incoming>| {
        let head = "x".repeat(request.uri().path()[1..].parse().unwrap());
        let body = Full::new(Bytes::from(vec![b'x'; 64 * 1024]));
        assert_eq!(request.version(), http::Version::HTTP_2);
        http::Response::builder().header("x", head).body(body)
    });
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = TokioIo::new(tls.accept(stream).await.unwrap());
            let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http2.serve_connection(stream, answer));
        }
    });
    address
}

#[tokio::test]
async fn the_limits_hold_for_http2_too() {
    let authority = Authority::new();
    let port = http2(&authority).await.port();
    let egress = egress(Some(&authority));
    let request = |head: usize| Request::get(format!("https://tls.example:{port}/{head}"));
    let answer = egress
        .send(request(1024).max_body(64 * 1024))
        .await
        .unwrap();
    assert_eq!(answer.body.len(), 64 * 1024);
    let refused = egress.send(request(0).max_body(64 * 1024 - 1)).await;
    assert!(
        matches!(refused, Err(EgressError::TooLarge { .. })),
        "{refused:?}"
    );
    let refused = egress.send(request(70 * 1024)).await;
    assert!(
        matches!(refused, Err(EgressError::Exchange { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_certificate_is_for_its_host_only() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("tls.example"), |_| Reply::ok("")).await;
    let egress = egress(Some(&authority));
    for host in ["other.example", "127.0.0.1"] {
        let refused = egress.send(Request::get(url(&server, host))).await;
        assert!(
            matches!(refused, Err(EgressError::Tls { .. })),
            "{host}: {refused:?}"
        );
    }
    // Another spelling is the same host.
    egress
        .send(Request::get(url(&server, "TLS.Example.")))
        .await
        .unwrap();
    assert_eq!(
        server.last().header("host"),
        url(&server, "tls.example")
            .get(8..)
            .map(|h| h.trim_end_matches('/'))
    );
}

#[tokio::test]
async fn a_redirect_from_https_to_http_is_refused_even_to_an_allowed_host() {
    let authority = Authority::new();
    let plain = Server::start("127.0.0.1", |_| Reply::ok("plain")).await;
    let place = plain.url("/");
    let server = Server::start_tls(authority.server("tls.example"), move |_| {
        Reply::redirect(302, &place)
    })
    .await;
    let egress = egress(Some(&authority));
    egress.send(Request::get(plain.url("/"))).await.unwrap();
    let request = Request::get(url(&server, "tls.example")).follow_redirects();
    let refused = egress.send(request).await.unwrap_err();
    assert!(
        refused.to_string().contains("from https to http"),
        "{refused}"
    );
    assert_eq!(plain.seen().len(), 1);
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart_from_none() {
    let plain = Server::start("127.0.0.1", |_| Reply::ok("plain")).await;
    let refused = egress(None)
        .send(Request::get(url(&plain, "127.0.0.1")))
        .await;
    assert!(
        matches!(refused, Err(EgressError::Tls { .. })),
        "{refused:?}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let refused = egress(None)
        .send(Request::get(format!("https://{free}/")))
        .await;
    assert!(
        matches!(refused, Err(EgressError::Connect { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_ca_file_that_is_none_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("ca.pem");
    let refused = |content: Option<&str>| {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let error = Policy::configured(&[], Some(&file)).unwrap_err();
        assert!(matches!(error, PolicyError::CaFile { .. }));
        error.to_string()
    };
    for (content, reason) in [
        (None, "No such file"),
        (Some(""), "there is no certificate in it"),
        (Some("not PEM"), "there is no certificate in it"),
        (
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "",
        ),
        (Some("-----BEGIN CERTIFICATE-----\nAAAA\n"), ""),
    ] {
        let text = refused(content);
        assert!(
            text.contains("egress.ca_file") && text.contains("ca.pem") && text.contains(reason),
            "{text}"
        );
    }
}
