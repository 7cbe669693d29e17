//! One statement over a SQLite database that is a file somebody wrote.
//!
//! A database can be made to harm whoever opens it: pages that point in circles, views and triggers that run with what
//! is asked, names that were never checked. So no database is opened in the server. A locked worker is given its bytes,
//! holds them in memory, runs one statement and answers rows and, when the statement may have changed something, the new
//! bytes. It serves one statement and is gone.
//!
//! - [`Pool`]: the server's side; [`Failed`]: what came instead of rows
//! - `worker`: the worker's side: `open` reads the bytes and takes from the library what a statement may not
//!   do (`allowed`), `run` runs it, `values` are its values in JSON

mod allowed;
mod open;
mod pool;
mod run;
mod values;
pub(crate) mod worker;

pub use pool::Pool;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::time::Duration;

/// The largest database, in bytes, before and after a statement.
pub const MAX_DATABASE: u64 = 64 * 1024 * 1024;
/// The longest time of a statement.
pub const MAX_STATEMENT: Duration = Duration::from_mins(5);

/// One statement.
#[derive(Debug, Clone)]
pub struct Query<'q> {
    /// With parameters as `:name`.
    pub text: &'q str,
    /// Exactly those that it has.
    pub params: &'q Map<String, Value>,
    pub read_only: bool,
    pub max_rows: usize,
    /// Of all rows as JSON.
    pub max_bytes: usize,
    /// From the first byte to the worker on, at most [`MAX_STATEMENT`].
    pub time: Duration,
}

/// What a statement answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In the order of the statement.
    pub columns: Vec<String>,
    /// Objects by column.
    pub rows: Vec<Value>,
    /// Rows that it read or changed.
    pub affected: u64,
    /// The bytes of the database after a statement that may have changed it.
    pub image: Option<Vec<u8>>,
}

/// Why there are no rows. The database is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failed {
    /// The bytes are no database, or one that a password opens.
    NoDatabase,
    /// The database's own words, where it has some.
    Malformed(String),
    /// There is no statement, or more than one.
    Empty,
    Several,
    /// A parameter that is not written `:name`.
    Unnamed,
    /// The parameters that the statement has, which are others than were given.
    Parameters(Vec<String>),
    /// The value of that parameter is none that a database can hold.
    Value(String),
    /// What no statement may do here.
    Forbidden(String),
    /// It would change something, and shall only read.
    Writes,
    /// Two columns have that name.
    Twice(String),
    /// A text in that column is not UTF-8.
    Unreadable(String),
    /// The statement was refused: a message, and the name of the error.
    Refused {
        message: String,
        name: String,
    },
    TooManyRows,
    TooManyBytes,
    /// The database would be larger than it may be.
    Full,
    Memory,
    Time,
    /// The worker ended without a word, or did not keep to its words.
    Crashed,
}

/// What the server says first; the bytes of the database follow.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    text: String,
    params: Map<String, Value>,
    read_only: bool,
    max_rows: usize,
    max_bytes: usize,
    time_ms: u64,
    size: u64,
}

/// What a worker says. After [`Told::Done`] so many bytes of the database follow.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Failed(Failed),
    Done {
        columns: Vec<String>,
        rows: Box<RawValue>,
        affected: u64,
        image: Option<u64>,
    },
}
