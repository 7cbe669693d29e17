//! System calls that std has no safe way for, each behind a function that is safe to call.
//!
//! All unsafe code of the crate is here and in `overflow.rs`. It runs in workers alone,
//! which have one thread; the server calls only those functions of [`session`] that say so.

#![expect(
    unsafe_code,
    reason = "this is where the crate talks to the kernel; every block says why it is sound"
)]

pub(crate) mod session;

use std::ffi::{CStr, c_int, c_ulong};
use std::fs::File;
use std::io;
use std::os::fd::FromRawFd as _;
use std::ptr;
use std::time::Duration;

fn checked(result: c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn checked_long(result: libc::c_long) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Moves this process into new namespaces (`CLONE_NEW…`). A process with several threads is refused
/// a user namespace by the kernel.
pub(crate) fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: takes no pointer; only namespaces change, of which no Rust object knows.
    checked(unsafe { libc::unshare(flags) })
}

/// mount(2) without data.
pub(crate) fn mount(
    source: Option<&CStr>,
    target: &CStr,
    kind: Option<&CStr>,
    flags: c_ulong,
    data: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: every pointer is null, where mount(2) allows that, or a string that outlives the call.
    checked(unsafe {
        libc::mount(
            pointer(source),
            target.as_ptr(),
            pointer(kind),
            flags,
            pointer(data).cast(),
        )
    })
}

/// Makes the current directory the root, with the old root mounted on top of it (`pivot_root(2)`, NOTES).
pub(crate) fn pivot_root_here() -> io::Result<()> {
    let here = c".".as_ptr();
    // SAFETY: both arguments are a string with static lifetime.
    checked_long(unsafe { libc::syscall(libc::SYS_pivot_root, here, here) })
}

/// Takes away what is mounted on top of the current directory.
pub(crate) fn unmount_here() -> io::Result<()> {
    // SAFETY: the argument is a string with static lifetime.
    checked(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) })
}

#[cfg(target_env = "musl")]
type Resource = c_int;
#[cfg(not(target_env = "musl"))]
type Resource = libc::__rlimit_resource_t;

/// Sets a limit of this process, as far as its hard limit allows.
pub(crate) fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let mut now = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `now` is a valid place for the answer.
    checked(unsafe { libc::getrlimit(resource, &raw mut now) })?;
    let hard = hard.min(now.rlim_max);
    let limit = libc::rlimit {
        rlim_cur: soft.min(hard),
        rlim_max: hard,
    };
    // SAFETY: `limit` is valid for the length of the call.
    checked(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// What prctl takes for arguments that an option does not have: it is variadic, and reads whole words.
const NONE: c_ulong = 0;

/// Kills this process when the thread that started it ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    // SAFETY: this option of prctl takes a number.
    checked(unsafe {
        libc::prctl(
            libc::PR_SET_PDEATHSIG,
            libc::SIGKILL as c_ulong,
            NONE,
            NONE,
            NONE,
        )
    })
}

/// Whether others of the same user may look into this process.
pub(crate) fn dumpable(yes: bool) -> io::Result<()> {
    // SAFETY: this option of prctl takes a number.
    checked(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, c_ulong::from(yes), NONE, NONE, NONE) })
}

/// No program that this process executes gets more rights than it has.
pub(crate) fn no_new_privs() -> io::Result<()> {
    // SAFETY: this option of prctl takes a number.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as c_ulong, NONE, NONE, NONE) })
}

/// Whether root can have this capability at all here.
pub(crate) fn may_have(capability: u32) -> bool {
    // SAFETY: this option of prctl takes a number.
    unsafe {
        libc::prctl(
            libc::PR_CAPBSET_READ,
            c_ulong::from(capability),
            NONE,
            NONE,
            NONE,
        ) == 1
    }
}

/// Takes a capability out of what this process could ever have. Unknown ones are refused (EINVAL).
pub(crate) fn never_have(capability: u32) -> io::Result<()> {
    // SAFETY: this option of prctl takes a number.
    checked(unsafe {
        libc::prctl(
            libc::PR_CAPBSET_DROP,
            c_ulong::from(capability),
            NONE,
            NONE,
            NONE,
        )
    })
}

/// Gives up every capability that this process has (capset(2), version 3).
pub(crate) fn have_none() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    let header = Header {
        version: 0x2008_0522,
        pid: 0,
    };
    // Effective, permitted and inheritable, twice 32 of each.
    let none = [0_u32; 6];
    // SAFETY: both pointers are valid for the length of the call and have the layout of version 3.
    checked_long(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) })
}

/// Becomes another user, with one group and no others.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: no groups, so that the pointer is not read.
    checked(unsafe { libc::setgroups(0, ptr::null()) })?;
    // SAFETY: takes numbers. There is one thread, so that all threads change.
    checked(unsafe { libc::setresgid(id, id, id) })?;
    // SAFETY: as above.
    checked(unsafe { libc::setresuid(id, id, id) })
}

/// This process's effective user and group.
pub(crate) fn effective() -> (u32, u32) {
    // SAFETY: cannot fail and takes nothing.
    let user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getegid() };
    (user, group)
}

/// Closes every file from `first` on. Only in a worker that has just begun, where no Rust object
/// owns one of them.
pub(crate) fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: takes numbers. No object of this process owns these files: it has just begun.
    let done = checked_long(unsafe {
        libc::syscall(
            libc::SYS_close_range,
            libc::c_long::from(first),
            c_ulong::from(u32::MAX),
            0,
        )
    });
    if !done
        .as_ref()
        .is_err_and(|error| error.raw_os_error() == Some(libc::ENOSYS))
    {
        return done;
    }
    // Before Linux 5.9.
    let open: Vec<c_int> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&fd: &c_int| u32::try_from(fd).is_ok_and(|fd| fd >= first))
        .collect();
    for fd in open {
        // SAFETY: as above; the directory that was read is among them and closed already.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

/// The connection to the server, which a worker has as its standard input. To be called once.
pub(crate) fn connection() -> File {
    // SAFETY: file 0 is open, since the server starts workers with it, and nothing else in a worker
    // reads or closes standard input.
    unsafe { File::from_raw_fd(0) }
}

/// Waits until the connection can be read; `false` when the time is over first.
pub(crate) fn wait_readable(longest: Duration) -> bool {
    let mut poll = libc::pollfd {
        fd: 0,
        events: libc::POLLIN,
        revents: 0,
    };
    // Rounded up, so that nobody waits for nothing a thousand times.
    let millis = c_int::try_from(longest.as_micros().div_ceil(1000)).unwrap_or(c_int::MAX);
    // SAFETY: `poll` is one valid entry for the length of the call.
    unsafe { libc::poll(&raw mut poll, 1, millis) != 0 }
}

/// Processor time of this process.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// The most memory that this process had at a time, in bytes. Memory that was never touched does not count.
pub(crate) fn peak_memory() -> u64 {
    // SAFETY: an rusage is numbers; all zero is a valid one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for the answer.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024
}

/// Makes the C library take all memory in one place: with several it asks, once memory is short, how
/// many processors there are, and that would be a file to open.
pub(crate) fn one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes numbers, and is called before anything else runs in the worker.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Bytes of a page of memory.
pub(crate) fn page_size() -> u64 {
    // SAFETY: takes a number.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
