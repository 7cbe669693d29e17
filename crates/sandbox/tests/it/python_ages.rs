//! Sessions that end because time went by.

use crate::hosts::Host;
use crate::python::descendants;
use serde_json::json;
use std::time::{Duration, Instant};

/// Whether an interpreter is there.
fn runs_python(host: &Host) -> bool {
    let family = descendants(host.pid());
    family.iter().any(|(_, name)| name.starts_with("python"))
}

#[test]
fn a_session_that_nobody_uses_ends_and_one_that_is_used_goes_on() {
    let mut host = Host::python(&["idle_ms=3000"]);
    host.py_value("x = 1");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        let kept = host.py(json!({ "code": "x" }));
        assert_eq!(kept["state"], "kept", "{kept}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(runs_python(&host), "where it is looked for it is found");
    let used = Instant::now();
    while runs_python(&host) {
        assert!(
            used.elapsed() < Duration::from_secs(20),
            "it is still there"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(used.elapsed() > Duration::from_secs(2), "it ended early");
    let next = host.py(json!({ "code": "'x' in globals()" }));
    assert_eq!(
        (&next["said"], &next["state"]),
        (&json!("False"), &json!("new"))
    );
    let reason = next["reason"].as_str().unwrap();
    assert!(reason.contains("not used"), "{next}");
}

#[test]
fn a_session_that_is_old_ends_however_much_it_is_used() {
    let mut host = Host::python(&["max_age_ms=3000"]);
    let first = host.py(json!({ "code": "x = 1" }));
    let begun = Instant::now();
    let next = loop {
        let next = host.py(json!({ "code": "'x' in globals()" }));
        if next["state"] != "kept" {
            break next;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it is still there"
        );
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(begun.elapsed() > Duration::from_secs(2), "it ended early");
    assert_eq!(
        (&next["said"], &next["state"]),
        (&json!("False"), &json!("new"))
    );
    assert_ne!(next["session"], first["session"]);
    let reason = next["reason"].as_str().unwrap();
    assert!(reason.contains("too old"), "{next}");
}
