//! Programs that look for a way out, and workers that are not what they should be.

use crate::hosts::{Host, NO_NAMESPACES, is_root};
use serde_json::{Value, json};

const SIGSYS: i32 = 31;

#[test]
fn a_worker_that_makes_a_forbidden_call_dies_of_it() {
    // js_native_open, js_native_socket, js_native_exec, js_native_fork, js_native_mprotect_exec,
    // js_native_tgkill_parent
    for mut host in Host::everywhere() {
        for what in [
            "open",
            "socket",
            "exec",
            "clone",
            "mmap_exec",
            "mprotect_exec",
            "kill_parent",
            "tgkill_parent",
            "ptrace",
            "prctl",
            "unshare",
            "uname",
            "ioctl",
            "x32",
        ] {
            let outcome = host.run(&format!("return native('{what}')"));
            assert_eq!(
                outcome["outcome"], "worker_crashed",
                "{} {what}: {outcome}",
                host.how
            );
            assert_eq!(outcome["signal"], SIGSYS, "{} {what}: {outcome}", host.how);
        }
        assert_eq!(host.value("return 'here'"), "here", "the host goes on");
    }
}

#[test]
fn a_worker_that_crashes_takes_nobody_with_it() {
    for mut host in Host::everywhere() {
        let other = host.order(json!({
            "code": "await quaymaster.test.slow({ ms: 300 }); return 'well'", "wall_ms": 20_000,
        }));
        for (what, signal) in [
            ("segv", json!(11)),
            ("abort", json!(SIGSYS)),
            ("panic", json!(SIGSYS)),
            ("exit", Value::Null),
        ] {
            let outcome = host.run(&format!(
                "console.log('before'); await quaymaster.test.echo({{}}); native('{what}')"
            ));
            assert_eq!(
                outcome["outcome"], "worker_crashed",
                "{} {what}: {outcome}",
                host.how
            );
            assert_eq!(outcome["signal"], signal, "{} {what}: {outcome}", host.how);
            assert_eq!(outcome["logs"][0]["text"], "before");
            assert_eq!(outcome["calls"][0]["result"], "ok");
        }
        assert_eq!(host.answer(other)["result"], "well", "{}", host.how);
    }
}

#[test]
fn a_worker_that_speaks_wrongly_is_killed() {
    // js_frame_oversize, js_frame_bad_id
    for mut host in Host::everywhere() {
        for what in [
            "frame_long",
            "frame_junk",
            "frame_unknown",
            "frame_again",
            "frame_id",
            "frame_flood",
            "frame_result",
            "frame_calls",
        ] {
            let code = format!("native('{what}'); await sleep(20000)");
            let outcome = host.run(&code);
            assert_eq!(
                outcome["outcome"], "worker_crashed",
                "{} {what}: {outcome}",
                host.how
            );
        }
        assert_eq!(host.value("return 'here'"), "here", "the host goes on");
    }
}

#[test]
fn nothing_of_the_server_is_in_a_worker() {
    for mut host in Host::everywhere() {
        assert_eq!(host.value("return native('files')"), 0, "{}", host.how);
        assert_eq!(
            host.value("return native('environment')"),
            0,
            "{}",
            host.how
        );
    }
}

/// Fields of `/proc/<pid>/status` of a worker that waits, locked.
fn status(host: &mut Host) -> Vec<(String, String)> {
    host.value("return 1");
    let worker = host.waiting()[0];
    let status = std::fs::read_to_string(format!("/proc/{worker}/status")).unwrap();
    status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn a_worker_that_waits_has_no_rights() {
    for mut host in Host::everywhere() {
        let status = status(&mut host);
        let field = |name: &str| {
            status
                .iter()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .clone()
        };
        for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(
                field(capabilities),
                "0000000000000000",
                "{} {capabilities}",
                host.how
            );
        }
        assert_eq!(field("Threads"), "1");
        assert_eq!(field("NoNewPrivs"), "1");
        if is_root() {
            let root = field("Uid").split_whitespace().any(|id| id == "0");
            assert!(!root, "{} runs as root", host.how);
        }
    }
}

#[test]
fn a_program_finds_the_language_and_nothing_of_a_host() {
    // js_globals, js_import_std, js_dynamic_import, js_ctor_escape
    for mut host in Host::everywhere() {
        let code = "return ['process', 'require', 'fetch', 'std', 'os', 'Deno', 'WebAssembly', 'Worker', \
             'setTimeout', 'module', 'exports', 'XMLHttpRequest', 'scriptArgs', 'print', 'bjson', 'navigator'] \
             .filter((name) => name in globalThis)";
        assert_eq!(host.value(code), json!([]), "{}", host.how);
        let code = "const here = Object.getOwnPropertyNames(globalThis); \
             return here.filter((name) => /^[a-z_]/.test(name)).sort()";
        let names: Vec<String> = serde_json::from_value(host.value(code)).unwrap();
        let known = [
            "console",
            "decodeURI",
            "decodeURIComponent",
            "encodeURI",
            "encodeURIComponent",
            "escape",
            "eval",
            "globalThis",
            "isFinite",
            "isNaN",
            "native",
            "parseFloat",
            "parseInt",
            "performance",
            "quaymaster",
            "queueMicrotask",
            "sleep",
            "undefined",
            "unescape",
            "weavz",
            "atob",
            "btoa",
        ];
        let unknown: Vec<_> = names
            .iter()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{} {unknown:?}", host.how);
        for module in [
            "std",
            "os",
            "fs",
            "node:fs",
            "./x.js",
            "https://example.com/x.js",
        ] {
            host.error(&format!("await import('{module}')"));
        }
        assert!(
            host.error("import * as std from 'std'")
                .contains("SyntaxError")
        );
        let code = "return quaymaster.test.echo.constructor('return typeof process')()";
        assert_eq!(host.value(code), "undefined");
        let code = "return sleep.constructor.constructor('return this')() === globalThis";
        assert_eq!(host.value(code), true);
        host.error("Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)");
    }
}

#[test]
fn nothing_of_one_execution_is_there_for_the_next() {
    // js_state_leak
    for mut host in Host::everywhere() {
        for _ in 0..10 {
            let code = "const had = [globalThis.left, Array.prototype.left, String(JSON.parse)]; \
                 globalThis.left = 1; Array.prototype.left = 1; JSON.parse = () => 'mine'; return had";
            let had = host.value(code);
            assert_eq!(had[0], Value::Null);
            assert_eq!(had[1], Value::Null);
            assert!(had[2].as_str().unwrap().contains("native code"), "{had}");
        }
    }
}

#[test]
fn a_program_that_changes_the_language_changes_itself_alone() {
    // js_forge_settle, js_poison_json, js_poison_promise_then, js_proto_pollution
    for mut host in Host::everywhere() {
        for poison in [
            "JSON.parse = () => ({ forged: true }); JSON.stringify = () => '{\"forged\":true}';",
            "Promise.prototype.then = null; Promise.resolve = null; globalThis.Promise = null;",
            "Object.prototype.get = () => 'x'; Object.prototype.value = 1; Object.prototype.toJSON = undefined;",
            "Object.prototype.then = undefined; Object.prototype.message = 'x'; Object.prototype.code = 'x';",
            "Array.prototype.push = null; Array.prototype.join = null; Array.prototype[Symbol.iterator] = null;",
            "Reflect.apply = null; Reflect.defineProperty = null; Proxy = null; Error = null; String = null;",
            "Function.prototype.call = null; Function.prototype.apply = null; Function.prototype.bind = null;",
            "globalThis.quaymaster = 1; globalThis.__settle = () => {};",
        ] {
            let code = format!(
                "'use strict'; try {{ {poison} }} catch {{}}
                 const answer = await quaymaster.test.echo({{ n: 1, locked: 'mine' }});
                 let code; try {{ await quaymaster.test.denied({{}}) }} catch (error) {{ code = error.code }}
                 return [answer.n, answer.locked, code]"
            );
            let outcome = host.run(&code);
            // Some of it leaves the program in no state to go on, which is its own affair.
            if outcome["outcome"] == "ok" {
                assert_eq!(
                    outcome["result"],
                    json!([1, "ours", "SCOPE_DENIED"]),
                    "{poison} {outcome}"
                );
            } else {
                assert_eq!(
                    outcome["outcome"], "error",
                    "{} {poison} {outcome}",
                    host.how
                );
            }
        }
        let seen = host.ask(json!({ "audit": true }))["seen"].clone();
        let known = ["test.echo", "test.denied"];
        let all = seen.as_array().unwrap();
        assert!(
            all.iter()
                .all(|name| known.contains(&name.as_str().unwrap())),
            "{seen}"
        );
    }
}

#[test]
fn a_host_whose_kernel_has_no_such_call_closes_files_by_hand() {
    // ENOSYS, as before Linux 5.9.
    for args in [
        vec!["deny=close_range:38"],
        vec!["deny=close_range:38", NO_NAMESPACES],
    ] {
        let mut host = Host::start(&args);
        assert_eq!(host.value("return native('files')"), 0, "{}", host.how);
    }
}
