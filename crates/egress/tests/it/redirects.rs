//! Redirects, hop by hop.

use crate::server::{Reply, Seen, Server};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderName, HeaderValue, Method};
use quaymaster_egress::{Egress, EgressError, Policy, Request};

fn egress(allow: &[&Server]) -> Egress {
    let allow = allow
        .iter()
        .map(|server| server.address.to_string().parse().unwrap());
    Egress::new(Policy {
        allow: allow.collect(),
        ..Policy::default()
    })
    .unwrap()
}

/// `/n` redirects to `/n-1`, and `/0` answers.
async fn countdown() -> Server {
    Server::start("127.77.4.1", |seen| match seen.path.as_str() {
        "/0" => Reply::ok("the end"),
        path => {
            let left: u32 = path[1..].parse().unwrap();
            Reply::redirect(302, &format!("/{}", left - 1))
        }
    })
    .await
}

#[tokio::test]
async fn up_to_three_redirects_are_followed() {
    let server = countdown().await;
    let egress = egress(&[&server]);
    for hops in 0..=3 {
        let request = Request::get(server.url(&format!("/{hops}"))).follow_redirects();
        let answer = egress.send(request).await.unwrap();
        assert_eq!(answer.body, "the end");
        assert_eq!(answer.url, server.url("/0"));
    }
    let before = server.seen().len();
    let request = Request::get(server.url("/4")).follow_redirects();
    let refused = egress.send(request).await.unwrap_err();
    assert!(refused.to_string().contains("more than 3"), "{refused}");
    assert_eq!(server.seen().len() - before, 4);
}

#[tokio::test]
async fn a_redirect_is_an_answer_unless_asked_to_follow() {
    let server = countdown().await;
    let answer = egress(&[&server])
        .send(Request::get(server.url("/2")))
        .await
        .unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], "/1");
    assert_eq!(answer.body, "moved");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_without_a_place_is_an_answer() {
    let server = Server::start("127.77.4.1", |seen| Reply {
        head: format!("{} Moved\r\nX: y", &seen.path[1..]),
        ..Reply::ok("nowhere")
    })
    .await;
    for status in [300, 302, 304, 306] {
        let request = Request::get(server.url(&format!("/{status}"))).follow_redirects();
        let answer = egress(&[&server]).send(request).await.unwrap();
        assert_eq!(answer.status.as_u16(), status);
    }
}

/// A server that redirects with the status that the path says to the same path of another.
async fn redirecting_to(other: &Server) -> Server {
    let other = other.clone();
    Server::start("127.77.4.2", move |seen| {
        let status = seen.path[1..].parse().unwrap();
        Reply::redirect(status, &other.url("/arrived"))
    })
    .await
}

fn with_secrets(request: Request) -> Request {
    let mut marked = HeaderValue::from_static("key");
    marked.set_sensitive(true);
    request
        .header(AUTHORIZATION, HeaderValue::from_static("Bearer secret"))
        .header(COOKIE, HeaderValue::from_static("sid=secret"))
        .header(HeaderName::from_static("x-api-key"), marked)
        .header(ACCEPT, HeaderValue::from_static("text/plain"))
}

fn secrets(seen: &Seen) -> usize {
    let names = ["authorization", "cookie", "x-api-key"];
    names
        .iter()
        .filter(|name| seen.header(name).is_some())
        .count()
}

#[tokio::test]
async fn credentials_stay_behind_when_the_origin_changes() {
    let other = Server::start("127.77.4.1", |_| Reply::ok("")).await;
    let first = redirecting_to(&other).await;
    let egress = egress(&[&first, &other]);
    for status in [301, 302, 303, 307, 308] {
        let request = Request::get(first.url(&format!("/{status}"))).follow_redirects();
        egress.send(with_secrets(request)).await.unwrap();
        assert_eq!(secrets(&first.last()), 3);
        assert_eq!(secrets(&other.last()), 0, "{status}");
        assert_eq!(other.last().header("accept"), Some("text/plain"));
    }
}

#[tokio::test]
async fn credentials_do_not_come_back_with_the_first_origin() {
    // One server by two names, which are two origins.
    let server = Server::start("127.77.4.1", |seen| match seen.path.as_str() {
        "/start" => Reply::redirect(302, seen.header("x-over").unwrap()),
        "/over" => Reply::redirect(302, seen.header("x-back").unwrap()),
        _ => Reply::ok(""),
    })
    .await;
    let header = |value: String| HeaderValue::from_str(&value).unwrap();
    let port = server.address.port();
    let names = crate::names::Names::default().with("other.example", "127.77.4.1");
    let policy = Policy {
        allow: vec!["127.77.4.1".parse().unwrap()],
        ..Policy::default()
    };
    let egress = Egress::with_resolver(policy, names).unwrap();
    let request = Request::get(server.url("/start"))
        .follow_redirects()
        .header(
            HeaderName::from_static("x-over"),
            header(format!("http://other.example:{port}/over")),
        )
        .header(
            HeaderName::from_static("x-back"),
            header(server.url("/back")),
        );
    egress.send(with_secrets(request)).await.unwrap();
    let seen = server.seen();
    let counts: Vec<_> = seen
        .iter()
        .map(|seen| (seen.path.as_str(), secrets(seen)))
        .collect();
    assert_eq!(counts, [("/start", 3), ("/over", 0), ("/back", 0)]);
}

#[tokio::test]
async fn credentials_stay_with_the_same_origin() {
    let server = countdown().await;
    let request = Request::get(server.url("/1")).follow_redirects();
    egress(&[&server])
        .send(with_secrets(request))
        .await
        .unwrap();
    assert_eq!(secrets(&server.last()), 3);
}

#[tokio::test]
async fn the_method_changes_as_the_status_says() {
    let server = Server::start("127.77.4.1", |seen| match seen.path.as_str() {
        "/arrived" => Reply::ok(""),
        path => Reply::redirect(path[1..].parse().unwrap(), "/arrived"),
    })
    .await;
    for (status, method, becomes) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "HEAD", "HEAD"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::new(method.clone(), server.url(&format!("/{status}")))
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
            .follow_redirects();
        let with_body = method == Method::POST || method == Method::PUT;
        if with_body {
            request = request.body("the body");
        }
        // A head of the server's has the length of a body that does not come; close after it.
        let egress = egress(&[&server]);
        egress.send(request).await.unwrap();
        let arrived = server.last();
        assert_eq!(
            (arrived.path.as_str(), arrived.method.as_str()),
            ("/arrived", becomes)
        );
        let kept = with_body && becomes == method.as_str();
        assert_eq!(arrived.body, if kept { "the body" } else { "" }, "{status}");
        assert_eq!(
            arrived.header("content-type").is_some(),
            method.as_str() == becomes
        );
    }
}

#[tokio::test]
async fn a_body_is_not_sent_to_another_origin() {
    let other = Server::start("127.77.4.1", |_| Reply::ok("")).await;
    let first = redirecting_to(&other).await;
    let egress = egress(&[&first, &other]);
    for status in [307, 308] {
        let request = Request::new(Method::POST, first.url(&format!("/{status}")))
            .body("client_secret=secret")
            .follow_redirects();
        let refused = egress.send(request).await.unwrap_err();
        assert!(
            refused.to_string().contains("body to another origin"),
            "{refused}"
        );
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn an_allowed_port_does_not_allow_its_neighbour() {
    let other = Server::start("127.77.4.2", |_| Reply::ok("")).await;
    let first = redirecting_to(&other).await;
    assert_eq!(first.address.ip(), other.address.ip());
    let request = Request::get(first.url("/302")).follow_redirects();
    let refused = egress(&[&first]).send(request).await.unwrap_err();
    assert!(
        matches!(refused, EgressError::PlainHttp { .. }),
        "{refused:?}"
    );
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_place_that_is_no_web_address_is_refused() {
    let server = Server::start("127.77.4.1", |seen| {
        let place = match seen.path.as_str() {
            "/file" => "file:///etc/passwd",
            "/script" => "javascript:alert(1)",
            "/user" => "http://user:pw@127.77.4.1/",
            "/port" => "http://127.77.4.1:0/",
            "/broken" => "http://[::1/",
            "/empty-host" => "https://",
            path => panic!("{path}"),
        };
        Reply::redirect(302, place)
    })
    .await;
    let egress = egress(&[&server]);
    for path in [
        "/file",
        "/script",
        "/user",
        "/port",
        "/broken",
        "/empty-host",
    ] {
        let request = Request::get(server.url(path)).follow_redirects();
        let refused = egress.send(request).await;
        assert!(refused.is_err(), "{path}: {refused:?}");
    }
    assert_eq!(server.seen().len(), 6);
}
