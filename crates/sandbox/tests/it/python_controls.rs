//! Outside of a session, in namespaces that are thrown away, the hostile programs get what they are after: a program
//! that does nothing would prove nothing inside.

use crate::hosts::{is_root, unshare};
use crate::python::{ENDLESS, LEAVE};
use crate::python_greedy::{FILL, FLOOD, FLOOD_BYTES, FORKS, HELD, HOARD, hoards};
use crate::python_hostile::{all_of, listeners};
use serde_json::{Map, Value};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

const PYTHON: [&str; 3] = ["/usr/bin/python3", "-I", "-c"];
/// What is still there when its first process ends, ends with it.
const WITH_PROCESSES: [&str; 3] = ["-p", "-f", "--kill-child"];

/// What a command that ends well says.
#[track_caller]
fn said(command: &mut Command) -> String {
    let ran = command.output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    String::from_utf8(ran.stdout).unwrap()
}

/// What a program prints whose processes end with it.
#[track_caller]
fn printed(program: &str) -> String {
    said(unshare(&WITH_PROCESSES).args(PYTHON).arg(program))
        .trim()
        .to_owned()
}

#[test]
fn ways_out_lead_out() {
    let (_tcp, _unix, port) = listeners();
    let allowed = |outside| outside == 'A' || (outside == 'R' && is_root());
    let said = said(
        unshare(&["-m"])
            .args(PYTHON)
            .arg(all_of(allowed, port))
            .env("A_SECRET", "of the server"),
    );
    let got: Map<String, Value> = serde_json::from_str(&said).unwrap();
    assert!(got.len() > 15);
    for (name, got) in got {
        assert_eq!(got, "ok", "{name} outside");
    }
    let _ = std::fs::remove_file("/tmp/py_link");
}

#[test]
fn places_can_be_filled_and_files_and_threads_be_had() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().to_str().unwrap();
    // The place itself is below one of them, which comes first.
    let fill = ["/tmp", "/scratch", "/dev/shm"]
        .iter()
        .fold(FILL.to_owned(), |fill, inside| {
            fill.replace(&format!("'{inside}"), &format!("'{place}"))
        });
    let prepare = "mount -t tmpfs none \"$0\" && exec \"$@\"";
    let said = said(
        unshare(&["-m"])
            .args(["sh", "-c", prepare, place])
            .args(PYTHON)
            .arg(fill),
    );
    let got: Vec<(String, u64)> = serde_json::from_str(&said).unwrap();
    let most: [u64; 6] = [100, 100, 100, 21_000, 300, 100];
    let all: Vec<_> = most.map(|most| ("all".to_owned(), most)).into();
    assert_eq!(got, all);
}

#[test]
fn processes_multiply_and_stay() {
    assert_eq!(printed(FORKS), "all 200");
    // What doubles, as far as that is harmless.
    let doubled = "
import os
reader, writer = os.pipe()
first = os.getpid()
for _ in range(6): os.fork()
os.write(writer, b'x')
if os.getpid() == first:
    count = 0
    while count < 64: count += len(os.read(reader, 64))
    print(count)
";
    assert_eq!(printed(doubled), "64");
    let place = tempfile::tempdir().unwrap();
    let place = place.path().to_str().unwrap();
    let stays = "beats() { stat -c %s \"$0/beat\"; }
\"$@\" && first=$(beats) && sleep 0.3 && test \"$(beats)\" -gt \"$first\" && echo it beats";
    let said = said(
        unshare(&WITH_PROCESSES)
            .args(["sh", "-c", stays, place])
            .args(PYTHON)
            .arg(LEAVE.replace("/scratch", place)),
    );
    assert_eq!(said, "it beats\n");
}

#[test]
fn memory_can_be_had() {
    assert_eq!(printed(HOARD), "40");
    for held in HELD {
        assert_eq!(printed(&hoards(held, true)), "4 0", "{held}");
    }
}

#[test]
fn output_floods() {
    let mut flood = Command::new(PYTHON[0])
        .args(&PYTHON[1..])
        .arg(FLOOD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = flood.stdout.take().unwrap();
    let bytes = std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
    assert!(flood.wait().unwrap().success());
    assert_eq!(bytes, FLOOD_BYTES);
}

#[test]
fn endless_programs_do_not_end_and_some_not_by_an_interrupt() {
    for (program, is_interrupted) in ENDLESS {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "-s", "INT", "1"]);
        command.args(PYTHON).arg(program).stderr(Stdio::null());
        let ended = command.status().unwrap();
        if is_interrupted {
            assert_eq!(ended.code(), Some(124), "{program}: {ended}");
        } else {
            // The one that waits for it goes with it.
            assert_eq!(ended.signal(), Some(9), "{program}: {ended}");
        }
    }
}
