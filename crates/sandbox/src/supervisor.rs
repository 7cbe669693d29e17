//! The thread that starts workers and waits for their end.
//!
//! A worker asks the kernel to end together with the thread that started it (prctl(2),
//! `PR_SET_PDEATHSIG`), so that all are started by one thread that lives as long as the pool. A thread of the
//! runtime might end at any time, and its workers with it.

use crate::forks::{Forks, Process};
use crate::isolation::Failure;
use crate::pool::PoolOptions;
use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long to wait before looking again whether a killed worker is gone.
const GONE_YET: Duration = Duration::from_millis(2);

/// A worker that was started. It may still be locking itself.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) connection: UnixStream,
    process: Process,
    started: Instant,
}

enum Order {
    /// Make the idle workers as many as there shall be.
    Fill,
    Start(oneshot::Sender<Result<Worker, Failure>>),
    /// Kill it, and tell the signal by which it ended.
    End(Process, Option<oneshot::Sender<Option<i32>>>),
}

/// The way to the thread. Dropping the last one ends it, and all workers that wait.
#[derive(Clone)]
pub(crate) struct Supervisor {
    orders: Sender<Order>,
    idle: Arc<Mutex<VecDeque<Worker>>>,
}

impl Supervisor {
    /// Starts the thread, whose workers are of one kind.
    pub(crate) fn start(kind: &'static str, options: PoolOptions) -> Supervisor {
        let (orders, inbox) = mpsc::channel();
        let idle = Arc::<Mutex<VecDeque<Worker>>>::default();
        let watched = Arc::clone(&idle);
        let begun = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || Keeper::new(kind, options, watched).keep(&inbox));
        if let Err(error) = begun {
            // Orders then find nobody, and say so.
            tracing::error!(%error, "the thread that starts workers could not be started");
        }
        Supervisor { orders, idle }
    }

    pub(crate) fn fill(&self) {
        let _ = self.orders.send(Order::Fill);
    }

    /// A worker that waited, or else a new one.
    pub(crate) async fn worker(&self) -> Result<Worker, Failure> {
        let waited = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        if let Some(worker) = waited {
            self.fill();
            return Ok(worker);
        }
        let (give, take) = oneshot::channel();
        let nobody = || Failure {
            stage: "thread".to_owned(),
            errno: 0,
        };
        self.orders.send(Order::Start(give)).map_err(|_| nobody())?;
        self.fill();
        take.await.map_err(|_| nobody())?
    }

    /// Ends a worker, whatever it does, and waits until it is gone. The signal that ended it: its own when it
    /// was ending already.
    pub(crate) async fn end(&self, process: Ending) -> Option<i32> {
        let (give, take) = oneshot::channel();
        process.send(Some(give));
        take.await.ok().flatten()
    }

    /// A handle that ends the worker when it is dropped.
    pub(crate) fn guard(&self, process: Process) -> Ending {
        Ending {
            process: Some(process),
            orders: self.orders.clone(),
        }
    }
}

/// A worker that will be ended, at the latest when this is dropped.
pub(crate) struct Ending {
    process: Option<Process>,
    orders: Sender<Order>,
}

impl Ending {
    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    fn send(mut self, tell: Option<oneshot::Sender<Option<i32>>>) {
        if let Some(process) = self.process.take() {
            let _ = self.orders.send(Order::End(process, tell));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            let _ = self.orders.send(Order::End(process, None));
        }
    }
}

impl Worker {
    /// The connection, and the process that is to be ended later.
    pub(crate) fn apart(self) -> (UnixStream, Process) {
        (self.connection, self.process)
    }
}

/// A worker that was killed and is not gone yet.
struct Dying {
    process: Process,
    tell: Option<oneshot::Sender<Option<i32>>>,
}

/// What the thread has.
struct Keeper {
    kind: &'static str,
    options: PoolOptions,
    /// What workers are copies of, once there was one.
    forks: Option<Forks>,
    idle: Arc<Mutex<VecDeque<Worker>>>,
    dying: Vec<Dying>,
}

impl Keeper {
    fn new(kind: &'static str, options: PoolOptions, idle: Arc<Mutex<VecDeque<Worker>>>) -> Keeper {
        Keeper {
            kind,
            options,
            forks: None,
            idle,
            dying: Vec::new(),
        }
    }

    fn keep(mut self, inbox: &Receiver<Order>) {
        loop {
            let patience = if self.dying.is_empty() {
                self.options.max_age
            } else {
                GONE_YET
            };
            match inbox.recv_timeout(patience) {
                Ok(order) => {
                    let mut fill = self.obey(order);
                    // What somebody waits for comes before what nobody waits for yet.
                    for order in inbox.try_iter() {
                        fill |= self.obey(order);
                    }
                    if fill {
                        self.fill();
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.replace_old(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.bury();
        }
        for worker in self.take_idle(|_| true) {
            self.kill(worker.process, None);
        }
        for dying in self.dying {
            let _ = dying.process.ended(true);
        }
    }

    /// Whether the pool is to be filled now.
    fn obey(&mut self, order: Order) -> bool {
        match order {
            Order::Fill => return true,
            Order::Start(give) => {
                if let Err(Ok(worker)) = give.send(self.start()) {
                    // Whoever asked does not wait any more.
                    self.idle().push_back(worker);
                }
            }
            Order::End(process, tell) => self.kill(process, tell),
        }
        false
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&mut self) {
        while self.idle().len() < self.options.idle {
            match self.start() {
                Ok(worker) => self.idle().push_back(worker),
                Err(failure) => {
                    // The next run tries again, and tells its caller.
                    tracing::warn!(%failure, "a worker could not be started");
                    break;
                }
            }
        }
    }

    /// One more worker. What is copied can have been killed meanwhile, by whoever was short of memory: then
    /// another one takes its place.
    fn start(&mut self) -> Result<Worker, Failure> {
        self.copy()
            .or_else(|_| self.copy())
            .map_err(|error| Failure {
                stage: "spawn".to_owned(),
                errno: error.raw_os_error().unwrap_or(0),
            })
    }

    fn copy(&mut self) -> io::Result<Worker> {
        let usable = self.forks.take();
        let usable = usable.filter(|forks| !forks.is_used_up(self.options.max_age));
        let mut forks = usable.map_or_else(|| Forks::begin(self.kind), Ok)?;
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let process = forks.fork(&theirs)?;
        self.forks = Some(forks);
        Ok(Worker {
            connection: ours,
            process,
            started: Instant::now(),
        })
    }

    fn replace_old(&mut self) {
        let max_age = self.options.max_age;
        self.forks.take_if(|forks| forks.is_used_up(max_age));
        let old = self.take_idle(|worker| worker.started.elapsed() >= max_age);
        if old.is_empty() {
            return;
        }
        for worker in old {
            self.kill(worker.process, None);
        }
        self.fill();
    }

    fn take_idle(&self, which: impl Fn(&Worker) -> bool) -> Vec<Worker> {
        let mut idle = self.idle();
        let (gone, kept) = idle.drain(..).partition(which);
        *idle = kept;
        Vec::from(gone)
    }

    fn kill(&mut self, process: Process, tell: Option<oneshot::Sender<Option<i32>>>) {
        // One that is ending already keeps the signal that it has.
        process.kill();
        self.dying.push(Dying { process, tell });
    }

    fn bury(&mut self) {
        self.dying.retain_mut(|dying| {
            let status = match dying.process.ended(false) {
                Ok(None) => return true,
                Ok(Some(status)) => status.signal(),
                Err(_) => None,
            };
            if let Some(tell) = dying.tell.take() {
                let _ = tell.send(status);
            }
            false
        });
    }
}
