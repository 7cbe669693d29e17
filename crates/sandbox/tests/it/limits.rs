//! Programs that want more than they may have.

use crate::hosts::Host;
use serde_json::json;

const MIB: u64 = 1024 * 1024;

/// Runs each program for at most half a second and compares how it ended.
fn end(programs: &[(&str, &str)], expected: &[&str]) {
    end_within(500, programs, expected);
}

fn end_within(wall_ms: u64, programs: &[(&str, &str)], expected: &[&str]) {
    for mut host in Host::everywhere() {
        host.value("return 'begun'");
        let before = host.status("VmRSS:");
        let runs: Vec<_> = programs
            .iter()
            .map(|(name, code)| {
                let id = host.order(json!({ "code": code, "wall_ms": wall_ms }));
                (name, id)
            })
            .collect();
        for (name, id) in runs {
            let outcome = host.answer(id);
            let ended = outcome["outcome"].as_str().unwrap_or("no outcome");
            assert!(expected.contains(&ended), "{} {name}: {outcome}", host.how);
        }
        assert_eq!(host.value("return 1 + 1"), 2, "the host goes on");
        host.has_not_grown(before);
    }
}

#[test]
fn programs_that_do_not_end_are_stopped() {
    end(
        &[
            ("js_while_true", "while (true) {}"),
            ("js_await_spin", "while (true) await null"),
            (
                "js_promise_recursion",
                "const f = () => Promise.resolve().then(f); await f()",
            ),
            ("js_sort_spin", "[3, 2, 1].sort(() => { while (true); })"),
            (
                "js_catch_timeout",
                "while (true) { try { while (true); } catch {} }",
            ),
            (
                "js_finally_spin",
                "try { while (true); } finally { while (true); }",
            ),
            ("js_redos", "/(a+)+$/.test('a'.repeat(60) + 'b')"),
            ("js_getter_spin", "return { get a() { while (true); } }"),
            ("js_message_spin", "throw { toJSON() { while (true); } }"),
            ("js_sleep", "await sleep(1e9)"),
            ("js_call_never", "await quaymaster.test.never()"),
        ],
        &["timeout"],
    );
}

#[test]
fn what_the_engine_cannot_interrupt_is_killed_from_outside() {
    end(
        &[
            (
                "js_bigint_square",
                "let x = 3n ** 300000n; while (true) x = (x * x) >> 475000n",
            ),
            ("native spin", "native('spin')"),
        ],
        &["timeout"],
    );
}

#[test]
fn computing_for_too_long_is_stopped_before_the_time_is_over() {
    for mut host in Host::everywhere() {
        let outcome =
            host.ask(json!({ "code": "while (true) {}", "cpu_ms": 200, "wall_ms": 20_000 }));
        assert_eq!(outcome["outcome"], "cpu_limit", "{} {outcome}", host.how);
    }
}

#[test]
fn the_kernel_stops_what_computes_where_the_engine_does_not_look() {
    let spin = json!({ "code": "native('spin')", "wall_ms": 60_000 });
    let hosts = Host::everywhere().map(|mut host| (host.order(spin.clone()), host));
    // All at once, since each takes seconds.
    for (order, mut host) in hosts.collect::<Vec<_>>() {
        let outcome = host.answer(order);
        assert_eq!(outcome["outcome"], "cpu_limit", "{} {outcome}", host.how);
    }
}

#[test]
fn memory_ends() {
    end_within(
        20_000,
        &[
            (
                "js_array_bomb",
                "const a = []; while (true) a.push(new Array(1000).fill(1))",
            ),
            (
                "js_arraybuffer",
                "return new ArrayBuffer(2 ** 30).byteLength",
            ),
            (
                "js_map_bomb",
                "const m = new Map(); for (let i = 0; ; i++) m.set(i, [i])",
            ),
            (
                "js_catch_memory",
                "const a = []; while (true) a.push('x'.repeat(1e6) + a.length)",
            ),
            ("js_repeat", "return 'x'.repeat(2 ** 28).length"),
            ("js_padend", "return 'x'.padEnd(2 ** 28, 'ab').length"),
        ],
        &["memory_limit"],
    );
}

#[test]
fn a_smaller_heap_ends_sooner() {
    let mut host = Host::start(&[]);
    let code = "return new Uint8Array(8 * 1024 * 1024).length";
    let outcome = host.ask(json!({ "code": code, "heap": 4 * MIB }));
    assert_eq!(outcome["outcome"], "memory_limit", "{outcome}");
    let outcome = host.ask(json!({ "code": code, "heap": 400 * MIB }));
    assert_eq!(outcome["outcome"], "ok", "{outcome}");
    // More than the default is not to be had.
    let code = "return new Uint8Array(100 * 1024 * 1024).length";
    let outcome = host.ask(json!({ "code": code, "heap": 400 * MIB }));
    assert_eq!(outcome["outcome"], "memory_limit", "{outcome}");
}

#[test]
fn depth_is_an_error() {
    end_within(
        20_000,
        &[
            ("js_recursion", "const f = () => f() + 1; return f()"),
            ("js_deep_json", "return JSON.parse('['.repeat(1e6))"),
            ("js_deep_source", "return eval('('.repeat(1e5))"),
            ("js_deep_regex", "return new RegExp('('.repeat(1e5))"),
            (
                "js_deep_stringify",
                "let a = 1; for (let i = 0; i < 1e5; i++) a = [a]; return a",
            ),
        ],
        &["error"],
    );
    // Depth that comes back up again and again is endless besides.
    end(
        &[(
            "js_try_recursion",
            "const f = () => { try { f() } catch { f() } }; f(); while (true);",
        )],
        &["error", "timeout"],
    );
}

#[test]
fn waiting_for_nothing_is_told_at_once() {
    for mut host in Host::everywhere() {
        for code in [
            "await new Promise(() => {})",
            "await quaymaster.test.echo({}); await new Promise(() => {})",
            "await Promise.race([])",
        ] {
            let outcome = host.run(code);
            assert_eq!(outcome["outcome"], "deadlock", "{} {outcome}", host.how);
            assert!(outcome["ms"].as_f64().unwrap() < 10_000.0, "{outcome}");
        }
    }
}

#[test]
fn two_hundred_calls_are_the_most() {
    for mut host in Host::everywhere() {
        let outcome = host.run("const all = []; for (;;) all.push(quaymaster.test.echo({}))");
        assert_eq!(outcome["outcome"], "call_limit", "{} {outcome}", host.how);
        assert_eq!(outcome["calls"].as_array().unwrap().len(), 200);
        let outcome = host.run(
            "for (;;) { try { await quaymaster.test.echo({}) } catch { /* it would go on */ } }",
        );
        assert_eq!(outcome["outcome"], "call_limit", "{} {outcome}", host.how);
        let audit = host.ask(json!({ "audit": true }));
        let seen = audit["seen"].as_array().unwrap().len();
        assert!((200..=216).contains(&seen), "{} {seen}", host.how);
        let exactly = "for (let i = 0; i < 200; i++) await quaymaster.test.echo({}); return 'all'";
        assert_eq!(host.value(exactly), "all");
    }
}

#[test]
fn the_console_is_cut_off() {
    for mut host in Host::everywhere() {
        let outcome =
            host.run("for (let i = 0; i < 1e5; i++) console.log('line ' + i); return 'end'");
        assert_eq!(outcome["result"], "end", "{} {outcome}", host.how);
        let logs = outcome["logs"].as_array().unwrap();
        let bytes: usize = logs
            .iter()
            .map(|line| line["text"].as_str().unwrap().len())
            .sum();
        assert!(bytes <= 16 * 1024, "{bytes}");
        assert_eq!(logs[0], json!({ "level": "log", "text": "line 0" }));
        assert!(
            outcome["logs_dropped"].as_u64().unwrap() > 500_000,
            "{outcome}"
        );
        let code = "console.warn('ä'.repeat(20000)); for (;;) console.log('')";
        let outcome = host.ask(json!({ "code": code, "cpu_ms": 300 }));
        assert_eq!(outcome["outcome"], "cpu_limit", "{} {outcome}", host.how);
        assert_eq!(outcome["logs"][0]["level"], "warn");
    }
}

#[test]
fn a_large_result_is_told_by_its_size() {
    for mut host in Host::everywhere() {
        let result = host.value("return 'x'.repeat(70000)");
        assert_eq!(result, json!({ "truncated": true, "total_bytes": 70_002 }));
        let result = host.value("return 'x'.repeat(60000)");
        assert_eq!(result.as_str().unwrap().len(), 60_000);
    }
}

#[test]
fn a_program_that_is_too_long_is_refused() {
    let mut host = Host::start(&[]);
    let code = format!("return 1 //{}", "x".repeat(300 * 1024));
    let answer = host.ask(json!({ "code": code }));
    assert_eq!(answer["fault"]["code"], "TOO_LARGE");
}
