//! A home directory to try things on, and one way to call every tool with JSON.

use quaymaster_core::{Clock, Code, Entropy, Fault, Instant};
use quaymaster_files::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Names of all tools of this crate.
pub(crate) const TOOLS: [&str; 14] = [
    "list_files",
    "search_files",
    "read_file",
    "write_file",
    "delete_file",
    "create_directory",
    "move_file",
    "copy_file",
    "get_file_info",
    "insert_lines",
    "replace_lines",
    "delete_lines",
    "find_replace",
    "insert_after_pattern",
];

/// A clock that stands until it is set. It starts in 2100, so that every file looks settled.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_days(&self, days: i64) {
        self.0.fetch_add(days * 86_400_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers in a row: the same ids in every run.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            let length = chunk.len();
            chunk.copy_from_slice(&number[8 - length..]);
        }
    }
}

pub(crate) struct Yard {
    pub(crate) root: tempfile::TempDir,
    pub(crate) home: Arc<Home>,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) fn relaxed() -> Limits {
    Limits {
        durability: Durability::Relaxed,
        ..Limits::default()
    }
}

pub(crate) fn yard() -> Yard {
    yard_with(relaxed())
}

pub(crate) fn yard_with(limits: Limits) -> Yard {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock(AtomicI64::new(4_102_444_800_000_000)));
    let home = open(root.path(), limits, &clock);
    Yard { root, home, clock }
}

pub(crate) fn open(root: &Path, limits: Limits, clock: &Arc<TestClock>) -> Arc<Home> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let entropy = Arc::new(Counting(AtomicU64::new(1)));
    Arc::new(Home::open(&root.join("ws"), limits, clock, entropy).unwrap())
}

/// Work that nobody stops.
pub(crate) fn work() -> Work<'static> {
    Work {
        cancelled: &|| false,
        deadline: std::time::Instant::now() + Duration::from_mins(1),
        report: &|_, _, _| {},
    }
}

/// Remembers nothing before an upload is renamed into place.
#[expect(clippy::unnecessary_wraps, reason = "others fail")]
pub(crate) fn ready(_: &str) -> Result<(), Fault> {
    Ok(())
}

impl Yard {
    /// The home directory on the host.
    pub(crate) fn host(&self, path: &str) -> PathBuf {
        self.root.path().join("ws/home").join(path)
    }

    pub(crate) fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.host(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.host(path)).unwrap()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path)).unwrap()
    }

    pub(crate) fn call(&self, tool: &str, args: Value) -> Result<Value, Fault> {
        call(&self.home, tool, args)
    }

    pub(crate) fn ok(&self, tool: &str, args: Value) -> Value {
        let shown = args.to_string();
        self.call(tool, args)
            .unwrap_or_else(|fault| panic!("{tool} {shown}: {fault}"))
    }

    pub(crate) fn fault(&self, tool: &str, args: Value) -> Fault {
        let shown = args.to_string();
        match self.call(tool, args) {
            Ok(value) => panic!("{tool} {shown} succeeded: {value}"),
            Err(fault) => {
                assert!(fault.hint.is_some(), "{tool} {shown}: no hint in {fault}");
                fault
            }
        }
    }

    pub(crate) fn code(&self, tool: &str, args: Value) -> Code {
        self.fault(tool, args).code
    }

    pub(crate) fn etag(&self, path: &str) -> String {
        self.ok("get_file_info", json!({ "path": path }))["etag"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn parse<T: DeserializeOwned>(args: Value) -> Result<T, Fault> {
    serde_json::from_value(args)
        .map_err(|error| Fault::invalid_arg("", "schema", error.to_string()).hint("test"))
}

fn json_of(result: Result<impl Serialize, Fault>) -> Result<Value, Fault> {
    result.map(|result| serde_json::to_value(result).unwrap())
}

pub(crate) fn call(home: &Home, tool: &str, args: Value) -> Result<Value, Fault> {
    match tool {
        "list_files" => json_of(home.list_files(&parse(args)?)),
        "search_files" => json_of(home.search_files(&parse(args)?, &work())),
        "read_file" => {
            let result = home.read_file(&parse(args)?)?;
            let media = result.media.as_ref().map(|media| media.mime.clone());
            let mut value = json_of(Ok(result))?;
            if let Some(mime) = media {
                value["media"] = json!(mime);
            }
            Ok(value)
        }
        "write_file" => json_of(home.write_file(&parse(args)?)),
        "delete_file" => json_of(home.delete_file(&parse(args)?)),
        "create_directory" => json_of(home.create_directory(&parse(args)?)),
        "move_file" => json_of(home.move_file(&parse(args)?)),
        "copy_file" => json_of(home.copy_file(&parse(args)?, &work())),
        "get_file_info" => json_of(home.get_file_info(&parse(args)?)),
        "insert_lines" => json_of(home.insert_lines(&parse(args)?)),
        "replace_lines" => json_of(home.replace_lines(&parse(args)?)),
        "delete_lines" => json_of(home.delete_lines(&parse(args)?)),
        "find_replace" => json_of(home.find_replace(&parse(args)?)),
        "insert_after_pattern" => json_of(home.insert_after_pattern(&parse(args)?)),
        other => panic!("no tool {other}"),
    }
}

/// Arguments with which `tool` would do something to `path`.
pub(crate) fn args_for(tool: &str, path: &str) -> Vec<Value> {
    let at = |more: Value| {
        let mut args = Map::new();
        args.insert("path".to_owned(), json!(path));
        args.extend(more.as_object().unwrap().clone());
        Value::Object(args)
    };
    match tool {
        "list_files" => vec![at(
            json!({ "recursive": true, "depth": 5, "include_hidden": true }),
        )],
        "search_files" => vec![at(json!({
            "query": "canary", "include_hidden": true, "respect_gitignore": false
        }))],
        "read_file" => vec![at(json!({})), at(json!({ "as": "base64" }))],
        "write_file" => vec![
            at(json!({ "content": "intruder" })),
            at(json!({ "content": "intruder", "mode": "append" })),
        ],
        "delete_file" => vec![at(json!({ "recursive": true, "permanent": true }))],
        "create_directory" | "get_file_info" => vec![at(json!({}))],
        "move_file" => vec![
            json!({ "source": path, "destination": "moved-in", "overwrite": true }),
            json!({ "source": "bait.txt", "destination": path, "overwrite": true }),
        ],
        "copy_file" => vec![
            json!({ "source": path, "destination": "copied-in", "recursive": true, "overwrite": true }),
            json!({ "source": "bait.txt", "destination": path, "overwrite": true }),
        ],
        "insert_lines" => vec![at(json!({ "line": 0, "content": "intruder" }))],
        "replace_lines" => vec![at(
            json!({ "start_line": 1, "end_line": 1, "content": "intruder" }),
        )],
        "delete_lines" => vec![at(json!({ "start_line": 1, "end_line": 1 }))],
        "find_replace" => vec![at(json!({ "find": "canary", "replace": "intruder" }))],
        "insert_after_pattern" => vec![at(json!({ "pattern": "canary", "content": "intruder" }))],
        other => panic!("no tool {other}"),
    }
}

/// Snapshot settings under which times read the same in every run.
pub(crate) fn steady() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "[time]");
    settings
}
