//! What server and worker of a JavaScript program say to each other.
//!
//! The worker begins with [`FromWorker::Ready`] or [`FromWorker::Failed`], gets one [`Start`], and
//! then says calls and log lines until [`FromWorker::Done`]. The server answers each call with a
//! [`Settle`]. Ids count from 1.

use crate::isolation::{Failure, Isolation};
use crate::run::{Language, Level, Namespace};
use quaymaster_core::Fault;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The program and its limits, those that the worker watches itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) code: String,
    pub(crate) language: Language,
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) wall_ms: u64,
    pub(crate) cpu_ms: u64,
    pub(crate) heap: usize,
}

/// The answer to a call. Exactly one of both is there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settle {
    pub(crate) id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromWorker {
    Ready {
        isolation: Isolation,
        lacks: Option<Failure>,
    },
    Failed(Failure),
    Call {
        id: u32,
        alias: String,
        action: String,
        input: Box<RawValue>,
    },
    Log {
        level: Level,
        text: String,
    },
    Done(Box<Done>),
}

/// How a program ended, as its worker tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) end: End,
    /// Calls that waited for their turn: alias and action.
    pub(crate) unsent: Vec<(String, String)>,
    pub(crate) logs_dropped: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Ok(Box<RawValue>),
    /// The result has so many bytes.
    TooLarge(u64),
    Error {
        message: String,
        line: Option<u32>,
        column: Option<u32>,
        code: Option<String>,
    },
    Timeout,
    CpuLimit,
    MemoryLimit,
    Deadlock,
    CallLimit,
}
