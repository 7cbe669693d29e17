//! What is run, within which limits, and how it ended.

use crate::isolation::Isolation;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Fault, Fut};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The longest program, in bytes.
pub const MAX_CODE: usize = 256 * 1024;
/// The largest input of one call as JSON, in bytes: what a worker says at once is at most 1 MiB.
pub const MAX_INPUT: usize = 960 * 1024;
/// The largest answer to one call as JSON, in bytes. A larger one is a fault inside the program.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Calls of one execution.
pub const MAX_CALLS: usize = 200;
/// Calls of one execution that are under way at the same time; others wait in the worker.
pub const MAX_IN_FLIGHT: usize = 16;
/// Kept of the console, in bytes.
pub const MAX_LOGS: usize = 16 * 1024;
/// What a line of the console counts besides its text, so that empty ones end too.
pub(crate) const LOG_LINE: usize = 16;
/// The largest result as JSON, in bytes; see [`Ending::Ok`].
pub const MAX_RESULT: usize = 64 * 1024;

/// What the actions of a program do. Implemented above, where callers, limits and connections are known.
pub trait HostCalls: Send + Sync {
    /// Runs one action. The name is one of the run's namespaces, spelled as it was given there.
    /// Dropping the future cancels the call: the program ended before its answer came.
    fn call<'a>(
        &'a self,
        alias: &'a str,
        action: &'a str,
        input: JsonObject,
    ) -> Fut<'a, Result<Value, Fault>>;
}

/// `quaymaster.<alias>.<action>(input)`, for each action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    pub alias: String,
    pub actions: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Js,
    Ts,
    /// JavaScript when it parses as that, else TypeScript.
    #[default]
    Auto,
}

/// Limits of one execution. They can be lowered for a run, never raised above these defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the program's start to its end, waiting included.
    pub wall: Duration,
    /// Of the worker's processor time.
    pub cpu: Duration,
    /// Of the engine, in bytes.
    pub heap: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            wall: Duration::from_mins(1),
            cpu: Duration::from_secs(5),
            heap: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    pub(crate) fn lowered(self) -> Limits {
        let most = Limits::default();
        Limits {
            wall: self.wall.min(most.wall),
            cpu: self.cpu.min(most.cpu),
            heap: self.heap.min(most.heap),
        }
    }
}

/// One program to execute.
#[derive(Debug, Clone)]
pub struct Run {
    /// The body of an async function: it may `await`, and `return`s its result.
    pub code: String,
    pub language: Language,
    pub namespaces: Vec<Namespace>,
    pub limits: Limits,
}

/// How an execution ended. What its calls did is never rolled back.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// What the program returned, `null` for nothing. A value over [`MAX_RESULT`] is
    /// `{"truncated": true, "total_bytes": n}` in its place.
    Ok(Value),
    /// The program threw, or is not a program. Lines and columns count from 1 in the code as it
    /// was given.
    Error {
        /// With the error's name in front, as in `TypeError: not a function`.
        message: String,
        line: Option<u32>,
        column: Option<u32>,
        /// Code of the fault, when the program did not catch one.
        code: Option<String>,
    },
    /// The wall time was over.
    Timeout,
    CpuLimit,
    MemoryLimit,
    /// The program waits for something that can never come.
    Deadlock,
    /// It wanted more than [`MAX_CALLS`] calls.
    CallLimit,
    /// The token of the run was cancelled.
    Cancelled,
    /// The worker died, or did not keep to the protocol and was killed.
    WorkerCrashed {
        /// The signal that ended it, when one did.
        signal: Option<i32>,
        /// What it did, in a few words.
        reason: String,
    },
}

impl Ending {
    /// A stable name: `ok`, `error`, `timeout`, `cpu_limit`, `memory_limit`, `deadlock`,
    /// `call_limit`, `cancelled`, `worker_crashed`.
    pub const fn name(&self) -> &'static str {
        match self {
            Ending::Ok(_) => "ok",
            Ending::Error { .. } => "error",
            Ending::Timeout => "timeout",
            Ending::CpuLimit => "cpu_limit",
            Ending::MemoryLimit => "memory_limit",
            Ending::Deadlock => "deadlock",
            Ending::CallLimit => "call_limit",
            Ending::Cancelled => "cancelled",
            Ending::WorkerCrashed { .. } => "worker_crashed",
        }
    }

    /// One sentence for whoever wrote the program, and what to do about it. The result's own words
    /// for `ok`.
    pub fn sentence(&self, limits: &Limits) -> String {
        let limits = limits.lowered();
        match self {
            Ending::Ok(_) => "The program ended.".to_owned(),
            Ending::Error { message, line, .. } => match line {
                Some(line) => format!("Line {line}: {message}"),
                None => message.clone(),
            },
            Ending::Timeout => format!(
                "The program was stopped after {} s. Do less in one run, or wait for calls together with Promise.all.",
                limits.wall.as_secs_f64()
            ),
            Ending::CpuLimit => format!(
                "The program was stopped after {} s of computing. Look for a loop that does not end.",
                limits.cpu.as_secs_f64()
            ),
            Ending::MemoryLimit => format!(
                "The program needed more than {} MiB of memory. Ask for smaller pages, and keep only the fields that you need.",
                limits.heap / (1024 * 1024)
            ),
            Ending::Deadlock => {
                "The program awaits a promise that nothing will settle. Every `new Promise` must be resolved or rejected.".to_owned()
            }
            Ending::CallLimit => format!(
                "The program made {MAX_CALLS} calls and wanted another one. Split the work into several runs."
            ),
            Ending::Cancelled => "The run was cancelled.".to_owned(),
            Ending::WorkerCrashed { reason, .. } => {
                format!("The worker that ran the program ended early ({reason}). Nothing else was affected.")
            }
        }
    }
}

/// How one call of a program went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEnd {
    Ok,
    /// The code of its fault.
    Fault(quaymaster_core::Code),
    /// The program ended before the answer came, or before the call was made at all (then it took
    /// no time). A call that had begun may have had its effect.
    Cancelled,
}

/// One call that a program made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    pub alias: String,
    pub action: String,
    pub end: CallEnd,
    pub took: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Debug,
    Log,
    Info,
    Warn,
    Error,
}

/// A line of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub level: Level,
    pub text: String,
}

/// All there is to say about an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub ending: Ending,
    pub logs: Vec<LogLine>,
    /// Bytes of the console that were dropped, since it was fuller than [`MAX_LOGS`].
    pub logs_dropped: u64,
    /// In the order in which they were made.
    pub calls: Vec<CallRecord>,
    /// From the moment a worker was asked for.
    pub total: Duration,
    /// What of it the worker had the program for.
    pub worker: Duration,
    pub isolation: Isolation,
}

impl CallRecord {
    fn to_json(&self) -> Value {
        let end = match &self.end {
            CallEnd::Ok => "ok",
            CallEnd::Fault(code) => code.name(),
            CallEnd::Cancelled => "cancelled",
        };
        json!({
            "name": format!("{}.{}", self.alias, self.action),
            "result": end,
            "ms": millis(self.took),
        })
    }
}

fn millis(of: Duration) -> f64 {
    (of.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Outcome {
    /// `{"outcome", "result"?, "error"?, "logs", "logs_dropped"?, "calls", "ms", "worker_ms", "isolation"}`,
    /// times in milliseconds. `error` has `message`, `line`, `column` and `code` where they are known.
    pub fn to_json(&self, limits: &Limits) -> Value {
        let mut json = json!({ "outcome": self.ending.name() });
        match &self.ending {
            Ending::Ok(value) => json["result"] = value.clone(),
            Ending::Error {
                message,
                line,
                column,
                code,
            } => {
                let mut error = json!({ "message": message });
                if let Some(line) = line {
                    error["line"] = json!(line);
                }
                if let Some(column) = column {
                    error["column"] = json!(column);
                }
                if let Some(code) = code {
                    error["code"] = json!(code);
                }
                json["error"] = error;
            }
            other => json["error"] = json!({ "message": other.sentence(limits) }),
        }
        json["logs"] = json!(self.logs);
        if self.logs_dropped > 0 {
            json["logs_dropped"] = json!(self.logs_dropped);
        }
        json["calls"] = self.calls.iter().map(CallRecord::to_json).collect();
        json["ms"] = json!(millis(self.total));
        json["worker_ms"] = json!(millis(self.worker));
        json["isolation"] = json!(self.isolation);
        json
    }
}
