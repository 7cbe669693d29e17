//! One session, from the server's side. What the driver says is a stranger's: it is bounded, and believed only
//! as the answer to the call that was made last.

use super::keeper::{Keeper, Process};
use super::message::{self, FromSession, INTERRUPT, RUN, SWEEP, append_fields};
use super::start::{self, MEMORY, Parts, failure};
use super::{MAX_KEPT, Network, Printed, Program, PythonEnding, PythonProbed, usage};
use crate::frame::Frames;
use crate::isolation::Failure;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio_util::sync::CancellationToken;

/// Between an interrupt and the end.
const GRACE: Duration = Duration::from_millis(500);
/// What ending left processes may take.
const SWEEP_TIME: Duration = Duration::from_secs(10);
/// Read at once of what is printed.
const CHUNK: usize = 16 * 1024;
/// Messages of a driver in one call that are the answer to nothing.
const MOST_STRAY: u32 = 1_000;

/// A session that is there.
pub(super) struct Live {
    pub(super) id: String,
    /// What it was made to have.
    pub(super) having: String,
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
    /// Whose memory is looked at from here.
    watched: Option<u32>,
    /// Dropping it ends the proxy.
    _proxy: Option<Box<dyn Send + Sync>>,
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
        let made = start::made(keeper, &parts).await?;
        let async_ = |error: io::Error| failure("connection", &error);
        let now = Instant::now();
        let proxy = match (&parts.network, made.listener) {
            (Some(network), Some(listener)) => Some(network.serve(listener)),
            _ => None,
        };
        Ok(Live {
            id: parts.id,
            having: parts.having,
            network: parts.network,
            probed: PythonProbed {
                python: format!("{} ({})", parts.python.version, parts.python.program),
                limits: made.limits,
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
            watched: made.watched,
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
        let over_memory = usage::over(self.watched, MEMORY);
        tokio::pin!(over_memory);
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
                // In this order: a program that prints without end must not keep its time from being seen,
                // and what was said before its end counts.
                biased;
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
                () = &mut over_memory => return (PythonEnding::Memory, false),
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
