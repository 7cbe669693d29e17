//! A session from the inside: the process that the server starts shuts itself in, and becomes three. One stays
//! outside of the process namespace and ends with the server; the first one inside looks after all others
//! (`reaper`); and the driver is the interpreter, which runs strangers' programs.
//!
//! Root builds everything with its own rights and then becomes a user of its own in a namespace of its own;
//! anybody else makes that namespace first. Either way the programs have no right at all.

use super::message::{FromSession, PROXY_PORT, Setup};
use super::{filter, reaper, root};
use crate::frame;
use crate::isolation::Failure;
use crate::lock::{self, Stage as _};
use crate::sys;
use crate::sys::session::{self, Forked, Ruleset};
use libc::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER,
    CLONE_NEWUTS,
};
use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

const WORLD: i32 =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
/// Capabilities of a root that can do without a user namespace until the end: to kill, to change group
/// and user, over networks, over the system.
const OF_ROOT: [u32; 5] = [5, 6, 7, 12, 21];
/// Whoever is outside has this id inside.
const NOBODY: u32 = 65534;
const OPEN_FILES: u64 = 256;
const DRIVER: &str = include_str!("driver.py");
const FOR_DRIVER: i32 = 3;

/// Makes a session of this process. Comes back only when it cannot be made.
pub(crate) fn work(connection: &File, parent: u32) -> Result<Infallible, Failure> {
    let mut reading = connection;
    let setup = frame::read(&mut reading).stage("setup")?;
    let setup: Setup = serde_json::from_slice(&setup)
        .map_err(io::Error::other)
        .stage("setup")?;
    let is_root = enter(&setup)?;
    // The way to its own files, once the machine's cannot be seen any more.
    let proc = File::open("/proc").stage("proc")?;
    session::loopback_up().stage("loopback")?;
    let listener = if setup.network {
        Some(TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT)).stage("listener")?)
    } else {
        None
    };
    let (ours, driver) = UnixStream::pair().stage("socketpair")?;
    match session::fork().stage("fork")? {
        Forked::Parent(_) => wait_outside(parent, is_root.then_some(setup.user)),
        Forked::Child => {
            sys::die_with_parent().stage("pdeathsig")?;
            // The session's user is another one than whoever builds it.
            session::usual_mask();
            let sees = root::build(&setup, &mut reading)?;
            if is_root {
                become_somebody(setup.user, &proc)?;
                sys::die_with_parent().stage("pdeathsig")?;
            }
            drop(proc);
            lock::drop_all()?;
            let landlock = session::landlock_version();
            let driver = start_driver(connection, &setup, &driver.into())?;
            sys::dumpable(false).stage("dumpable")?;
            let files: Vec<BorrowedFd<'_>> = std::iter::once(ours.as_fd())
                .chain(listener.as_ref().map(AsFd::as_fd))
                .collect();
            let ready = FromSession::Ready {
                landlock,
                processes_seen: sees,
            };
            let mut bytes = Vec::new();
            frame::append(&mut bytes, &ready).stage("ready")?;
            session::send_files(connection.as_fd(), &bytes, &files).stage("ready")?;
            drop((ours, listener));
            // Where it sees no process the server looks.
            let watch = setup.watch.filter(|_| sees);
            Err(reaper::look_after(connection, driver, watch))
        }
    }
}

/// Moves this process, and the next one that it starts, into a world of its own. Whether root did it.
fn enter(setup: &Setup) -> Result<bool, Failure> {
    let able = sys::effective().0 == 0
        && setup.user != 0
        && OF_ROOT.into_iter().all(sys::may_have)
        && std::fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim() == "allow");
    if able && sys::unshare(WORLD).is_ok() {
        return Ok(true);
    }
    lock::leave_root();
    let (user, group) = sys::effective();
    sys::unshare(CLONE_NEWUSER | WORLD).stage("unshare")?;
    sys::dumpable(true).stage("dumpable")?;
    let proc = File::open("/proc").stage("proc")?;
    map(&proc, user, group)?;
    Ok(false)
}

/// Gives root up: another user, in a user namespace where there is no other one.
fn become_somebody(user: u32, proc: &File) -> Result<(), Failure> {
    let user = become_user(user)?;
    sys::unshare(CLONE_NEWUSER).stage("unshare")?;
    // After a change of user the files below belong to root unless the process may be looked into.
    sys::dumpable(true).stage("dumpable")?;
    map(proc, user, user)
}

/// An id that is mapped to nobody here is refused, as in some containers; then it is that of the last resort.
fn become_user(user: u32) -> Result<u32, Failure> {
    if sys::become_user(user).is_ok() {
        return Ok(user);
    }
    sys::become_user(NOBODY).stage("setuid")?;
    Ok(NOBODY)
}

/// `user_namespaces(7)`: a group can be mapped only by who has given up setgroups.
fn map(proc: &File, user: u32, group: u32) -> Result<(), Failure> {
    let write = |path, text: &str| session::open_below(proc, path)?.write_all(text.as_bytes());
    write(c"self/setgroups", "deny").stage("setgroups")?;
    write(c"self/gid_map", &format!("{NOBODY} {group} 1")).stage("gid_map")?;
    write(c"self/uid_map", &format!("{NOBODY} {user} 1")).stage("uid_map")
}

/// The process outside: it ends with the server, and the session with it. For that it must be allowed to signal
/// the session, and so be the same user.
fn wait_outside(parent: u32, user: Option<u32>) -> Result<Infallible, Failure> {
    if let Some(user) = user {
        become_user(user)?;
    }
    lock::drop_all()?;
    lock::stay_with(parent)?;
    sys::close_from(0).stage("close_range")?;
    session::ended_child(true);
    session::leave(0)
}

fn start_driver(connection: &File, setup: &Setup, socket: &OwnedFd) -> Result<i32, Failure> {
    match session::fork().stage("fork")? {
        Forked::Parent(driver) => Ok(driver),
        Forked::Child => {
            // Input becomes nothing, and the socket takes a number that may be taken.
            let aside = connection.try_clone().and_then(|first| {
                let is_taken = first.as_raw_fd() == FOR_DRIVER;
                if is_taken {
                    first.try_clone()
                } else {
                    Ok(first)
                }
            });
            let Ok(aside) = aside else { session::leave(1) };
            let Err(failure) = be_driver(setup, socket);
            let mut bytes = Vec::new();
            if frame::append(&mut bytes, &FromSession::Failed(failure)).is_ok() {
                let _ = (&mut &aside).write_all(&bytes);
            }
            session::leave(1)
        }
    }
}

fn be_driver(setup: &Setup, socket: &OwnedFd) -> Result<Infallible, Failure> {
    session::own_session().stage("setsid")?;
    session::usual_signals();
    let program = text(&setup.program)?;
    // By its path, since an interpreter looks for its modules where its name leads.
    let own = setup.program.as_str();
    let arguments = [own, "-I", "-S", "-B", "-X", "utf8", "-c", DRIVER];
    let places = setup.modules.iter().map(String::as_str);
    let arguments = arguments.into_iter().chain(places).map(text);
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let environment = setup.environment.iter();
    let environment = environment.map(|(name, value)| text(&format!("{name}={value}")));
    let environment = environment.collect::<Result<Vec<_>, _>>()?;
    restrict(setup.network);
    let null = File::open("/dev/null").stage("null")?;
    session::place(null.as_raw_fd(), 0).stage("dup")?;
    session::place(socket.as_raw_fd(), FOR_DRIVER).stage("dup")?;
    filter::install()?;
    // Last, since this program itself may have more than they allow.
    limits(setup)?;
    let error = session::execute(&program, &arguments, &environment);
    Err(error).stage("python")
}

fn text(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(io::Error::other).stage("python")
}

fn limits(setup: &Setup) -> Result<(), Failure> {
    for (resource, most) in [
        (libc::RLIMIT_AS, setup.memory),
        (libc::RLIMIT_NPROC, setup.processes),
        (libc::RLIMIT_NOFILE, OPEN_FILES),
        (libc::RLIMIT_FSIZE, setup.disk),
        (libc::RLIMIT_STACK, lock::STACK),
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_MEMLOCK, 0),
        (libc::RLIMIT_MSGQUEUE, 0),
        (libc::RLIMIT_NICE, 0),
        (libc::RLIMIT_RTPRIO, 0),
    ] {
        sys::limit(resource, most, most).stage("setrlimit")?;
    }
    Ok(())
}

/// Changing files: below the places that can be written. Rights as landlock(7) has them.
const WRITE: u64 = 1 << 1;
const CHANGE: u64 = 0b1_1111_1111 << 4;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const BIND_AND_CONNECT: u64 = 0b11;
const CONNECT: u64 = 0b10;
const SOCKETS_AND_SIGNALS: u64 = 0b11;

/// Another layer where the kernel has it: it forbids nothing that mounts and namespaces do not forbid
/// already, so that its failure takes nothing away.
fn restrict(network: bool) {
    let version = session::landlock_version();
    if version < 2 {
        return;
    }
    let mut files = WRITE | CHANGE | REFER;
    if version >= 3 {
        files |= TRUNCATE;
    }
    let ports = if version >= 4 { BIND_AND_CONNECT } else { 0 };
    let scoped = if version >= 6 { SOCKETS_AND_SIGNALS } else { 0 };
    // As long as the structure was in that version.
    let size = match version {
        ..4 => 8,
        4..6 => 16,
        _ => 24,
    };
    let ruled = Ruleset::new(files, ports, scoped, size).and_then(|rules| {
        for place in ["/scratch", "/tmp", "/dev"] {
            rules.allow_below(&File::open(place)?, files)?;
        }
        if network && ports != 0 {
            rules.allow_port(PROXY_PORT, CONNECT)?;
        }
        rules.hold()
    });
    // Nobody can be told from here.
    drop(ruled);
}
