//! Programs that want more than their share of files, processes and memory.

use crate::hosts::Host;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn room_and_files_run_out_and_the_session_goes_on() {
    // py_disk_fill, py_inode_fill, py_shm_fill, py_fd_exhaust, py_thread_bomb
    let fill = r"
import errno, os, threading
def until(action):
    try:
        for n in range(1000000): action(n)
    except (OSError, RuntimeError) as error:
        return (errno.errorcode.get(getattr(error, 'errno', None), type(error).__name__), n)
def filled(place):
    with open(place + '/big', 'wb') as f:
        why, n = until(lambda _: (f.write(b'x' * (1 << 20)), f.flush()))
    size = os.path.getsize(place + '/big') >> 20
    os.unlink(place + '/big')
    return why, size
got = [filled('/scratch'), filled('/tmp'), filled('/dev/shm')]
os.mkdir('/scratch/many')
why, n = until(lambda n: os.close(os.open(f'/scratch/many/{n}', os.O_CREAT | os.O_WRONLY)))
got.append((why, n > 15000 and n < 20001))
import shutil; shutil.rmtree('/scratch/many')
held = []
why, n = until(lambda n: held.append(os.open('/dev/null', 0)))
got.append((why, n < 260))
for f in held: os.close(f)
over = threading.Event()
why, n = until(lambda n: threading.Thread(target=over.wait, daemon=True).start())
got.append((why, n < 100))
over.set()
got
";
    for mut host in Host::python_everywhere() {
        let got = host.py_value(fill);
        let disk = |got: &str| got.contains("('ENOSPC', 64)") || got.contains("('EFBIG', 64)");
        assert!(disk(&got), "{} {got}", host.how);
        assert!(got.contains("('ENOSPC', 16)"), "{} {got}", host.how);
        assert!(
            got.ends_with("('ENOSPC', True), ('EMFILE', True), ('RuntimeError', True)]"),
            "{} {got}",
            host.how
        );
        assert_eq!(host.py_value("len(got)"), "6");
    }
}

#[test]
fn a_flood_of_output_ends_when_its_time_is_over() {
    let flood = r"
import fcntl, os
for n in (1, 2):
    try: fcntl.fcntl(n, 1031, 1 << 20)
    except OSError: pass
junk = b'x' * (1 << 20)
for n in (1, 2, 1):
    if os.fork() == 0:
        while True: os.write(n, junk)
while True: os.write(2, junk)
";
    for mut host in Host::python_everywhere() {
        let ran = host.py(json!({ "code": flood, "ms": 500 }));
        assert_eq!(ran["ending"], "timeout", "{} {ran}", host.how);
        assert!(
            ran["stdout_total"].as_u64().unwrap() > 1 << 20,
            "{} {ran}",
            host.how
        );
        assert_eq!(host.py_value("1"), "1", "{}", host.how);
    }
}

#[test]
fn thousands_of_small_files_fit_a_session() {
    for mut host in Host::python_everywhere() {
        let ran = host.py(json!({
            "code": "import os; len(os.listdir('/mnt/skills/many'))", "many": 5000,
        }));
        assert_eq!(ran["said"], "5000", "{} {ran}", host.how);
    }
}

#[test]
fn a_fork_bomb_stops_and_the_state_stays() {
    // py_fork_bomb, py_fork_bomb_exp
    let bomb = "
import os, time
x = 11
children = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        children += 1
except OSError as error:
    why = error.errno
(why, 3 < children < 30)
";
    let exponential = "
import os, time
end = time.time() + 0.3
try:
    while time.time() < end: os.fork()
except OSError: pass
if os.getpid() != 2:
    while True:
        try: os.fork()
        except OSError: pass
";
    for mut host in Host::python_everywhere() {
        assert_eq!(host.py_value(bomb), "(11, True)", "{}", host.how);
        assert_eq!(host.py_value("x"), "11");
        let ran = host.py(json!({ "code": exponential }));
        assert_eq!(ran["ending"], "ok", "{} {ran}", host.how);
        let clean =
            "import os; x, [p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())]";
        assert_eq!(host.py_value(clean), "(11, True)", "{}", host.how);
    }
}

#[test]
fn memory_ends_where_it_should() {
    // py_mem_bomb, py_mem_bomb_fork
    let bomb = "held = []\nwhile True: held.append(bytearray(16 << 20))";
    let forked = "
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(180 << 20)
        for at in range(0, len(held), 4096): held[at] = 1
        time.sleep(30)
        os._exit(0)
ended = 0
end = time.time() + 10
while ended < 1 and time.time() < end:
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid and status == 9: ended += 1
    time.sleep(0.01)
ended
";
    for mut host in Host::python_everywhere() {
        let one = host.py(json!({ "code": bomb }));
        let is_held = one["said"][0]
            .as_str()
            .is_some_and(|said| said.contains("MemoryError"));
        assert!(is_held || one["ending"] == "memory", "{} {one}", host.how);
        let group = host.py(json!({ "code": forked, "reset": true }));
        let some_were_killed = group["said"].as_str().is_some_and(|ended| ended != "0");
        assert!(
            group["ending"] == "memory" || some_were_killed,
            "{} {group}",
            host.how
        );
        assert_eq!(host.py_value("1"), "1", "and the next call is answered");
    }
}

#[test]
fn a_text_that_is_too_long_comes_cut_where_the_server_knows_it() {
    for mut host in Host::python_everywhere() {
        let value = host.py_value("'x' * 500_000");
        assert_eq!(value.chars().count(), quaymaster_sandbox::MAX_VALUE);
        let most = quaymaster_sandbox::MAX_SAID;
        // As many bytes as a character can have.
        let raised = host.py(json!({ "code": "raise ValueError('\\udc80' * 500_000)" }));
        assert_eq!(raised["ending"], "error", "{}", host.how);
        let message = raised["said"][0].as_str().unwrap();
        assert!(message.len() >= most, "{}", host.how);
        let left = host.py(json!({ "code": "exit('\\U0001f6a2' * 500_000)" }));
        assert_eq!(left["said"].as_str().unwrap().chars().count(), most);
    }
}

#[test]
fn a_tenant_with_many_sessions_and_programs_leaves_others_theirs() {
    let mut host = Host::python(&["sessions=3", "at_once_of_one=2"]);
    let order = |tenant: &str, n: usize, code: &str| json!({ "key": format!("{tenant}{n}"), "tenant": tenant, "code": code });
    for n in 0..3 {
        assert_eq!(host.py(order("a", n, "x = 1"))["state"], "new");
    }
    assert_eq!(host.py(order("b", 0, "x = 1"))["state"], "new");
    // For every further session it gives up one of its own.
    for n in 3..7 {
        assert_eq!(host.py(order("a", n, "x = 1"))["state"], "new");
    }
    assert_eq!(host.py(order("b", 0, "x"))["state"], "kept");
    let slow = "import time; time.sleep(5)";
    let many: Vec<u64> = (10..14)
        .map(|n| host.order(json!({ "python": order("a", n, slow) })))
        .collect();
    let begun = Instant::now();
    assert_eq!(host.py(order("b", 0, "x"))["state"], "kept");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "it waited for programs of others"
    );
    for order in many {
        let ran = host.answer(order);
        assert_eq!(
            (&ran["ending"], &ran["state"]),
            (&json!("ok"), &json!("new"))
        );
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "two at a time");
    assert_eq!(host.py(order("b", 0, "x"))["state"], "kept");
}
