//! What somebody learns from a refusal.

use crate::names::Names;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, EgressError, Policy, Request};
use std::time::Duration;

fn egress(names: Names) -> Egress {
    let policy = Policy {
        allow: vec!["10.0.0.0/8".parse().unwrap()],
        ..Policy::default()
    };
    Egress::with_resolver(policy, names).unwrap()
}

#[tokio::test]
async fn an_unknown_and_a_private_name_are_refused_in_the_same_words() {
    let unknown = egress(Names::default());
    let private = [
        "127.0.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "10.0.0.1 192.168.0.1",
        "fd00::1",
        "",
    ];
    for url in [
        "https://a.example/",
        "http://a.example/",
        "https://a.example:8443/x",
    ] {
        let refused = async |egress: &Egress| egress.send(Request::get(url)).await.unwrap_err();
        let expected = refused(&unknown).await;
        for addresses in private {
            let names = Names::default().with("a.example", addresses);
            let other = refused(&egress(names)).await;
            assert_eq!(other, expected, "{addresses}");
            assert_eq!(Fault::from(other), Fault::from(expected.clone()));
        }
    }
    let refused = unknown.connect("a.example", 25).await.unwrap_err();
    for addresses in private {
        let names = Names::default().with("a.example", addresses);
        assert_eq!(
            egress(names).connect("a.example", 25).await.unwrap_err(),
            refused
        );
    }
}

#[tokio::test]
async fn a_refusal_names_the_setting_and_no_address() {
    let names = Names::default().with("a.example", "192.168.7.7");
    let refused = egress(names)
        .send(Request::get("https://a.example/secret/path?token=secret"))
        .await
        .unwrap_err();
    let fault = Fault::from(refused);
    let text = fault.to_json().to_string();
    assert!(
        text.contains("egress.allow") && text.contains("a.example"),
        "{text}"
    );
    assert!(
        !text.contains("192.168") && !text.contains("secret"),
        "{text}"
    );
    assert_eq!(fault.code, Code::UpstreamError);
    assert!(!fault.retryable);
}

#[test]
fn every_error_says_what_to_do_next() {
    let host = || "a.example".to_owned();
    let limit = Duration::from_secs(5);
    for (error, code, retryable) in [
        (
            EgressError::InvalidAddress {
                reason: "it has no host".into(),
            },
            Code::InvalidArg,
            false,
        ),
        (EgressError::Scheme, Code::InvalidArg, false),
        (
            EgressError::PlainHttp { host: host() },
            Code::InvalidArg,
            false,
        ),
        (
            EgressError::NotYours {
                name: "host".into(),
            },
            Code::InvalidArg,
            false,
        ),
        (
            EgressError::NotPublic { host: host() },
            Code::UpstreamError,
            false,
        ),
        (
            EgressError::Connect { host: host() },
            Code::UpstreamError,
            true,
        ),
        (
            EgressError::Tls { host: host() },
            Code::UpstreamError,
            false,
        ),
        (
            EgressError::Exchange { host: host() },
            Code::UpstreamError,
            true,
        ),
        (
            EgressError::Timeout {
                host: host(),
                limit,
            },
            Code::Timeout,
            true,
        ),
        (
            EgressError::TooLarge {
                host: host(),
                limit: 1,
            },
            Code::UpstreamError,
            false,
        ),
        (
            EgressError::Redirect {
                host: host(),
                reason: "it leads away",
            },
            Code::UpstreamError,
            false,
        ),
    ] {
        let message = error.to_string();
        let fault = Fault::from(error);
        assert_eq!(
            (fault.code, fault.retryable),
            (code, retryable),
            "{message}"
        );
        assert_eq!(fault.message, message);
        assert!(message.ends_with('.'), "{message}");
        assert!(
            fault.hint.is_some_and(|hint| hint.ends_with('.')),
            "{message}"
        );
        assert_eq!(
            fault.details.is_some_and(|d| d.get("errors").is_some()),
            code == Code::InvalidArg
        );
    }
}
