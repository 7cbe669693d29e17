//! Servers of databases: as a connector, with encryption and without, and those that mean harm.

use crate::sql::{Database, egress};
use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::request::{Account, Invocation, Prepared};
use quaymaster_connectors::send::{Data, FailureKind, Options, Sender};
use quaymaster_connectors::sql::Tls;
use quaymaster_core::Code;
use quaymaster_core::clock::SystemClock;
use quaymaster_egress::{Egress, Policy};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn only_what_the_operator_allows_is_reached_in_clear() {
    let mut database = Database::new();
    database.egress = Egress::new(Policy::default()).unwrap();
    for (tls, said) in [
        (Tls::Off, "127.0.0.1 can be reached encrypted only."),
        (
            Tls::Required,
            "127.0.0.1 is not the address of a public server.",
        ),
    ] {
        database.server.tls = tls;
        let fault = database.refused("SELECT 1", json!({})).await;
        assert_eq!(fault.message, said);
        assert!(fault.hint.unwrap().contains("egress.allow"));
    }
    // A public server, for which encrypting is no matter of taste.
    "192.0.2.1".clone_into(&mut database.server.host);
    database.server.tls = Tls::Off;
    let public = database.refused("SELECT 1", json!({})).await;
    assert_eq!(public.message, "192.0.2.1 can be reached encrypted only.");
}

#[tokio::test]
async fn the_connector_reads_by_one_action_and_changes_by_another() {
    let database = Database::new();
    let definition = Arc::new(
        Catalog::embedded()
            .get("postgresql")
            .unwrap()
            .as_ref()
            .clone(),
    );
    let prepared = Prepared::new(definition);
    let field = |name: &str, value: &str| (name.to_owned(), SecretString::from(value));
    let server = &database.server;
    let mut account = Account {
        auth: "password".to_owned(),
        fields: BTreeMap::from([
            field("host", &server.host),
            field("port", &server.port.to_string()),
            field("database", &server.database),
            field("tls", "off"),
            field("username", &server.user),
            field("password", "a long secret"),
        ]),
        local: true,
        ..Account::default()
    };
    let sender = Sender::new(
        Egress::new(Policy::default()).unwrap(),
        Arc::new(SystemClock),
    );
    let send = async |account: &Account, action: &str, body: Value| {
        let call = Invocation {
            action: Some(action.to_owned()),
            body: Some(body),
            ..Invocation::default()
        };
        sender
            .send(&prepared, account, "conn_1", &call, &Options::default())
            .await
    };
    let made = send(
        &account,
        "execute",
        json!({ "query": "CREATE TABLE t (n int, s text)" }),
    )
    .await;
    assert_eq!(made.unwrap().status, 200);
    let insert = json!({ "query": "INSERT INTO t VALUES (:n, :s) RETURNING n", "params": { "n": 7, "s": "a long secret" } });
    let refused = send(&account, "query", insert.clone()).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Upstream);
    assert_eq!(refused.fault.details.unwrap()["sqlstate"], "25006");
    let inserted = send(&account, "execute", insert).await.unwrap();
    assert_eq!(
        inserted.data,
        Data::Value(json!({ "columns": ["n"], "rows": [{ "n": 7 }], "affected": 1 }))
    );
    // The account's secret does not come back, whatever it stands in.
    let read = send(&account, "query", json!({ "query": "SELECT s FROM t" }))
        .await
        .unwrap();
    let Data::Value(read) = read.data else {
        panic!()
    };
    assert!(!read.to_string().contains("a long secret"), "{read}");
    let unknown = send(&account, "query", json!({ "sql": "SELECT 1" }))
        .await
        .unwrap_err();
    assert_eq!(unknown.fault.code, Code::InvalidArg);
    // Inside the network only where an administrator said so.
    account.local = false;
    let inside = send(&account, "query", json!({ "query": "SELECT 1" }))
        .await
        .unwrap_err();
    assert_eq!(inside.fault.code, Code::UpstreamError, "{:?}", inside.fault);
}

/// A server that encrypts, or says that it does not, in front of another one.
async fn in_front_of(port: u16, answer: u8, tls: Option<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                let mut asked = [0; 8];
                stream.read_exact(&mut asked).await.unwrap();
                assert_eq!(
                    asked,
                    [0, 0, 0, 8, 4, 210, 22, 47],
                    "it asks for encryption first"
                );
                stream.write_all(&[answer]).await.unwrap();
                let Some(tls) = tls else {
                    // Until the client has gone.
                    let _ = stream.read(&mut asked).await;
                    return;
                };
                let Ok(mut encrypted) = tls.accept(stream).await else {
                    return;
                };
                let behind = SocketAddr::from(([127, 0, 0, 1], port));
                let mut behind = TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut encrypted, &mut behind).await;
            });
        }
    });
    address.port()
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, issuer.pem()).unwrap();
    let acceptor = |name: &str| -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap();
        Arc::new(config).into()
    };
    let mut database = Database::new();
    let port = database.server.port;
    database.server.tls = Tls::Required;
    database.egress = egress(Some(&file));
    database.server.port = in_front_of(port, b'S', Some(acceptor("127.0.0.1"))).await;
    assert_eq!(
        database.one("SELECT :n::int AS n", json!({ "n": 1 })).await,
        json!({ "n": 1 })
    );
    // Of another host, of an authority that nobody believes, and in clear.
    database.server.port = in_front_of(port, b'S', Some(acceptor("other.example"))).await;
    let other = database.refused("SELECT 1", json!({})).await;
    assert!(other.message.starts_with("No secure connection"), "{other}");
    database.egress = egress(None);
    database.server.port = in_front_of(port, b'S', Some(acceptor("127.0.0.1"))).await;
    let stranger = database.refused("SELECT 1", json!({})).await;
    assert!(
        stranger.message.starts_with("No secure connection"),
        "{stranger}"
    );
    database.server.port = in_front_of(port, b'N', None).await;
    let clear = database.refused("SELECT 1", json!({})).await;
    assert_eq!(clear.message, "The server does not encrypt connections.");
}

/// A server that says the same to everybody, again and again if it is to, and then nothing more.
async fn says(bytes: Vec<u8>, again: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                while stream.write_all(&bytes).await.is_ok() && again {}
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    address.port()
}

#[tokio::test]
async fn a_hostile_server_gets_neither_memory_nor_time() {
    let mut database = Database::new();
    let message = |tag: u8, length: u32| [&[tag], length.to_be_bytes().as_slice()].concat();
    let signed_in = [message(b'R', 8), vec![0; 4]].concat();
    for (what, bytes, again) in [
        (
            "rubbish",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            false,
        ),
        ("nothing", Vec::new(), false),
        ("endless rubbish", vec![b'N'; 65_536], true),
        (
            "an endless message",
            [message(b'N', 0x7fff_ffff), vec![0; 60_000]].concat(),
            true,
        ),
        ("a message of no length", message(b'N', 0), false),
        (
            "a message of negative length",
            message(b'N', 0xffff_fff0),
            false,
        ),
        ("signed in for ever", signed_in, true),
        (
            "a password that it wants in clear",
            [message(b'R', 8), vec![0, 0, 0, 3]].concat(),
            false,
        ),
        (
            "an error without end",
            [message(b'E', 1_000_000), vec![b'M'; 60_000]].concat(),
            true,
        ),
    ] {
        database.server.port = says(bytes, again).await;
        let fault = database
            .with("SELECT 1", json!({}), |query| {
                query.timeout = Duration::from_millis(500);
                query.max_bytes = 64 * 1024;
            })
            .await
            .unwrap_err();
        let known = [Code::UpstreamError, Code::TooLarge, Code::Timeout];
        assert!(known.contains(&fault.code), "{what}: {fault}");
    }
}
