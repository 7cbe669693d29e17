//! What went wrong with a statement, in the server's words where it has some.

use super::Query;
use super::connection::TooLarge;
use quaymaster_core::fault::MAYBE_DONE;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::EgressError;
use std::error::Error as _;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// The longest message of a server, in bytes.
const MESSAGE: usize = 2_000;

pub(super) fn of(error: &Error, query: &Query<'_>) -> Fault {
    if let Some(told) = error.as_db_error() {
        return told_by_server(told, query);
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(known) = inner.downcast_ref::<EgressError>() {
            return unreached(known.clone());
        }
        let io = inner.downcast_ref::<std::io::Error>();
        let reading = io.and_then(std::io::Error::get_ref);
        if reading
            .and_then(|inner| inner.downcast_ref::<TooLarge>())
            .is_some()
        {
            return Fault::new(
                Code::TooLarge,
                format!(
                    "The answer of the server has more than {} bytes.",
                    query.max_bytes
                ),
            )
            .hint("Ask for fewer rows or columns. Nothing was changed.");
        }
        cause = inner.source();
    }
    // The library has no other name for these.
    let words = format!(
        "{error}: {}",
        error.source().map(ToString::to_string).unwrap_or_default()
    );
    if words.contains("unexpected message") {
        return Fault::new(
            Code::UpstreamError,
            "The server answered something else than rows, as it does to COPY.",
        )
        .hint("Use a statement that gives rows or none, such as SELECT.");
    }
    if words.contains("does not support TLS") {
        return Fault::new(
            Code::UpstreamError,
            "The server does not encrypt connections.",
        )
        .hint("Switch TLS on at the server. Inside the network of an operator who allows it, the account can be set to do without.");
    }
    tracing::debug!(%error, cause = ?error.source(), "a statement was not answered");
    gone()
}

/// Where the server cannot be connected to at all.
pub(super) fn unreached(error: EgressError) -> Fault {
    let message = match &error {
        EgressError::PlainHttp { host } => format!("{host} can be reached encrypted only."),
        EgressError::NotPublic { .. } => error.to_string(),
        _ => return error.into(),
    };
    Fault::new(Code::UpstreamError, message).hint(
        "Check the connection's address. If the server is inside the network, an administrator marks the connection as local, or an operator adds it to `egress.allow`.",
    )
}

/// The parameter, from 0, of which the server says that it cannot know the type.
pub(super) fn in_doubt(error: &Error) -> Option<usize> {
    let told = error.as_db_error()?;
    if ![
        SqlState::INDETERMINATE_DATATYPE,
        SqlState::AMBIGUOUS_PARAMETER,
    ]
    .contains(told.code())
    {
        return None;
    }
    // The only place where it says which: `could not determine data type of parameter $1`, in any language.
    let (_, after) = told.message().split_once('$')?;
    let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse::<usize>().ok()?.checked_sub(1)
}

/// Committing may have worked, when the server did not say that it has not.
pub(super) fn at_the_end(error: &Error, query: &Query<'_>) -> Fault {
    if error.as_db_error().is_some() || query.read_only {
        return of(error, query);
    }
    let mut fault = Fault::new(
        Code::UpstreamError,
        "The connection broke off while the statement was committed. Whether it had its effect is not known.",
    )
    .hint("Look whether the change is there before it is made again.")
    .detail(MAYBE_DONE, true);
    fault.retryable = false;
    fault
}

/// Nobody is at the other end any more.
pub(super) fn gone() -> Fault {
    let mut fault = Fault::new(
        Code::UpstreamError,
        "The connection to the server broke off.",
    )
    .hint("Try again in a moment; if it stays so, ask who runs the server.");
    fault.retryable = true;
    fault
}

pub(super) fn late(limit: Duration) -> Fault {
    Fault::new(
        Code::Timeout,
        format!(
            "The statement was not answered within {} ms and is stopped.",
            limit.as_millis()
        ),
    )
    .hint("Ask for less at once, or look at the plan of the statement with EXPLAIN.")
}

fn told_by_server(told: &DbError, query: &Query<'_>) -> Fault {
    let state = told.code();
    if *state == SqlState::QUERY_CANCELED {
        return late(query.timeout);
    }
    let message: String = told.message().chars().take(MESSAGE).collect();
    let (code, hint) = match state.code() {
        "25006" => (
            Code::UpstreamError,
            Some("The step is read-only. Set `read_only: false` if it may change data."),
        ),
        "42601" => (Code::UpstreamError, Some("Look at the statement's syntax.")),
        "42P08" | "42P18" => (
            Code::UpstreamError,
            Some("Say the type of the parameter, as in `:name::text`."),
        ),
        "28P01" | "28000" => (
            Code::ConnectionRequired,
            Some(
                "The server refuses the account: enter user and password of the connection again.",
            ),
        ),
        _ => (Code::UpstreamError, None),
    };
    let mut fault = Fault::new(
        code,
        format!("The server refuses the statement: {message}."),
    )
    .detail("sqlstate", state.code());
    if let Some(hint) = hint.or(told.hint()) {
        fault = fault.hint(hint.chars().take(MESSAGE).collect::<String>());
    }
    if let Some(constraint) = told.constraint() {
        fault = fault.detail("constraint", constraint);
    }
    // Conflicts of transactions, too many connections, a server that is starting.
    fault.retryable = matches!(
        state.code(),
        "40001" | "40P01" | "53300" | "55P03" | "57P01" | "57P03"
    );
    fault
}
