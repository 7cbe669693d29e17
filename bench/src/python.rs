//! Sessions of Python beside the bare interpreter: the first call, the next ones, and fifty sessions.

use crate::table::Table;
use anyhow::Context as _;
use quaymaster_core::clock::SystemEntropy;
use quaymaster_core::{Fault, Fut};
use quaymaster_sandbox::{
    Mount, Mounts, Program, PythonEnding, PythonOptions, Ran, Sessions, USUAL_TIME, Wanted,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const COLD: usize = 20;
const WARM: usize = 300;
const MANY: usize = 50;

struct Nothing;

impl Mounts for Nothing {
    fn mounts(&self) -> Fut<'_, Result<Vec<Mount>, Fault>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

async fn run(sessions: &Sessions, key: &str, reset: bool) -> anyhow::Result<Ran> {
    let wanted = Wanted {
        key: key.to_owned(),
        tenant: "one".to_owned(),
        having: String::new(),
        note: Value::Null,
        environment: BTreeMap::new(),
        mounts: Arc::new(Nothing),
        network: None,
        reset,
    };
    let program = Program {
        code: "1 + 1".to_owned(),
        time: USUAL_TIME,
    };
    let ran = sessions
        .run(wanted, &program, &CancellationToken::new())
        .await?;
    let good = PythonEnding::Ok(Some("2".to_owned()));
    anyhow::ensure!(ran.ending == good, "{ran:?}");
    Ok(ran)
}

pub(crate) async fn sessions(table: &mut Table) -> anyhow::Result<()> {
    let sessions = Sessions::new(PythonOptions::default(), Arc::new(SystemEntropy));
    let probed = sessions
        .probe()
        .await
        .map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let mut bare = Vec::new();
    for _ in 0..COLD {
        let begun = Instant::now();
        let ended = Command::new("/usr/bin/python3")
            .args(["-I", "-S", "-c", "1 + 1"])
            .status();
        anyhow::ensure!(ended.context("python3")?.success(), "python3 failed");
        bare.push(begun.elapsed());
    }
    let mut cold = Vec::new();
    for _ in 0..COLD {
        cold.push(run(&sessions, "cold", true).await?.total);
    }
    let mut warm = Vec::new();
    for _ in 0..WARM {
        warm.push(run(&sessions, "cold", false).await?.total);
    }
    let [bare, cold] = [&mut bare, &mut cold].map(|times| middle(times));
    let warm = middle(&mut warm);
    table.row(
        "Python: the first call of a session",
        format!(
            "p50 {:.1} ms; bare python3 {:.1} ms; limits by {}",
            millis(cold),
            millis(bare),
            probed.limits
        ),
        "≤ 60 ms",
        Some(millis(cold) <= 60.0),
    );
    table.row(
        "Python: the next calls",
        format!("p50 {:.2} ms", millis(warm)),
        "≤ 2 ms",
        Some(millis(warm) <= 2.0),
    );
    let begun = Instant::now();
    let keys: Vec<String> = (0..MANY).map(|n| n.to_string()).collect();
    let all = keys.iter().map(|key| run(&sessions, key, false));
    for ran in futures_util::future::join_all(all).await {
        ran?;
    }
    let took = begun.elapsed();
    let bytes = memory_below(std::process::id());
    table.row(
        "Python: 50 sessions",
        format!(
            "{:.0} MB, begun in {:.0} ms",
            bytes as f64 / 1e6,
            millis(took)
        ),
        "≤ 350 MB",
        Some(bytes <= 350_000_000),
    );
    Ok(())
}

/// Proportional memory of all processes below one (`proc_pid_smaps(5)`: Pss).
fn memory_below(pid: u32) -> u64 {
    let mut sum = 0;
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
        {
            let told = std::fs::read_to_string(format!("/proc/{child}/smaps_rollup"));
            let told = told.unwrap_or_default();
            let mut lines = told.lines();
            let kilobytes = lines.find_map(|line| line.strip_prefix("Pss:"));
            let kilobytes = kilobytes.and_then(|line| line.trim().split(' ').next()?.parse().ok());
            sum += kilobytes.unwrap_or(0_u64) * 1024 + memory_below(child);
        }
    }
    sum
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(of: Duration) -> f64 {
    of.as_secs_f64() * 1_000.0
}
