//! One port of one host more.

use crate::canaries::Canaries;
use crate::names::Names;
use crate::server::{Reply, Server};
use quaymaster_egress::{Egress, EgressError, Policy, Request};

fn egress(names: Names) -> Egress {
    Egress::with_resolver(Policy::default(), names).unwrap()
}

#[tokio::test]
async fn a_wider_way_out_reaches_its_host_and_the_narrow_one_still_does_not() {
    let server = Server::start("127.77.9.1", |_| Reply::ok("inside")).await;
    let port = server.address.port();
    let narrow = egress(Names::default());
    for _ in 0..3 {
        let wide = narrow.allowing("127.77.9.1", port).unwrap();
        let answer = wide.send(Request::get(server.url("/"))).await.unwrap();
        assert_eq!(&answer.body[..], b"inside");
        // The connection is kept open, and is nobody else's.
        let refused = narrow.send(Request::get(server.url("/"))).await;
        assert!(
            matches!(refused, Err(EgressError::PlainHttp { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(
        server.connections(),
        1,
        "the same way out has the same connections"
    );
}

#[tokio::test]
async fn a_wider_way_out_reaches_no_other_port_and_no_other_host() {
    let canaries = Canaries::listen().await;
    let server = Server::start("127.77.9.2", |_| Reply::ok("inside")).await;
    let wide = egress(Names::default())
        .allowing("127.77.9.2", server.address.port())
        .unwrap();
    for canary in &canaries.0 {
        let url = format!("http://{}/", canary.address);
        assert!(wide.send(Request::get(url)).await.is_err());
        let (host, port) = (canary.address.ip().to_string(), canary.address.port());
        assert!(wide.connect(&host, port).await.is_err());
    }
    let other_port = wide.send(Request::get("http://127.77.9.2:9/")).await;
    assert!(
        matches!(other_port, Err(EgressError::PlainHttp { .. })),
        "{other_port:?}"
    );
    assert_eq!(canaries.connections().await, 0);
}

#[tokio::test]
async fn a_redirect_leads_a_wider_way_out_to_nothing_else() {
    let canaries = Canaries::listen().await;
    let to = format!("http://{}/", canaries.0[0].address);
    let server = Server::start("127.77.9.3", move |_| Reply::redirect(302, &to)).await;
    let wide = egress(Names::default())
        .allowing("127.77.9.3", server.address.port())
        .unwrap();
    let request = Request::get(server.url("/")).follow_redirects();
    assert!(wide.send(request).await.is_err());
    assert_eq!(canaries.connections().await, 0);
}

#[tokio::test]
async fn a_name_may_be_inside_the_network() {
    let server = Server::start("127.77.9.4", |_| Reply::ok("inside")).await;
    let port = server.address.port();
    let names = Names::default()
        .with("nas.intern", "127.77.9.4")
        .with("other.intern", "127.77.9.4");
    let narrow = egress(names);
    let wide = narrow.allowing("NAS.intern.", port).unwrap();
    let get = |host: &str| Request::get(format!("http://{host}:{port}/"));
    assert!(wide.send(get("nas.intern")).await.is_ok());
    assert!(wide.send(get("other.intern")).await.is_err());
    assert!(narrow.send(get("nas.intern")).await.is_err());
}

#[test]
fn what_is_no_host_and_port_is_refused() {
    let narrow = egress(Names::default());
    for (host, port) in [("127.0.0.1", 0), ("", 80), ("a b", 80), ("a/b", 80)] {
        assert!(narrow.allowing(host, port).is_err(), "{host}:{port}");
    }
}

#[tokio::test]
async fn an_asterisk_allows_no_other_host() {
    let server = Server::start("127.77.9.5", |_| Reply::ok("inside")).await;
    let wide = egress(Names::default()).allowing("*", server.address.port());
    let sent = wide.unwrap().send(Request::get(server.url("/"))).await;
    assert!(sent.is_err());
}
