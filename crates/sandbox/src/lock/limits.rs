//! Limits that the kernel holds, behind those that the engine holds.

use super::Stage as _;
use crate::isolation::Failure;
use crate::sys;
use std::time::Duration;

/// What a worker of one kind may use.
pub(crate) struct Allowance {
    /// Bytes that it may map besides its program.
    pub(crate) memory: u64,
    /// Of its processor time.
    pub(crate) cpu: Duration,
}

/// Of the only thread, in bytes. Transpiling needs most; the engine keeps itself to less.
pub(crate) const STACK: u64 = 8 * 1024 * 1024;

/// `mapped` is what the worker has mapped already, its program above all.
pub(super) fn set(mapped: u64, allowance: &Allowance) -> Result<(), Failure> {
    let space = mapped + allowance.memory;
    let cpu = allowance.cpu.as_secs();
    for (resource, soft, hard) in [
        (libc::RLIMIT_AS, space, space),
        (libc::RLIMIT_CPU, cpu, cpu + 1),
        (libc::RLIMIT_STACK, STACK, STACK),
        (libc::RLIMIT_NPROC, 0, 0),
        (libc::RLIMIT_NOFILE, 3, 3),
        (libc::RLIMIT_FSIZE, 0, 0),
        (libc::RLIMIT_CORE, 0, 0),
        (libc::RLIMIT_MEMLOCK, 0, 0),
        (libc::RLIMIT_MSGQUEUE, 0, 0),
    ] {
        sys::limit(resource, soft, hard).stage("setrlimit")?;
    }
    Ok(())
}

/// Bytes that this process has mapped (`proc_pid_statm(5)`). Asked before the namespaces are made, where
/// `/proc` is gone.
pub(super) fn mapped() -> Result<u64, Failure> {
    let statm = std::fs::read_to_string("/proc/self/statm").stage("statm")?;
    let pages: Option<u64> = statm.split(' ').next().and_then(|pages| pages.parse().ok());
    pages
        .map(|pages| pages * sys::page_size())
        .ok_or_else(|| Failure {
            stage: "statm".to_owned(),
            errno: 0,
        })
}
