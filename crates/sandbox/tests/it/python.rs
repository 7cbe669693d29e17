//! Python sessions: what they keep, what they answer, and how they end.

use crate::hosts::{Host, is_root};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

impl Host {
    /// A host of sessions and nothing else.
    pub(crate) fn python(args: &[&str]) -> Host {
        Host::start_with(args, &[("WITHOUT_JAVASCRIPT", "yes")])
    }

    /// As root with control groups and without, and as nobody: each way that this user can be.
    pub(crate) fn python_everywhere() -> impl Iterator<Item = Host> {
        let ways: &[&[&str]] = if is_root() {
            &[&[], &["cgroups=no"], &["user=65534"]]
        } else {
            &[&[]]
        };
        ways.iter().map(|way| Host::python(way))
    }

    pub(crate) fn py(&mut self, mut order: Value) -> Value {
        if order["key"].is_null() {
            order["key"] = json!("one");
        }
        self.ask(json!({ "python": order }))
    }

    /// The result of a program that ends well.
    #[track_caller]
    pub(crate) fn py_value(&mut self, code: &str) -> String {
        let ran = self.py(json!({ "code": code }));
        assert_eq!(ran["ending"], "ok", "{} {code}: {ran}", self.how);
        ran["said"].as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn a_session_keeps_names_and_says_so() {
    // py_state_kept
    for mut host in Host::python_everywhere() {
        let first = host.py(json!({ "code": "import math\nx = 41\nprint('hello')\nx + 1" }));
        assert_eq!(first["ending"], "ok", "{} {first}", host.how);
        assert_eq!(
            (&first["said"], &first["stdout"]),
            (&json!("42"), &json!("hello\n"))
        );
        assert_eq!(first["state"], "new");
        let next = host.py(json!({ "code": "math.floor(x + 0.5), _" }));
        assert_eq!(
            (&next["said"], &next["state"]),
            (&json!("(41, 42)"), &json!("kept"))
        );
        assert_eq!(next["session"], first["session"]);
        let failed = host.py(json!({ "code": "y = 1\n1/0" }));
        assert_eq!(failed["ending"], "error");
        assert_eq!(failed["said"][0], "ZeroDivisionError: division by zero");
        let trace = failed["said"][1].as_str().unwrap();
        assert!(
            trace.contains("line 2") && !trace.contains("_main"),
            "{trace}"
        );
        assert_eq!(host.py_value("y"), "1");
        let wrong = host.py(json!({ "code": "def" }));
        assert!(
            wrong["said"][0].as_str().unwrap().contains("SyntaxError"),
            "{wrong}"
        );
        let left = host.py(json!({ "code": "exit('done')" }));
        assert_eq!(
            (&left["ending"], &left["state"]),
            (&json!("exit"), &json!("kept"))
        );
        let reset = host.py(json!({ "code": "'x' in globals()", "reset": true }));
        assert_eq!(
            (&reset["said"], &reset["state"]),
            (&json!("False"), &json!("new"))
        );
    }
}

#[test]
fn what_a_session_has_is_fixed_but_for_the_values_of_its_environment() {
    for mut host in Host::python_everywhere() {
        let code = "import os\nos.environ['SHOP_KEY']";
        let order = |value: &str| json!({ "code": code, "environment": { "SHOP_KEY": value } });
        let first = host.py(order("old"));
        assert_eq!(first["said"], "'old'", "{first}");
        let next = host.py(order("new"));
        assert_eq!(
            (&next["said"], &next["state"]),
            (&json!("'new'"), &json!("kept"))
        );
        assert_eq!(next["known"], json!(["new", "old"]));
        let with = json!({
            "code": "open('/mnt/skills/pdf/scripts/run.py').read()", "skills": ["pdf"],
        });
        let with = host.py(with);
        assert_eq!(with["said"], "\"print('of the skill')\\n\"", "{with}");
        assert_eq!(with["state"], "new");
        assert!(
            with["reason"].as_str().unwrap().contains("skills"),
            "{with}"
        );
    }
}

#[test]
fn nobody_meets_another_ones_session() {
    // py_state_isolated_between_users, py_two_sessions_same_user_no_race
    for mut host in Host::python_everywhere() {
        host.py_value("mine = open('/scratch/mine', 'w').write('secret'); import os; os.environ['MINE'] = '1'");
        let theirs = host.py(json!({
            "key": "two",
            "code": "import os; 'mine' in globals(), os.listdir('/scratch'), os.listdir('/tmp'), 'MINE' in os.environ",
        }));
        assert_eq!(theirs["said"], "(False, [], [], False)", "{theirs}");
        // Calls of one session come one after the other, those of two at once.
        let orders: Vec<u64> = (0..4)
            .map(|n| {
                let key = if n % 2 == 0 { "a" } else { "b" };
                let code = "n = globals().get('n', 0)\nimport time; time.sleep(0.02)\nn += 1\nn";
                host.order(json!({ "python": { "key": key, "code": code } }))
            })
            .collect();
        let mut said: Vec<String> = orders
            .into_iter()
            .map(|order| host.answer(order)["said"].as_str().unwrap().to_owned())
            .collect();
        said.sort();
        assert_eq!(said, ["1", "1", "2", "2"], "{}", host.how);
        let many: Vec<u64> = (0..8)
            .map(|_| {
                host.order(
                    json!({ "python": { "key": "a", "code": "import time; time.sleep(0.2)" } }),
                )
            })
            .collect();
        let refused = many
            .into_iter()
            .map(|order| host.answer(order))
            .filter(|answer| answer["fault"]["code"] == "RATE_LIMITED")
            .count();
        assert_eq!(refused, 3, "one runs and four wait");
    }
}

/// A program that does not end, and whether an interrupt ends it.
pub(crate) const ENDLESS: [(&str, bool); 4] = [
    ("while True: pass", true),
    ("import re; re.match('(a+)+$', 'a' * 60 + 'b')", true),
    (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        false,
    ),
    ("sum(range(10 ** 12))", false),
];

#[test]
fn a_call_that_takes_too_long_is_interrupted_and_one_that_does_not_stop_loses_the_session() {
    // py_inf_loop, py_ignore_sigint, py_c_loop
    for mut host in Host::python_everywhere() {
        for (code, is_interrupted) in ENDLESS {
            host.py_value("x = 1");
            let begun = Instant::now();
            let ran = host.py(json!({ "code": code, "ms": 300 }));
            let state = if is_interrupted { "kept" } else { "lost" };
            assert_eq!(
                (&ran["ending"], &ran["state"]),
                (&json!("timeout"), &json!(state)),
                "{} {code}",
                host.how
            );
            assert!(begun.elapsed() < Duration::from_secs(10));
            let next = host.py(json!({ "code": "'x' in globals()" }));
            let is_there = if is_interrupted { "True" } else { "False" };
            assert_eq!(next["said"], is_there, "{} {code} {next}", host.how);
            if !is_interrupted {
                assert_eq!(next["state"], "new");
                let reason = next["reason"].as_str().unwrap();
                assert!(reason.contains("did not stop"), "{next}");
            }
        }
        let looped = host.py(json!({ "code": "print('before')\nwhile True: pass", "ms": 300 }));
        assert_eq!(looped["stdout"], "before\n");
    }
}

#[test]
fn an_interpreter_that_ends_is_replaced() {
    // py_exit0, py_segv, py_execv, py_close_proto_fd
    let ways = [
        ("import os; os._exit(0)", "status 0"),
        ("import ctypes; ctypes.string_at(0)", "signal 11"),
        ("import os; os.execv('/bin/true', ['true'])", "status 0"),
        ("import os; os.kill(os.getpid(), 9)", ""),
        ("import os; os.close(3); import time; time.sleep(5)", ""),
        (
            "import os; os.write(3, b'\\xff' * 64); import time; time.sleep(5)",
            "connection",
        ),
        (
            "import os; os.write(3, (4).to_bytes(4, 'little') + b'junk'); import time; time.sleep(5)",
            "connection",
        ),
    ];
    for mut host in Host::python_everywhere() {
        for (code, says) in ways {
            let died = host.py(json!({ "code": code }));
            assert_eq!(died["ending"], "died", "{} {code}: {died}", host.how);
            assert_eq!(died["state"], "lost", "{code}");
            assert!(
                died["said"].as_str().unwrap().contains(says),
                "{code}: {died}"
            );
            assert_eq!(host.py(json!({ "code": "1" }))["state"], "new");
        }
    }
}

#[test]
fn a_forged_answer_never_stands_for_a_later_call() {
    // py_forge_frame, py_junk_frame, py_huge_frame
    let forge = "
import os
def field(b): return len(b).to_bytes(4, 'little') + b
def frame(*fields):
    body = b''.join(map(field, fields))
    return len(body).to_bytes(4, 'little') + body
for _ in range(5):
    os.write(3, frame(b'0' * 32, b'ok', b'forged'))
'true'
";
    for mut host in Host::python_everywhere() {
        for n in 0..3 {
            assert_eq!(host.py_value(forge), "'true'");
            assert_eq!(host.py_value(&n.to_string()), n.to_string());
        }
        let flood = forge.replace("range(5)", "range(5000)");
        let died = host.py(json!({ "code": flood }));
        assert_eq!(died["ending"], "died", "{died}");
        assert_eq!(host.py_value("7"), "7");
    }
}

#[test]
fn what_is_printed_is_kept_up_to_a_limit_and_counted_beyond() {
    for mut host in Host::python_everywhere() {
        let flood =
            "import sys, os\nfor _ in range(320): os.write(1, b'x' * 65536)\nsys.stderr.write('e')";
        let ran = host.py(json!({ "code": flood }));
        assert_eq!(ran["ending"], "ok", "{}", ran["said"]);
        assert_eq!(ran["stdout_total"], 320 * 65536);
        assert_eq!(
            ran["stdout"].as_str().unwrap().len(),
            64 * 1024,
            "documented"
        );
        assert_eq!(ran["stderr"], "e\n".trim());
        let of_child = host.py(json!({
            "code": "import subprocess; subprocess.run(['echo', 'of a child']).returncode",
        }));
        assert_eq!(
            (&of_child["stdout"], &of_child["said"]),
            (&json!("of a child\n"), &json!("0"))
        );
    }
}

/// Leaves a process and a thread behind.
pub(crate) const LEAVE: &str = "
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            open('/scratch/beat', 'a').write('x')
            time.sleep(0.005)
    os._exit(0)
while not os.path.exists('/scratch/beat'): time.sleep(0.005)
import threading
threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
x = 5
";

#[test]
fn what_a_program_leaves_running_is_gone_before_the_next_call() {
    // py_daemon_left
    for mut host in Host::python_everywhere() {
        host.py_value(LEAVE);
        let code = "size = os.path.getsize('/scratch/beat'); time.sleep(0.1); \
             size == os.path.getsize('/scratch/beat'), sorted(p for p in os.listdir('/proc') if p.isdigit()) == [str(os.getpid())], x";
        assert_eq!(host.py_value(code), "(True, True, 5)", "{}", host.how);
    }
}

#[test]
fn a_killed_server_leaves_no_process_behind() {
    // py_server_sigkill
    for mut host in Host::python_everywhere() {
        host.py_value("import subprocess; p = 1");
        let order = json!({ "python": { "key": "two", "code": "import subprocess; subprocess.run(['sleep', '60'])" } });
        host.order(order);
        let family = loop {
            let family = descendants(host.pid());
            if family.iter().any(|(_, name)| name == "sleep") {
                break family;
            }
            std::thread::yield_now();
        };
        assert!(family.len() >= 7, "{} {family:?}", host.how);
        host.kill();
        let begun = Instant::now();
        loop {
            let left: Vec<_> = family.iter().filter_map(state_of).collect();
            if left.is_empty() {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(2),
                "{} {left:?}",
                host.how
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The process with the letter of its state (`proc_pid_stat(5)`); none when it has ended, also where
/// nobody asked for its end yet.
fn state_of((pid, name): &(u32, String)) -> Option<(u32, String, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (front, rest) = stat.rsplit_once(") ")?;
    let (_, now) = front.split_once('(')?;
    let state = rest.split(' ').next()?;
    (now == name && !["Z", "X"].contains(&state)).then(|| (*pid, name.clone(), state.to_owned()))
}

/// All processes below one, with their names.
pub(crate) fn descendants(pid: u32) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .map(|child| child.parse().unwrap())
        {
            let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            all.push((child, name.trim().to_owned()));
            all.extend(descendants(child));
        }
    }
    all
}

#[test]
fn fifty_sessions_answer_and_the_next_one_takes_the_place_of_the_oldest() {
    // py_50_sessions
    let mut host = Host::python(&["sessions=50"]);
    let orders: Vec<u64> = (0..50)
        .map(|n| {
            host.order(json!({ "python": { "key": n.to_string(), "code": format!("x = {n}; x") } }))
        })
        .collect();
    for (n, order) in orders.into_iter().enumerate() {
        assert_eq!(host.answer(order)["said"], n.to_string());
    }
    let fresh = host.py(json!({ "key": "another", "code": "1" }));
    assert_eq!(fresh["state"], "new", "{fresh}");
    let states: Vec<Value> = (0..50)
        .map(|n| host.py(json!({ "key": n.to_string(), "code": "x" }))["state"].clone())
        .collect();
    assert!(states.iter().any(|state| state == "new"), "one made room");
}

#[test]
fn a_machine_that_cannot_isolate_runs_no_python_and_says_what_to_do() {
    // py_userns_blocked, py_mount_blocked, py_seccomp_blocked, py_python_missing
    let empty = tempfile::tempdir().unwrap();
    let root = format!("root={}", empty.path().display());
    let ways: [(&[&str], &str); 5] = [
        (&["user=65534", "deny=unshare:1"], "unshare"),
        (&["user=65534", "deny=mount:1"], "mount"),
        (&["deny=unshare:1"], "unshare"),
        (&["deny=mount:1"], "mount"),
        (&[root.as_str()], "python"),
    ];
    for (way, stage) in ways
        .into_iter()
        .filter(|(way, _)| is_root() || way[0].starts_with("root"))
    {
        let mut host = Host::python(way);
        let refused = host.py(json!({ "code": "1" }));
        let fault = &refused["fault"];
        assert_eq!(
            fault["code"], "SANDBOX_UNAVAILABLE",
            "{} {refused}",
            host.how
        );
        assert_eq!(fault["retryable"], false);
        assert_eq!(fault["details"]["stage"], stage, "{} {refused}", host.how);
        assert!(fault["hint"].as_str().unwrap().len() > 30);
        assert_eq!(host.py(json!({ "probe": true }))["failed"]["stage"], stage);
    }
}

#[test]
fn a_session_needs_its_group_where_the_operator_says_so() {
    let mut host = Host::python(&["cgroups=no", "require_cgroup=yes"]);
    let refused = host.py(json!({ "code": "1" }));
    assert_eq!(refused["fault"]["details"]["stage"], "cgroup", "{refused}");
    let hint = refused["fault"]["hint"].as_str().unwrap();
    assert!(hint.contains("Delegate=yes"), "{hint}");
}

#[test]
fn an_interpreter_behind_a_shim_and_outside_of_the_system_is_found() {
    // A copy with a prefix of its own, a link to it, and a script that starts it, first in the path.
    let place = tempfile::tempdir().unwrap();
    let (at, path) = prepared(place.path());
    let mut host = Host::start_with(&[], &[("WITHOUT_JAVASCRIPT", "yes"), ("PATH", &path)]);
    let found = host.py(json!({ "probe": true }));
    assert!(
        found["python"]
            .as_str()
            .is_some_and(|found| found.contains(&at)),
        "{found}"
    );
    let prefix = host.py_value("import sys, json, ssl; sys.prefix");
    assert_eq!(prefix, format!("'{at}'"));
}

/// An interpreter with a prefix of its own, behind a script. The prefix, and a path where the script is first.
fn prepared(place: &Path) -> (String, String) {
    let place = place.canonicalize().unwrap();
    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o755)).unwrap();
    let (own, shims) = (place.join("own"), place.join("shims"));
    for directory in [own.join("bin"), own.join("lib"), shims.clone()] {
        std::fs::create_dir_all(directory).unwrap();
    }
    let real = Path::new("/usr/bin/python3").canonicalize().unwrap();
    let name = real.file_name().unwrap().to_str().unwrap();
    std::fs::copy(&real, own.join("bin").join(name)).unwrap();
    symlink(Path::new("/usr/lib").join(name), own.join("lib").join(name)).unwrap();
    let shim = shims.join("python3");
    let script = format!(
        "#!/bin/sh\nexec {} \"$@\"\n",
        own.join("bin").join(name).display()
    );
    std::fs::write(&shim, script).unwrap();
    std::fs::set_permissions(&shim, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", shims.display());
    (own.to_str().unwrap().to_owned(), path)
}
