//! Expressions in jq: one value in, one value out.
//!
//! jq is a language with loops and without limits, so it is evaluated in locked workers, which are given the
//! program and its input and answer its result. A worker lives long and is leased to one organization at a time: what
//! another one's data went through is never used again. Time is taken from outside, by killing; memory by the
//! kernel's limit, which ends the worker. Nothing that reaches out of an expression is compiled in at all (`allowed`).
//!
//! - [`Pool`]: the server's side, with `lease`, one worker of it; [`Failed`]: what came instead of a value
//! - `worker`: the worker's side: `program` compiles, `evaluate` runs, `json` writes what came of it
//! - `allowed`: the names that an expression may use; `walk`: those that it does; `more.jq`: definitions that jq
//!   has and the interpreter lacks

mod allowed;
mod evaluate;
mod failed;
mod json;
mod lease;
mod pool;
mod program;
mod walk;
pub(crate) mod worker;

pub use failed::{Failed, FailedAt};
pub use pool::{Options, Pool};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

/// The longest program, in bytes.
pub const MAX_PROGRAM: usize = 64 * 1024;
/// The largest input, in bytes of JSON.
pub const MAX_INPUT: usize = 16 * 1024 * 1024;
/// The largest result, in bytes of JSON; of several programs together.
pub const MAX_RESULT: usize = 8 * 1024 * 1024;
/// The deepest result: so many arrays and objects within each other.
pub const MAX_DEPTH: usize = 100;
/// Values in a result. A small text can hold a great many, each of which takes memory.
pub const MAX_VALUES: usize = 500_000;
/// What one evaluation may compute for, unless its caller says otherwise.
pub const USUAL_TIME: Duration = Duration::from_millis(100);

/// What the server says. Unless it only wants programs checked, a frame with their input follows.
#[derive(Debug, Serialize, Deserialize)]
struct Ask<'a> {
    programs: Vec<Cow<'a, str>>,
    check: bool,
}

/// What a worker says of each program, in their order, until one fails.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Ok(Value),
    Failed(Why),
}

/// Why a worker has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    Syntax {
        message: String,
        line: u32,
        column: u32,
    },
    Forbidden {
        name: String,
        line: u32,
        column: u32,
    },
    NoResult,
    ManyResults,
    /// The interpreter's message.
    Runtime(String),
    ResultTooLarge,
    TooDeep,
    /// A buffer larger than there can be.
    Memory,
    /// The interpreter failed, not the program.
    Broken(String),
}

impl Why {
    /// Whether the worker is as good as before.
    fn is_ordinary(&self) -> bool {
        !matches!(self, Why::TooDeep | Why::Memory | Why::Broken(_))
    }
}
