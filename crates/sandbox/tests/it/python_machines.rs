//! Machines that show sessions less, and such that give them a system of their own.

use crate::hosts::{Host, is_root};
use crate::python_greedy::{FORKS, HELD, HOARD, hoards};
use serde_json::json;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Covers a file of `/proc`, as containers do; then the kernel gives no other `/proc` to namespaces of users.
const MASK: &str = "mount --bind /dev/null /proc/version";

/// A server that is not root, since root needs no such namespace.
fn nobody() -> &'static [&'static str] {
    if is_root() { &["user=65534"] } else { &[] }
}

#[test]
fn where_proc_is_masked_sessions_work_and_their_memory_ends_where_it_should() {
    // py_proc_masked
    let mut host = Host::start_within(&["-m"], MASK, nobody());
    let probed = host.py(json!({ "probe": true }));
    let said = probed["probed"].as_str().unwrap_or_default();
    assert!(said.contains("/proc is empty inside"), "{probed}");
    assert_eq!(probed["limits"], "process limits", "{probed}");
    assert_eq!(host.py_value("import os; os.listdir('/proc')"), "[]");
    host.py_value(FORKS);
    assert_eq!(host.py_value("why, 3 < children < 30, x"), "(11, True, 11)");
    let one = host.py(json!({ "code": HOARD }));
    assert!(
        one["said"][0]
            .as_str()
            .is_some_and(|said| said.contains("MemoryError")),
        "{one}"
    );
    for held in HELD {
        // Left alone it would wait for ten seconds, and end well.
        let group = host.py(json!({ "code": hoards(held, false), "reset": true }));
        assert_eq!(group["ending"], "memory", "{held} {group}");
        assert_eq!(group["state"], "lost", "{held} {group}");
        assert_eq!(host.py_value("1"), "1", "and the next call is answered");
    }
}

#[test]
fn memory_is_looked_at_also_where_no_thread_of_the_server_has_time_to_block() {
    // One thread that waits for orders, and one for everything else.
    let mut args = nobody().to_vec();
    args.push("blocking=2");
    let mut host = Host::start_within(&["-m"], MASK, &args);
    let probed = host.py(json!({ "probe": true }));
    assert_eq!(probed["limits"], "process limits", "{probed}");
    for key in ["a", "b"] {
        let waits = json!({ "key": key, "code": "import time; time.sleep(15)" });
        host.order(json!({ "python": waits }));
    }
    let greedy = host.py(json!({ "key": "c", "code": hoards(HELD[0], false) }));
    assert_eq!(greedy["ending"], "memory", "{greedy}");
}

#[test]
fn a_session_whose_memory_nobody_can_see_does_not_begin() {
    if !is_root() {
        // Only root can hide processes.
        return;
    }
    let hidden = format!("mount -t proc -o hidepid=2 proc /proc && {MASK}");
    let namespaces = ["-m", "-p", "-f", "--kill-child"];
    let mut host = Host::start_within(&namespaces, &hidden, &["user=65534"]);
    let refused = host.py(json!({ "code": "1" }));
    let fault = &refused["fault"];
    assert_eq!(fault["code"], "SANDBOX_UNAVAILABLE", "{refused}");
    assert_eq!(fault["details"]["stage"], "memory", "{refused}");
    assert!(
        fault["hint"].as_str().unwrap().contains("hidepid"),
        "{fault}"
    );
}

#[test]
fn a_root_of_the_administrator_brings_its_own_modules_and_nothing_of_the_machine() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().canonicalize().unwrap();
    std::fs::set_permissions(&root, PermissionsExt::from_mode(0o755)).unwrap();
    a_system(&root);
    let packages = root.join("usr/lib/python3/dist-packages/harbour");
    std::fs::create_dir_all(&packages).unwrap();
    std::fs::write(packages.join("__init__.py"), "BERTHS = 7\n").unwrap();
    let setting = format!("root={}", root.display());
    let mut ways = vec![vec![setting.as_str()]];
    if is_root() {
        ways.push(vec![setting.as_str(), "user=65534"]);
    }
    for way in ways {
        let mut host = Host::python(&way);
        let probed = host.py(json!({ "probe": true }));
        let python = probed["python"].as_str().unwrap_or_default();
        assert!(python.contains("of sandbox.python.root"), "{probed}");
        assert_eq!(
            host.py_value("import harbour, json; json.dumps(harbour.BERTHS)"),
            "'7'"
        );
        let seen = host.py_value(
            "import os; os.listdir('/usr/bin'), os.path.exists('/usr/share'), os.path.exists('/bin')",
        );
        assert!(
            seen.contains("'python3'") && seen.ends_with("], False, False)"),
            "{seen}"
        );
        assert!(!seen.contains("'env'"), "{seen}");
    }
}

/// The machine's interpreter with its library and what it is linked with, and nothing else.
fn a_system(root: &Path) {
    let real = Path::new("/usr/bin/python3").canonicalize().unwrap();
    let name = real.file_name().unwrap().to_str().unwrap();
    let (programs, library) = (root.join("usr/bin"), root.join("usr/lib"));
    std::fs::create_dir_all(&programs).unwrap();
    std::fs::create_dir_all(&library).unwrap();
    std::fs::copy(&real, programs.join(name)).unwrap();
    symlink(name, programs.join("python3")).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(Path::new("/usr/lib").join(name))
        .arg(&library)
        .status();
    assert!(copied.unwrap().success());
    let linked = Command::new("ldd").arg(&real).output().unwrap();
    let linked = String::from_utf8(linked.stdout).unwrap();
    for path in linked
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let there = root.join(&path[1..]);
        std::fs::create_dir_all(there.parent().unwrap()).unwrap();
        std::fs::copy(path, there).unwrap();
    }
}
