//! The worker of JavaScript programs: QuickJS-ng, one execution, then the process ends.
//!
//! - `engine`: what is loaded before the worker locks itself; `program`: one program while it runs
//! - `host`: what a program can reach outside of the engine: calls, log lines, timers
//! - `typescript`: types out, with the way back to the places of the source
//! - `place`: where in the program something went wrong

mod engine;
mod host;
mod place;
mod program;
mod typescript;

use crate::forks::Origin;
use crate::frame;
use crate::isolation::Failure;
use crate::lock;
use crate::message::{Done, End, FromWorker, Start};
use crate::overflow;
use crate::run::Limits;
use crate::worker::say;
use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::time::Duration;

/// What a worker may map besides its program and the engine's heap: transpiling, frames, stack.
const BESIDES_HEAP: u64 = 96 * 1024 * 1024;
/// The engine ends a program that computes for too long. Where it does not look, this much later, the
/// kernel does.
const CPU_SLACK: Duration = Duration::from_secs(1);

/// More globals for the programs of a worker. Tests have some that call the kernel.
pub(crate) type Extra = fn(&rquickjs::Ctx<'_>) -> rquickjs::Result<()>;

/// Locks this process, executes one program, and ends the process.
pub(crate) fn work(
    connection: &Rc<File>,
    origin: &Origin,
    extra: Option<Extra>,
) -> Result<Infallible, Failure> {
    let engine = engine::Engine::load(connection, extra).map_err(|error| Failure {
        stage: format!("engine ({error})"),
        errno: 0,
    })?;
    // Never taken apart: what a program left behind need not be in order.
    let engine = ManuallyDrop::new(engine);
    overflow::watch(connection, &FromWorker::Done(Box::new(too_deep())));
    origin.copy()?;
    let locked = lock::lock(
        origin.parent,
        &lock::Allowance {
            memory: Limits::default().heap as u64 + BESIDES_HEAP,
            cpu: Limits::default().cpu + CPU_SLACK,
        },
    )?;
    let ready = FromWorker::Ready {
        isolation: locked.isolation,
        lacks: locked.lacks,
    };
    say(connection, &ready);
    // Without a start, the server is gone or needs this worker no more.
    if let Ok(start) = read_start(connection) {
        let done = engine.execute(&start);
        say(connection, &FromWorker::Done(Box::new(done)));
    }
    std::process::exit(0)
}

/// The transpiler descends as deep as its source is nested; the engine watches its stack itself.
fn too_deep() -> Done {
    Done {
        end: End::Error {
            message: "SyntaxError: the program is nested too deeply".to_owned(),
            line: None,
            column: None,
            code: None,
        },
        unsent: Vec::new(),
        logs_dropped: 0,
    }
}

fn read_start(mut connection: &File) -> io::Result<Start> {
    Ok(serde_json::from_slice(&frame::read(&mut connection)?)?)
}
