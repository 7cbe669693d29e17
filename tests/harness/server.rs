//! A server of one test: its own data directory, its own database, a port of the system's choice.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];
}

/// The binary under test: beside the test's own target directory.
pub fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("the test has a path");
    path.pop(); // deps
    path.pop();
    let binary = path.join("quaymaster");
    assert!(
        binary.is_file(),
        "{} is not built; run `cargo xtask test`",
        binary.display()
    );
    binary
}

/// Where `cargo xtask tools` put Node, Python and their packages.
pub fn tools_directory() -> PathBuf {
    let path = std::env::var_os("QUAYMASTER_TEST_TOOLS")
        .expect("QUAYMASTER_TEST_TOOLS is not set; run `cargo xtask test`");
    PathBuf::from(path)
}

/// A fresh PostgreSQL database on the cluster that the test command started.
pub async fn fresh_postgres() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = std::env::var("QUAYMASTER_TEST_PG")
        .expect("QUAYMASTER_TEST_PG is not set; run `cargo xtask test`");
    let name = format!(
        "t{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let made = Command::new("psql")
        .args([&base, "-q", "-c", &format!("CREATE DATABASE {name}")])
        .output()
        .await
        .expect("psql starts");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let (server, _) = base
        .rsplit_once('/')
        .expect("the address ends with a database");
    format!("{server}/{name}")
}

/// A running server. Dropping it kills the process.
pub struct Server {
    pub data: TempDir,
    /// Address and port, which a public address may hide.
    pub listening: String,
    pub url: String,
    pub endpoint: String,
    /// The token and link that the first start printed.
    pub token: String,
    pub sign_in_link: String,
    pub workspace: String,
    environment: Vec<(String, String)>,
    child: Child,
}

impl Server {
    pub async fn start() -> Server {
        Server::start_on(Database::Sqlite).await
    }

    pub async fn start_on(database: Database) -> Server {
        Server::start_with(database, &[]).await
    }

    /// `settings` are variables without their prefix, as `("DAILY_CAP", "10")`.
    pub async fn start_with(database: Database, settings: &[(&str, &str)]) -> Server {
        let environment = settings
            .iter()
            .map(|(name, value)| (format!("QUAYMASTER_{name}"), (*value).to_owned()))
            .collect();
        Server::start_in(database, environment).await
    }

    /// `environment` has whole names, also such that others read.
    pub async fn start_in(database: Database, mut environment: Vec<(String, String)>) -> Server {
        if database == Database::Postgres {
            environment.push(("QUAYMASTER_DATABASE_URL".into(), fresh_postgres().await));
        }
        let data = TempDir::new().expect("a temporary directory");
        let (child, greeting) = launch(data.path(), &environment).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Server {
            listening: text(&greeting["listening"]),
            url: text(&greeting["public_url"]),
            endpoint: text(&greeting["endpoint"]),
            token: text(&greeting["first_start"]["token"]),
            sign_in_link: text(&greeting["first_start"]["sign_in_link"]),
            workspace: text(&greeting["first_start"]["workspace"]),
            data,
            environment,
            child,
        }
    }

    /// Where its database is; none when that is a SQLite file.
    pub fn database_url(&self) -> Option<&str> {
        let mut all = self.environment.iter();
        let found = all.find(|(name, _)| name == "QUAYMASTER_DATABASE_URL");
        found.map(|(_, url)| url.as_str())
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the server is killed");
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .expect("kill starts");
        assert!(sent.success());
        let ended = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await;
        assert!(
            ended
                .expect("the server stops in time")
                .expect("it ran")
                .success()
        );
    }

    /// Starts again on the same data directory, on a new port. Answers what it printed.
    pub async fn restart(&mut self) -> Value {
        let (child, greeting) = launch(self.data.path(), &self.environment).await;
        self.child = child;
        self.url = greeting["public_url"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        self.endpoint = greeting["endpoint"].as_str().unwrap_or_default().to_owned();
        greeting
    }

    /// Runs the command line on this server's data directory.
    pub async fn cli(&self, arguments: &[&str]) -> Output {
        cli(self.data.path(), &self.environment, arguments).await
    }

    /// Like [`Server::cli`] with `--json`; the one object that it printed.
    pub async fn cli_json(&self, arguments: &[&str]) -> Value {
        let output = self.cli(&[arguments, &["--json"]].concat()).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{arguments:?}: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(text.trim()).expect("one JSON object")
    }

    /// An API key with these scopes; all of them when empty.
    pub async fn api_key(&self, scopes: &[&str]) -> String {
        let scopes = scopes.join(",");
        let mut arguments = vec!["token", "create", "--org"];
        if !scopes.is_empty() {
            arguments.extend(["--scopes", &scopes]);
        }
        let made = self.cli_json(&arguments).await;
        made["token"].as_str().expect("a token").to_owned()
    }

    /// An API key of every scope of another organization, which has a workspace.
    pub async fn stranger(&self) -> String {
        self.cli_json(&["organization", "create", "Other quay"])
            .await;
        let made = self
            .cli_json(&["token", "create", "--org", "Other quay"])
            .await;
        let key = made["token"].as_str().expect("a token").to_owned();
        let body = Some(serde_json::json!({ "name": "Theirs" }));
        let (status, made) = self.rest(&key, "POST", "/api/v1/workspaces", body).await;
        assert_eq!(status, 201, "{made}");
        key
    }

    /// A REST request with a bearer token (none when empty).
    pub async fn rest(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Where the files of the first workspace are on disk.
    pub fn home(&self) -> PathBuf {
        self.data
            .path()
            .join("workspaces")
            .join(&self.workspace)
            .join("home")
    }
}

/// The binary, without what only the tests' own environment has.
pub fn program() -> Command {
    let mut program = Command::new(binary());
    program
        .env_remove("QUAYMASTER_TEST_PG")
        .env_remove("QUAYMASTER_TEST_TOOLS")
        .env_remove("QUAYMASTER_TEST_ROUNDS");
    program
}

pub async fn cli(data: &Path, environment: &[(String, String)], arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .arg("--data")
        .arg(data)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the binary starts")
}

async fn launch(data: &Path, environment: &[(String, String)]) -> (Child, Value) {
    // The log stands beside the data, for whoever looks into a failure, and for the tests that
    // look for secrets in it.
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(data.join("server.log"))
        .expect("a log file");
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--json", "--data"])
        .arg(data)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line())
        .await
        .expect("the server starts in time")
        .expect("its output reads");
    let log = || std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
    let line = line.unwrap_or_else(|| panic!("the server ended: {}", log()));
    let greeting = serde_json::from_str(&line).expect("one JSON object");
    (child, greeting)
}
