//! What came instead of a value, for whoever wrote the expression.

use super::{MAX_DEPTH, MAX_INPUT, MAX_PROGRAM, MAX_RESULT, MAX_VALUES, Why, allowed};
use crate::isolation::Failure;
use quaymaster_core::{Code, Fault};
use std::fmt;
use std::time::Duration;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// It is not an expression. Lines and columns count from 1, in characters.
    Syntax {
        message: String,
        line: u32,
        column: u32,
    },
    /// It uses what an expression may not use.
    Forbidden {
        name: String,
        line: u32,
        column: u32,
    },
    /// An expression gives one value; this one gave none.
    NoResult,
    /// It gave more than one.
    ManyResults,
    /// It failed, with the interpreter's words or those that it gave to `error`.
    Runtime {
        message: String,
    },
    /// The program is longer than [`MAX_PROGRAM`].
    ProgramTooLarge,
    /// The input is longer than [`MAX_INPUT`].
    InputTooLarge,
    /// The result is longer than [`MAX_RESULT`], or has more than [`MAX_VALUES`] values.
    ResultTooLarge,
    /// The program, or a value that it makes, is nested too deeply.
    TooDeep,
    /// It computed for longer than it might.
    Time(Duration),
    Memory,
    /// Its worker ended or misbehaved in another way.
    Crashed {
        reason: String,
    },
    /// All workers stayed busy.
    Busy,
    /// No worker can be locked on this machine.
    Unavailable(Failure),
}

/// Which of several programs failed. Those before it had values, those after it were not evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAt {
    /// From 0.
    pub index: usize,
    pub failed: Failed,
}

impl From<Why> for Failed {
    fn from(why: Why) -> Failed {
        match why {
            Why::Syntax {
                message,
                line,
                column,
            } => Failed::Syntax {
                message,
                line,
                column,
            },
            Why::Forbidden { name, line, column } => Failed::Forbidden { name, line, column },
            Why::NoResult => Failed::NoResult,
            Why::ManyResults => Failed::ManyResults,
            Why::Runtime(message) => Failed::Runtime { message },
            Why::ResultTooLarge => Failed::ResultTooLarge,
            Why::TooDeep => Failed::TooDeep,
            Why::Memory => Failed::Memory,
            Why::Broken(reason) => Failed::Crashed { reason },
        }
    }
}

impl Failed {
    /// A stable name, for example `syntax` or `no_result`.
    pub const fn name(&self) -> &'static str {
        match self {
            Failed::Syntax { .. } => "syntax",
            Failed::Forbidden { .. } => "forbidden",
            Failed::NoResult => "no_result",
            Failed::ManyResults => "many_results",
            Failed::Runtime { .. } => "runtime",
            Failed::ProgramTooLarge => "program_too_large",
            Failed::InputTooLarge => "input_too_large",
            Failed::ResultTooLarge => "result_too_large",
            Failed::TooDeep => "too_deep",
            Failed::Time(_) => "time",
            Failed::Memory => "memory",
            Failed::Crashed { .. } => "crashed",
            Failed::Busy => "busy",
            Failed::Unavailable(_) => "unavailable",
        }
    }

    /// Where in the program, when that is known: line and column from 1.
    pub const fn place(&self) -> Option<(u32, u32)> {
        match self {
            Failed::Syntax { line, column, .. } | Failed::Forbidden { line, column, .. } => {
                Some((*line, *column))
            }
            _ => None,
        }
    }

    /// What to do instead, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Failed::Forbidden { name, .. } => allowed::instead_of(name),
            Failed::NoResult => Some(
                "Give a default as in `first(…) // null`, or collect results in an array: `[…]`.",
            ),
            Failed::ManyResults => {
                Some("Collect the results in an array, as in `[…]`, or take one: `first(…)`.")
            }
            Failed::Time(_) | Failed::Memory => Some(
                "Look for a generator that does not end, and keep only the fields that you need.",
            ),
            Failed::InputTooLarge | Failed::ResultTooLarge => {
                Some("Keep only the fields that you need.")
            }
            Failed::Busy => Some("Try again in some seconds."),
            Failed::Unavailable(failure) => Some(failure.fix()),
            _ => None,
        }
    }

    /// `FLOW_ERROR`, but `SANDBOX_UNAVAILABLE` and `UNAVAILABLE` for what is not the expression's doing.
    /// `details` has `expression`, the name of the failure, and `line` and `column` where they are known.
    pub fn fault(&self) -> Fault {
        let fault = match self {
            Failed::Unavailable(failure) => return failure.fault(),
            Failed::Busy => Fault::new(Code::Unavailable, self.to_string()),
            _ => Fault::new(Code::FlowError, self.to_string()),
        };
        let mut fault = fault.detail("expression", self.name());
        if let Some((line, column)) = self.place() {
            fault = fault.detail("line", line).detail("column", column);
        }
        match self.hint() {
            Some(hint) => fault.hint(hint),
            None => fault,
        }
    }
}

/// One sentence for whoever wrote the expression.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Syntax {
                message,
                line,
                column,
            } => write!(
                f,
                "The expression is not valid jq: line {line}, column {column}: {message}."
            ),
            Failed::Forbidden { name, line, column } => write!(
                f,
                "An expression cannot use {name} (line {line}, column {column})."
            ),
            Failed::NoResult => {
                f.write_str("The expression gave no value, and it must give exactly one.")
            }
            Failed::ManyResults => f.write_str(
                "The expression gave more than one value, and it must give exactly one.",
            ),
            Failed::Runtime { message } => write!(f, "The expression failed: {message}"),
            Failed::ProgramTooLarge => {
                write!(f, "The expression is longer than {MAX_PROGRAM} bytes.")
            }
            Failed::InputTooLarge => write!(
                f,
                "What the expression would see is longer than {MAX_INPUT} bytes."
            ),
            Failed::ResultTooLarge => write!(
                f,
                "The value of the expression is longer than {MAX_RESULT} bytes, or of more than {MAX_VALUES} values."
            ),
            Failed::TooDeep => write!(
                f,
                "The expression or its value is nested too deeply; a value may be {MAX_DEPTH} deep."
            ),
            Failed::Time(limit) => write!(
                f,
                "The expression was stopped after {} ms of computing.",
                limit.as_millis()
            ),
            Failed::Memory => f.write_str("The expression needed more memory than it may have."),
            Failed::Crashed { reason } => write!(
                f,
                "The worker that evaluated the expression ended early ({reason}). Nothing else was affected."
            ),
            Failed::Busy => {
                f.write_str("All expression workers are busy, and none was free in time.")
            }
            Failed::Unavailable(failure) => {
                write!(f, "This host cannot shut programs in ({failure}).")
            }
        }
    }
}

impl std::error::Error for Failed {}
