//! The first process of a session: it stops the driver between calls, ends what programs leave behind, looks
//! after memory, and ends with the server. Nothing inside can signal it.

use super::message::{FromSession, INTERRUPT, RUN, SWEEP};
use super::usage::{self, LOOK_EVERY};
use crate::frame;
use crate::isolation::Failure;
use crate::sys::session::{self, Forked};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::exit;
use std::time::{Duration, Instant};

/// How long killed processes are waited for.
const DYING: Duration = Duration::from_secs(2);
/// Rounds of ending what is left. One is enough; what could slip through it is not known.
const ROUNDS: usize = 3;

/// Comes back only with a failure.
pub(super) fn look_after(connection: &File, driver: i32, watch: Option<u64>) -> Failure {
    let failed = |error: std::io::Error| Failure {
        stage: "reaper".to_owned(),
        errno: error.raw_os_error().unwrap_or(0),
    };
    let mut ended = match session::child_signals() {
        Ok(ended) => ended,
        Err(error) => return failed(error),
    };
    let mut reaper = Reaper {
        connection,
        driver,
        highest: driver,
    };
    // Ended before its end could be heard of.
    reaper.reap();
    let mut runs = false;
    loop {
        let patience = match watch {
            Some(_) if runs => LOOK_EVERY.as_millis() as i32,
            _ => -1,
        };
        let [said, died] = session::readable([connection.as_fd(), ended.as_fd()], patience);
        if died {
            let mut all = [0; 512];
            let _ = ended.read(&mut all);
            reaper.reap();
        }
        if said {
            let mut order = [0];
            match (&mut &*connection).read(&mut order) {
                Ok(1) => {}
                // The server is gone.
                _ => exit(0),
            }
            match order[0] {
                RUN => {
                    runs = true;
                    session::signal(driver, libc::SIGCONT);
                }
                INTERRUPT => session::signal(driver, libc::SIGINT),
                SWEEP => {
                    runs = false;
                    reaper.sweep();
                    reaper.say(&FromSession::Swept);
                }
                _ => exit(1),
            }
        }
        if let Some(most) = watch
            && runs
        {
            let bytes = usage::of_all();
            if bytes > most {
                reaper.say(&FromSession::OverMemory(bytes));
                exit(0)
            }
        }
    }
}

struct Reaper<'a> {
    connection: &'a File,
    driver: i32,
    /// No process has had a higher id.
    highest: i32,
}

impl Reaper<'_> {
    fn say(&self, message: &FromSession) {
        let mut bytes = Vec::new();
        if frame::append(&mut bytes, message).is_ok() {
            let _ = (&mut &*self.connection).write_all(&bytes);
        }
    }

    /// Buries children; with the driver the session ends.
    fn reap(&self) {
        while let Some((child, status)) = session::ended_child(false) {
            if child == self.driver {
                self.say(&FromSession::Died(status));
                exit(0)
            }
        }
    }

    /// Stops everything at once, so that nothing can start anything, and kills all but the driver, which
    /// stays stopped.
    fn sweep(&mut self) {
        for _ in 0..ROUNDS {
            session::signal(-1, libc::SIGSTOP);
            // Ids rise, so that the next one is above all that there are; once they begin anew, the
            // highest one that there was is.
            if let Ok(Forked::Parent(next)) = fresh() {
                self.highest = self.highest.max(next);
            }
            let others = (2..=self.highest).filter(|id| *id != self.driver);
            let killed: Vec<i32> = others.filter(|id| session::kill_process(*id)).collect();
            let until = Instant::now() + DYING;
            while killed.iter().any(|id| is_dying(*id)) && Instant::now() < until {
                self.reap();
                std::thread::sleep(Duration::from_millis(1));
            }
            self.reap();
            if killed.is_empty() {
                break;
            }
        }
    }
}

/// Whether a process that was killed still has to end; what is left of it afterwards is buried by its parent.
fn is_dying(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    // Behind the name, which can hold anything.
    let state = stat
        .ok()
        .and_then(|stat| stat.rsplit_once(") ")?.1.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// A child that ends at once.
fn fresh() -> std::io::Result<Forked> {
    let forked = session::fork()?;
    if let Forked::Child = forked {
        session::leave(0)
    }
    Ok(forked)
}
