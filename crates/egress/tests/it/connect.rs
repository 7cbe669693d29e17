//! Connections for other protocols.

use crate::names::Names;
use quaymaster_egress::{Egress, EgressError, Policy};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn egress(allow: &str, names: Names) -> Egress {
    let policy = Policy {
        allow: vec![allow.parse().unwrap()],
        connect_timeout: Duration::from_millis(500),
        ..Policy::default()
    };
    Egress::with_resolver(policy, names).unwrap()
}

#[tokio::test]
async fn bytes_go_to_and_from_an_allowed_host() {
    let listener = TcpListener::bind("127.77.3.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let mut said = [0; 4];
        stream.read_exact(&mut said).await.unwrap();
        said
    });
    let names = Names::default().with("mail.intern", "127.77.3.1");
    let mut stream = egress(&format!("mail.intern:{port}"), names)
        .connect("mail.intern", port)
        .await
        .unwrap();
    let mut greeting = [0; 11];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"220 ready\r\n");
    stream.write_all(b"QUIT").await.unwrap();
    assert_eq!(&served.await.unwrap(), b"QUIT");
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_takes_no_connection() {
    let listener = TcpListener::bind("127.77.3.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = Names::default().with("mail.intern", "127.77.3.9 ::1 127.77.3.8 127.77.3.2");
    let stream = egress("mail.intern", names)
        .connect("mail.intern", port)
        .await
        .unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
}

#[tokio::test]
async fn what_is_no_host_and_port_is_refused() {
    let egress = egress("127.0.0.0/8", Names::default());
    for (host, port) in [
        ("127.0.0.1", 0),
        ("", 25),
        ("mail intern", 25),
        ("mail.intern:25", 25),
        ("user@mail.intern", 25),
        ("mail.intern/x", 25),
        ("mail.intern\r\nRCPT", 25),
        ("[::1", 25),
        ("fe80::1%eth0", 25),
    ] {
        let refused = egress.connect(host, port).await;
        assert!(
            matches!(refused, Err(EgressError::InvalidAddress { .. })),
            "{host:?}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_slow_lookup_ends_at_the_limit() {
    let late = egress("10.0.0.0/8", Names::silent())
        .connect("slow.example", 25)
        .await;
    assert!(matches!(late, Err(EgressError::Timeout { .. })), "{late:?}");
}

#[tokio::test]
async fn the_system_knows_names_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let strict = Egress::new(Policy::default()).unwrap();
    for name in ["localhost", "LOCALHOST."] {
        let refused = strict.connect(name, port).await;
        assert!(
            matches!(refused, Err(EgressError::NotPublic { .. })),
            "{refused:?}"
        );
    }
    let policy = Policy {
        allow: vec!["localhost".parse().unwrap()],
        ..Policy::default()
    };
    let stream = Egress::new(policy)
        .unwrap()
        .connect("localhost", port)
        .await;
    assert_eq!(
        stream.unwrap().peer_addr().unwrap(),
        listener.local_addr().unwrap()
    );
}
