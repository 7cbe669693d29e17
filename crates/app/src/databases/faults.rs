//! What went wrong with a statement over a file, as a server of databases would tell it.

use quaymaster_connectors::sql::{Query, Unusable, fits};
use quaymaster_core::{Code, Fault};
use quaymaster_sandbox::sqlite::{Failed, MAX_DATABASE};

/// The longest words of a database, in characters.
const WORDS: usize = 2_000;

/// The fault of a statement that gave no rows. The file is as it was.
pub(super) fn of(failed: Failed, path: &str, query: &Query<'_>) -> Fault {
    let refused = |message: String| Fault::new(Code::UpstreamError, message);
    match failed {
        Failed::NoDatabase => refused(format!(
            "{path} is no SQLite database, or one that is encrypted."
        ))
        .hint("Write a database of SQLite there, or name another file on the page of the connection.")
        .detail("sqlite", "SQLITE_NOTADB"),
        Failed::Malformed(words) => refused(format!(
            "{path} is damaged, and cannot be read as a database: {}.",
            shown(&words)
        ))
        .hint("Nothing was changed. Put a copy there that is whole.")
        .detail("sqlite", "SQLITE_CORRUPT"),
        Failed::Empty => Unusable::Empty.fault(),
        Failed::Several => Unusable::Several.fault(),
        Failed::Unnamed => Fault::invalid_arg(
            "/query",
            "statement",
            "Parameters are written `:name`, not `?`, `@name` or `$name`.",
        ),
        Failed::Parameters(names) => {
            match fits(names.iter().map(String::as_str), query.params) {
                Err(fault) => fault,
                Ok(()) => crashed(path),
            }
        }
        Failed::Value(name) => {
            let name = shown(&name);
            Fault::invalid_arg(
                &format!("/params/{name}"),
                "type",
                format!("The value of :{name} is a number that a database has no place for."),
            )
            .hint("Give it as a string.")
        }
        Failed::Forbidden(what) => Fault::invalid_arg(
            "/query",
            "statement",
            format!(
                "{} is not run here: a statement works on what is in one file.",
                shown(&what)
            ),
        ),
        Failed::Writes => refused("The database refuses the statement: it only reads.".to_owned())
            .hint("The step is read-only. Set `read_only: false` if it may change data.")
            .detail("sqlite", "SQLITE_READONLY"),
        Failed::Twice(name) => Fault::invalid_arg(
            "/query",
            "columns",
            format!("Two columns are called {}.", shown(&name)),
        )
        .hint("Name one of them otherwise: `… AS other_name`."),
        Failed::Unreadable(name) => {
            let name = shown(&name);
            refused(format!(
                "The column {name} has a text that cannot be read: it is not UTF-8."
            ))
            .hint(format!(
                "Cast it: `CAST({name} AS BLOB)`. Nothing was changed."
            ))
        }
        Failed::Refused { message, name } => refused(format!(
            "The database refuses the statement: {}.",
            shown(&message)
        ))
        .detail("sqlite", shown(&name)),
        Failed::TooManyRows => Fault::new(
            Code::TooLarge,
            format!("The statement gave more than {} rows.", query.max_rows),
        )
        .hint("Add a LIMIT, or raise `max_rows`. Nothing was changed."),
        Failed::TooManyBytes => Fault::new(
            Code::TooLarge,
            format!(
                "The answer of the database has more than {} bytes.",
                query.max_bytes
            ),
        )
        .hint("Ask for fewer rows or columns. Nothing was changed."),
        Failed::Full => Fault::new(
            Code::TooLarge,
            format!("{path} would have more than {MAX_DATABASE} bytes."),
        )
        .hint("Nothing was changed. Keep less in it; what is larger belongs to a database server.")
        .detail("limit", MAX_DATABASE),
        Failed::Memory => Fault::new(
            Code::TooLarge,
            "The statement needs more memory than it may have.",
        )
        .hint("Ask for less at once, for example fewer rows to sort. Nothing was changed."),
        Failed::Time => Fault::new(
            Code::Timeout,
            format!(
                "The statement was not answered within {} ms and is stopped.",
                query.timeout.as_millis()
            ),
        )
        .hint("Ask for less at once, or look at the plan of the statement with EXPLAIN QUERY PLAN. Nothing was changed."),
        Failed::Crashed => crashed(path),
    }
}

/// The file was not read, since half of what is in the database stands in another one.
pub(super) fn unfinished(path: &str, beside: &str) -> Fault {
    Fault::new(
        Code::UpstreamError,
        format!("{path} is not whole: {beside} has changes that are not in it yet."),
    )
    .hint(
        "Close the program that has it open. If none has, open and close it once with `PRAGMA journal_mode=DELETE`, which \
         puts the changes in and removes the other file.",
    )
    .detail("sqlite", "SQLITE_BUSY")
}

/// Others change the file all the time.
pub(super) fn busy(path: &str) -> Fault {
    Fault::new(
        Code::Unavailable,
        format!("Other statements change {path}, and it was not this one's turn in time."),
    )
    .hint("Try again in a moment. Nothing was changed.")
}

fn crashed(path: &str) -> Fault {
    Fault::new(
        Code::UpstreamError,
        format!("What read {path} ended early, as it does with a database that is made to harm."),
    )
    .hint("Nothing was changed. Look where the file comes from.")
}

/// A database is not believed about how long a name or a message is.
fn shown(words: &str) -> String {
    words.chars().take(WORDS).collect()
}
