//! Programs that want more than their share of files, processes and memory.

use crate::hosts::Host;
use serde_json::json;
use std::time::{Duration, Instant};

/// Fills places, makes files, opens some and begins threads, each up to a number that no session gets to.
pub(crate) const FILL: &str = r"
import errno, json, os, shutil, threading
def until(action, most):
    try:
        for n in range(most): action(n)
    except (OSError, RuntimeError) as error:
        return (errno.errorcode.get(getattr(error, 'errno', None), type(error).__name__), n)
    return ('all', most)
def filled(place):
    with open(place + '/big', 'wb') as f:
        why, n = until(lambda _: (f.write(b'x' * (1 << 20)), f.flush()), 100)
    size = os.path.getsize(place + '/big') >> 20
    os.unlink(place + '/big')
    return why, size
got = [filled('/scratch'), filled('/tmp'), filled('/dev/shm')]
os.mkdir('/scratch/many')
got.append(until(lambda n: os.close(os.open(f'/scratch/many/{n}', os.O_CREAT | os.O_WRONLY)), 21_000))
shutil.rmtree('/scratch/many')
held = []
got.append(until(lambda n: held.append(os.open('/dev/null', 0)), 300))
for f in held: os.close(f)
over = threading.Event()
got.append(until(lambda n: threading.Thread(target=over.wait, daemon=True).start(), 100))
over.set()
print(json.dumps(got))
";

#[test]
fn room_and_files_run_out_and_the_session_goes_on() {
    // py_disk_fill, py_inode_fill, py_shm_fill, py_fd_exhaust, py_thread_bomb
    for mut host in Host::python_everywhere() {
        let ran = host.py(json!({ "code": FILL }));
        assert_eq!(ran["ending"], "ok", "{} {ran}", host.how);
        let got: Vec<(String, u64)> =
            serde_json::from_str(ran["stdout"].as_str().unwrap()).unwrap();
        let [scratch, tmp, shared, files, open, threads] = &got[..] else {
            panic!("{} {got:?}", host.how)
        };
        for (why, size) in [scratch, tmp] {
            let is_full = ["ENOSPC", "EFBIG"].contains(&why.as_str());
            assert!(is_full && *size == 64, "{} {got:?}", host.how);
        }
        assert_eq!(*shared, ("ENOSPC".to_owned(), 16), "{}", host.how);
        assert_eq!(files.0, "ENOSPC", "{} {got:?}", host.how);
        assert!((15_001..=20_000).contains(&files.1), "{} {got:?}", host.how);
        assert_eq!(open.0, "EMFILE", "{} {got:?}", host.how);
        assert!(open.1 < 260, "{} {got:?}", host.how);
        assert_eq!(threads.0, "RuntimeError", "{} {got:?}", host.how);
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

/// What it prints is a GiB.
pub(crate) const FLOOD: &str =
    "import os\njunk = b'x' * 65536\nfor _ in range(16384): os.write(1, junk)";
pub(crate) const FLOOD_BYTES: u64 = 1 << 30;

#[test]
fn a_flood_of_output_is_counted_and_takes_no_memory() {
    // py_stdout_flood
    for mut host in Host::python_everywhere() {
        host.py_value("'begun'");
        let before = host.status("VmRSS:");
        let ran = host.py(json!({ "code": FLOOD, "ms": 120_000 }));
        assert_eq!(ran["ending"], "ok", "{} {}", host.how, ran["said"]);
        assert_eq!(ran["stdout_total"], FLOOD_BYTES, "{}", host.how);
        assert_eq!(
            ran["stdout"].as_str().unwrap().len(),
            quaymaster_sandbox::MAX_KEPT
        );
        host.has_not_grown(before);
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

/// More children than a session may have processes.
pub(crate) const FORKS: &str = "
import os, time
x = 11
children, why = 0, 'all'
try:
    while children < 200:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as error:
    why = error.errno
print(why, children)
";

#[test]
fn a_fork_bomb_stops_and_the_state_stays() {
    // py_fork_bomb, py_fork_bomb_exp
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
        host.py_value(FORKS);
        assert_eq!(
            host.py_value("why, 3 < children < 30"),
            "(11, True)",
            "{}",
            host.how
        );
        assert_eq!(host.py_value("x"), "11");
        let ran = host.py(json!({ "code": exponential }));
        assert_eq!(ran["ending"], "ok", "{} {ran}", host.how);
        let clean =
            "import os; x, [p for p in os.listdir('/proc') if p.isdigit()] == [str(os.getpid())]";
        assert_eq!(host.py_value(clean), "(11, True)", "{}", host.how);
    }
}

/// More memory than a process may have.
pub(crate) const HOARD: &str =
    "held = []\nfor _ in range(40): held.append(bytearray(16 << 20))\nprint(len(held))";

/// More memory than a session may have, in processes that each have less. They wait for one of them to be killed, or for nothing
/// longer than until all have what they want.
pub(crate) fn hoards(held: &str, ends_when_all_have_it: bool) -> String {
    let stop = if ends_when_all_have_it {
        "touched == 4"
    } else {
        "False"
    };
    format!(
        "
import mmap, os, time
reader, writer = os.pipe()
os.set_blocking(reader, False)
for _ in range(4):
    if os.fork() == 0:
        held = {held}
        for at in range(0, len(held), 4096): held[at] = 1
        os.write(writer, b'x')
        time.sleep(30)
        os._exit(0)
touched = killed = 0
end = time.time() + 10
while not killed and time.time() < end and not ({stop}):
    try: touched += len(os.read(reader, 4))
    except BlockingIOError: pass
    pid, status = os.waitpid(-1, os.WNOHANG)
    if pid and status == 9: killed += 1
    time.sleep(0.01)
print(touched, killed)
killed
"
    )
}

/// Memory of a process's own, and such as it could share with others: limits of processes see both, and so must whoever
/// looks at the sum.
pub(crate) const HELD: [&str; 2] = ["bytearray(180 << 20)", "mmap.mmap(-1, 180 << 20)"];

#[test]
fn memory_ends_where_it_should() {
    // py_mem_bomb, py_mem_bomb_fork
    for mut host in Host::python_everywhere() {
        host.py_value("'begun'");
        let before = host.status("VmRSS:");
        let one = host.py(json!({ "code": HOARD }));
        let is_held = one["said"][0]
            .as_str()
            .is_some_and(|said| said.contains("MemoryError"));
        assert!(is_held || one["ending"] == "memory", "{} {one}", host.how);
        for held in HELD {
            let group = host.py(json!({ "code": hoards(held, false), "reset": true }));
            let some_were_killed = group["said"].as_str().is_some_and(|ended| ended != "0");
            assert!(
                group["ending"] == "memory" || some_were_killed,
                "{} {held} {group}",
                host.how
            );
            assert_eq!(host.py_value("1"), "1", "and the next call is answered");
        }
        host.has_not_grown(before);
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
