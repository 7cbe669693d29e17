//! One statement: read, given its values, run to its end.

use super::{Failed, Given, values};
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, Error, Statement, ffi};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The longest message of the library, in characters.
const MESSAGE: usize = 2_000;

/// What came of a statement.
pub(super) struct Done {
    pub(super) columns: Vec<String>,
    pub(super) rows: Box<RawValue>,
    pub(super) affected: u64,
    /// Whether it can have changed nothing.
    pub(super) reads: bool,
}

/// Runs the statement. What it changed is in the database also when it failed halfway: then nobody looks at that any more.
pub(super) fn run(database: &Connection, given: &Given) -> Result<Done, Failed> {
    let mut batch = Batch::new(database, &given.text);
    let mut statement = batch.next().map_err(failed)?.ok_or(Failed::Empty)?;
    // Also one that makes no sense before the first one has run.
    if !matches!(batch.next(), Ok(None)) {
        return Err(Failed::Several);
    }
    bind(&mut statement, given)?;
    let reads = statement.readonly();
    if given.read_only && !reads {
        return Err(Failed::Writes);
    }
    let columns = columns(&statement)?;
    let mut answer = Vec::new();
    let mut count: usize = 0;
    let written: usize = columns.iter().map(String::len).sum();
    let most = given.max_bytes.saturating_sub(written);
    answer.push(b'[');
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        if count == given.max_rows {
            return Err(Failed::TooManyRows);
        }
        if count > 0 {
            answer.push(b',');
        }
        values::append(&mut answer, &columns, row, most)?;
        if answer.len() > most {
            return Err(Failed::TooManyBytes);
        }
        count += 1;
    }
    drop(rows);
    answer.push(b']');
    let affected = if reads {
        count as u64
    } else {
        database.changes()
    };
    let text = String::from_utf8(answer).map_err(|_| Failed::Crashed)?;
    Ok(Done {
        columns,
        rows: RawValue::from_string(text).map_err(|_| Failed::Crashed)?,
        affected,
        reads,
    })
}

/// Gives the parameters their values, when they are those that are given.
fn bind(statement: &mut Statement<'_>, given: &Given) -> Result<(), Failed> {
    let mut names = Vec::with_capacity(statement.parameter_count());
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index);
        let name = name.and_then(|name| name.strip_prefix(':'));
        names.push(name.ok_or(Failed::Unnamed)?.to_owned());
    }
    let same = {
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let there: BTreeSet<&str> = given.params.keys().map(String::as_str).collect();
        wanted == there
    };
    if !same {
        return Err(Failed::Parameters(names));
    }
    for (index, name) in names.iter().enumerate() {
        let value = given.params.get(name).and_then(values::to_database);
        let value = value.ok_or_else(|| Failed::Value(name.clone()))?;
        statement
            .raw_bind_parameter(index + 1, value)
            .map_err(failed)?;
    }
    Ok(())
}

/// The names of the columns, which an object can have each once.
fn columns(statement: &Statement<'_>) -> Result<Vec<String>, Failed> {
    let mut seen = BTreeSet::new();
    let mut columns = Vec::with_capacity(statement.column_count());
    for name in statement.column_names() {
        if !seen.insert(name) {
            return Err(Failed::Twice(name.chars().take(MESSAGE).collect()));
        }
        columns.push(name.to_owned());
    }
    Ok(columns)
}

/// What an error of the library means.
pub(super) fn failed(error: Error) -> Failed {
    let (code, message) = match error {
        Error::SqliteFailure(error, message) => (error.extended_code, message.unwrap_or_default()),
        Error::SqlInputError { error, msg, .. } => (error.extended_code, msg),
        Error::Utf8Error(..) => (ffi::SQLITE_MISMATCH, "a name is not UTF-8".to_owned()),
        other => (ffi::SQLITE_ERROR, other.to_string()),
    };
    let message: String = message.chars().take(MESSAGE).collect();
    // The lowest byte is the kind of error, what stands above says more.
    match code & 0xff {
        _ if code == ffi::SQLITE_IOERR_NOMEM => Failed::Memory,
        ffi::SQLITE_INTERRUPT => Failed::Time,
        ffi::SQLITE_NOTADB => Failed::NoDatabase,
        ffi::SQLITE_CORRUPT => Failed::Malformed(message),
        ffi::SQLITE_NOMEM => Failed::Memory,
        ffi::SQLITE_FULL => Failed::Full,
        ffi::SQLITE_READONLY => Failed::Writes,
        _ => Failed::Refused {
            message,
            name: name(code),
        },
    }
}

fn name(code: i32) -> String {
    let known = match code {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        _ => match code & 0xff {
            ffi::SQLITE_ERROR => "SQLITE_ERROR",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_RANGE => "SQLITE_RANGE",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            ffi::SQLITE_AUTH => "SQLITE_AUTH",
            _ => return format!("SQLITE_{code}"),
        },
    };
    known.to_owned()
}
