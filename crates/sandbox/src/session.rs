//! The server's side of one execution, which takes the worker for hostile.
//!
//! A worker that says what it must not say is killed and reported as crashed; it cannot make the server read more than a
//! frame, run more calls than allowed, or wait longer than the wall time.

use crate::frame::{self, Frames};
use crate::isolation::{Failure, Isolation};
use crate::message::{Done, End, FromWorker, Settle, Start};
use crate::names;
use crate::run::{
    CallEnd, CallRecord, Ending, HostCalls, LOG_LINE, Limits, LogLine, MAX_ANSWER, MAX_CALLS,
    MAX_IN_FLIGHT, MAX_LOGS, MAX_RESULT, Namespace, Run,
};
use crate::supervisor::{self, Supervisor};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, Fut};
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// Given to a worker for ending a program by itself, which tells more than killing it.
const GRACE: Duration = Duration::from_millis(250);
/// A worker locks itself within this time, also on a machine that is very busy.
const LOCKING: Duration = Duration::from_secs(30);

/// The longest name of a call in the record, in bytes. It may be no name at all.
const NAME: usize = 128;
/// The longest message of an error, in bytes.
const MESSAGE: usize = 16 * 1024;

/// The stage of a worker that ended before it said anything.
const STARTING: &str = "start";
/// Workers that died while they waited, for one run.
const TRIES: u32 = 3;

/// What came of an execution.
pub(crate) struct Finished {
    /// None when the connection ended: whoever has the process knows why.
    pub(crate) ending: Option<Ending>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) logs_dropped: u64,
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) worker: Duration,
    pub(crate) isolation: Isolation,
}

/// The connection, and what came over it that was not taken yet.
pub(crate) struct Connection {
    pub(crate) stream: UnixStream,
    pub(crate) frames: Frames,
}

/// What a worker said that it must not say.
pub(crate) struct Wrong(pub(crate) &'static str);

/// A worker that has locked itself.
pub(crate) async fn locked(
    supervisor: &Supervisor,
) -> Result<(Connection, Isolation, supervisor::Ending), Failure> {
    let mut tries = 0;
    loop {
        let (stream, process) = supervisor.worker().await?.apart();
        let process = supervisor.guard(process);
        let mut connection = Connection::new(stream).map_err(|error| Failure {
            stage: "connection".to_owned(),
            errno: error.raw_os_error().unwrap_or(0),
        })?;
        match connection.locked().await {
            Ok((isolation, _)) => return Ok((connection, isolation, process)),
            // One that waited can have been killed meanwhile, by whoever was short of memory.
            Err(failure) if failure.stage == STARTING && tries < TRIES => tries += 1,
            Err(failure) => return Err(failure),
        }
    }
}

impl Connection {
    /// To be called in a runtime.
    pub(crate) fn new(stream: std::os::unix::net::UnixStream) -> io::Result<Connection> {
        Ok(Connection {
            stream: UnixStream::from_std(stream)?,
            frames: Frames::default(),
        })
    }

    /// Waits until the worker is locked.
    pub(crate) async fn locked(&mut self) -> Result<(Isolation, Option<Failure>), Failure> {
        let failure = |stage: &str| Failure {
            stage: stage.to_owned(),
            errno: 0,
        };
        let first = tokio::time::timeout(LOCKING, async {
            loop {
                match next(&mut self.frames) {
                    Ok(Some(message)) => return Ok(message),
                    Ok(None) => {}
                    Err(_) => return Err(failure("protocol")),
                }
                let read = self.stream.read_buf(self.frames.room()).await;
                if read.unwrap_or(0) == 0 {
                    return Err(failure(STARTING));
                }
            }
        });
        match first.await.map_err(|_| failure("locking"))?? {
            FromWorker::Ready { isolation, lacks } => Ok((isolation, lacks)),
            FromWorker::Failed(failure) => Err(failure),
            _ => Err(failure("protocol")),
        }
    }
}

/// The next message that is there as a whole.
pub(crate) fn next<M: DeserializeOwned>(frames: &mut Frames) -> Result<Option<M>, Wrong> {
    match frames.next() {
        Ok(None) => Ok(None),
        Ok(Some(frame)) => serde_json::from_slice(frame)
            .map(Some)
            .map_err(|_| Wrong("it sent what is not a message")),
        Err(frame::TooLong) => Err(Wrong("it sent too long a message")),
    }
}

type Calls<'c> = FuturesUnordered<Fut<'c, Settled>>;

/// A call that was answered.
struct Settled {
    id: u32,
    answer: Result<Box<RawValue>, Fault>,
    took: Duration,
}

/// One execution in progress.
struct Session<'s> {
    namespaces: &'s [Namespace],
    host: &'s Arc<dyn HostCalls>,
    logs: Vec<LogLine>,
    logged: usize,
    logs_dropped: u64,
    /// By id; those that wait for their answer have no end yet.
    calls: Vec<Made>,
    in_flight: usize,
    /// Bytes that the worker has not taken yet.
    out: Vec<u8>,
}

struct Made {
    alias: String,
    action: String,
    begun: Instant,
    end: Option<(CallEnd, Duration)>,
}

/// Gives a locked worker a program, and does what it asks for until it is done or its time is over.
pub(crate) async fn execute(
    connection: &mut Connection,
    isolation: Isolation,
    run: &Run,
    host: &Arc<dyn HostCalls>,
    cancel: &CancellationToken,
) -> Finished {
    let limits = run.limits.lowered();
    let begun = Instant::now();
    let mut session = Session {
        namespaces: &run.namespaces,
        host,
        logs: Vec::new(),
        logged: 0,
        logs_dropped: 0,
        calls: Vec::new(),
        in_flight: 0,
        out: Vec::new(),
    };
    let ending = match session.start(run, &limits) {
        Ok(()) => session.go(connection, limits.wall + GRACE, cancel).await,
        Err(_) => Some(crashed("the program could not be sent")),
    };
    let calls = session.calls.into_iter().map(Made::record).collect();
    Finished {
        ending,
        logs: session.logs,
        logs_dropped: session.logs_dropped,
        calls,
        worker: begun.elapsed(),
        isolation,
    }
}

fn crashed(reason: &str) -> Ending {
    Ending::WorkerCrashed {
        signal: None,
        reason: reason.to_owned(),
    }
}

impl Made {
    fn record(self) -> CallRecord {
        let (end, took) = self
            .end
            .unwrap_or_else(|| (CallEnd::Cancelled, self.begun.elapsed()));
        CallRecord {
            alias: self.alias,
            action: self.action,
            end,
            took,
        }
    }
}

impl<'s> Session<'s> {
    fn start(&mut self, run: &Run, limits: &Limits) -> io::Result<()> {
        let start = Start {
            code: run.code.clone(),
            language: run.language,
            namespaces: run.namespaces.clone(),
            wall_ms: limits.wall.as_millis() as u64,
            cpu_ms: limits.cpu.as_millis() as u64,
            heap: limits.heap,
        };
        frame::append(&mut self.out, &start)
    }

    async fn go(
        &mut self,
        connection: &mut Connection,
        longest: Duration,
        cancel: &CancellationToken,
    ) -> Option<Ending> {
        let Connection { stream, frames } = connection;
        let (mut read, mut write) = stream.split();
        let over = tokio::time::sleep(longest);
        tokio::pin!(over);
        let mut calls: Calls<'s> = FuturesUnordered::new();
        loop {
            // Everything that is there is taken before anything is awaited.
            loop {
                match next(frames) {
                    Ok(Some(FromWorker::Done(done))) => return Some(self.done(*done)),
                    Ok(Some(message)) => {
                        if let Err(reason) = self.hear(message, &calls) {
                            return Some(crashed(reason));
                        }
                    }
                    Ok(None) => break,
                    Err(Wrong(reason)) => return Some(crashed(reason)),
                }
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Some(Ending::Cancelled),
                () = &mut over => return Some(Ending::Timeout),
                got = read.read_buf(frames.room()) => match got {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                },
                wrote = write.write(&self.out), if !self.out.is_empty() => match wrote {
                    Ok(written) => drop(self.out.drain(..written)),
                    // It may have said something before it closed: that is read first.
                    Err(_) => self.out.clear(),
                },
                Some(settled) = calls.next(), if !calls.is_empty() => self.settle(settled),
            }
        }
    }

    /// What is wrong with the message, if anything.
    fn hear(&mut self, message: FromWorker, calls: &Calls<'s>) -> Result<(), &'static str> {
        match message {
            FromWorker::Log { level, text } => {
                self.logged += text.len() + LOG_LINE;
                if self.logged > MAX_LOGS + LOG_LINE {
                    return Err("it wrote more to the console than it may");
                }
                self.logs.push(LogLine { level, text });
                Ok(())
            }
            FromWorker::Call {
                id,
                alias,
                action,
                input,
            } => {
                if id as usize != self.calls.len() + 1 {
                    return Err("it counted its calls wrongly");
                }
                if self.calls.len() >= MAX_CALLS || self.in_flight >= MAX_IN_FLIGHT {
                    return Err("it made more calls than it may");
                }
                self.in_flight += 1;
                calls.push(self.call(id, &alias, &action, &input));
                self.calls.push(Made {
                    alias: shortened(alias, NAME),
                    action: shortened(action, NAME),
                    begun: Instant::now(),
                    end: None,
                });
                Ok(())
            }
            FromWorker::Ready { .. } | FromWorker::Failed(_) | FromWorker::Done(_) => {
                Err("it spoke out of turn")
            }
        }
    }

    fn call(&self, id: u32, alias: &str, action: &str, input: &RawValue) -> Fut<'s, Settled> {
        let host = self.host;
        let found = names::find(self.namespaces, alias, action);
        let input = serde_json::from_str::<JsonObject>(input.get());
        let begun = Instant::now();
        Box::pin(async move {
            let answer = match (found, input) {
                (Err(fault), _) => Err(fault),
                (Ok(_), Err(error)) => {
                    Err(Fault::invalid_arg("", "json", unreadable("input", &error)))
                }
                (Ok((alias, action)), Ok(input)) => {
                    let answer = host.call(alias, action, input).await;
                    answer.and_then(|value| as_json(&value))
                }
            };
            Settled {
                id,
                answer,
                took: begun.elapsed(),
            }
        })
    }

    fn settle(&mut self, settled: Settled) {
        let Settled { id, answer, took } = settled;
        self.in_flight -= 1;
        let end = match &answer {
            Ok(_) => CallEnd::Ok,
            Err(fault) => CallEnd::Fault(fault.code),
        };
        if let Some(made) = self.calls.get_mut(id as usize - 1) {
            made.end = Some((end, took));
        }
        let (value, fault) = match answer {
            Ok(value) => (Some(value), None),
            Err(fault) => (None, Some(fault)),
        };
        // A frame of an answer is never too long: its size was looked at before.
        let _ = frame::append(&mut self.out, &Settle { id, value, fault });
    }

    fn done(&mut self, done: Done) -> Ending {
        self.logs_dropped = done.logs_dropped;
        let room = MAX_CALLS.saturating_sub(self.calls.len());
        for (alias, action) in done.unsent.into_iter().take(room) {
            self.calls.push(Made {
                alias: shortened(alias, NAME),
                action: shortened(action, NAME),
                begun: Instant::now(),
                end: Some((CallEnd::Cancelled, Duration::ZERO)),
            });
        }
        match done.end {
            End::Ok(json) if json.get().len() > MAX_RESULT => crashed("its result is too long"),
            End::Ok(json) => match serde_json::from_str(json.get()) {
                Ok(value) => Ending::Ok(value),
                Err(error) => Ending::Error {
                    message: unreadable("result", &error),
                    line: None,
                    column: None,
                    code: None,
                },
            },
            End::TooLarge(bytes) => Ending::Ok(json!({ "truncated": true, "total_bytes": bytes })),
            End::Error {
                message,
                line,
                column,
                code,
            } => Ending::Error {
                message: shortened(message, MESSAGE),
                line,
                column,
                // The worker's word, and so at most a word of ours.
                code: code.filter(|code| Code::by_name(code).is_some()),
            },
            End::Timeout => Ending::Timeout,
            End::CpuLimit => Ending::CpuLimit,
            End::MemoryLimit => Ending::MemoryLimit,
            End::Deadlock => Ending::Deadlock,
            End::CallLimit => Ending::CallLimit,
        }
    }
}

/// Why JSON of the engine is none for us: it knows no limit of depth, and halves of surrogate pairs.
fn unreadable(what: &str, error: &serde_json::Error) -> String {
    if error.to_string().starts_with("recursion") {
        format!("The {what} is nested deeper than 128 levels.")
    } else {
        format!("The {what} has text that is not Unicode: half of a surrogate pair.")
    }
}

fn as_json(value: &Value) -> Result<Box<RawValue>, Fault> {
    let json = to_raw_value(value).map_err(|_| Fault::internal())?;
    if json.get().len() > MAX_ANSWER {
        let message = format!("The answer is larger than {MAX_ANSWER} bytes.");
        return Err(Fault::new(Code::TooLarge, message)
            .hint("Ask for fewer items or fields at once.")
            .detail("bytes", json.get().len()));
    }
    Ok(json)
}

/// At most so many bytes of a text that the worker chose.
fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}
