//! Workers for everybody's expressions.

use super::lease::{self, Broken, Leased};
use super::{Ask, Failed, FailedAt, MAX_INPUT, MAX_PROGRAM};
use crate::frame;
use crate::pool::PoolOptions;
use crate::supervisor::Supervisor;
use crate::turns::Turns;
use crate::worker::JQ;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A worker that was given so many programs is replaced, so that memory that an interpreter loses does not add up.
const WORN: usize = 10_000;
/// Reading the input is not the expression's doing. This much more time for each mebibyte.
const READING: Duration = Duration::from_millis(100);

/// How many workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Evaluations at the same time; others wait for their turn. One organization has at most half of them.
    pub most: usize,
    /// Workers that wait for their organization's next expression.
    pub kept: usize,
    /// Workers that wait for any organization.
    pub ready: usize,
    /// A worker whose organization wants nothing for so long is ended.
    pub idle: Duration,
}

impl Default for Options {
    /// For as many evaluations as there are processors, and two more.
    fn default() -> Options {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Options {
            most: processors + 2,
            kept: 16,
            ready: 1,
            idle: Duration::from_mins(1),
        }
    }
}

/// Evaluates expressions in locked workers. Cheap to clone; dropping the last one ends them all.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    supervisor: Supervisor,
    options: Options,
    turns: Turns,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last is the last one.
    workers: Vec<Leased>,
    /// Whether a task looks after them.
    watched: bool,
}

impl Pool {
    /// Starts the thread that keeps workers. There are none before the first evaluation.
    pub fn new(options: Options) -> Pool {
        let workers = PoolOptions {
            idle: options.ready,
            most: options.most,
            ..PoolOptions::default()
        };
        Pool {
            shared: Arc::new(Shared {
                supervisor: Supervisor::start(JQ, workers),
                turns: Turns::new(options.most),
                options,
                kept: Mutex::default(),
            }),
        }
    }

    /// The one value of a program over an input, with at most `time` of computing. `lease` is whose data it is: an
    /// organization's id. A worker never serves two.
    pub async fn eval(
        &self,
        lease: &str,
        program: &str,
        input: &Value,
        time: Duration,
    ) -> Result<Value, Failed> {
        let mut values = self
            .eval_many(lease, &[program], input, time)
            .await
            .map_err(|failed| failed.failed)?;
        values.pop().ok_or_else(|| Failed::Crashed {
            reason: "it said nothing".to_owned(),
        })
    }

    /// The values of several programs over the same input, each with at most `time` of computing, in one round trip.
    ///
    /// # Errors
    /// The first one that failed; those after it are not evaluated.
    pub async fn eval_many(
        &self,
        lease: &str,
        programs: &[&str],
        input: &Value,
        time: Duration,
    ) -> Result<Vec<Value>, FailedAt> {
        let first = |failed| FailedAt { index: 0, failed };
        let mut asked = ask(programs, false)?;
        let before = asked.len();
        frame::append(&mut asked, input).map_err(|_| first(Failed::InputTooLarge))?;
        let size = asked.len() - before;
        if size > MAX_INPUT {
            return Err(first(Failed::InputTooLarge));
        }
        let reading = READING * (size / (1024 * 1024)) as u32;
        self.run(lease, &asked, programs.len(), time, reading).await
    }

    /// Whether a program can be evaluated at all, before there is an input for it.
    pub async fn check(&self, lease: &str, program: &str) -> Result<(), Failed> {
        let checked = async {
            let asked = ask(&[program], true)?;
            self.run(lease, &asked, 1, super::USUAL_TIME, Duration::ZERO)
                .await
        };
        checked.await.map(|_| ()).map_err(|failed| failed.failed)
    }

    /// Has a worker evaluate `count` programs; it has `reading` more for the first one.
    async fn run(
        &self,
        lease: &str,
        asked: &[u8],
        count: usize,
        time: Duration,
        reading: Duration,
    ) -> Result<Vec<Value>, FailedAt> {
        let mut values = Vec::with_capacity(count);
        if count == 0 {
            return Ok(values);
        }
        let first = |failed| FailedAt { index: 0, failed };
        let turn = self.shared.turns.take(lease).await;
        let turn = turn.ok_or_else(|| first(Failed::Busy))?;
        let mut worker = self.shared.worker(&turn.lease).await.map_err(first)?;
        worker.used += count;
        let mut told = worker.ask(asked, time + reading).await;
        loop {
            match told.map(lease::value) {
                Ok(Ok(value)) => values.push(value),
                Ok(Err(why)) => {
                    if why.is_ordinary() {
                        self.shared.keep(worker);
                    }
                    return Err(FailedAt {
                        index: values.len(),
                        failed: why.into(),
                    });
                }
                Err(broken) => {
                    let failed = self.shared.bury(worker, broken, time).await;
                    return Err(FailedAt {
                        index: values.len(),
                        failed,
                    });
                }
            }
            if values.len() == count {
                self.shared.keep(worker);
                return Ok(values);
            }
            told = worker.next(time).await;
        }
    }
}

/// What is said to a worker of these programs.
fn ask(programs: &[&str], check: bool) -> Result<Vec<u8>, FailedAt> {
    let long = |program: &&str| program.len() > MAX_PROGRAM;
    let too_large = |index| FailedAt {
        index,
        failed: Failed::ProgramTooLarge,
    };
    if let Some(index) = programs.iter().position(long) {
        return Err(too_large(index));
    }
    let ask = Ask {
        programs: programs
            .iter()
            .map(|&program| Cow::Borrowed(program))
            .collect(),
        check,
    };
    let mut asked = Vec::new();
    frame::append(&mut asked, &ask).map_err(|_| too_large(0))?;
    Ok(asked)
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker of this organization, or else a new one.
    async fn worker(&self, lease: &Arc<str>) -> Result<Leased, Failed> {
        loop {
            let kept = {
                let mut kept = self.kept();
                let own = kept.workers.iter().rposition(|kept| kept.lease == *lease);
                own.map(|own| kept.workers.remove(own))
            };
            match kept {
                // One that waited can have been ended meanwhile, by whoever was short of memory.
                Some(kept) if !kept.is_well() => {}
                Some(kept) => return Ok(kept),
                None => break,
            }
        }
        Leased::new(&self.supervisor, Arc::clone(lease))
            .await
            .map_err(|failure| {
                tracing::warn!(%failure, "an expression was not evaluated, since no worker could be locked");
                Failed::Unavailable(failure)
            })
    }

    /// Puts a worker away until its organization wants something again.
    fn keep(self: &Arc<Self>, mut worker: Leased) {
        if worker.used >= WORN {
            return;
        }
        worker.rest();
        let mut kept = self.kept();
        kept.workers.push(worker);
        if kept.workers.len() > self.options.kept {
            kept.workers.remove(0);
        }
        if !kept.watched {
            kept.watched = true;
            tokio::spawn(watch(Arc::downgrade(self), self.options.idle));
        }
    }

    /// Ends a worker that said no more, and tells what that means.
    async fn bury(&self, worker: Leased, broken: Broken, time: Duration) -> Failed {
        let signal = worker.end(&self.supervisor).await;
        match broken {
            Broken::Time => Failed::Time(time),
            Broken::Word(reason) => {
                tracing::warn!(reason, "a worker of expressions did not keep to its words");
                Failed::Crashed {
                    reason: reason.to_owned(),
                }
            }
            Broken::Ended => match signal {
                // An allocation that fails aborts, and aborting is a system call that the filter does not
                // have. An expression can make no other one.
                Some(libc::SIGSYS | libc::SIGABRT) => Failed::Memory,
                Some(libc::SIGXCPU) => Failed::Time(time),
                Some(libc::SIGKILL) => Failed::Crashed {
                    reason: "it was killed".to_owned(),
                },
                signal => {
                    tracing::warn!(?signal, "a worker of expressions ended early");
                    Failed::Crashed {
                        reason: "it ended by itself".to_owned(),
                    }
                }
            },
        }
    }
}

/// Ends workers whose organization wants nothing any more.
async fn watch(shared: Weak<Shared>, idle: Duration) {
    loop {
        tokio::time::sleep(idle).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let mut kept = shared.kept();
        kept.workers.retain(|worker| worker.at.elapsed() < idle);
        if kept.workers.is_empty() {
            kept.watched = false;
            return;
        }
    }
}
