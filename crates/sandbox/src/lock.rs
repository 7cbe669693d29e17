//! Shutting a worker in, from the inside: it locks itself before it reads what it shall run.
//!
//! The order matters. Files that leaked in are closed first. The user changes before the user namespace is made, since that maps it.
//! Namespaces need system calls that the filter forbids, so the filter comes last. When namespaces cannot be made, the rest
//! holds by itself: with no file open but the connection and no call in the filter that opens or
//! sends anything, there is little left for them to hide.

mod filter;
mod limits;
mod namespaces;
mod privileges;

use crate::isolation::{Failure, Isolation};
use crate::sys;
use std::io;

pub(crate) use filter::{ARCH, apply};
pub(crate) use limits::{Allowance, STACK};
pub(crate) use privileges::{drop_all, leave_root};

/// How a worker is shut in.
#[derive(Debug)]
pub(crate) struct Locked {
    pub(crate) isolation: Isolation,
    /// Why it is not [`Isolation::Full`].
    pub(crate) lacks: Option<Failure>,
}

/// To be called first in a worker: ends it together with the server, and drops what leaked in.
///
/// `parent` is the server's process id: it may have ended before this process could ask to end
/// with it.
pub(crate) fn begin(parent: u32) -> Result<(), Failure> {
    stay_with(parent)?;
    sys::close_from(3).stage("close_range")?;
    // Where memory is short, a worker is to go before anything else. It is not needed for being held.
    let _ = std::fs::write("/proc/self/oom_score_adj", "900");
    std::env::set_current_dir("/").stage("chdir")?;
    sys::one_arena();
    Ok(())
}

/// Locks this process for good. It has one thread, and has loaded all that it will need.
pub(crate) fn lock(parent: u32, allowance: &Allowance) -> Result<Locked, Failure> {
    let mapped = limits::mapped()?;
    privileges::leave_root();
    let lacks = namespaces::enter().err();
    limits::set(mapped, allowance)?;
    privileges::drop_all()?;
    sys::dumpable(false).stage("dumpable")?;
    // Changing users and namespaces made the kernel forget it.
    stay_with(parent)?;
    filter::install()?;
    Ok(Locked {
        isolation: if lacks.is_some() {
            Isolation::Seccomp
        } else {
            Isolation::Full
        },
        lacks,
    })
}

/// Ends this process with the one that started it, whose id is `parent`.
pub(crate) fn stay_with(parent: u32) -> Result<(), Failure> {
    sys::die_with_parent().stage("pdeathsig")?;
    if std::os::unix::process::parent_id() == parent {
        Ok(())
    } else {
        Err(Failure {
            stage: "parent".to_owned(),
            errno: 0,
        })
    }
}

/// Names the step that an error belongs to.
pub(crate) trait Stage<T> {
    fn stage(self, stage: &str) -> Result<T, Failure>;
}

impl<T> Stage<T> for io::Result<T> {
    fn stage(self, stage: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            stage: stage.to_owned(),
            errno: error.raw_os_error().unwrap_or(0),
        })
    }
}
