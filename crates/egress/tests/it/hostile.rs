//! Hundreds of URLs that lead inside, none of which may connect; and a naive client, which shows
//! that they lead there.

use crate::canaries::Canaries;
use crate::names::Names;
use crate::server::{Reply, Server};
use crate::urls;
use futures_util::StreamExt as _;
use quaymaster_egress::{Egress, EgressError, Policy, Request};
use std::net::SocketAddr;
use std::time::Duration;

/// Where the redirecting server listens, which the operator allows.
const ALLOWED: &str = "127.77.0.1";

/// Names that lead to the canaries, and a name that does so from the second lookup on.
fn names(canaries: &Canaries) -> (Names, Vec<String>) {
    let mut names = Names::default();
    let mut urls = Vec::new();
    for (at, canary) in canaries.0.iter().enumerate() {
        let (ip, port) = (canary.address.ip(), canary.address.port());
        let other = format!("127.78.0.{}", at + 1);
        let mapped = match ip {
            std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().to_string(),
            std::net::IpAddr::V6(v6) => v6.to_string(),
        };
        let ip = ip.to_string();
        let known: [(String, Vec<String>); 6] = [
            (format!("private{at}.example"), vec![ip.clone()]),
            (format!("mapped{at}.example"), vec![mapped]),
            (format!("twice{at}.example"), vec![format!("{ip} {ip}")]),
            // One bad address among those of an allowed server. Nothing listens on its port.
            (format!("mixed{at}.example"), vec![format!("{other} {ip}")]),
            (format!("last{at}.example"), vec![format!("{ip} {other}")]),
            (
                format!("rebinding{at}.example"),
                vec![other.clone(), ip.clone()],
            ),
        ];
        for (name, answers) in known {
            let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
            names = names.rebinding(&name, &answers);
            for scheme in ["http", "https"] {
                urls.push(format!("{scheme}://{name}:{port}/"));
            }
            urls.push(format!("https://{}.:{port}/", name.to_uppercase()));
        }
    }
    (names, urls)
}

/// Redirects to the URL that its path spells in hexadecimal digits.
async fn redirecting_server() -> Server {
    Server::start(ALLOWED, |seen| {
        let digits = seen.path.trim_start_matches('/').as_bytes();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect();
        Reply::redirect(302, &String::from_utf8(bytes).unwrap())
    })
    .await
}

fn redirects(server: &Server, urls: &[String]) -> Vec<String> {
    let own = reqwest::Url::parse(&server.url("/")).unwrap();
    // A header has no control characters, and `http:host/` is a path for who is asked by http.
    let leads_away = |url: &str| {
        !url.contains(|c: char| c.is_control())
            && own.join(url).is_ok_and(|url| url.host() != own.host())
    };
    urls.iter()
        .filter(|url| leads_away(url))
        .map(|url| server.url(&format!("/{}", quaymaster_core::hex(url.as_bytes()))))
        .collect()
}

/// Checks nothing: follows redirects, and looks a name up a second time for the connection.
async fn naive(names: &Names, urls: &[String]) {
    let client = reqwest::Client::builder()
        .dns_resolver(names.clone())
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let requests = urls.iter().map(|url| {
        let (names, client) = (names.clone(), client.clone());
        async move {
            if let Some(host) = reqwest::Url::parse(url).ok().and_then(|url| {
                url.domain()
                    .map(|name| name.trim_end_matches('.').to_owned())
            }) {
                let _looked_up_and_then_forgotten = names.look_up(&host);
            }
            let _whatever = client.get(url).send().await;
        }
    });
    futures_util::stream::iter(requests)
        .buffer_unordered(16)
        .collect::<()>()
        .await;
}

#[tokio::test]
async fn no_hostile_url_reaches_the_machine_itself() {
    let canaries = Canaries::listen().await;
    let server = redirecting_server().await;
    let (names, by_name) = names(&canaries);
    let mut urls = by_name;
    for canary in &canaries.0 {
        urls.extend(urls::at(canary.address));
    }
    urls.extend(urls::unspecified(canaries.0[0].address));
    urls.extend(urls::of_other_schemes(canaries.0[0].address));
    urls.extend(redirects(&server, &urls));
    assert!(urls.len() >= 200, "{}", urls.len());

    let policy = Policy {
        allow: vec![
            server.address.to_string().parse().unwrap(),
            "127.78.0.0/28".parse().unwrap(),
        ],
        ..Policy::default()
    };
    let egress = Egress::with_resolver(policy, names.again()).unwrap();
    for url in &urls {
        let answer = egress.send(Request::get(url).follow_redirects()).await;
        assert!(answer.is_err(), "{url} was answered: {answer:?}");
    }
    let reached = canaries.connections().await;
    assert_eq!(reached, 0, "of {} URLs", urls.len());

    // The same list leads there, if nobody looks.
    naive(&names, &urls).await;
    let reached = canaries.connections().await;
    println!("{} URLs; the naive client reached {reached}", urls.len());
    assert!(
        reached * 4 > urls.len() * 3,
        "the naive client reached the canaries only {reached} times with {} URLs",
        urls.len()
    );
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_before_anything_is_sent() {
    let names = Names::default();
    let egress = Egress::with_resolver(Policy::default(), names.clone()).unwrap();
    let addresses = [
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:a00:1::1",
        "2001:db8::1",
        "3fff::1",
        "2a00::5efe:127.0.0.1",
        "2a00::200:5efe:10.0.0.1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "100::1",
        "4000::1",
    ];
    for address in addresses {
        let literal = if address.contains(':') {
            format!("[{address}]")
        } else {
            address.to_owned()
        };
        let refused = egress
            .send(Request::get(format!("https://{literal}/")))
            .await;
        assert!(
            matches!(refused, Err(EgressError::NotPublic { .. })),
            "{address}: {refused:?}"
        );
        let by_name = names.clone().with("inside.example", address);
        let by_name = Egress::with_resolver(Policy::default(), by_name).unwrap();
        let refused = by_name.send(Request::get("https://inside.example/")).await;
        assert!(
            matches!(refused, Err(EgressError::NotPublic { .. })),
            "{address} by name: {refused:?}"
        );
        assert!(by_name.connect("inside.example", 25).await.is_err());
        assert!(egress.connect(address, 25).await.is_err());
    }
}

#[tokio::test]
async fn one_bad_address_refuses_a_name_with_a_good_one() {
    let server = Server::start(ALLOWED, |_| Reply::ok("reached")).await;
    let allow = server.address.to_string();
    let send = async |addresses: &str| {
        let names = Names::default().with("both.example", addresses);
        let policy = Policy {
            allow: vec![allow.parse().unwrap()],
            ..Policy::default()
        };
        let egress = Egress::with_resolver(policy, names).unwrap();
        let url = format!("http://both.example:{}/", server.address.port());
        egress
            .send(Request::get(url))
            .await
            .map(|answer| answer.body)
    };
    assert_eq!(send(ALLOWED).await.unwrap(), "reached");
    for with_another in [
        "127.77.0.1 127.0.0.1",
        "127.0.0.1 127.77.0.1",
        "127.77.0.1 ::1",
    ] {
        assert!(send(with_another).await.is_err(), "{with_another}");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection() {
    let server = Server::start(ALLOWED, |_| Reply::ok("reached")).await;
    let canaries = Canaries::listen().await;
    let names = Names::default().rebinding("rebinding.example", &[ALLOWED, "127.0.0.1"]);
    let egress = Egress::with_resolver(
        Policy {
            allow: vec![format!("{ALLOWED}/32").parse().unwrap()],
            ..Policy::default()
        },
        names,
    )
    .unwrap();
    let reached = SocketAddr::new(ALLOWED.parse().unwrap(), server.address.port());
    let stream = egress
        .connect("rebinding.example", server.address.port())
        .await
        .unwrap();
    assert_eq!(stream.peer_addr().unwrap(), reached);
    // The second lookup has its own answer, and is refused for it.
    for canary in &canaries.0 {
        let port = canary.address.port();
        assert!(egress.connect("rebinding.example", port).await.is_err());
    }
    assert_eq!(canaries.connections().await, 0);
}
