//! Locked workers: processes that run what strangers wrote.

mod isolation;
mod pool;
mod run;

pub use isolation::{Failure, Isolation, Probed};
pub use pool::{Pool, PoolOptions, probe};
pub use run::{
    CallEnd, CallRecord, Ending, HostCalls, Language, Level, Limits, LogLine, MAX_ANSWER,
    MAX_CALLS, MAX_CODE, MAX_IN_FLIGHT, MAX_INPUT, MAX_LOGS, MAX_RESULT, Namespace, Outcome, Run,
};
