//! What is needed besides for Python sessions and for workers that are copies: processes, signals, files handed
//! over, landlock.
//!
//! The server itself calls [`send_files`], [`receive_files`], [`signal`] and [`ended`], which are sound with many
//! threads; everything else is for workers, which have one.

use super::{checked, checked_long};
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::ptr;

/// Which of the two processes this is after [`fork`].
pub(crate) enum Forked {
    Child,
    Parent(c_int),
}

/// A copy of this process, which must have one thread.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: a worker has one thread, so that the copy is whole.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => Ok(Forked::Parent(child)),
    }
}

/// A copy of this process, which must have one thread, as another child of its parent (clone(2), `CLONE_PARENT`). The
/// copy is not in the C library's records, which matters to `fork` handlers and there are none.
pub(crate) fn fork_sibling() -> io::Result<Forked> {
    let flags = c_ulong::from((libc::CLONE_PARENT | libc::SIGCHLD).unsigned_abs());
    let none: c_ulong = 0;
    // SAFETY: a worker has one thread, so that the copy is whole; without a stack of its own it has a copy of this one.
    match unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        child => c_int::try_from(child)
            .map(Forked::Parent)
            .map_err(io::Error::other),
    }
}

/// The status of a child that has ended; none when it has not, and `wait` is false. Its id may then be another's.
pub(crate) fn ended(child: c_int, wait: bool) -> io::Result<Option<ExitStatus>> {
    let flags = if wait { 0 } else { libc::WNOHANG };
    let mut status = 0;
    // SAFETY: `status` is a valid place for the answer.
    let found = unsafe { libc::waitpid(child, &raw mut status, flags) };
    checked(found.min(0))?;
    Ok((found == child).then(|| ExitStatus::from_raw(status)))
}

/// Ends this process at once, without anything that is done at an end.
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: takes a number and does not come back.
    unsafe { libc::_exit(status) }
}

/// A child that has ended, with its status; none when there is none, or none yet and `wait` is false.
pub(crate) fn ended_child(wait: bool) -> Option<(c_int, c_int)> {
    let flags = if wait { 0 } else { libc::WNOHANG };
    let mut status = 0;
    // SAFETY: `status` is a valid place for the answer.
    let child = unsafe { libc::waitpid(-1, &raw mut status, flags) };
    (child > 0).then_some((child, status))
}

/// Signals a process, or with -1 all that this one may signal.
pub(crate) fn signal(process: c_int, signal: c_int) {
    // SAFETY: takes numbers.
    unsafe { libc::kill(process, signal) };
}

/// Kills a process by its own id; `false` when that is none, as the id of a thread is not.
pub(crate) fn kill_process(process: c_int) -> bool {
    let id = libc::c_long::from(process);
    // SAFETY: takes numbers.
    unsafe { libc::syscall(libc::SYS_tgkill, id, id, libc::SIGKILL) == 0 }
}

/// A file that can be read when a child has ended. Blocks the signal otherwise.
pub(crate) fn child_signals() -> io::Result<File> {
    let mut set = no_signals();
    // SAFETY: `set` is a valid set.
    unsafe { libc::sigaddset(&raw mut set, libc::SIGCHLD) };
    // SAFETY: `set` is valid for the length of the call; the old mask is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) })?;
    // SAFETY: `set` is valid for the length of the call.
    let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    checked(fd.min(0))?;
    // SAFETY: it was opened just now and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// Blocks no signal, and catches none.
pub(crate) fn usual_signals() {
    let set = no_signals();
    // SAFETY: `set` is valid for the length of the call; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, ptr::null_mut()) };
    // Rust ignores it, and a program that is executed would go on doing so.
    // SAFETY: takes numbers.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

fn no_signals() -> libc::sigset_t {
    // SAFETY: a set is plain numbers; it is emptied below.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a valid place for a set.
    unsafe { libc::sigemptyset(&raw mut set) };
    set
}

/// Waits until one of two files can be read, at most so many milliseconds (-1: for ever). Which can.
pub(crate) fn readable(files: [BorrowedFd<'_>; 2], millis: c_int) -> [bool; 2] {
    let mut polls = files.map(|file| libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    });
    // SAFETY: two valid entries for the length of the call.
    unsafe { libc::poll(polls.as_mut_ptr(), 2, millis) };
    polls.map(|poll| poll.revents != 0)
}

/// Most files that go over at once.
const MOST_FILES: usize = 4;
const CONTROL: usize = 64;

/// Room for the files of one message, aligned as its header must be.
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// Writes bytes to a socket, and hands open files over with them.
pub(crate) fn send_files(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let raw: Vec<c_int> = files.iter().map(AsRawFd::as_raw_fd).collect();
    let size = size_of_val(raw.as_slice());
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut message = empty_message(&raw mut part, &mut control);
    // SAFETY: pure arithmetic.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(size as c_uint) } as _;
    // SAFETY: the message has room for one header, so that this is not null.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    // SAFETY: points into `control`, which is aligned and long enough.
    let header = unsafe { &mut *header };
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    // SAFETY: pure arithmetic.
    header.cmsg_len = unsafe { libc::CMSG_LEN(size as c_uint) } as _;
    // SAFETY: of a valid header.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: `control` has room for `size` bytes behind the header, which MOST_FILES keeps true.
    unsafe { ptr::copy_nonoverlapping(raw.as_ptr().cast::<u8>(), data, size) };
    // SAFETY: everything the message points to is alive.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if usize::try_from(sent).ok() == Some(bytes.len()) {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Reads from a socket, with the files that were handed over. How many bytes came.
pub(crate) fn receive_files(
    socket: BorrowedFd<'_>,
    into: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut control = Control([0; CONTROL]);
    let mut part = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let mut message = empty_message(&raw mut part, &mut control);
    message.msg_controllen = CONTROL as _;
    // SAFETY: everything the message points to is alive and may be written.
    let came =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
    let came = usize::try_from(came).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel filled the message in.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: not null, and inside of `control`.
        let found = unsafe { &*header };
        if found.cmsg_level == libc::SOL_SOCKET && found.cmsg_type == libc::SCM_RIGHTS {
            // SAFETY: pure arithmetic.
            let head = unsafe { libc::CMSG_LEN(0) } as usize;
            let length: usize = found.cmsg_len as _;
            let count = length.saturating_sub(head) / size_of::<c_int>();
            // SAFETY: of a valid header.
            let data = unsafe { libc::CMSG_DATA(header) };
            for at in 0..count {
                let mut fd = [0; size_of::<c_int>()];
                // SAFETY: the kernel wrote `count` numbers there.
                let from = unsafe { data.add(at * fd.len()) };
                // SAFETY: both have room for one number, at no particular alignment.
                unsafe { from.copy_to_nonoverlapping(fd.as_mut_ptr(), fd.len()) };
                let fd = c_int::from_ne_bytes(fd);
                // SAFETY: the kernel opened it for this process just now.
                files.push(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
        // SAFETY: both are valid.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    files.truncate(MOST_FILES);
    Ok(came)
}

fn empty_message(part: *mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: a msghdr is numbers and pointers that may be null.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast::<c_void>();
    message
}

/// Puts an open file at a number, where it stays open in a program that is executed.
pub(crate) fn place(file: c_int, at: c_int) -> io::Result<()> {
    if file == at {
        // SAFETY: takes numbers.
        return checked(unsafe { libc::fcntl(file, libc::F_SETFD, 0) });
    }
    // SAFETY: takes numbers; what was open at `at` is owned by no Rust object that is used again.
    checked(unsafe { libc::dup2(file, at) }.min(0))
}

/// Executes a program in the place of this one. Comes back only with an error.
pub(crate) fn execute(program: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let list = |texts: &[CString]| {
        let texts = texts.iter().map(|text| text.as_ptr());
        texts.chain([ptr::null()]).collect::<Vec<*const c_char>>()
    };
    let (arguments, environment) = (list(arguments), list(environment));
    // SAFETY: both lists end in null, and their strings are alive.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// What is made from here on can be read by everybody, whatever the server was started with.
pub(crate) fn usual_mask() {
    // SAFETY: takes a number.
    unsafe { libc::umask(0o022) };
}

/// A session of its own, so that no terminal can be reached.
pub(crate) fn own_session() -> io::Result<()> {
    // SAFETY: takes nothing.
    checked(unsafe { libc::setsid() }.min(0))
}

/// Switches the loopback device of this network namespace on.
pub(crate) fn loopback_up() -> io::Result<()> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes numbers.
    let fd = unsafe { libc::socket(libc::AF_INET, kind, 0) };
    checked(fd.min(0))?;
    // SAFETY: it was opened just now and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: an ifreq is plain bytes.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as c_char;
    request.ifr_name[1] = b'o' as c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as _;
    // SAFETY: `request` is valid for the length of the call.
    checked(unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw const request,
        )
    })
}

/// Makes a mount, and those below it, read-only, with no special files and no set-user-id programs.
pub(crate) fn read_only_below(target: &CStr) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        user_namespace: u64,
    }
    let attributes = Attributes {
        // MOUNT_ATTR_RDONLY, NOSUID and NODEV.
        set: 1 | 2 | 4,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    // SAFETY: the string and the structure are valid for the length of the call.
    checked_long(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            target.as_ptr(),
            0x8000 as c_ulong, // AT_RECURSIVE
            &raw const attributes,
            size_of::<Attributes>(),
        )
    })
}

/// Flags of the mount that a path is on, which a remount must keep (`statvfs(3)`, `ST_…`).
pub(crate) fn mount_flags(path: &CStr) -> io::Result<c_ulong> {
    // SAFETY: a statvfs is plain numbers.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: both are valid for the length of the call.
    checked(unsafe { libc::statvfs(path.as_ptr(), &raw mut found) })?;
    // The first bits mean the same in mount(2); ST_NOATIME and ST_NODIRATIME, too.
    Ok(found.f_flag & (1 | 2 | 4 | 8 | 1024 | 2048))
}

/// Opens a file below a directory for writing.
pub(crate) fn open_below(directory: &File, path: &CStr) -> io::Result<File> {
    let flags = libc::O_WRONLY | libc::O_CLOEXEC;
    // SAFETY: the string is valid for the length of the call.
    let fd = unsafe { libc::openat(directory.as_raw_fd(), path.as_ptr(), flags) };
    checked(fd.min(0))?;
    // SAFETY: it was opened just now and belongs to nobody else.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// A set of rules of landlock(7) before it holds.
pub(crate) struct Ruleset(OwnedFd);

#[repr(C)]
struct RulesetAttributes {
    files: u64,
    network: u64,
    scoped: u64,
}

/// The version of landlock that the kernel has; 0 is none.
pub(crate) fn landlock_version() -> u32 {
    // SAFETY: asked with this flag it reads no pointer.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            ptr::null::<c_void>(),
            0,
            1,
        )
    };
    u32::try_from(version).unwrap_or(0)
}

impl Ruleset {
    /// Rules for these rights, bits as landlock(7) has them. `size` is that of the structure's version.
    pub(crate) fn new(files: u64, network: u64, scoped: u64, size: usize) -> io::Result<Ruleset> {
        let attributes = RulesetAttributes {
            files,
            network,
            scoped,
        };
        let size = size.min(size_of::<RulesetAttributes>());
        // SAFETY: the structure is valid for the length of the call and not shorter than `size`.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                &raw const attributes,
                size,
                0,
            )
        };
        let fd = c_int::try_from(fd).unwrap_or(-1);
        checked(fd.min(0))?;
        // SAFETY: it was opened just now and belongs to nobody else.
        Ok(Ruleset(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Allows rights below a directory.
    pub(crate) fn allow_below(&self, directory: &File, rights: u64) -> io::Result<()> {
        #[repr(C, packed)]
        struct Below {
            rights: u64,
            parent: c_int,
        }
        let rule = Below {
            rights,
            parent: directory.as_raw_fd(),
        };
        self.add(1, (&raw const rule).cast())
    }

    /// Allows rights at a TCP port.
    pub(crate) fn allow_port(&self, port: u16, rights: u64) -> io::Result<()> {
        let rule = [rights, u64::from(port)];
        self.add(2, rule.as_ptr().cast())
    }

    fn add(&self, kind: c_int, rule: *const c_void) -> io::Result<()> {
        // SAFETY: `rule` points to the structure that `kind` says, alive for the call.
        checked_long(unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                self.0.as_raw_fd(),
                kind,
                rule,
                0,
            )
        })
    }

    /// From here on they hold for this process and all that it starts.
    pub(crate) fn hold(self) -> io::Result<()> {
        // SAFETY: takes numbers.
        checked_long(unsafe {
            libc::syscall(libc::SYS_landlock_restrict_self, self.0.as_raw_fd(), 0)
        })
    }
}
