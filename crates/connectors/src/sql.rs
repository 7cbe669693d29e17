//! One statement for a PostgreSQL server, over a connection that [egress](quaymaster_egress) made; or for a file of SQLite,
//! which others open ([`Databases`]).
//!
//! A connection serves one statement and is closed: nothing that a statement sets is there for the next one, and there is no
//! pool that a second account could meet. The statement runs in a transaction of its own, read-only if so asked, which is
//! committed once its whole answer was taken; an answer that is too large changes nothing. Values never become part of
//! the statement's text.
//!
//! - `call`: a statement as the call of a connector; `file`: for a database that is a file; `parameters`: from `:name` to the server's `$1`; `values`: parameters to the server and columns from it
//! - `time`: its dates; `number`: its decimals; `connection`: bytes, counted; `failure`: what went wrong

mod call;
mod connection;
mod failure;
mod file;
mod number;
mod parameters;
mod time;
mod values;

pub(crate) use call::{call, call_file};
pub use file::{DatabaseFile, Databases};
pub use parameters::{Named, Unusable, fits, named};

use connection::Tls as Handshake;
use futures_util::TryStreamExt as _;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::Egress;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Statement};

/// How long a server may take to see that we are done.
const GOODBYE: Duration = Duration::from_millis(500);

/// A server and an account of it.
#[derive(Debug, Clone)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: SecretString,
    pub tls: Tls,
}

/// Whether anybody on the way can read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Encrypted, with a certificate for that host of an authority that is believed.
    #[default]
    Required,
    /// In clear. Only to what the operator allowed.
    Off,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Query<'q> {
    /// With parameters as `:name`.
    pub text: &'q str,
    /// Exactly those that it has.
    pub params: &'q Map<String, Value>,
    pub read_only: bool,
    pub max_rows: usize,
    /// Of all that the server answers.
    pub max_bytes: usize,
    /// For all of it, connecting included.
    pub timeout: Duration,
}

/// What a statement answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In the order of the statement.
    pub columns: Vec<String>,
    /// Objects by column.
    pub rows: Vec<Value>,
    /// Rows that it read or changed, as the server counts them.
    pub affected: u64,
}

/// Runs one statement. It has its effect when this answers, and none when this fails, but for a
/// connection that breaks while it is committed; that fault says so.
///
/// # Errors
/// `INVALID_ARG` for a statement or parameters that cannot be sent, `TIMEOUT`, `TOO_LARGE`, `UPSTREAM_ERROR` with the server's words
/// and `details.sqlstate`.
pub async fn run(egress: &Egress, server: &Server, query: &Query<'_>) -> Result<Answer, Fault> {
    let statement = named(query.text).map_err(Unusable::fault)?;
    statement.check(query.params)?;
    match tokio::time::timeout(query.timeout, talk(egress, server, query, &statement)).await {
        Ok(answer) => answer,
        Err(_) => Err(failure::late(query.timeout)),
    }
}

async fn talk(
    egress: &Egress,
    server: &Server,
    query: &Query<'_>,
    statement: &Named<'_>,
) -> Result<Answer, Fault> {
    let stream = match server.tls {
        Tls::Required => egress.connect(&server.host, server.port).await,
        Tls::Off => egress.connect_plain(&server.host, server.port).await,
    };
    let stream = stream.map_err(failure::unreached)?;
    let mut config = Config::new();
    config
        .user(&server.user)
        .password(server.password.expose_secret())
        .dbname(&server.database)
        .application_name("quaymaster")
        .channel_binding(ChannelBinding::Disable)
        .ssl_mode(match server.tls {
            Tls::Required => SslMode::Require,
            Tls::Off => SslMode::Disable,
        });
    let handshake = Handshake {
        egress,
        host: &server.host,
        most: query.max_bytes,
    };
    let stream = connection::Counted::new(stream, query.max_bytes);
    let connected = config.connect_raw(stream, handshake).await;
    let (client, connection) = connected.map_err(|error| failure::of(&error, query))?;
    let mut connection = pin!(connection);
    let asked = tokio::select! {
        biased;
        asked = ask(client, query, statement) => asked,
        broken = &mut connection => return Err(match broken {
            Err(error) => failure::of(&error, query),
            Ok(()) => failure::gone(),
        }),
    };
    // The client is gone, so that the connection says goodbye and ends.
    let _ = tokio::time::timeout(GOODBYE, connection).await;
    asked
}

async fn ask(client: Client, query: &Query<'_>, statement: &Named<'_>) -> Result<Answer, Fault> {
    let failed = |error: tokio_postgres::Error| failure::of(&error, query);
    let (prepared, names) = prepare(&client, query, statement).await?;
    let params = values::to_server(&names, prepared.params(), query.params)?;
    let columns: Vec<_> = prepared.columns().iter().collect();
    let names = values::names(&columns)?;
    let rows = client.query_raw(&prepared, params).await.map_err(failed)?;
    let mut rows = pin!(rows);
    let mut answer = Answer {
        columns: names,
        rows: Vec::new(),
        affected: 0,
    };
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        if answer.rows.len() == query.max_rows {
            return Err(Fault::new(
                Code::TooLarge,
                format!("The statement gave more than {} rows.", query.max_rows),
            )
            .hint("Add a LIMIT, or raise `max_rows`. Nothing was changed."));
        }
        answer.rows.push(values::row(&columns, &row)?);
    }
    answer.affected = rows.rows_affected().unwrap_or(0);
    client
        .batch_execute("COMMIT")
        .await
        .map_err(|error| failure::at_the_end(&error, query))?;
    Ok(answer)
}

/// Begins a transaction and has the server read the statement in it. What it says it cannot know the type of is a text.
async fn prepare<'s>(
    client: &Client,
    query: &Query<'_>,
    statement: &Named<'s>,
) -> Result<(Statement, Vec<&'s str>), Fault> {
    let mode = if query.read_only { " READ ONLY" } else { "" };
    // A server that has not heard that we left stops by itself.
    let limit = query.timeout.as_millis().clamp(1, 86_400_000);
    let begin = format!("ROLLBACK; BEGIN{mode}; SET LOCAL statement_timeout = {limit}");
    let (mut text, mut names) = statement.shared();
    let mut types: Vec<Type> = Vec::new();
    loop {
        // Without the first word where there is nothing to roll back, which the server would warn of.
        let begin = if types.is_empty() {
            &begin[10..]
        } else {
            &begin
        };
        client
            .batch_execute(begin)
            .await
            .map_err(|error| failure::of(&error, query))?;
        let error = match client.prepare_typed(&text, &types).await {
            Ok(prepared) => return Ok((prepared, names)),
            Err(error) => error,
        };
        let in_doubt = failure::in_doubt(&error).filter(|at| *at < names.len() || types.is_empty());
        match in_doubt {
            // For all uses together it cannot know; so each is asked for alone.
            Some(_) if types.is_empty() => {
                (text, names) = statement.apart();
                types = vec![Type::UNKNOWN; names.len()];
            }
            Some(at) if types[at] == Type::UNKNOWN => types[at] = Type::TEXT,
            _ => return Err(failure::of(&error, query)),
        }
    }
}
