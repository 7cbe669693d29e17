//! What an operator may write, and what it lets through.

use crate::names::Names;
use crate::server::{Reply, Server};
use quaymaster_egress::{Allow, Egress, EgressError, Policy, PolicyError, Request};

fn egress(allow: &[&str], names: Names) -> Egress {
    let allow: Vec<String> = allow.iter().map(ToString::to_string).collect();
    Egress::with_resolver(Policy::configured(&allow, None).unwrap(), names).unwrap()
}

#[test]
fn an_entry_is_a_range_an_address_or_a_name() {
    for (entry, means) in [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("fd00::/8", "fd00::/8"),
        ("FD00:0::/8", "fd00::/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3:8080", "10.1.2.3:8080"),
        ("fd00::1", "fd00::1/128"),
        ("[fd00::1]", "fd00::1/128"),
        ("[fd00::1]:8080", "[fd00::1]:8080"),
        ("Wiki.Intern", "wiki.intern"),
        ("wiki.intern.", "wiki.intern"),
        ("bücher.intern", "xn--bcher-kva.intern"),
        ("wiki.intern:8443", "wiki.intern:8443"),
        ("*.intern", "*.intern"),
        ("*.dev.intern:80", "*.dev.intern:80"),
        ("localhost", "localhost"),
    ] {
        let allow: Allow = entry.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(allow.to_string(), means, "{entry}");
        assert_eq!(means.parse::<Allow>().unwrap(), allow, "{entry}");
    }
}

#[test]
fn what_is_wrong_with_an_entry_is_said() {
    for (entry, reason) in [
        ("", "it is empty"),
        (" ", "' ' is in no host name"),
        ("a b", "' ' is in no host name"),
        ("http://wiki.intern", "without the scheme"),
        ("user@wiki.intern", "'@' is in no host name"),
        ("wiki.intern?x", "'?' is in no host name"),
        ("wiki%2eintern", "'%' is in no host name"),
        ("wiki.intern/path", "\"wiki.intern\" is no address; a range"),
        ("10.0.0.0/33", "here it is 0 to 32"),
        ("10.0.0.0/+8", "\"+8\" is no prefix length"),
        ("10.0.0.0/", "\"\" is no prefix length"),
        ("fd00::/129", "here it is 0 to 128"),
        ("10.1.2.3/8", "write 10.0.0.0/8"),
        ("fd00::1/8", "write fd00::/8"),
        ("10.0.0.0/8:80", "\"8:80\" is no prefix length"),
        ("::ffff:10.0.0.1", "write it as IPv4: 10.0.0.1"),
        ("127.1", "write the address in full: 127.0.0.1"),
        ("0x7f.1", "write the address in full: 127.0.0.1"),
        ("2130706433", "write the address in full: 127.0.0.1"),
        ("*", "a bare * would allow everything"),
        ("wiki.*", "a * stands only in front"),
        ("*wiki.intern", "a * stands only in front"),
        ("*.", "\"\" is no host name"),
        ("wiki..intern", "is no host name"),
        ("wiki.intern:", "\"\" is no port"),
        ("wiki.intern:0", "\"0\" is no port"),
        ("wiki.intern:+80", "\"+80\" is no port"),
        ("wiki.intern:65536", "\"65536\" is no port"),
        ("wiki.intern:http", "\"http\" is no port"),
        (
            "fd00::1:2:3:4:5:6:7:8",
            "one with a port stands in brackets",
        ),
        ("[fd00::1", "the bracket is not closed"),
        ("[fd00::1]80", "after the bracket comes :port"),
        ("[10.0.0.1]:80", "an IPv6 address belongs between"),
    ] {
        let error = Policy::configured(&[entry.to_owned()], None).unwrap_err();
        assert!(matches!(error, PolicyError::Allow(_)));
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("egress.allow: {entry:?} cannot be used: "))
                && text.contains(reason),
            "{entry:?}: {text}"
        );
    }
}

/// Names of an allowed and of another address of the server.
fn names() -> Names {
    Names::default()
        .with("wiki.intern", "127.77.1.1")
        .with("a.wiki.intern", "127.77.1.1")
        .with("b.a.wiki.intern", "127.77.1.1")
        .with("notwiki.intern", "127.77.1.1")
        .with("wiki.intern.example", "127.77.1.1")
}

#[tokio::test]
async fn an_entry_lets_through_what_matches_it_and_nothing_else() {
    let server = Server::start("127.77.1.1", |_| Reply::ok("reached")).await;
    let port = server.address.port();
    let with_port = |host: &str| format!("{host}:{port}");
    let other_port = |host: &str| format!("{host}:{}", port ^ 1);
    let all = [
        "127.77.1.1",
        "[::ffff:127.77.1.1]",
        "wiki.intern",
        "WIKI.intern.",
        "a.wiki.intern",
        "b.a.wiki.intern",
        "notwiki.intern",
        "wiki.intern.example",
    ];
    let cases: [(String, &[&str]); 13] = [
        ("127.77.1.1".into(), &all),
        ("127.77.1.0/24".into(), &all),
        ("0.0.0.0/0".into(), &all),
        (with_port("127.77.1.1"), &all),
        (other_port("127.77.1.1"), &[]),
        ("127.77.2.0/24".into(), &[]),
        ("::/0".into(), &[]),
        ("wiki.intern".into(), &["wiki.intern", "WIKI.intern."]),
        (with_port("wiki.intern"), &["wiki.intern", "WIKI.intern."]),
        (other_port("wiki.intern"), &[]),
        (
            "*.wiki.intern".into(),
            &["a.wiki.intern", "b.a.wiki.intern"],
        ),
        (with_port("*.a.wiki.intern"), &["b.a.wiki.intern"]),
        (other_port("*.wiki.intern"), &[]),
    ];
    for (entry, reached) in cases {
        let egress = egress(&[&entry], names());
        for host in all {
            let url = format!("http://{host}:{port}/");
            let answer = egress.send(Request::get(&url)).await;
            assert_eq!(
                answer.is_ok(),
                reached.contains(&host),
                "{entry}: {url}: {answer:?}"
            );
            let stream = egress.connect(host, port).await;
            assert_eq!(stream.is_ok(), reached.contains(&host), "{entry}: {host}");
        }
    }
}

#[tokio::test]
async fn plain_http_is_only_for_what_is_allowed() {
    // Public, but nothing is sent: the refusal comes before the connection.
    let names = Names::default().with("public.example", "1.1.1.1");
    for allow in [
        &[][..],
        &["10.0.0.0/8"],
        &["other.example"],
        &["public.example:8080"],
    ] {
        for url in [
            "http://public.example/",
            "http://1.1.1.1/",
            "http://unknown.example/",
        ] {
            let refused = egress(allow, names.clone()).send(Request::get(url)).await;
            assert!(
                matches!(refused, Err(EgressError::PlainHttp { .. })),
                "{allow:?}: {url}: {refused:?}"
            );
        }
    }
}
