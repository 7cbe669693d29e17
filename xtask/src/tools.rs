//! What the tests need besides Rust: official MCP clients and the conformance suite (Node 22 and
//! Python), a PostgreSQL server, a Chromium browser, and services for connectors.
//!
//! | where, below `<target directory>/tools` | what |
//! |---|---|
//! | `node/node_modules/.bin` | `node` (22), `conformance`, `mcp-inspector`, `mcp-remote`, `tsc` |
//! | `node/node_modules` | the packages of tests/clients/package.json |
//! | `python/bin/python` | an interpreter with tests/clients/requirements.txt |
//! | `services/bin` | the programs of tests/services/requirements.txt |
//!
//! The rest comes from the system's [`packages`]. Beside each folder lies a stamp with all that went
//! into it: a second run compares stamps and installs nothing.

mod packages;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::{Workspace, stdout};

const CLIENTS: &str = "tests/clients";
const SERVICES: &str = "tests/services";

pub(crate) fn run() -> Result<ExitCode> {
    let folder = install(&Workspace::read()?)?;
    println!("tools are in {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

/// Installs what is missing and returns the folder of the tools.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("tools");
    fs::create_dir_all(&folder)?;
    // Two chores at once would install into each other's folders.
    let lock = fs::File::create(folder.join("lock"))?;
    lock.lock()?;
    packages::install()?;
    node(workspace, &folder)?;
    python(workspace, CLIENTS, &folder.join("python"), "mcp")?;
    python(
        workspace,
        SERVICES,
        &folder.join("services"),
        "jupyter_server, kinto, datasette",
    )?;
    Ok(folder)
}

fn node(workspace: &Workspace, tools: &Path) -> Result<()> {
    let folder = tools.join("node");
    let programs = folder.join("node_modules/.bin");
    let manifest = workspace.text(format!("{CLIENTS}/package.json"))?;
    let complete = ["node", "conformance", "mcp-inspector", "mcp-remote", "tsc"]
        .iter()
        .all(|program| programs.join(program).exists());
    if complete && is_stamped(&folder, &manifest) {
        return Ok(());
    }
    start_over(&folder)?;
    fs::write(folder.join("package.json"), &manifest)?;
    run_quietly(
        Command::new("npm")
            .args(["install", "--no-package-lock", "--no-audit", "--no-fund"])
            .args(["--no-update-notifier", "--loglevel", "error"])
            .current_dir(&folder),
    )?;
    let version = stdout(Command::new(programs.join("node")).arg("--version"))?;
    ensure!(
        version.starts_with("v22."),
        "expected Node 22, not {version}"
    );
    stamp(&folder, &manifest)
}

/// An environment with the packages that `list` names; `modules` tell whether they work.
fn python(workspace: &Workspace, list: &str, folder: &Path, modules: &str) -> Result<()> {
    let python = folder.join("bin/python");
    let requirements = workspace.text(format!("{list}/requirements.txt"))?;
    // False as well when the interpreter that the environment was made with has gone.
    if python.exists() && is_stamped(folder, &requirements) {
        return Ok(());
    }
    start_over(folder)?;
    run_quietly(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let list = workspace.root.join(list).join("requirements.txt");
    run_quietly(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(list),
    )?;
    run_quietly(Command::new(&python).args(["-c", &format!("import {modules}")]))?;
    stamp(folder, &requirements)
}

fn stamp_of(folder: &Path) -> PathBuf {
    folder.with_extension("stamp")
}

fn is_stamped(folder: &Path, inputs: &str) -> bool {
    fs::read_to_string(stamp_of(folder)).is_ok_and(|stamped| stamped == inputs)
}

/// The inputs themselves are the stamp: they are short, and can be read when in doubt.
fn stamp(folder: &Path, inputs: &str) -> Result<()> {
    fs::write(stamp_of(folder), inputs).context("cannot write a stamp")
}

/// Removes what an earlier, perhaps unfinished, installation left.
fn start_over(folder: &Path) -> Result<()> {
    for removed in [
        fs::remove_file(stamp_of(folder)),
        fs::remove_dir_all(folder),
    ] {
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot clear {}", folder.display()));
            }
            _ => {}
        }
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

/// Runs a command to its end; its output is shown only when it fails.
fn run_quietly(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    println!("    {program} {}", args.join(" "));
    let output = command
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("{program} ended with {}", output.status);
    }
    Ok(())
}
