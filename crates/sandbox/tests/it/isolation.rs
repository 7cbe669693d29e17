//! Machines that isolate fully, in part, and not at all.

use crate::hosts::{Host, NO_MOUNTS, NO_NAMESPACES, is_root};
use serde_json::json;

#[test]
fn without_namespaces_programs_run_and_say_so() {
    // js_userns_blocked: EPERM as in Docker, ENOSPC as with max_user_namespaces=0.
    for (args, errno, stage) in [
        (NO_NAMESPACES, 1, "unshare"),
        ("deny=unshare:28", 28, "unshare"),
        (NO_MOUNTS, 1, "mount"),
        ("deny=pivot_root:1", 1, "pivot_root"),
    ] {
        let mut host = Host::start(&[args]);
        let probed = host.ask(json!({ "probe": true }));
        assert_eq!(probed["isolation"], "seccomp", "{args} {probed}");
        assert_eq!(probed["lacks"]["stage"], stage, "{args} {probed}");
        assert_eq!(probed["lacks"]["errno"], errno, "{args} {probed}");
        assert!(!probed["lacks"]["fix"].as_str().unwrap().is_empty());
        let outcome = host.run("return (await quaymaster.test.echo({ a: 1 })).a");
        assert_eq!(outcome["result"], 1, "{args} {outcome}");
        assert_eq!(outcome["isolation"], "seccomp");
        let outcome = host.run("native('open')");
        assert_eq!(outcome["signal"], 31, "{args} {outcome}");
    }
}

#[test]
fn with_namespaces_it_is_full() {
    let mut ways = vec![vec![]];
    if is_root() {
        ways.push(vec!["user=65534"]);
    }
    for way in ways {
        let mut host = Host::start(&way);
        let probed = host.ask(json!({ "probe": true }));
        assert_eq!(
            probed["isolation"], "full",
            "{way:?} {probed}: this machine has no user namespaces"
        );
    }
}

#[test]
fn without_filters_nothing_runs() {
    // js_seccomp_blocked
    for args in [
        vec!["deny=seccomp:22"],
        vec!["deny=seccomp:38", NO_NAMESPACES],
    ] {
        // The filter that forbids filters must come last.
        let args: Vec<&str> = args.into_iter().rev().collect();
        let mut host = Host::start(&args);
        let answer = host.run("return 1");
        let fault = &answer["fault"];
        assert_eq!(fault["code"], "SANDBOX_UNAVAILABLE", "{answer}");
        assert_eq!(fault["retryable"], false);
        assert_eq!(fault["details"]["stage"], "seccomp", "{answer}");
        assert!(
            fault["hint"]
                .as_str()
                .unwrap()
                .contains("CONFIG_SECCOMP_FILTER")
        );
        let probed = host.ask(json!({ "probe": true }));
        assert_eq!(probed["failed"]["stage"], "seccomp", "{probed}");
    }
}

#[test]
fn a_locked_worker_sees_no_network_and_no_file() {
    let mut host = Host::start(&[]);
    host.value("return 1");
    if !is_root() {
        // Only root may look at a process that nobody may look into.
        assert_eq!(host.run("return 1")["isolation"], "full");
        return;
    }
    let here = |what: &str| std::fs::read_link(format!("/proc/self/ns/{what}")).unwrap();
    let worker = host.waiting()[0];
    for what in ["user", "net", "mnt", "ipc", "uts"] {
        let there = std::fs::read_link(format!("/proc/{worker}/ns/{what}")).unwrap();
        assert_ne!(there, here(what), "{what}");
    }
    let process = std::path::Path::new("/proc").join(worker.to_string());
    let entries = std::fs::read_dir(process.join("root")).unwrap().count();
    assert_eq!(entries, 0);
    let mounts = std::fs::read_to_string(format!("/proc/{worker}/mounts")).unwrap();
    assert_eq!(mounts.lines().count(), 1, "{mounts}");
    assert!(mounts.contains("ro,"), "{mounts}");
    let open = std::fs::read_dir(format!("/proc/{worker}/fd"))
        .unwrap()
        .count();
    assert_eq!(open, 3);
}
