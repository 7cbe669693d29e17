//! What comes from the system: PostgreSQL, Chromium, npm, Python, services that connectors are
//! tried against, and readers of the files that operators deploy.
//!
//! Only root installs, and only with apt; anybody else is told which command does it. No package
//! starts its own daemon: the tests start theirs.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::run_quietly;
use crate::postgres;
use crate::workspace::stdout;

/// A package of Debian, and whether what it brings is there.
struct Package {
    name: &'static str,
    present: fn() -> bool,
}

const fn package(name: &'static str, present: fn() -> bool) -> Package {
    Package { name, present }
}

const PACKAGES: [Package; 16] = [
    package("postgresql", || postgres::binaries().is_some()),
    package("chromium", || on_path("chromium")),
    package("npm", || on_path("npm")),
    package("python3-venv", || on_path("python3") && has_venv()),
    package("aria2", || on_path("aria2c")),
    package("transmission-daemon", || on_path("transmission-daemon")),
    package("pdns-server", || on_path("pdns_server")),
    package("pdns-backend-sqlite3", || {
        is_file("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
    }),
    package("prometheus", || on_path("prometheus")),
    package("docker-registry", || on_path("docker-registry")),
    package("rabbitmq-server", || {
        is_file("/usr/lib/rabbitmq/bin/rabbitmq-server")
    }),
    package("redmine", || is_file("/usr/share/redmine/config.ru")),
    package("redmine-sqlite", || {
        is_file("/usr/share/doc/redmine-sqlite/copyright")
    }),
    package("puma", || on_path("puma")),
    package("systemd", || on_path("systemd-analyze")),
    package("apparmor", || on_path("apparmor_parser")),
];

/// Installs what is missing.
pub(super) fn install() -> Result<()> {
    let names = missing();
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
    let quiet = NoDaemons::begin()?;
    apt(&[&install[..], &names].concat()).with_context(|| by_hand.clone())?;
    drop(quiet);
    let still = missing();
    ensure!(
        still.is_empty(),
        "apt-get installed, but still missing: {}",
        still.join(" ")
    );
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let missing = PACKAGES.iter().filter(|package| !(package.present)());
    missing.map(|package| package.name).collect()
}

/// Debian's way of installing without starting (invoke-rc.d(8)). A policy that is there already
/// stays as it is: somebody else's decision.
struct NoDaemons {
    made: bool,
}

impl NoDaemons {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn begin() -> Result<Self> {
        let made = fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(Self::POLICY);
        match made {
            Ok(mut file) => {
                let begun = Self { made: true };
                // 101: "action not allowed"
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Ok(begun)
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok(Self { made: false })
            }
            Err(error) => Err(error).with_context(|| format!("cannot write {}", Self::POLICY)),
        }
    }
}

impl Drop for NoDaemons {
    fn drop(&mut self) {
        if self.made
            && let Err(error) = fs::remove_file(Self::POLICY)
        {
            eprintln!("cannot remove {}: {error}", Self::POLICY);
        }
    }
}

/// Where daemons lie counts, too: not every user's `PATH` has it.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

fn is_file(path: &str) -> bool {
    Path::new(path).is_file()
}

/// Debian ships Python without what `python3 -m venv` needs.
fn has_venv() -> bool {
    Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output()
        .is_ok_and(|output| output.status.success())
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
