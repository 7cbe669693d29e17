//! Python sessions: the machine's `CPython`, shut in, with state that is kept between calls.
//!
//! A session belongs to one key, which its owner makes of organization, user and workspace. It has files of its
//! own in memory, no process but its own in sight, and one way out: a proxy of the server's that listens
//! in the session's network. Without user namespaces there are no sessions.
//!
//! - `message`: what is said; `inside`: a session from its first instruction, with `root` (its files), `filter`
//!   (its system calls) and `reaper` (its first process); `driver.py`: what the interpreter runs
//! - `find`: which interpreter; `cgroup`: limits of a session as a whole, and `usage` where there are none; `keeper`: the
//!   thread that starts sessions
//! - `start`: how one begins; `live`: one session, from the server's side; [`Sessions`]: all of them,
//!   with `turns`, which calls take

mod cgroup;
mod filter;
mod find;
mod inside;
mod keeper;
mod live;
mod message;
mod reaper;
mod root;
mod sessions;
mod start;
mod turns;
mod usage;

pub(crate) use inside::work;
pub use sessions::Sessions;

use quaymaster_core::{Fault, Fut};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Time of one call unless it asks for another one, and at most.
pub const USUAL_TIME: Duration = Duration::from_secs(30);
pub const MAX_TIME: Duration = Duration::from_mins(2);
/// What is kept of each stream, in bytes; the rest is counted. Whoever shows it shows less.
pub const MAX_KEPT: usize = 64 * 1024;
/// Characters of a value as Python writes it: one that has so many was cut, maybe within a word. A step of a flow uses all of it,
/// whoever shows it to a caller shows less.
pub const MAX_VALUE: usize = 200_000;
/// The same of the message of an error, a traceback and what an exit was given. Two of them fit into one answer of the
/// driver, however they are written.
pub const MAX_SAID: usize = 80_000;
/// Calls that wait for one session besides the one that runs.
pub const MAX_WAITING: usize = 4;
/// Bytes of the files of one [`Mount`].
pub const MAX_MOUNTED: usize = 64 << 20;

/// What an operator decides, and what tests change.
#[derive(Debug, Clone)]
pub struct PythonOptions {
    /// A directory with a system of its own, instead of the machine's.
    pub root: Option<PathBuf>,
    /// No session without a control group of its own.
    pub require_cgroup: bool,
    /// Whether to make control groups where that is possible.
    pub use_cgroups: bool,
    /// Sessions. For another one the tenant that has most of them gives up the one that it used least recently.
    pub most: usize,
    /// Calls that run at the same time, and how many of them for one tenant.
    pub at_once: usize,
    pub at_once_of_one: usize,
    /// A session that was not used for so long ends.
    pub idle: Duration,
    /// A session as old as this ends before the next call.
    pub max_age: Duration,
}

impl Default for PythonOptions {
    fn default() -> Self {
        PythonOptions {
            root: None,
            require_cgroup: false,
            use_cgroups: true,
            most: 50,
            at_once: 16,
            at_once_of_one: 8,
            idle: Duration::from_mins(10),
            max_age: Duration::from_hours(1),
        }
    }
}

/// What a call wants its session to be. One that is something else ends, and a new one begins.
pub struct Wanted {
    /// Whose it is.
    pub key: String,
    /// Who shares sessions and turns with others: all keys of one tenant count together.
    pub tenant: String,
    /// What it has: a session with another text is another session. Not secret.
    pub having: String,
    /// What `having` stands for, in words, for the reason of a new session.
    pub note: Value,
    /// Set before each call, by name; a value may change without a new session. What they hold may be secret.
    pub environment: BTreeMap<String, String>,
    pub mounts: Arc<dyn Mounts>,
    pub network: Option<Arc<dyn Network>>,
    /// End the session that there is first.
    pub reset: bool,
}

/// One program.
#[derive(Debug, Clone)]
pub struct Program {
    pub code: String,
    /// At most [`MAX_TIME`].
    pub time: Duration,
}

/// Files that a session sees, read-only. They stay in memory as long as the session.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where, as an absolute path without dots, below `/mnt` or `/etc`.
    pub target: String,
    pub files: Vec<MountedFile>,
}

/// What a session sees, asked for when it begins and not for each of its calls.
pub trait Mounts: Send + Sync {
    /// At most [`MAX_MOUNTED`] bytes each.
    fn mounts(&self) -> Fut<'_, Result<Vec<Mount>, Fault>>;
}

#[derive(Debug, Clone)]
pub struct MountedFile {
    /// Below the target, without dots.
    pub path: String,
    pub bytes: Vec<u8>,
    pub executable: bool,
}

/// The way out of a session. Whoever implements it decides what may be reached.
pub trait Network: Send + Sync {
    /// Serves a proxy for HTTP on a listener in the session's network. Dropping what it answers ends that.
    fn serve(&self, listener: TcpListener) -> Box<dyn Send + Sync>;
    /// What was reached, or refused, since this was asked last.
    fn visits(&self) -> Vec<Visit>;
}

/// A host that programs tried to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub host: String,
    pub port: u16,
    /// Why not, if it was refused.
    pub refused: Option<String>,
    pub connections: u32,
    /// Both ways.
    pub bytes: u64,
}

/// What came of a call.
#[derive(Debug)]
pub struct Ran {
    pub ending: PythonEnding,
    pub stdout: Printed,
    pub stderr: Printed,
    pub visits: Vec<Visit>,
    pub session: String,
    pub state: State,
    /// Why it is new or lost.
    pub reason: Option<String>,
    /// What holds the limits of the session as a whole.
    pub limits: &'static str,
    /// Every value that the session's environment ever had.
    pub known: Vec<String>,
    /// From the call's turn to its end.
    pub total: Duration,
}

/// How a program ended. Texts are as the program made them, secrets and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonEnding {
    /// With the value of its last expression as Python writes it, unless that is none.
    Ok(Option<String>),
    /// `SystemExit`, with what it was given.
    Exit(String),
    Error {
        message: String,
        traceback: String,
    },
    Timeout,
    Cancelled,
    /// The processes had more memory together than they may.
    Memory,
    /// The interpreter ended, or broke the rules of its connection.
    Died(String),
}

/// What was printed, as far as it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    pub bytes: Vec<u8>,
    /// Bytes that there were.
    pub total: u64,
}

/// What became of a session in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was there before, and still is.
    Kept,
    /// It began with this call, and is there for the next.
    New,
    /// It is gone, with all that programs left in it.
    Lost,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            State::Kept => "kept",
            State::New => "new",
            State::Lost => "lost",
        }
    }
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonProbed {
    /// The interpreter's version and path.
    pub python: String,
    pub limits: &'static str,
    /// The version of landlock; 0 is none.
    pub landlock: u32,
    /// Whether `/proc` could be mounted.
    pub processes_seen: bool,
}

impl std::fmt::Display for PythonProbed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Python {} runs with full isolation; memory and processes of a session are limited by {}",
            self.python, self.limits
        )?;
        if self.landlock == 0 {
            f.write_str("; the kernel has no landlock, which is one layer less")?;
        }
        if !self.processes_seen {
            f.write_str("; /proc is empty inside, since this machine masks its own")?;
        }
        Ok(())
    }
}
