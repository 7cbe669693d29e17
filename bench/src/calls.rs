//! Calls beside a bare `rmcp` server; start and idle memory.

use crate::load::{Connection, Measured, Target, measure};
use crate::server::{Server, memory};
use crate::table::Table;
use anyhow::Context as _;
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

pub(crate) async fn start_and_idle(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let begun = Instant::now();
    let server = Server::start(binary).await?;
    let mut connection = Connection::open(&server.target()).await?;
    connection.call(1, "list_files", &json!({})).await?;
    let first = begun.elapsed().as_secs_f64();
    table.row(
        "start on an empty directory to the first answered call",
        format!("{first:.3} s"),
        "≤ 0.5 s",
        Some(first <= 0.5),
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (now, _) = memory(server.pid())?;
    table.row(
        "idle memory",
        format!("{now:.1} MiB"),
        "≤ 40 MB",
        Some(now <= 40.0),
    );
    Ok(())
}

/// The product and a bare server take turns, three rounds; the median round counts.
pub(crate) async fn beside_echo(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let ours = server.target();
    Connection::open(&ours)
        .await?
        .call(
            1,
            "write_file",
            &json!({ "path": "a.txt", "content": "one\n" }),
        )
        .await?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg("echo")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let address = lines.next_line().await?.context("the echo server ended")?;
    let pid = child.id().context("the echo server ended")?;
    let echo = Target {
        address,
        path: "/mcp".to_owned(),
        token: "none".into(),
        pid,
    };
    let (mut bare, mut plain, mut info) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        bare.push(measure(&echo, "echo", json!({ "path": "a.txt" })).await?);
        // Passes the whole guard and is answered before any IO: the path leads out.
        plain.push(measure(&ours, "get_file_info", json!({ "path": "../a.txt" })).await?);
        info.push(measure(&ours, "get_file_info", json!({ "path": "a.txt" })).await?);
    }
    let (bare, plain, info) = (median(bare)?, median(plain)?, median(info)?);
    table.row("bare rmcp echo", told(&bare), "", None);
    let ratio = plain.per_second / bare.per_second;
    table.row(
        "a call without IO (get_file_info of a path that leads out)",
        format!("{}; {ratio:.2} × echo", told(&plain)),
        "≥ 0.6 × echo",
        Some(ratio >= 0.6),
    );
    let ratio = info.per_second / bare.per_second;
    table.row(
        "get_file_info",
        format!("{}; {ratio:.2} × echo", told(&info)),
        "≥ 0.4 × echo",
        Some(ratio >= 0.4),
    );
    Ok(())
}

fn median(mut rounds: Vec<Measured>) -> anyhow::Result<Measured> {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle).context("no round")
}

fn told(measured: &Measured) -> String {
    let Measured {
        per_second,
        cpu_us,
        p50_ms,
        p99_ms,
    } = measured;
    format!(
        "{per_second:.0} calls/s, {cpu_us:.0} µs CPU a call, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms"
    )
}
