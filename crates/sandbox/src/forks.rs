//! Workers as copies of one process.
//!
//! Executing this program costs more than all else that a worker does before it is locked: it is large, and a hundred
//! thousand of its addresses are put in place each time. So one process does that for many workers, and loads what all of
//! them need: whenever it is given a connection, it copies itself, and the copy goes on as the worker of that
//! connection. Nothing of a stranger's ever is in the one that is copied.
//!
//! Copies have the layout of memory in common, which a program could find out for another one. One process is
//! therefore copied [`MOST`] times at most, and not for longer than a worker may wait.

use crate::isolation::Failure;
use crate::lock;
use crate::sys::session::{self, Forked};
use crate::worker::{FORKS, MARK};
use std::cell::Cell;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often one process is copied.
const MOST: u32 = 64;
/// How long the answer to a connection may take, on a machine that is very busy.
const ANSWER: Duration = Duration::from_secs(20);

/// The names of the two, as `ps -o comm` shows them (15 bytes at most).
const NAME: &str = "quaymaster-fork";
const NAME_OF_A_COPY: &str = "quaymaster-work";

/// The server's side: a process that is copied. It ends with this.
pub(crate) struct Forks {
    process: Child,
    connection: UnixStream,
    made: u32,
    begun: Instant,
}

/// A worker's process: a child of the thread that asked for it, which waits for its end.
#[derive(Debug)]
pub(crate) struct Process(i32);

impl Forks {
    /// This program once more, with nothing but a connection: no environment, no output.
    pub(crate) fn begin(kind: &str) -> io::Result<Forks> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(ANSWER))?;
        // By this name it is the program that runs, also after another was put in its place on disk.
        let process = Command::new("/proc/self/exe")
            .arg0("quaymaster-worker")
            .args([MARK, kind, &std::process::id().to_string(), FORKS])
            .env_clear()
            // Without it, the C library would look for a file once there is none.
            .env("TZ", "UTC0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Forks {
            process,
            connection: ours,
            made: 0,
            begun: Instant::now(),
        })
    }

    /// Whether another one is to take its place.
    pub(crate) fn is_used_up(&self, max_age: Duration) -> bool {
        self.made >= MOST || self.begun.elapsed() >= max_age
    }

    /// A copy that goes on as the worker at the other end of this connection.
    pub(crate) fn fork(&mut self, theirs: &UnixStream) -> io::Result<Process> {
        self.made += 1;
        session::send_files(self.connection.as_fd(), &[0], &[theirs.as_fd()])?;
        let mut answer = [0; size_of::<i32>()];
        self.connection.read_exact(&mut answer)?;
        match i32::from_ne_bytes(answer) {
            id @ 1.. => Ok(Process(id)),
            failed => Err(io::Error::from_raw_os_error(failed.saturating_neg())),
        }
    }
}

impl Drop for Forks {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.unsigned_abs()
    }

    pub(crate) fn kill(&self) {
        session::signal(self.0, libc::SIGKILL);
    }

    /// Its status once it has ended, after which its id may be another's.
    pub(crate) fn ended(&self, wait: bool) -> io::Result<Option<ExitStatus>> {
        session::ended(self.0, wait)
    }
}

/// What a worker is when it begins.
pub(crate) struct Origin {
    /// The server's process id.
    pub(crate) parent: u32,
    is_to_be_copied: Cell<bool>,
}

impl Origin {
    pub(crate) fn new(parent: u32, is_to_be_copied: bool) -> Origin {
        Origin {
            parent,
            is_to_be_copied: Cell::new(is_to_be_copied),
        }
    }

    /// To be called once all is loaded that copies shall have in common: comes back in each of them, with its own
    /// connection to the server as standard input. Does nothing in a worker that is its own, or a copy already.
    pub(crate) fn copy(&self) -> Result<(), Failure> {
        if !self.is_to_be_copied.replace(false) {
            return Ok(());
        }
        if serve().is_err() {
            std::process::exit(1)
        }
        lock::begin(self.parent)
    }
}

/// Copies this process for each connection that comes, and comes back in the copies.
fn serve() -> io::Result<()> {
    called(NAME);
    let connection = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    loop {
        let mut files = Vec::new();
        let came = session::receive_files(connection.as_fd(), &mut [0], &mut files)?;
        let Some(theirs) = files.pop().filter(|_| came > 0) else {
            std::process::exit(0)
        };
        let answer = match session::fork_sibling() {
            Ok(Forked::Child) => {
                session::place(theirs.into_raw_fd(), 0)?;
                // Closed, with whatever else is open, when the worker begins.
                let _ = connection.into_raw_fd();
                called(NAME_OF_A_COPY);
                return Ok(());
            }
            Ok(Forked::Parent(child)) => child,
            Err(error) => -error.raw_os_error().unwrap_or(libc::EAGAIN),
        };
        (&connection).write_all(&answer.to_ne_bytes())?;
    }
}

/// Only for those who look at processes.
fn called(name: &str) {
    let _ = std::fs::write("/proc/self/comm", name);
}
