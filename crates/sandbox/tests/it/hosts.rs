//! Servers of a pool, started and talked to.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_quaymaster-sandbox-host");

/// The user of last resort.
const NOBODY: &str = "user=65534";
/// As Docker's filter answers a container.
pub(crate) const NO_NAMESPACES: &str = "deny=unshare:1";
/// As `AppArmor` answers on Ubuntu: a namespace, but nothing in it.
pub(crate) const NO_MOUNTS: &str = "deny=mount:1";

pub(crate) struct Host {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    early: HashMap<u64, Value>,
    next: u64,
    /// How it was started, for messages of failed tests.
    pub(crate) how: String,
}

impl Host {
    pub(crate) fn start(args: &[&str]) -> Host {
        Host::start_with(args, &[])
    }

    /// With more in its environment.
    pub(crate) fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Host {
        let mut command = Command::new(PROGRAM);
        command.envs(environment.iter().copied());
        Host::begin(command, args)
    }

    /// A host of sessions, in namespaces of its own that a shell prepares first. `namespaces` are options of unshare(1).
    pub(crate) fn start_within(namespaces: &[&str], prepare: &str, args: &[&str]) -> Host {
        let mut command = unshare(namespaces);
        command.args(["sh", "-c", &format!("{prepare} && exec \"$0\" \"$@\"")]);
        command.arg(PROGRAM).env("WITHOUT_JAVASCRIPT", "yes");
        Host::begin(command, args)
    }

    fn begin(mut command: Command, args: &[&str]) -> Host {
        let mut process = command
            .args(args)
            .env("A_SECRET", "of the server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Host {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
            early: HashMap::new(),
            next: 0,
            how: format!("[{}]", args.join(" ")),
        }
    }

    /// As this user and, where this is root, as nobody; each with namespaces and without.
    pub(crate) fn everywhere() -> impl Iterator<Item = Host> {
        every_way().into_iter().map(|way| Host::start(&way))
    }

    pub(crate) fn order(&mut self, mut order: Value) -> u64 {
        self.next += 1;
        order["id"] = json!(self.next);
        writeln!(self.orders, "{order}").unwrap();
        self.next
    }

    pub(crate) fn answer(&mut self, id: u64) -> Value {
        loop {
            if let Some(answer) = self.early.remove(&id) {
                return answer;
            }
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).unwrap();
            assert!(read > 0, "the host {} ended", self.how);
            let answer: Value = serde_json::from_str(&line).unwrap();
            self.early.insert(answer["id"].as_u64().unwrap(), answer);
        }
    }

    pub(crate) fn ask(&mut self, order: Value) -> Value {
        let id = self.order(order);
        self.answer(id)
    }

    /// Runs a program for at most some seconds.
    pub(crate) fn run(&mut self, code: &str) -> Value {
        self.ask(json!({ "code": code, "wall_ms": 20_000 }))
    }

    /// What a program that ends well returns.
    #[track_caller]
    pub(crate) fn value(&mut self, code: &str) -> Value {
        let outcome = self.run(code);
        assert_eq!(outcome["outcome"], "ok", "{} {code}: {outcome}", self.how);
        outcome["result"].clone()
    }

    /// The message of a program that throws.
    #[track_caller]
    pub(crate) fn error(&mut self, code: &str) -> String {
        let outcome = self.run(code);
        assert_eq!(
            outcome["outcome"], "error",
            "{} {code}: {outcome}",
            self.how
        );
        outcome["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A number of its status, as `VmRSS:` in KiB.
    pub(crate) fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Fails when it has much more memory than it had, in KiB: far less than what a program took.
    #[track_caller]
    pub(crate) fn has_not_grown(&self, before: u64) {
        let after = self.status("VmRSS:");
        assert!(
            after < before + 32 * 1024,
            "{} grew from {before} KiB to {after} KiB",
            self.how
        );
    }

    /// Kills it as nothing can be prevented from being killed.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Its workers, dead ones that are not gone yet among them.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let is_copied = |child: &u32| {
            // As it is called before it gives itself a name, and after.
            let name = std::fs::read_to_string(format!("/proc/{child}/comm"));
            name.is_ok_and(|name| ["exe", "quaymaster-fork"].contains(&name.trim_end()))
        };
        let mut children = self.children();
        children.retain(|child| !is_copied(child));
        children
    }

    /// Its processes, those that workers are copies of among them.
    pub(crate) fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
            .flat_map(|children| {
                children
                    .split_whitespace()
                    .map(|child| child.parse().unwrap())
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Its workers once all that are there wait, locked.
    pub(crate) fn waiting(&self) -> Vec<u32> {
        let locked = |worker: &u32| {
            let status = std::fs::read_to_string(format!("/proc/{worker}/status"));
            status.is_ok_and(|status| status.contains("Seccomp:\t2"))
        };
        loop {
            let workers = self.workers();
            if workers.len() == 4 && workers.iter().all(locked) {
                return workers;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command in namespaces of its own, with the rights of root in them.
pub(crate) fn unshare(namespaces: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["-U", "-r"]);
    }
    command.args(namespaces);
    command
}

pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let uids = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap();
    uids.split_whitespace().nth(2) == Some("0")
}

pub(crate) fn every_way() -> Vec<Vec<&'static str>> {
    let mut ways = vec![vec![], vec![NO_NAMESPACES]];
    if is_root() {
        ways.push(vec![NOBODY]);
        ways.push(vec![NOBODY, NO_NAMESPACES]);
    }
    ways
}
