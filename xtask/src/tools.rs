//! What the tests need besides Rust: official MCP clients and the conformance suite (Node 22 and
//! Python), a PostgreSQL server and a Chromium browser.
//!
//! | where, below `<target directory>/tools` | what |
//! |---|---|
//! | `node/node_modules/.bin` | `node` (22), `conformance`, `mcp-inspector`, `mcp-remote` |
//! | `node/node_modules` | the packages of tests/clients/package.json |
//! | `python/bin/python` | an interpreter with tests/clients/requirements.txt |
//!
//! PostgreSQL and `chromium` (on the `PATH`) come from the system. Its packages are installed
//! only by root and only with apt; anybody else is told which command does it. Beside each folder lies a stamp with all that went into it: a second
//! run compares stamps and installs nothing.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::postgres;
use crate::workspace::{Workspace, stdout};

const CLIENTS: &str = "tests/clients";

/// A package of Debian, and whether what it brings is there.
struct Package {
    name: &'static str,
    present: fn() -> bool,
}

const PACKAGES: [Package; 4] = [
    Package {
        name: "postgresql",
        present: || postgres::binaries().is_some(),
    },
    Package {
        name: "chromium",
        present: || on_path("chromium"),
    },
    Package {
        name: "npm",
        present: || on_path("npm"),
    },
    Package {
        name: "python3-venv",
        present: || on_path("python3") && has_venv(),
    },
];

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
    system_packages()?;
    node(workspace, &folder)?;
    python(workspace, &folder)?;
    Ok(folder)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Debian ships Python without what `python3 -m venv` needs.
fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn system_packages() -> Result<()> {
    let missing = |packages: &[Package]| -> Vec<&str> {
        packages
            .iter()
            .filter(|p| !(p.present)())
            .map(|p| p.name)
            .collect()
    };
    let names = missing(&PACKAGES);
    if names.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "missing: {0}. Install with: apt-get update && apt-get install -y \
         --no-install-recommends {0} (or what your system calls them)",
        names.join(" ")
    );
    let root = stdout(Command::new("id").arg("-u"))?.trim() == "0";
    ensure!(root && on_path("apt-get"), by_hand);
    apt(&["update"]).with_context(|| by_hand.clone())?;
    let install = ["install", "-y", "--no-install-recommends"];
    apt(&[&install[..], &names].concat()).with_context(|| by_hand.clone())?;
    let still = missing(&PACKAGES);
    ensure!(
        still.is_empty(),
        "apt-get installed, but still missing: {}",
        still.join(" ")
    );
    Ok(())
}

fn apt(args: &[&str]) -> Result<()> {
    run_quietly(
        Command::new("apt-get")
            // Another apt may be at work on a machine that has just started.
            .args(["-q", "-o", "DPkg::Lock::Timeout=300"])
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn node(workspace: &Workspace, tools: &Path) -> Result<()> {
    let folder = tools.join("node");
    let programs = folder.join("node_modules/.bin");
    let manifest = workspace.text(format!("{CLIENTS}/package.json"))?;
    let complete = ["node", "conformance", "mcp-inspector", "mcp-remote"]
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

fn python(workspace: &Workspace, tools: &Path) -> Result<()> {
    let folder = tools.join("python");
    let python = folder.join("bin/python");
    let requirements = workspace.text(format!("{CLIENTS}/requirements.txt"))?;
    // False as well when the interpreter that the environment was made with has gone.
    if python.exists() && is_stamped(&folder, &requirements) {
        return Ok(());
    }
    start_over(&folder)?;
    run_quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let list = workspace.root.join(CLIENTS).join("requirements.txt");
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
    run_quietly(Command::new(&python).args(["-c", "import mcp"]))?;
    stamp(&folder, &requirements)
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
