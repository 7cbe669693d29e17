//! How a session begins: what it is made of, and what server and session say until its driver waits for programs.

use super::find::Python;
use super::keeper::{Keeper, Process, Started};
use super::message::{self, FromSession, PROXY_PORT, Setup};
use super::{Mount, Network, usage};
use crate::frame::{self, Frames};
use crate::isolation::Failure;
use crate::sys::session::receive_files;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of memory of each process, and of a session.
pub(super) const MEMORY: u64 = 512 << 20;
const PROCESSES: u64 = 24;
/// Without a group: each process has less, and the session, or the server, looks after the sum.
const MEMORY_ALONE: u64 = 256 << 20;
const PROCESSES_ALONE: u64 = 8;
/// The processes of a group beside those of programs.
const BESIDES: u64 = 40;
/// Of each place that can be written.
const DISK: u64 = 64 << 20;
/// What a session may take to begin.
const START_TIME: Duration = Duration::from_secs(20);
/// Whom sessions of a server that root started become: ids that nobody has.
const FIRST_USER: u32 = 1_900_000_000;
const USERS: u64 = 100_000;

/// What a session is made of.
pub(super) struct Parts<'a> {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) python: &'a Python,
    pub(super) root: Option<&'a std::path::Path>,
    pub(super) having: String,
    pub(super) mounts: Vec<Mount>,
    pub(super) network: Option<Arc<dyn Network>>,
    pub(super) require_group: bool,
}

/// Starts a session and waits until it is ready.
pub(super) async fn made(keeper: &Keeper, parts: &Parts<'_>) -> Result<Made, Failure> {
    let started = keeper.launch(MEMORY, PROCESSES + BESIDES).await?;
    let is_grouped = started.process.group().is_some();
    if parts.require_group && !is_grouped {
        let error = io::Error::from_raw_os_error(libc::ENOTSUP);
        return Err(failure("cgroup", &error));
    }
    let (setup, contents) = setup(parts, is_grouped);
    let shaking = tokio::task::spawn_blocking(move || shake(started, &setup, &contents));
    let made = shaking.await;
    made.map_err(|_| failure("thread", &io::Error::other("")))?
}

pub(super) fn failure(stage: &str, error: &io::Error) -> Failure {
    Failure {
        stage: stage.to_owned(),
        errno: error.raw_os_error().unwrap_or(0),
    }
}

/// The setup, and the bytes of its files.
fn setup(parts: &Parts<'_>, is_grouped: bool) -> (Setup, Vec<u8>) {
    let mut contents = Vec::new();
    let mut files = Vec::new();
    for mount in &parts.mounts {
        for file in &mount.files {
            contents.extend_from_slice(&file.bytes);
            files.push(message::File {
                path: format!("{}/{}", mount.target, file.path),
                length: file.bytes.len(),
                executable: file.executable,
            });
        }
    }
    let (memory, processes, watch) = if is_grouped {
        (MEMORY, PROCESSES, None)
    } else {
        (MEMORY_ALONE, PROCESSES_ALONE, Some(MEMORY))
    };
    let setup = Setup {
        user: FIRST_USER + u32::try_from(parts.number % USERS).unwrap_or(0),
        network: parts.network.is_some(),
        root: parts.root.map(ToOwned::to_owned),
        program: parts.python.program.clone(),
        modules: parts.python.modules.clone(),
        directories: parts.python.directories.clone(),
        places: parts.mounts.iter().map(|one| one.target.clone()).collect(),
        files,
        environment: environment(parts.network.is_some()),
        memory,
        processes,
        disk: DISK,
        watch,
    };
    (setup, contents)
}

/// What every session starts with. Nothing of the server's.
fn environment(network: bool) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("HOME", "/scratch"),
        ("TMPDIR", "/tmp"),
        ("USER", "nobody"),
        ("LANG", "C.UTF-8"),
        ("TZ", "UTC"),
        // Each thread of theirs takes address space.
        ("OPENBLAS_NUM_THREADS", "1"),
        ("OMP_NUM_THREADS", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    if network {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            all.insert(name.to_owned(), format!("http://127.0.0.1:{PROXY_PORT}"));
        }
    }
    all
}

/// A session that is ready, before the runtime has it.
pub(super) struct Made {
    pub(super) control: UnixStream,
    pub(super) driver: UnixStream,
    pub(super) listener: Option<TcpListener>,
    pub(super) out: OwnedFd,
    pub(super) err: OwnedFd,
    pub(super) process: Process,
    /// Whose memory the server looks at, and that of all below it.
    pub(super) watched: Option<u32>,
    pub(super) landlock: u32,
    pub(super) processes_seen: bool,
    pub(super) limits: &'static str,
}

/// Sets a session up and waits for its driver. Blocks.
fn shake(started: Started, setup: &Setup, contents: &[u8]) -> Result<Made, Failure> {
    let failed = |error: io::Error| failure("start", &error);
    let mut control = started.control;
    control.set_read_timeout(Some(START_TIME)).map_err(failed)?;
    control
        .set_write_timeout(Some(START_TIME))
        .map_err(failed)?;
    let mut bytes = Vec::new();
    frame::append(&mut bytes, setup).map_err(failed)?;
    bytes.extend_from_slice(contents);
    // One that cannot be set up says why, and does not read to the end.
    let wrote = control.write_all(&bytes);
    let mut files = Vec::new();
    let (landlock, processes_seen) = match told(&control, &mut files)? {
        Some(FromSession::Ready {
            landlock,
            processes_seen,
        }) => (landlock, processes_seen),
        Some(FromSession::Failed(failure)) => return Err(failure),
        _ => {
            return Err(failure(
                "start",
                &wrote.err().unwrap_or(io::Error::other("")),
            ));
        }
    };
    let mut files = files.into_iter();
    let driver = files.next().ok_or_else(|| failed(io::Error::other("")))?;
    let mut driver = UnixStream::from(driver);
    driver.set_read_timeout(Some(START_TIME)).map_err(failed)?;
    let hello = frame::read(&mut driver).unwrap_or_default();
    if message::fields(&hello) != Some(vec![b"hello".as_slice()]) {
        return Err(match told(&control, &mut Vec::new())? {
            Some(FromSession::Failed(failure)) => failure,
            Some(FromSession::Died(status)) => Failure {
                stage: format!("python ({})", ExitStatus::from_raw(status)),
                errno: 0,
            },
            _ => failure("python", &io::Error::other("")),
        });
    }
    let watched = started.process.without_group().filter(|_| !processes_seen);
    if let Some(process) = watched {
        usage::can_be_seen(process)?;
    }
    control.set_nonblocking(true).map_err(failed)?;
    driver.set_nonblocking(true).map_err(failed)?;
    Ok(Made {
        limits: started.limits,
        control,
        driver,
        listener: files.next().map(TcpListener::from),
        out: started.out.into(),
        err: started.err.into(),
        process: started.process,
        watched,
        landlock,
        processes_seen,
    })
}

/// The next message of a session that begins, with the files that come with it; none at its end.
fn told(control: &UnixStream, files: &mut Vec<OwnedFd>) -> Result<Option<FromSession>, Failure> {
    let mut frames = Frames::default();
    let mut chunk = [0; 4096];
    loop {
        let came = receive_files(control.as_fd(), &mut chunk, files)
            .map_err(|error| failure("start", &error))?;
        if came == 0 {
            return Ok(None);
        }
        frames.room().extend_from_slice(&chunk[..came]);
        if let Ok(Some(message)) = frames.next() {
            return Ok(serde_json::from_slice(message).ok());
        }
    }
}
