//! The server's side of one statement.

use super::{Answer, Failed, Given, MAX_DATABASE, MAX_STATEMENT, Query, Told};
use crate::frame::{self, Frames};
use crate::pool::PoolOptions;
use crate::session::{self, Connection, Wrong};
use crate::supervisor::Supervisor;
use crate::turns::Turns;
use crate::worker::SQLITE;
use quaymaster_core::{Code, Fault};
use serde_json::Value;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Read from disk at once.
const PIECE: usize = 256 * 1024;
/// What an answer may have around its rows.
const ENVELOPE: usize = 256 * 1024;
/// How much later than the library itself the server ends a statement.
const GRACE: Duration = Duration::from_millis(500);

/// Runs statements in locked workers, some at a time. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    supervisor: Supervisor,
    turns: Arc<Turns>,
}

/// Why a worker said no more.
enum Broken {
    /// The bytes could not be read from disk.
    File,
    /// The connection ended.
    Worker,
    /// It said what it must not say.
    Word(&'static str),
}

impl From<Wrong> for Broken {
    fn from(wrong: Wrong) -> Broken {
        Broken::Word(wrong.0)
    }
}

impl Pool {
    /// At most so many workers at a time, and half of them for one organization.
    pub fn new(most: usize) -> Pool {
        let options = PoolOptions {
            idle: 0,
            most,
            ..PoolOptions::default()
        };
        Pool {
            supervisor: Supervisor::start(SQLITE, options),
            turns: Arc::new(Turns::new(most)),
        }
    }

    /// Runs one statement over the database that `file` holds, of `size` bytes. `lease` is whose it is: an organization's id.
    ///
    /// # Errors
    /// When nothing was run: `SANDBOX_UNAVAILABLE` on a machine that cannot isolate, `TOO_LARGE` for a database over
    /// [`MAX_DATABASE`], `UNAVAILABLE` when all workers stay busy or the bytes cannot be had. Whatever is wrong with the
    /// database or the statement is a [`Failed`].
    pub async fn run(
        &self,
        lease: &str,
        query: &Query<'_>,
        file: File,
        size: u64,
    ) -> Result<Result<Answer, Failed>, Fault> {
        if size > MAX_DATABASE {
            return Err(Fault::new(
                Code::TooLarge,
                format!(
                    "The database has {size} bytes; statements run over {MAX_DATABASE} at most."
                ),
            )
            .hint(
                "Keep less in it, or several databases; a larger one belongs to a database server.",
            )
            .detail("size", size)
            .detail("limit", MAX_DATABASE));
        }
        let turn = self.turns.take(lease).await;
        let _turn = turn.ok_or_else(busy)?;
        let locked = session::locked(&self.supervisor).await;
        let (mut connection, _, process) = locked.map_err(|failure| {
            tracing::warn!(%failure, "a statement was not run, since no worker could be locked");
            failure.fault()
        })?;
        connection.frames = Frames::up_to(query.max_bytes.saturating_add(ENVELOPE));
        let time = query.time.min(MAX_STATEMENT);
        let given = Given {
            text: query.text.to_owned(),
            params: query.params.clone(),
            read_only: query.read_only,
            max_rows: query.max_rows,
            max_bytes: query.max_bytes,
            time_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            size,
        };
        let talk = talk(&mut connection, &given, file);
        let told = tokio::time::timeout(time + GRACE, talk).await;
        let signal = self.supervisor.end(process).await;
        match told {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(Broken::File)) => Err(Fault::new(
                Code::Unavailable,
                "The database's bytes cannot be read.",
            )),
            // As when the whole group of processes is told to stop.
            Ok(Err(Broken::Worker))
                if matches!(signal, Some(libc::SIGTERM | libc::SIGINT | libc::SIGHUP)) =>
            {
                Err(Fault::new(
                    Code::Unavailable,
                    "The statement was told to stop.",
                ))
            }
            Ok(Err(Broken::Worker)) => {
                tracing::info!(?signal, "the worker of a statement ended early");
                Ok(Err(match signal {
                    // An allocation that fails aborts, and aborting is a system call that the filter does not have;
                    // a machine that is short of memory kills.
                    Some(libc::SIGSYS | libc::SIGABRT | libc::SIGKILL) => Failed::Memory,
                    Some(libc::SIGXCPU) => Failed::Time,
                    _ => Failed::Crashed,
                }))
            }
            Ok(Err(Broken::Word(reason))) => {
                tracing::warn!(
                    reason,
                    "the worker of a statement did not keep to its words"
                );
                Ok(Err(Failed::Crashed))
            }
            Err(_) => Ok(Err(Failed::Time)),
        }
    }
}

fn busy() -> Fault {
    Fault::new(
        Code::Unavailable,
        "Other statements over files are running, and none has ended in time.",
    )
    .hint("Try again in some seconds.")
}

async fn talk(
    connection: &mut Connection,
    given: &Given,
    file: File,
) -> Result<Result<Answer, Failed>, Broken> {
    let mut first = Vec::new();
    frame::append(&mut first, given).map_err(|_| Broken::Word("the statement is too long"))?;
    // A worker may say why it stops before it has taken everything: what it said is read below.
    if connection.stream.write_all(&first).await.is_ok() {
        send(connection, file, given.size).await?;
    }
    let told = loop {
        if let Some(told) = session::next::<Told>(&mut connection.frames)? {
            break told;
        }
        let read = connection.stream.read_buf(connection.frames.room()).await;
        if read.unwrap_or(0) == 0 {
            return Err(Broken::Worker);
        }
    };
    let (columns, rows, affected, size) = match told {
        Told::Failed(failed) => return Ok(Err(failed)),
        Told::Done {
            columns,
            rows,
            affected,
            image,
        } => (columns, rows, affected, image),
    };
    let rows: Vec<Value> =
        serde_json::from_str(rows.get()).map_err(|_| Broken::Word("its rows are no list"))?;
    if rows.len() > given.max_rows {
        return Err(Broken::Word("it sent too many rows"));
    }
    let image = match size {
        None => None,
        Some(_) if given.read_only => return Err(Broken::Word("it changed what it shall read")),
        Some(size) => Some(image(connection, size).await?),
    };
    Ok(Ok(Answer {
        columns,
        rows,
        affected,
        image,
    }))
}

async fn send(connection: &mut Connection, file: File, size: u64) -> Result<(), Broken> {
    let mut file = tokio::fs::File::from_std(file).take(size);
    let mut piece = vec![0; PIECE];
    let mut sent = 0;
    while sent < size {
        let read = file.read(&mut piece).await.map_err(|_| Broken::File)?;
        if read == 0 {
            return Err(Broken::File);
        }
        sent += read as u64;
        if connection.stream.write_all(&piece[..read]).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The bytes behind the answer.
async fn image(connection: &mut Connection, size: u64) -> Result<Vec<u8>, Broken> {
    if size > MAX_DATABASE {
        return Err(Broken::Word("its database is too large"));
    }
    let mut image = connection.frames.take_rest();
    let missing = size
        .checked_sub(image.len() as u64)
        .ok_or(Broken::Word("it sent more than it said"))?;
    let mut rest = (&mut connection.stream).take(missing);
    let read = rest.read_to_end(&mut image).await;
    if read.is_ok_and(|read| read as u64 == missing) {
        Ok(image)
    } else {
        Err(Broken::Worker)
    }
}
