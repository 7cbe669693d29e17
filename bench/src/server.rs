//! A release server of one measurement, and what the kernel says of it.

use crate::load::Target;
use anyhow::Context as _;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

pub(crate) struct Server {
    pub(crate) data: TempDir,
    pub(crate) address: String,
    pub(crate) token: String,
    pub(crate) workspace: String,
    /// As variables of its process.
    settings: Vec<(String, String)>,
    child: Child,
}

impl Server {
    pub(crate) async fn start(binary: &Path) -> anyhow::Result<Server> {
        Server::start_with(binary, &[]).await
    }

    /// `settings` are variables without their prefix.
    pub(crate) async fn start_with(
        binary: &Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Server> {
        Server::start_in(TempDir::new()?, binary, settings).await
    }

    /// Ends the server and starts another on what it left.
    pub(crate) async fn restart(
        mut self,
        binary: &Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Server> {
        self.child.kill().await?;
        Server::start_in(self.data, binary, settings).await
    }

    async fn start_in(
        data: TempDir,
        binary: &Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Server> {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (format!("QUAYMASTER_{name}"), (*value).to_owned()))
            .collect();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(data.path())
            .env("QUAYMASTER_DAILY_CAP", "1000000000")
            .env("QUAYMASTER_CALLS_PER_SECOND", "4000000000")
            .env("QUAYMASTER_LOG", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let line = lines.next_line().await?.context("the server ended")?;
        let greeting: Value = serde_json::from_str(&line)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Server {
            address: text(&greeting["listening"]),
            token: text(&greeting["first_start"]["token"]),
            workspace: text(&greeting["first_start"]["workspace"]),
            data,
            settings,
            child,
        })
    }

    /// An API key of every scope.
    pub(crate) async fn api_key(&self, binary: &Path) -> anyhow::Result<String> {
        let made = Command::new(binary)
            .args(["token", "create", "--org", "--json", "--data"])
            .arg(self.data.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .output()
            .await?;
        let made: Value = serde_json::from_slice(&made.stdout)?;
        Ok(made["token"].as_str().context("no token")?.to_owned())
    }

    /// A request of the management API.
    pub(crate) async fn rest(
        &self,
        token: &str,
        verb: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let body = body.to_string();
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        serde_json::from_str(body).with_context(|| answer.clone())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            address: self.address.clone(),
            path: "/mcp".to_owned(),
            token: self.token.clone(),
            pid: self.pid(),
        }
    }

    pub(crate) fn home(&self) -> std::path::PathBuf {
        self.data
            .path()
            .join("workspaces")
            .join(&self.workspace)
            .join("home")
    }
}

/// CPU time of a process, user and system (fields 14 and 15 of `/proc/<pid>/stat`).
pub(crate) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("an odd stat file")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // Linux has told user space 100 ticks a second for as long as there is this file.
    Ok(Duration::from_millis(ticks * 10))
}

/// Resident memory now and at its peak, in MiB.
pub(crate) fn memory(pid: u32) -> anyhow::Result<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let read = |name: &str| -> anyhow::Result<f64> {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .context("an odd status file")?;
        Ok(line
            .split_whitespace()
            .nth(1)
            .context("no value")?
            .parse::<f64>()?
            / 1024.0)
    };
    Ok((read("VmRSS:")?, read("VmHWM:")?))
}

pub(crate) fn seconds_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64()
}
