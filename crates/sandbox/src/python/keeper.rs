//! The thread that starts sessions and ends them: the kernel ends a session with the thread that started it,
//! so that it is one that lives as long as the server.

use super::cgroup::{Group, Groups};
use crate::isolation::Failure;
use crate::worker::{MARK, PYTHON};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often sessions are looked for that have been idle for too long.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A process that was started and waits for its setup.
pub(super) struct Started {
    pub(super) control: UnixStream,
    pub(super) out: ChildStdout,
    pub(super) err: ChildStderr,
    pub(super) process: Process,
    /// What holds the limits of the session as a whole.
    pub(super) limits: &'static str,
}

/// A session's process outside, which ends with this.
pub(super) struct Process {
    child: Option<Child>,
    group: Option<Arc<Group>>,
    orders: Sender<Order>,
}

enum Order {
    Start {
        memory: u64,
        processes: u64,
        give: oneshot::Sender<Result<Started, Failure>>,
    },
    End {
        child: Child,
        group: Option<Arc<Group>>,
        tell: Option<oneshot::Sender<()>>,
    },
}

#[derive(Clone)]
pub(super) struct Keeper {
    orders: Sender<Order>,
}

impl Keeper {
    /// `idle` is called every second, until it says that nobody is there any more.
    pub(super) fn start(use_groups: bool, idle: impl Fn() -> bool + Send + 'static) -> Keeper {
        let (orders, inbox) = mpsc::channel();
        let own = orders.clone();
        let begun = std::thread::Builder::new()
            .name("python".to_owned())
            .spawn(move || keep(use_groups, &inbox, &own, idle));
        if let Err(error) = begun {
            // Orders then find nobody, and say so.
            tracing::error!(%error, "the thread that starts sessions could not be started");
        }
        Keeper { orders }
    }

    /// Starts a process in a group of so many bytes and processes, where there are groups.
    pub(super) async fn launch(&self, memory: u64, processes: u64) -> Result<Started, Failure> {
        let nobody = || Failure {
            stage: "thread".to_owned(),
            errno: 0,
        };
        let (give, take) = oneshot::channel();
        let order = Order::Start {
            memory,
            processes,
            give,
        };
        self.orders.send(order).map_err(|_| nobody())?;
        take.await.map_err(|_| nobody())?
    }
}

impl Process {
    pub(super) fn group(&self) -> Option<&Group> {
        self.group.as_deref()
    }

    /// What to look at where no group holds the session's memory.
    pub(super) fn without_group(&self) -> Option<u32> {
        let child = self.child.as_ref().filter(|_| self.group.is_none());
        child.map(Child::id)
    }

    /// Ends the session, and waits until it is gone.
    pub(super) async fn end(mut self) {
        let (tell, told) = oneshot::channel();
        self.send(Some(tell));
        let _ = told.await;
    }

    fn send(&mut self, tell: Option<oneshot::Sender<()>>) {
        if let Some(child) = self.child.take() {
            let group = self.group.take();
            let _ = self.orders.send(Order::End { child, group, tell });
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.send(None);
    }
}

fn keep(
    use_groups: bool,
    inbox: &Receiver<Order>,
    orders: &Sender<Order>,
    idle: impl Fn() -> bool,
) {
    // Not looked for before somebody needs one.
    let mut groups = (!use_groups).then_some(Groups::None);
    let mut looked = Instant::now();
    loop {
        match inbox.recv_timeout(LOOK_EVERY) {
            Ok(Order::Start {
                memory,
                processes,
                give,
            }) => {
                let groups = groups.get_or_insert_with(Groups::find);
                let started = start(groups, memory, processes, orders);
                let started = started.map_err(|(stage, error)| Failure {
                    stage: stage.to_owned(),
                    errno: error.raw_os_error().unwrap_or(0),
                });
                // Whoever asked may wait no more; then it ends again.
                let _ = give.send(started);
            }
            Ok(Order::End {
                mut child,
                group,
                tell,
            }) => {
                let _ = child.kill();
                let _ = child.wait();
                if let Some(group) = group {
                    group.remove();
                }
                if let Some(tell) = tell {
                    let _ = tell.send(());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            if !idle() {
                return;
            }
        }
    }
}

type Failed = (&'static str, io::Error);

/// This program once more, with a connection as its input and pipes for what programs print.
fn start(
    groups: &Groups,
    memory: u64,
    processes: u64,
    orders: &Sender<Order>,
) -> Result<Started, Failed> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| ("spawn", error))?;
    let group = groups
        .make(memory, processes)
        .map_err(|error| ("cgroup", error))?;
    // By this name it is the program that runs, also after another was put in its place on disk.
    let mut child = Command::new("/proc/self/exe")
        .arg0("quaymaster-session")
        .args([MARK, PYTHON, &std::process::id().to_string()])
        .env_clear()
        .env("TZ", "UTC0")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| ("spawn", error))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let process = Process {
        group: group.map(Arc::new),
        orders: orders.clone(),
        child: Some(child),
    };
    let (Some(out), Some(err)) = (out, err) else {
        return Err(("spawn", io::Error::from(io::ErrorKind::NotFound)));
    };
    if let (Some(group), Some(child)) = (&process.group, &process.child) {
        group.add(child.id()).map_err(|error| ("cgroup", error))?;
    }
    Ok(Started {
        control: ours,
        out,
        err,
        process,
        limits: groups.name(),
    })
}
