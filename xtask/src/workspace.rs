//! What cargo and git say about the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The part of `cargo metadata --no-deps` that chores need.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    /// The folder of the workspace's Cargo.toml.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Honours `CARGO_TARGET_DIR` and cargo's configuration.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
    /// Which package was resolved to which; absent with `--no-deps`.
    pub(crate) resolve: Option<Resolve>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) id: String,
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    /// `lib`, `bin`, `proc-macro`, `custom-build`, ...
    pub(crate) kind: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
}

/// `None` where cargo says nothing: a normal dependency.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

#[derive(Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
pub(crate) struct NodeDependency {
    #[serde(rename = "pkg")]
    pub(crate) id: String,
    pub(crate) dep_kinds: Vec<NodeKind>,
}

#[derive(Deserialize)]
pub(crate) struct NodeKind {
    pub(crate) kind: Option<Kind>,
}

impl Workspace {
    /// The crates of this repository only; needs neither network nor an up-to-date lock file.
    pub(crate) fn read() -> Result<Self> {
        metadata(&["--no-deps"])
    }

    /// Every crate of Cargo.lock, for every platform.
    pub(crate) fn read_with_dependencies() -> Result<Self> {
        metadata(&["--locked"])
    }

    /// The paths of all files that are tracked or would be, relative to the root, sorted.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
            "-z",
        ])
        .current_dir(&self.root);
        let listed = stdout(&mut git)?;
        let mut files: Vec<PathBuf> = listed
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            // A deleted file stays listed until its deletion is staged.
            .filter(|path| self.root.join(path).is_file())
            .collect();
        files.sort();
        Ok(files)
    }

    /// The text of a file of the repository.
    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Result<String> {
        let path = path.as_ref();
        std::fs::read_to_string(self.root.join(path))
            .with_context(|| format!("cannot read {}", path.display()))
    }
}

/// The cargo that runs this program, so that the toolchain stays the same.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn metadata(flags: &[&str]) -> Result<Workspace> {
    let text = stdout(
        cargo()
            .args(["metadata", "--format-version", "1"])
            .args(flags),
    )?;
    serde_json::from_str(&text).context("cannot understand the output of cargo metadata")
}

/// Runs a command to its end and returns what it printed; its complaints go to the terminal.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed no UTF-8"))
}
