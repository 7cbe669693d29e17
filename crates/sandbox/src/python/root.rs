//! The files of a session: a new root in memory, the system's programs read-only, room to write.

use super::message::Setup;
use crate::isolation::Failure;
use crate::lock::Stage as _;
use crate::sys::{self, session};
use libc::{MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT};
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Where the new root is built. It surely exists, and nothing that is mounted comes from there.
const HERE: &str = "/proc";
/// Files and directories of all writable places, each.
const ENTRIES: usize = 20_000;
/// Of memory.
const PAGE: usize = 4096;
const SHARED_MEMORY: u64 = 16 << 20;
/// Of the system: links are made again, directories mounted.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"];
/// Of its settings: how libraries are found, whose certificates are believed. Nothing private.
const SETTINGS: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust/extracted",
    "/etc/ca-certificates/extracted",
    "/etc/crypto-policies",
];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "nobody:x:65534:65534:nobody:/scratch:/bin/sh\n",
    ),
    ("/etc/group", "nogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
];

/// Builds the root and moves into it; the old one is gone afterwards. Whether `/proc` could be mounted, which
/// a machine may refuse that hides parts of its own.
pub(super) fn build(setup: &Setup, contents: &mut impl Read) -> Result<bool, Failure> {
    sys::mount(None, c"/", None, MS_REC | MS_PRIVATE, None).stage("mount")?;
    // A file takes whole pages, and may be alone in its directory.
    let pages = |length: usize| length.next_multiple_of(PAGE).max(PAGE) as u64;
    let given: u64 = setup.files.iter().map(|file| pages(file.length)).sum();
    let entries = ENTRIES + 2 * (setup.files.len() + setup.places.len());
    memory(HERE, given + (8 << 20), entries, 0o755).stage("mount")?;
    // First, since an interpreter may be below one of them.
    for place in ["/scratch", "/tmp"] {
        fs::create_dir_all(inside(place)).stage("files")?;
        memory(&format!("{HERE}{place}"), setup.disk, ENTRIES, 0o1777).stage("mount")?;
    }
    system(setup).stage("mount_system")?;
    for directory in &setup.directories {
        let inside = directory.to_str().unwrap_or_default();
        bind(directory, inside).stage("mount_python")?;
    }
    devices().stage("mount_devices")?;
    for (path, text) in FILES {
        write(path, text.as_bytes(), 0o444).stage("files")?;
    }
    for place in &setup.places {
        fs::create_dir_all(inside(place)).stage("files")?;
    }
    for file in &setup.files {
        let mut bytes = vec![0; file.length];
        contents.read_exact(&mut bytes).stage("files")?;
        let mode = if file.executable { 0o555 } else { 0o444 };
        write(&file.path, &bytes, mode).stage("files")?;
    }
    let sees = processes().stage("files")?;
    std::env::set_current_dir(HERE).stage("chdir")?;
    sys::pivot_root_here().stage("pivot_root")?;
    sys::unmount_here().stage("umount")?;
    let sealed = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV;
    sys::mount(None, c"/", None, sealed, None).stage("mount")?;
    std::env::set_current_dir("/scratch").stage("chdir")?;
    Ok(sees)
}

fn inside(path: &str) -> PathBuf {
    PathBuf::from(format!("{HERE}{path}"))
}

fn c_path(path: &Path) -> io::Result<CString> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// A file system in memory.
fn memory(at: &str, bytes: u64, entries: usize, mode: u32) -> io::Result<()> {
    let data = format!("size={bytes},nr_inodes={entries},mode={mode:o}");
    let data = CString::new(data).map_err(io::Error::other)?;
    let at = c_path(Path::new(at))?;
    let flags = MS_NOSUID | MS_NODEV;
    sys::mount(Some(c"none"), &at, Some(c"tmpfs"), flags, Some(&data))
}

fn system(setup: &Setup) -> io::Result<()> {
    let root = setup.root.as_deref().unwrap_or(Path::new("/"));
    for path in SYSTEM {
        let from = root.join(&path[1..]);
        match fs::read_link(&from) {
            Ok(to) => symlink(to, inside(path))?,
            Err(_) if from.is_dir() => bind(&from, path)?,
            Err(_) => {}
        }
    }
    for path in SETTINGS {
        let from = root.join(&path[1..]);
        // A link may lead to a place that is not there inside; its end is mounted.
        if from.exists() {
            bind(&from, path)?;
        }
    }
    Ok(())
}

/// Mounts a file or directory read-only.
fn bind(from: &Path, to: &str) -> io::Result<()> {
    let target = inside(to);
    if from.is_dir() {
        fs::create_dir_all(&target)?;
    } else {
        make_parent(&target)?;
        fs::write(&target, b"")?;
    }
    let (from, target) = (c_path(from)?, c_path(&target)?);
    sys::mount(Some(&from), &target, None, MS_BIND | MS_REC, None)?;
    if session::read_only_below(&target).is_ok() {
        return Ok(());
    }
    // Before Linux 5.12 for the mount alone, not for those below it.
    let kept = session::mount_flags(&target)?;
    let flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | kept;
    sys::mount(None, &target, None, flags, None)
}

fn devices() -> io::Result<()> {
    for name in DEVICES {
        let path = format!("/dev/{name}");
        let target = inside(&path);
        make_parent(&target)?;
        fs::write(&target, b"")?;
        let (from, target) = (c_path(Path::new(&path))?, c_path(&target)?);
        sys::mount(Some(&from), &target, None, MS_BIND, None)?;
    }
    symlink("/proc/self/fd", inside("/dev/fd"))?;
    fs::create_dir(inside("/dev/shm"))?;
    memory(&format!("{HERE}/dev/shm"), SHARED_MEMORY, ENTRIES, 0o1777)
}

fn processes() -> io::Result<bool> {
    let target = inside("/proc");
    fs::create_dir(&target)?;
    let flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    let (target, data) = (c_path(&target)?, c"hidepid=2,subset=pid");
    Ok(sys::mount(Some(c"proc"), &target, Some(c"proc"), flags, Some(data)).is_ok())
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn write(path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let target = inside(path);
    make_parent(&target)?;
    fs::write(&target, bytes)?;
    fs::set_permissions(&target, Permissions::from_mode(mode))
}
