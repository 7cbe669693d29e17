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
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

const COLD: usize = 20;
const WARM: usize = 300;
const MANY: usize = 50;
/// Of the product 10 minutes; long enough here for all that is measured before.
const IDLE: Duration = Duration::from_secs(10);
/// How much later than that a session may be gone: they are looked for every second, and ended one by one.
const LATER: Duration = Duration::from_secs(3);

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
    let options = PythonOptions {
        idle: IDLE,
        ..PythonOptions::default()
    };
    let sessions = Sessions::new(options, Arc::new(SystemEntropy));
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
    ended(begun + took, table).await
}

/// What is left of the sessions once nobody has used them for their time.
async fn ended(used: Instant, table: &mut Table) -> anyhow::Result<()> {
    let mut all = processes_below(std::process::id());
    all.retain(|pid| is_there(*pid));
    let left = || all.iter().filter(|pid| is_there(**pid)).count();
    sleep_until((used + IDLE / 2).into()).await;
    let halfway = left();
    while left() > 0 && used.elapsed() < IDLE + LATER {
        sleep(Duration::from_millis(50)).await;
    }
    let (after, took) = (left(), used.elapsed());
    table.row(
        &format!(
            "Python: the same sessions, which end when they are idle for {} s",
            IDLE.as_secs()
        ),
        format!(
            "{} processes, {halfway} halfway, {after} after {:.1} s",
            all.len(),
            took.as_secs_f64()
        ),
        "all there halfway, none left 3 s after their time",
        Some(all.len() >= MANY && halfway == all.len() && after == 0),
    );
    Ok(())
}

fn processes_below(pid: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.into_iter().flatten().flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace();
        for child in children.filter_map(|child| child.parse::<u32>().ok()) {
            all.push(child);
            all.extend(processes_below(child));
        }
    }
    all
}

/// Whether a process has not ended; one that waits to be collected has (`proc_pid_stat(5)`: Z).
fn is_there(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Proportional memory of all processes below one (`proc_pid_smaps(5)`: Pss).
fn memory_below(pid: u32) -> u64 {
    let mut sum = 0;
    for child in processes_below(pid) {
        let told = std::fs::read_to_string(format!("/proc/{child}/smaps_rollup"));
        let told = told.unwrap_or_default();
        let mut lines = told.lines();
        let kilobytes = lines.find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = kilobytes.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        sum += kilobytes.unwrap_or(0_u64) * 1024;
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
