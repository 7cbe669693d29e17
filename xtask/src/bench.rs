//! Measures the release binary. Prints a table, asserts nothing: what a machine can do is not
//! right or wrong.

use crate::postgres::Cluster;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use std::process::{Command, ExitCode};

/// `part` is one of start, calls, connectors, code, tokens, hosted, python, flows, memory, pages, large, uploads, import, search; all without it.
pub(crate) fn run(part: &[&str]) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let built = Command::new("cargo")
        .args([
            "build",
            "--release",
            "--locked",
            "-p",
            "quaymaster",
            "-p",
            "quaymaster-bench",
        ])
        .status()?;
    ensure!(built.success(), "the release build failed");
    let release = workspace.target.join("release");
    let cluster = Cluster::start()?;
    let done = Command::new(release.join("quaymaster-bench"))
        .arg(release.join("quaymaster"))
        .env("BENCH_POSTGRES", cluster.url())
        .args(part)
        .status()?;
    Ok(if done.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
