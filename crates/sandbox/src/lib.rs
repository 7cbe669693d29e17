//! Locked workers: processes that run what strangers wrote.
//!
//! Nothing written by a model, a user or an upstream runs inside the server. A worker is this program once more, with no
//! environment and one connection. It loads what it needs, locks itself, says so, and only then is given a program. There
//! is nothing of value inside: what a program may do, the server does for it, call by call ([`HostCalls`]).
//!
//! Invariants:
//! - The only crate with `unsafe`, and there only `sys` and `overflow`, which run in workers; the server
//!   itself calls those of `sys::session` that hand files over, signal and wait.
//! - No program without the filter of system calls and the resource limits; namespaces besides where the machine has them,
//!   and each [`Outcome`] says which it was. No switch turns any of it off; a machine that
//!   cannot do it answers `SANDBOX_UNAVAILABLE` with the fix.
//! - A worker of JavaScript or of a database serves one execution and is gone; a jq worker serves one organization; a Python session serves one
//!   key, and has full isolation or is not.
//! - The server takes what a worker says for hostile: bounded, counted, and killed at the first wrong word.
//! - No worker outlives its pool, or a server that was killed.
//!
//! Modules, bottom up:
//! - [`Run`], [`Limits`], [`Outcome`], [`HostCalls`]: what is run and what came of it; [`Isolation`]: how it is held
//! - `sys`: system calls; `lock`: how a worker shuts itself in, the same for every kind; `overflow`: stacks that are used up
//! - `frame`, `message`: what both sides say
//! - [`worker`]: a worker from its first instruction; `javascript`: the engine and its host;
//!   `extract`: the text of documents, in the worker and, as [`Extractor`], in the server; [`jq`]: expressions, [`sqlite`]:
//!   statements over a database's bytes, likewise
//! - `forks`: a process that workers are copies of; `supervisor`: the thread that starts and ends workers; `turns`: who may have one now
//! - `names`, `session`: the server's side of one execution
//! - [`Pool`], [`probe`]: what others use
//! - `python`, [`Sessions`]: sessions of `CPython`, which have a supervisor of their own

mod extract;
mod forks;
mod frame;
mod isolation;
mod javascript;
pub mod jq;
mod lock;
mod message;
mod names;
mod overflow;
mod pool;
mod python;
mod run;
mod session;
pub mod sqlite;
mod supervisor;
mod sys;
mod turns;
pub mod worker;

pub use extract::{Extracted, Extractor, Form, MAX_TEXT, Reason, Unreadable};
pub use isolation::{Failure, Isolation, Probed};
pub use pool::{Pool, PoolOptions, probe};
pub use python::{
    MAX_KEPT, MAX_MOUNTED, MAX_SAID, MAX_TIME, MAX_VALUE, MAX_WAITING, Mount, MountedFile, Mounts,
    Network, Printed, Program, PythonEnding, PythonOptions, PythonProbed, Ran, Sessions, State,
    USUAL_TIME, Visit, Wanted,
};
pub use run::{
    CallEnd, CallRecord, Ending, HostCalls, Language, Level, Limits, LogLine, MAX_ANSWER,
    MAX_CALLS, MAX_CODE, MAX_IN_FLIGHT, MAX_INPUT, MAX_LOGS, MAX_RESULT, Namespace, Outcome, Run,
};
