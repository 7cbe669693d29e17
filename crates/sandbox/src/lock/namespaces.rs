//! A world of its own: no network, no file, no other user.

use super::Stage as _;
use crate::isolation::Failure;
use crate::sys;
use libc::{
    CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWUTS, MS_BIND, MS_NODEV,
    MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT,
};
use std::fs::OpenOptions;
use std::io::{self, Write as _};

/// Moves this process into namespaces whose root is an empty directory that cannot be written.
///
/// All steps are run, since some machines let a user namespace be made and then refuse what it is for
/// (Ubuntu with `AppArmor`). What was done when a step fails stays, and takes nothing away.
pub(super) fn enter() -> Result<(), Failure> {
    let (user, group) = sys::effective();
    sys::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
        .stage("unshare")?;
    // After a change of user the files below belong to root unless the process may be looked into.
    sys::dumpable(true).stage("dumpable")?;
    // user_namespaces(7): a group can be mapped only by who has given up setgroups.
    write("/proc/self/setgroups", "deny").stage("setgroups")?;
    write("/proc/self/gid_map", &format!("65534 {group} 1")).stage("gid_map")?;
    write("/proc/self/uid_map", &format!("65534 {user} 1")).stage("uid_map")?;
    empty_root()
}

fn empty_root() -> Result<(), Failure> {
    sys::mount(None, c"/", None, MS_REC | MS_PRIVATE, None).stage("mount")?;
    // Somewhere that surely exists: this program was started from there.
    sys::mount(
        Some(c"none"),
        c"/proc",
        Some(c"tmpfs"),
        MS_NOSUID | MS_NODEV | MS_NOEXEC,
        Some(c"size=4k,nr_inodes=2,mode=0555"),
    )
    .stage("mount")?;
    std::env::set_current_dir("/proc").stage("chdir")?;
    sys::pivot_root_here().stage("pivot_root")?;
    sys::unmount_here().stage("umount")?;
    sys::mount(
        None,
        c"/",
        None,
        MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
        None,
    )
    .stage("mount")?;
    std::env::set_current_dir("/").stage("chdir")
}

fn write(path: &str, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(text.as_bytes())
}
