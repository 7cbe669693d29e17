//! Many executions, many at once, and the end of a server.

use crate::hosts::{Host, every_way};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn fifty_at_once_are_answered() {
    // js_50_concurrent
    for mut host in Host::everywhere() {
        let ids: Vec<_> = (0..50)
            .map(|n| {
                host.order(json!({ "code": format!(
                    "const a = await Promise.all([1, 2, 3].map((i) => quaymaster.test.slow({{ ms: i }}))); \
                     globalThis.mine ??= {n}; return [globalThis.mine, a.length]"
                ) }))
            })
            .collect();
        for (n, id) in ids.into_iter().enumerate() {
            let outcome = host.answer(id);
            assert_eq!(outcome["result"], json!([n, 3]), "{} {outcome}", host.how);
        }
    }
}

#[test]
fn more_than_there_is_room_for_take_turns() {
    let mut host = Host::start(&[]);
    let code = "await quaymaster.test.slow({ ms: 50 }); return 1";
    let ids: Vec<_> = (0..150)
        .map(|_| host.order(json!({ "code": code })))
        .collect();
    for id in ids {
        assert_eq!(host.answer(id)["result"], 1);
    }
    assert!(host.ask(json!({ "audit": true }))["peak"].as_u64().unwrap() <= 64);
}

#[test]
fn a_thousand_executions_leave_nothing_behind() {
    // js_1000_execs_x10_calls
    let mut host = Host::start(&[]);
    let code = "const all = Array.from({ length: 10 }, (_, i) => quaymaster.test.echo({ i })); \
                return (await Promise.all(all)).reduce((sum, one) => sum + one.i, 0)";
    let mut round = |executions: usize| {
        for _ in 0..executions / 10 {
            let ids: Vec<_> = (0..10)
                .map(|_| host.order(json!({ "code": code })))
                .collect();
            for id in ids {
                let outcome = host.answer(id);
                assert_eq!(outcome["result"], 45, "{outcome}");
            }
        }
        let files = std::fs::read_dir(format!("/proc/{}/fd", host.pid()))
            .unwrap()
            .count();
        (
            host.status("VmRSS:"),
            host.status("Threads:"),
            files,
            host.workers().len(),
        )
    };
    let (before, threads, _, _) = round(200);
    let (after, threads_after, files, workers) = round(800);
    assert!(
        after < before + 8 * 1024,
        "{before} KiB grew to {after} KiB"
    );
    // The runtime has threads that come and go; of 800 executions none stays.
    assert!(
        threads_after <= threads + 4,
        "{threads} threads grew to {threads_after}"
    );
    assert!(files < 100, "{files} files are open");
    assert!(workers <= 20, "{workers} workers are there");
}

/// Whether the process is there and not merely waiting for its parent to notice that it is not.
fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest.starts_with(" Z"))
    })
}

#[test]
fn no_worker_outlives_a_server_that_was_killed() {
    // js_server_sigkill
    for way in every_way() {
        let mut host = Host::start(&way);
        host.value("return 1");
        for code in [
            "while (true) {}",
            "await sleep(60000)",
            "await quaymaster.test.never({})",
        ] {
            host.order(json!({ "code": code }));
        }
        let begun = Instant::now();
        let mut workers = host.workers();
        while workers.len() < 7 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::yield_now();
            workers = host.workers();
        }
        assert!(
            workers.len() >= 7,
            "{way:?} three run and four wait: {workers:?}"
        );
        host.kill();
        let killed = Instant::now();
        while workers.iter().any(|&worker| lives(worker)) {
            let waited = killed.elapsed();
            assert!(
                waited < Duration::from_secs(2),
                "{way:?} {workers:?} live after {waited:?}"
            );
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_worker_is_not_started_by_hand() {
    let program = env!("CARGO_BIN_EXE_quaymaster-sandbox-host");
    let output = std::process::Command::new(program)
        .args(["__worker", "js"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    // Another parent than the one that is named has ended meanwhile.
    let output = std::process::Command::new(program)
        .args(["__worker", "js", "1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
