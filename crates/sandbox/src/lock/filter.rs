//! The system calls that are left. Any other one ends the worker.
//!
//! Nothing here opens, sends, starts or signals: a worker reads and writes the connection that it
//! was given, takes memory, tells the time and ends. Without a process namespace of its own it has the
//! server's user where that is not root, so that no call reaches another process (kill, tgkill,
//! `process_vm_readv`, ptrace, prctl), and none makes memory executable.

use crate::isolation::Failure;
use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

#[cfg(target_arch = "x86_64")]
pub(crate) const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
pub(crate) const ARCH: TargetArch = TargetArch::aarch64;

/// Allowed whatever their arguments.
const FREE: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Allowed when their third argument does not ask for executable memory.
const NEVER_EXECUTABLE: &[c_long] = &[libc::SYS_mmap, libc::SYS_mprotect];

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        FREE.iter().map(|&call| (call, Vec::new())).collect();
    for &call in NEVER_EXECUTABLE {
        let executable = SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64);
        let not = SeccompCondition::new(2, SeccompCmpArgLen::Dword, executable, 0)?;
        rules.insert(call, vec![SeccompRule::new(vec![not])?]);
    }
    SeccompFilter::new(
        rules,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        ARCH,
    )?
    .try_into()
}

/// From here on, only the calls above. Fails where the kernel has no filters.
pub(super) fn install() -> Result<(), Failure> {
    apply(program())
}

/// Holds this process to a filter for good.
pub(crate) fn apply(program: Result<BpfProgram, seccompiler::BackendError>) -> Result<(), Failure> {
    let failed = |errno| Failure {
        stage: "seccomp".to_owned(),
        errno,
    };
    let program = program.map_err(|_| failed(0))?;
    seccompiler::apply_filter(&program).map_err(|error| {
        failed(match error {
            seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error) => {
                error.raw_os_error().unwrap_or(0)
            }
            _ => 0,
        })
    })
}
