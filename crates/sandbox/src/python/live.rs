//! One session, from the server's side. What the driver says is a stranger's: it is bounded, and believed only
//! as the answer to the call that was made last.

use super::find::Python;
use super::keeper::{Keeper, Process, Started};
use super::message::{self, FromSession, INTERRUPT, PROXY_PORT, RUN, SWEEP, Setup, append_fields};
use super::{MAX_KEPT, Mount, Mounted, Network, Printed, Program, PythonEnding, PythonProbed};
use crate::frame::{self, Frames};
use crate::isolation::Failure;
use crate::sys::session::receive_files;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio_util::sync::CancellationToken;

/// Bytes of memory of each process, and of a session's group.
const MEMORY: u64 = 512 << 20;
const PROCESSES: u64 = 24;
/// Without a group: each process has less, and the session looks after the sum.
const MEMORY_ALONE: u64 = 256 << 20;
const PROCESSES_ALONE: u64 = 8;
/// The processes of a group beside those of programs.
const BESIDES: u64 = 40;
/// Of each place that can be written.
const DISK: u64 = 64 << 20;
/// What a session may take to begin.
const START_TIME: Duration = Duration::from_secs(20);
/// Between an interrupt and the end.
const GRACE: Duration = Duration::from_millis(500);
/// What ending left processes may take.
const SWEEP_TIME: Duration = Duration::from_secs(10);
/// Read at once of what is printed.
const CHUNK: usize = 16 * 1024;
/// Messages of a driver in one call that are the answer to nothing.
const MOST_STRAY: u32 = 1_000;
/// Whom sessions of a server that root started become: ids that nobody has.
const FIRST_USER: u32 = 1_900_000_000;
const USERS: u64 = 100_000;

pub(super) struct Live {
    pub(super) id: String,
    /// What it was made to have.
    pub(super) having: String,
    pub(super) note: serde_json::Value,
    pub(super) network: Option<Arc<dyn Network>>,
    pub(super) probed: PythonProbed,
    pub(super) born: Instant,
    pub(super) used: Instant,
    /// Every value that its environment had.
    pub(super) known: BTreeSet<String>,
    control: UnixStream,
    heard: Frames,
    driver: UnixStream,
    answers: Frames,
    out: Receiver,
    err: Receiver,
    process: Process,
    /// Dropping it ends the proxy.
    _proxy: Option<Box<dyn Send + Sync>>,
}

/// What a session is made of.
pub(super) struct Parts<'a> {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) python: &'a Python,
    pub(super) root: Option<&'a std::path::Path>,
    pub(super) having: String,
    pub(super) note: serde_json::Value,
    pub(super) mounts: &'a [Mount],
    pub(super) network: Option<Arc<dyn Network>>,
    pub(super) require_group: bool,
}

/// Whether a session is there for the next call.
pub(super) struct Called {
    pub(super) ending: PythonEnding,
    pub(super) stdout: Printed,
    pub(super) stderr: Printed,
    pub(super) lives: bool,
}

impl Live {
    pub(super) async fn start(keeper: &Keeper, parts: Parts<'_>) -> Result<Live, Failure> {
        let started = keeper.launch(MEMORY, PROCESSES + BESIDES).await?;
        let is_grouped = started.process.group().is_some();
        if parts.require_group && !is_grouped {
            return Err(failure(
                "cgroup",
                &io::Error::from_raw_os_error(libc::ENOTSUP),
            ));
        }
        let (setup, contents) = setup(&parts, is_grouped);
        let limits = started.limits;
        let shaking = tokio::task::spawn_blocking(move || shake(started, &setup, &contents));
        let made = shaking
            .await
            .map_err(|_| failure("thread", &io::Error::other("")))??;
        let async_ = |error: io::Error| failure("connection", &error);
        let now = Instant::now();
        let proxy = match (&parts.network, made.listener) {
            (Some(network), Some(listener)) => Some(network.serve(listener)),
            _ => None,
        };
        Ok(Live {
            id: parts.id,
            having: parts.having,
            note: parts.note,
            network: parts.network,
            probed: PythonProbed {
                python: format!("{} ({})", parts.python.version, parts.python.program),
                limits,
                landlock: made.landlock,
                processes_seen: made.processes_seen,
            },
            born: now,
            used: now,
            known: BTreeSet::new(),
            control: UnixStream::from_std(made.control).map_err(async_)?,
            heard: Frames::default(),
            driver: UnixStream::from_std(made.driver).map_err(async_)?,
            answers: Frames::default(),
            out: Receiver::from_owned_fd(made.out).map_err(async_)?,
            err: Receiver::from_owned_fd(made.err).map_err(async_)?,
            process: made.process,
            _proxy: proxy,
        })
    }

    /// Runs one program. `number` must never have been used before, nor be known to anybody.
    pub(super) async fn call(
        &mut self,
        program: &Program,
        environment: &BTreeMap<String, String>,
        number: &str,
        cancel: &CancellationToken,
    ) -> Called {
        let mut request = Vec::new();
        let pairs = environment.iter();
        let pairs = pairs.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let fields = [number.as_bytes(), program.code.as_bytes()];
        append_fields(&mut request, fields.into_iter().chain(pairs));
        self.known.extend(environment.values().cloned());
        let mut streams = [Kept::default(), Kept::default()];
        let answered = self.answered(program, &request, number, cancel, &mut streams);
        let (mut ending, mut lives) = answered.await;
        if lives && let Err(how) = self.swept(&mut streams).await {
            (ending, lives) = (how, false);
        }
        self.used = Instant::now();
        let [stdout, stderr] = streams.map(Kept::done);
        Called {
            ending,
            stdout,
            stderr,
            lives,
        }
    }

    /// How the program ended, and whether the driver waits for the next one.
    async fn answered(
        &mut self,
        program: &Program,
        request: &[u8],
        number: &str,
        cancel: &CancellationToken,
        [out, err]: &mut [Kept; 2],
    ) -> (PythonEnding, bool) {
        let deadline = tokio::time::sleep(program.time);
        tokio::pin!(deadline);
        let mut sent = 0;
        let mut stray = 0;
        // Why it was interrupted, once it was.
        let mut stopped: Option<PythonEnding> = None;
        if self.control.write_all(&[RUN]).await.is_err() {
            return (died("its process is gone"), false);
        }
        let (mut answers, mut questions) = self.driver.split();
        let (mut chunk_out, mut chunk_err) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            tokio::select! {
                // In this order: what was said before the end counts.
                biased;
                came = self.control.read_buf(self.heard.room()) => {
                    let gone = !matches!(came, Ok(1..));
                    while let Ok(Some(message)) = self.heard.next() {
                        match serde_json::from_slice(message) {
                            Ok(FromSession::Died(status)) => {
                                let ending = how_it_died(status, self.process.group());
                                return (stopped.unwrap_or(ending), false);
                            }
                            Ok(FromSession::OverMemory(_)) => return (PythonEnding::Memory, false),
                            _ => {}
                        }
                    }
                    if gone {
                        return (stopped.unwrap_or_else(|| died("its process is gone")), false);
                    }
                }
                came = answers.read_buf(self.answers.room()) => {
                    if !matches!(came, Ok(1..)) {
                        // The reaper says why; unless the program closed its own connection.
                        let said = self.last_word().await;
                        return (stopped.unwrap_or(said), false);
                    }
                    loop {
                        let Ok(next) = self.answers.next() else {
                            return (died("it broke its connection"), false);
                        };
                        let Some(message) = next else { break };
                        let Some(fields) = message::fields(message) else {
                            return (died("it broke its connection"), false);
                        };
                        if fields.first() != Some(&number.as_bytes()) {
                            stray += 1;
                            if stray > MOST_STRAY {
                                return (died("it flooded its connection"), false);
                            }
                            continue;
                        }
                        return match stopped.or_else(|| understood(&fields[1..])) {
                            Some(ending) => (ending, true),
                            None => (died("it broke its connection"), false),
                        };
                    }
                }
                came = self.out.read(&mut chunk_out), if !out.ended => out.take(&chunk_out, &came),
                came = self.err.read(&mut chunk_err), if !err.ended => err.take(&chunk_err, &came),
                wrote = questions.write(&request[sent..]), if sent < request.len() => match wrote {
                    Ok(bytes) => sent += bytes,
                    // Its end is heard of on the other connection.
                    Err(_) => sent = request.len(),
                },
                () = cancel.cancelled(), if stopped.is_none() => {
                    stopped = Some(PythonEnding::Cancelled);
                    let _ = self.control.write_all(&[INTERRUPT]).await;
                    deadline.as_mut().reset(tokio::time::Instant::now() + GRACE);
                }
                () = &mut deadline => match stopped {
                    Some(ending) => return (ending, false),
                    None => {
                        stopped = Some(PythonEnding::Timeout);
                        let _ = self.control.write_all(&[INTERRUPT]).await;
                        deadline.as_mut().reset(tokio::time::Instant::now() + GRACE);
                    }
                },
            }
        }
    }

    /// Why the driver closed its connection.
    async fn last_word(&mut self) -> PythonEnding {
        let said = tokio::time::timeout(GRACE, async {
            loop {
                if !matches!(self.control.read_buf(self.heard.room()).await, Ok(1..)) {
                    return died("its process is gone");
                }
                while let Ok(Some(message)) = self.heard.next() {
                    match serde_json::from_slice(message) {
                        Ok(FromSession::Died(status)) => {
                            return how_it_died(status, self.process.group());
                        }
                        Ok(FromSession::OverMemory(_)) => return PythonEnding::Memory,
                        _ => {}
                    }
                }
            }
        });
        said.await
            .unwrap_or_else(|_| died("it closed its connection"))
    }

    /// Ends what the program left running, and takes what was printed until then.
    async fn swept(&mut self, [out, err]: &mut [Kept; 2]) -> Result<(), PythonEnding> {
        let gone = || died("its process is gone");
        self.control.write_all(&[SWEEP]).await.map_err(|_| gone())?;
        let limit = tokio::time::sleep(SWEEP_TIME);
        tokio::pin!(limit);
        let (mut chunk_out, mut chunk_err) = (vec![0; CHUNK], vec![0; CHUNK]);
        'swept: loop {
            tokio::select! {
                came = self.control.read_buf(self.heard.room()) => {
                    let ended = !matches!(came, Ok(1..));
                    while let Ok(Some(message)) = self.heard.next() {
                        match serde_json::from_slice(message) {
                            Ok(FromSession::Swept) => break 'swept,
                            Ok(FromSession::Died(status)) => {
                                return Err(how_it_died(status, self.process.group()));
                            }
                            Ok(FromSession::OverMemory(_)) => return Err(PythonEnding::Memory),
                            _ => {}
                        }
                    }
                    if ended {
                        return Err(gone());
                    }
                }
                came = self.out.read(&mut chunk_out), if !out.ended => out.take(&chunk_out, &came),
                came = self.err.read(&mut chunk_err), if !err.ended => err.take(&chunk_err, &came),
                () = &mut limit => return Err(died("what it started could not be ended")),
            }
        }
        // Nobody can write any more.
        for (stream, kept) in [(&mut self.out, out), (&mut self.err, err)] {
            while let came @ Ok(1..) = stream.try_read(&mut chunk_out) {
                kept.take(&chunk_out, &came);
            }
        }
        Ok(())
    }

    /// Ends it, and waits until it is gone.
    pub(super) async fn end(self) {
        // Its first process ends with the connection, too.
        drop(self.control);
        self.process.end().await;
    }
}

fn died(reason: &str) -> PythonEnding {
    PythonEnding::Died(reason.to_owned())
}

fn how_it_died(status: i32, group: Option<&super::cgroup::Group>) -> PythonEnding {
    let status = ExitStatus::from_raw(status);
    match (status.code(), status.signal()) {
        (_, Some(libc::SIGKILL)) if group.is_some_and(|group| group.killed_for_memory() > 0) => {
            PythonEnding::Memory
        }
        (_, Some(libc::SIGSEGV)) => died("it used memory that is not there (signal 11)"),
        (_, Some(signal)) => died(&format!("signal {signal} ended it")),
        (Some(code), None) => died(&format!("it ended itself with status {code}")),
        (None, None) => died("it ended"),
    }
}

/// What the driver's answer says.
fn understood(fields: &[&[u8]]) -> Option<PythonEnding> {
    let text = |at: usize| {
        fields
            .get(at)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    Some(match *fields.first()? {
        b"ok" => PythonEnding::Ok(text(1).filter(|text| !text.is_empty())),
        b"exit" => PythonEnding::Exit(text(1)?),
        b"error" => PythonEnding::Error {
            message: text(1)?,
            traceback: text(2)?,
        },
        // Nobody did, so that the program raised it.
        b"interrupted" => PythonEnding::Error {
            message: "KeyboardInterrupt".to_owned(),
            traceback: String::new(),
        },
        _ => return None,
    })
}

/// The beginning of a stream, and how long it was.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    total: u64,
    ended: bool,
}

impl Kept {
    fn take(&mut self, chunk: &[u8], came: &io::Result<usize>) {
        match came {
            Ok(0) | Err(_) => self.ended = true,
            Ok(length) => {
                self.total += *length as u64;
                let room = MAX_KEPT.saturating_sub(self.bytes.len());
                self.bytes.extend_from_slice(&chunk[..room.min(*length)]);
            }
        }
    }

    fn done(self) -> Printed {
        Printed {
            bytes: self.bytes,
            total: self.total,
        }
    }
}

fn failure(stage: &str, error: &io::Error) -> Failure {
    Failure {
        stage: stage.to_owned(),
        errno: error.raw_os_error().unwrap_or(0),
    }
}

/// The setup, and the bytes of its files.
fn setup(parts: &Parts<'_>, is_grouped: bool) -> (Setup, Vec<u8>) {
    let mut contents = Vec::new();
    let mut files = Vec::new();
    let mut mounts = Vec::new();
    for mount in parts.mounts {
        match &mount.what {
            Mounted::Directory(from) => mounts.push((from.clone(), mount.target.clone())),
            Mounted::Files(given) => {
                for file in given {
                    contents.extend_from_slice(&file.bytes);
                    files.push(message::File {
                        path: format!("{}/{}", mount.target, file.path),
                        length: file.bytes.len(),
                        executable: file.executable,
                    });
                }
            }
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
        files,
        mounts,
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
struct Made {
    control: StdStream,
    driver: StdStream,
    listener: Option<TcpListener>,
    out: OwnedFd,
    err: OwnedFd,
    process: Process,
    landlock: u32,
    processes_seen: bool,
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
    let mut driver = StdStream::from(driver);
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
    control.set_nonblocking(true).map_err(failed)?;
    driver.set_nonblocking(true).map_err(failed)?;
    Ok(Made {
        control,
        driver,
        listener: files.next().map(TcpListener::from),
        out: started.out.into(),
        err: started.err.into(),
        process: started.process,
        landlock,
        processes_seen,
    })
}

/// The next message of a session that begins, with the files that come with it; none at its end.
fn told(control: &StdStream, files: &mut Vec<OwnedFd>) -> Result<Option<FromSession>, Failure> {
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
