//! The worker's side: a database and a statement in, rows and the database out.

use super::open::Was;
use super::run::Done;
use super::{Failed, Given, MAX_STATEMENT, Told, open, run};
use crate::forks::Origin;
use crate::frame;
use crate::isolation::Failure;
use crate::lock::{self, Allowance};
use crate::message::FromWorker;
use crate::worker::say;
use rusqlite::Connection;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What a worker may map besides its program. The library keeps itself to less.
const MEMORY: u64 = 640 * 1024 * 1024;
/// Behind the statement's own time, which the library watches.
const MORE_CPU: Duration = Duration::from_secs(5);

/// Locks this process, runs one statement, and ends the process.
pub(crate) fn work(connection: &File, origin: &Origin) -> Result<Infallible, Failure> {
    std::panic::set_hook(Box::new(|_| {}));
    // The library draws the seed of `random()` below, and copies would have it in common.
    origin.copy()?;
    // What the library reads from the machine, it reads now.
    let database = open::nothing().map_err(|_| Failure {
        stage: "sqlite".to_owned(),
        errno: 0,
    })?;
    let allowance = Allowance {
        memory: MEMORY,
        cpu: MAX_STATEMENT + MORE_CPU,
    };
    let locked = lock::lock(origin.parent, &allowance)?;
    let ready = FromWorker::Ready {
        isolation: locked.isolation,
        lacks: locked.lacks,
    };
    say(connection, &ready);
    // Without a statement, the server is gone or needs this worker no more.
    let _ = serve(connection, database);
    std::process::exit(0)
}

fn serve(mut connection: &File, mut database: Connection) -> io::Result<()> {
    let given: Given = serde_json::from_slice(&frame::read(&mut connection)?)?;
    let deadline = Instant::now() + Duration::from_millis(given.time_ms);
    let ran = catch_unwind(AssertUnwindSafe(|| -> Result<(Was, Done), Failed> {
        let was = open::read(&mut database, connection, given.size)?;
        let refused = open::guard(&database, &was, given.read_only, deadline)?;
        let done = run::run(&database, &given);
        // Afterwards, since what was refused is known then.
        let done = done.map_err(|failed| refused.instead_of(failed))?;
        Ok((was, done))
    }));
    let (was, done) = match ran {
        Ok(Ok(ran)) => ran,
        Ok(Err(failed)) => {
            say(connection, &Told::Failed(failed));
            return Ok(());
        }
        Err(_) => {
            say(connection, &Told::Failed(Failed::Crashed));
            return Ok(());
        }
    };
    let told = |image| Told::Done {
        columns: done.columns,
        rows: done.rows,
        affected: done.affected,
        image,
    };
    if done.reads {
        say(connection, &told(None));
        return Ok(());
    }
    match open::image(&database) {
        Ok(image) => {
            say(connection, &told(Some(image.len() as u64)));
            open::send(connection, &image, &was)?;
        }
        Err(failed) => say(connection, &Told::Failed(failed)),
    }
    connection.flush()
}
