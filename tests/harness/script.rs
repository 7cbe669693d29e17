//! A client script of tests/clients that talks with its test by lines.

use crate::tools_directory;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Node 22, and an installed program of its packages.
pub fn node() -> PathBuf {
    node_program("node")
}

pub fn node_program(name: &str) -> PathBuf {
    tools_directory().join("node/node_modules/.bin").join(name)
}

pub fn python() -> PathBuf {
    tools_directory().join("python/bin/python")
}

pub fn script_path(name: &str) -> String {
    format!("{}/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A running script. Dropping it kills the process.
pub struct Script {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Its home directory, in which bridges keep what they know.
    home: TempDir,
}

impl Script {
    /// Starts `program arguments...`, with the token in `QUAYMASTER_TOKEN`.
    pub fn start(program: &PathBuf, arguments: &[&str], token: &str) -> Script {
        let home = TempDir::new().expect("a temporary directory");
        let log = std::fs::File::create(home.path().join("stderr")).expect("a log file");
        let mut child = Command::new(program)
            .args(arguments)
            .env("HOME", home.path())
            .env("QUAYMASTER_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the script starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        Script {
            child,
            input,
            output,
            home,
        }
    }

    fn complaints(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr")).unwrap_or_default()
    }

    /// The next line, which must be of this step.
    pub async fn step(&mut self, wanted: &str) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(30), self.output.next_line()).await;
        let Ok(Ok(Some(line))) = line else {
            panic!("no step {wanted}: {line:?} {}", self.complaints());
        };
        let step: Value = serde_json::from_str(&line).expect("one JSON object a line");
        assert_eq!(step["step"], wanted, "{step} {}", self.complaints());
        step
    }

    /// Lets the script go on.
    pub async fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .expect("the script listens");
    }

    /// Closes its input, for a script that ends with it, and waits for the end.
    pub async fn end_of_input(self) {
        let Script {
            mut child, input, ..
        } = self;
        drop(input);
        let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
        ended.expect("it ends in time").expect("it ran");
    }

    /// Nothing more is said for that long.
    pub async fn is_silent(&mut self, time: Duration) {
        let line = tokio::time::timeout(time, self.output.next_line()).await;
        assert!(line.is_err(), "{line:?}");
    }

    /// Waits for the end, which must be a good one.
    pub async fn end(mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.expect("it ends in time").expect("it ran");
        assert!(status.success(), "{status} {}", self.complaints());
    }
}
