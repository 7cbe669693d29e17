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
fn no_two_programs_draw_the_same_numbers() {
    let mut host = Host::start(&[]);
    let code = "return [Math.random(), Math.random()]";
    let ids: Vec<_> = (0..100)
        .map(|_| host.order(json!({ "code": code })))
        .collect();
    let mut drawn = Vec::new();
    for id in ids {
        let outcome = host.answer(id);
        let both = outcome["result"].as_array().unwrap().iter();
        drawn.extend(both.map(|number| number.as_f64().unwrap().to_bits()));
    }
    assert!(drawn.iter().all(|&bits| f64::from_bits(bits) < 1.0));
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 200);
    let shape = "const own = Object.getOwnPropertyDescriptor(Math, 'random'); \
                 return [own.value.name, own.value.length, own.writable, own.enumerable, own.configurable]";
    assert_eq!(host.value(shape), json!(["random", 0, true, false, true]));
}

#[test]
fn what_workers_are_copies_of_is_replaced_when_it_is_killed() {
    let mut host = Host::start(&[]);
    host.value("return 1");
    for _ in 0..3 {
        let workers = host.waiting();
        let mut copied = host.children();
        copied.retain(|child| !workers.contains(child));
        assert_eq!(copied.len(), 1, "{copied:?}");
        let killed = std::process::Command::new("kill")
            .args(["-KILL", &copied[0].to_string()])
            .status();
        assert!(killed.unwrap().success());
        // More than wait, so that new ones are needed.
        let ids: Vec<_> = (0..8)
            .map(|n| host.order(json!({ "code": format!("return {n}") })))
            .collect();
        for (n, id) in ids.into_iter().enumerate() {
            assert_eq!(host.answer(id)["result"], json!(n));
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
        // What they are copies of goes with them.
        let processes = host.children();
        assert!(processes.len() > workers.len(), "{way:?} {processes:?}");
        host.kill();
        let killed = Instant::now();
        while processes.iter().any(|&process| lives(process)) {
            let waited = killed.elapsed();
            assert!(
                waited < Duration::from_secs(2),
                "{way:?} {processes:?} live after {waited:?}"
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
    // Nobody asks for copies; another parent than the one that is named has ended meanwhile.
    for args in [["js", "1", "forks"].as_slice(), &["python", "1"]] {
        let output = std::process::Command::new(program)
            .arg("__worker")
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}
