//! What the tests do beside the server: calls that may be cut off, and a look into its database and files.

use quaymaster_tests::{Mcp, Server};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// For what comes soon, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Calls a tool without a session; `None` when the connection broke, so that nobody knows whether
/// the call ran.
pub(crate) async fn try_call(
    mcp: &Mcp,
    tool: &str,
    arguments: Value,
) -> Option<Result<Value, Value>> {
    let version = "2026-07-28";
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1.0" },
        } },
    });
    let mut headers = mcp.headers();
    for (name, value) in [
        ("mcp-protocol-version", version),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let request = mcp.client.post(&mcp.endpoint).headers(headers);
    let answer = request.body(body.to_string()).send().await.ok()?;
    let text = answer.text().await.ok()?;
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut messages = data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
    let result = messages.rfind(|message| message["id"] == 1)?["result"].take();
    if result["isError"] == true {
        let text = result["content"][0]["text"].as_str()?;
        return Some(Err(serde_json::from_str(text).unwrap()));
    }
    Some(Ok(result["structuredContent"].clone()))
}

/// Changes rows of a server's database, whichever it is and whether the server runs or not.
pub(crate) async fn change_rows(server: &Server, sql: &str) {
    let Some(url) = server.database_url() else {
        sqlite(server.data.path(), sql).await;
        return;
    };
    let changed = Command::new("psql")
        .args([url, "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .status()
        .await
        .expect("psql starts");
    assert!(changed.success(), "{sql}");
}

/// Runs SQL on the file of a server; rows as arrays.
pub(crate) async fn sqlite(data: &Path, sql: &str) -> Value {
    const PROGRAM: &str = "import json, sqlite3, sys\n\
        base = sqlite3.connect(sys.argv[1])\n\
        rows = base.execute(sys.argv[2]).fetchall()\n\
        base.commit()\n\
        print(json.dumps(rows))";
    let output = Command::new("python3")
        .args(["-c", PROGRAM])
        .arg(data.join("quaymaster.db"))
        .arg(sql)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("python3 starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("rows as JSON")
}

/// Names and contents of everything below a directory, links not followed.
pub(crate) fn tree(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            let kind = std::fs::symlink_metadata(&path).expect("it is there");
            let name = path.strip_prefix(directory).expect("below it");
            let name = name.to_string_lossy().into_owned();
            if kind.is_dir() {
                found.push((format!("{name}/"), Vec::new()));
                open.push(path);
            } else if kind.is_file() {
                found.push((name, std::fs::read(&path).expect("a file")));
            } else {
                found.push((name, b"special".to_vec()));
            }
        }
    }
    found.sort();
    found
}

/// The files of documents that are arriving, or being put together from their parts, right now.
pub(crate) fn drafts_of_documents(data: &Path) -> Vec<PathBuf> {
    let orgs = std::fs::read_dir(data.join("documents"));
    let all = orgs.into_iter().flatten();
    let drafts = all.filter_map(|org| std::fs::read_dir(org.ok()?.path().join("drafts")).ok());
    let files = drafts.flatten().filter_map(|file| Some(file.ok()?.path()));
    files.collect()
}

/// Numbers nobody foresees, for the moments at which a test kills.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        Dice(RandomState::new().hash_one(0))
    }

    /// Below `end`.
    pub(crate) fn roll(&mut self, end: u64) -> u64 {
        // Xorshift of Marsaglia, 2003.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
