//! Workers that wait, locked, for a program.

use crate::isolation::{Failure, Probed};
use crate::run::{self, HostCalls, MAX_CODE, Outcome, Run};
use crate::session::{self, Connection};
use crate::supervisor::Supervisor;
use crate::worker::JAVASCRIPT;
use quaymaster_core::{Code, Fault};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// How long a run waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Workers that wait.
    pub idle: usize,
    /// Executions at the same time; others wait for their turn.
    pub most: usize,
    /// A worker that waited for so long is replaced.
    pub max_age: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            idle: 4,
            most: 64,
            max_age: Duration::from_mins(10),
        }
    }
}

/// Workers that wait, locked, for a program. Cheap to clone; dropping the last one ends them all.
#[derive(Clone)]
pub struct Pool {
    supervisor: Supervisor,
    turns: Arc<Semaphore>,
    most: usize,
}

impl Pool {
    /// Starts the thread that keeps workers. There are none before the first run, or [`Pool::fill`].
    pub fn new(options: PoolOptions) -> Pool {
        Pool {
            supervisor: Supervisor::start(JAVASCRIPT, options),
            turns: Arc::new(Semaphore::new(options.most)),
            most: options.most,
        }
    }

    /// Makes the workers that wait, in the background.
    pub fn fill(&self) {
        self.supervisor.fill();
    }

    /// Executes one program in a worker of its own.
    ///
    /// # Errors
    /// When nothing was run: `SANDBOX_UNAVAILABLE` on a machine that cannot isolate, `TOO_LARGE` for a
    /// program over [`MAX_CODE`], `UNAVAILABLE` when all workers stay busy.
    /// Whatever a program does is an [`Outcome`].
    pub async fn run(
        &self,
        run: Run,
        host: Arc<dyn HostCalls>,
        cancel: CancellationToken,
    ) -> Result<Outcome, Fault> {
        let begun = Instant::now();
        if run.code.len() > MAX_CODE {
            return Err(Fault::new(
                Code::TooLarge,
                format!("The program is longer than {MAX_CODE} bytes."),
            )
            .hint("Pass less data in the program itself."));
        }
        let _turn = tokio::time::timeout(PATIENCE, self.turns.acquire())
            .await
            .map_err(|_| busy(self.most))?
            .map_err(|_| Fault::internal())?;
        let (mut connection, isolation, process) =
            session::locked(&self.supervisor).await.map_err(|failure| {
                tracing::warn!(%failure, "a program was not run, since no worker could be locked");
                failure.fault()
            })?;
        let finished = session::execute(&mut connection, isolation, &run, &host, &cancel).await;
        let ending = match finished.ending {
            Some(ending) => {
                drop(process);
                ending
            }
            None => ended_by(self.supervisor.end(process).await),
        };
        Ok(Outcome {
            ending,
            logs: finished.logs,
            logs_dropped: finished.logs_dropped,
            calls: finished.calls,
            total: begun.elapsed(),
            worker: finished.worker,
            isolation: finished.isolation,
        })
    }
}

fn busy(most: usize) -> Fault {
    Fault::new(
        Code::Unavailable,
        format!("{most} programs are running, and none has ended in time."),
    )
    .hint("Try again in some seconds.")
}

/// A worker that closed its connection without a word.
fn ended_by(signal: Option<i32>) -> run::Ending {
    match signal {
        Some(libc::SIGXCPU) => run::Ending::CpuLimit,
        Some(signal) => run::Ending::WorkerCrashed {
            signal: Some(signal),
            reason: match signal {
                libc::SIGSYS => "it asked the system for what it may not have".to_owned(),
                libc::SIGKILL => "it was killed".to_owned(),
                libc::SIGSEGV => "it used memory that is not there".to_owned(),
                signal => format!("signal {signal}"),
            },
        },
        None => run::Ending::WorkerCrashed {
            signal: None,
            reason: "it ended by itself".to_owned(),
        },
    }
}

/// Shuts one worker in and lets it go again: whether, and how well, this machine can isolate.
/// All steps are run, because a machine may allow the first and refuse the next.
///
/// # Errors
/// The step that failed, on a machine that cannot isolate at all.
pub async fn probe() -> Result<Probed, Failure> {
    let options = PoolOptions {
        idle: 0,
        ..PoolOptions::default()
    };
    let supervisor = Supervisor::start(JAVASCRIPT, options);
    let (stream, process) = supervisor.worker().await?.apart();
    let process = supervisor.guard(process);
    let locked = match Connection::new(stream) {
        Ok(mut connection) => connection.locked().await,
        Err(error) => Err(Failure {
            stage: "connection".to_owned(),
            errno: error.raw_os_error().unwrap_or(0),
        }),
    };
    supervisor.end(process).await;
    let (isolation, lacks) = locked?;
    Ok(Probed { isolation, lacks })
}
