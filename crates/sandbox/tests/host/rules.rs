//! Breaking rules: what a program could do if the engine let it run code of its own, and system
//! calls refused to the server as some machines refuse them.

use rquickjs::Ctx;
use rquickjs::function::Func;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;

/// From here on the call fails with the error, in this process and all that it starts.
pub(crate) fn deny(call: &str, errno: u32) {
    let number = match call {
        "unshare" => libc::SYS_unshare,
        "mount" => libc::SYS_mount,
        "pivot_root" => libc::SYS_pivot_root,
        // The filters that are installed later, this being the last one.
        "seccomp" => libc::SYS_seccomp,
        "close_range" => libc::SYS_close_range,
        other => panic!("what is {other}?"),
    };
    let rules: BTreeMap<_, Vec<SeccompRule>> = [(number, Vec::new())].into();
    let arch = std::env::consts::ARCH.try_into().expect("an architecture");
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        arch,
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("a filter");
    seccompiler::apply_filter(&program).expect("filters");
}

/// `native(what)`: does something that no program can, and answers what came of it.
pub(crate) fn break_them(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    ctx.globals().set("native", Func::from(native))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the engine gives arguments away"
)]
fn native(what: String) -> i64 {
    let call = |number, a: usize, b: usize, c: usize| {
        // SAFETY: every pointer below is null or static; the tests expect the process to die of it.
        unsafe { libc::syscall(number, a, b, c, 0, 0, 0) }
    };
    let path = c"/etc/passwd".as_ptr() as usize;
    match what.as_str() {
        "open" => call(libc::SYS_openat, libc::AT_FDCWD as usize, path, 0),
        "socket" => call(
            libc::SYS_socket,
            libc::AF_INET as usize,
            libc::SOCK_STREAM as usize,
            0,
        ),
        "exec" => call(libc::SYS_execve, c"/bin/true".as_ptr() as usize, 0, 0),
        "clone" => call(libc::SYS_clone, libc::SIGCHLD as usize, 0, 0),
        "mmap_exec" => call(
            libc::SYS_mmap,
            0,
            4096,
            (libc::PROT_READ | libc::PROT_EXEC) as usize,
        ),
        "mprotect_exec" => {
            // SAFETY: a new anonymous page.
            let page = unsafe {
                libc::mmap(
                    ptr::null_mut::<c_void>(),
                    4096,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            call(
                libc::SYS_mprotect,
                page as usize,
                4096,
                (libc::PROT_READ | libc::PROT_EXEC) as usize,
            )
        }
        "kill_parent" | "tgkill_parent" => {
            let parent = std::env::args()
                .nth(3)
                .and_then(|id| id.parse().ok())
                .unwrap_or(0_usize);
            match what.as_str() {
                "kill_parent" => call(libc::SYS_kill, parent, libc::SIGKILL as usize, 0),
                _ => call(libc::SYS_tgkill, parent, parent, libc::SIGKILL as usize),
            }
        }
        "ptrace" => call(libc::SYS_ptrace, libc::PTRACE_TRACEME as usize, 0, 0),
        "prctl" => call(libc::SYS_prctl, libc::PR_SET_DUMPABLE as usize, 1, 0),
        "unshare" => call(libc::SYS_unshare, libc::CLONE_NEWUSER as usize, 0, 0),
        "uname" => call(libc::SYS_uname, 0, 0, 0),
        "ioctl" => call(libc::SYS_ioctl, 0, libc::TIOCSTI as usize, path),
        // The lower half of what is a call of the 32-bit ABI on a 64-bit kernel.
        "x32" => call(0x4000_0000 | libc::SYS_read, 0, 0, 0),
        "segv" => {
            // SAFETY: none; this is the point.
            unsafe { ptr::null_mut::<u8>().write_volatile(1) };
            0
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "abort" => std::process::abort(),
        "panic" => panic!("as asked"),
        "exit" => std::process::exit(0),
        "frame_long" => say(&u32::MAX.to_le_bytes()),
        "frame_junk" => say(b"\x03\0\0\0{]}"),
        "frame_unknown" => framed(r#"{"call_me":1}"#),
        "frame_again" => framed(r#"{"ready":{"isolation":"full","lacks":null}}"#),
        "frame_id" => framed(r#"{"call":{"id":7,"alias":"test","action":"echo","input":{}}}"#),
        "frame_flood" => {
            let log = format!(
                r#"{{"log":{{"level":"log","text":"{}"}}}}"#,
                "x".repeat(1000)
            );
            for _ in 0..100 {
                framed(&log);
            }
            0
        }
        "frame_result" => framed(&format!(
            r#"{{"done":{{"end":{{"ok":"{}"}},"unsent":[],"logs_dropped":0}}}}"#,
            "x".repeat(100_000)
        )),
        "frame_calls" => {
            for id in 1..=17 {
                framed(&format!(
                    r#"{{"call":{{"id":{id},"alias":"test","action":"never","input":{{}}}}}}"#
                ));
            }
            0
        }
        // Files above the connection and the two outputs that can be read.
        "files" => (3..1024)
            .filter(|&fd| call(libc::SYS_read, fd, 0, 0) == 0)
            .count() as i64,
        "environment" => std::env::vars_os().filter(|(name, _)| name != "TZ").count() as i64,
        "write_file" => call(libc::SYS_write, 1, path, 1),
        other => panic!("what is {other}?"),
    }
}

fn framed(json: &str) -> i64 {
    say(&(json.len() as u32).to_le_bytes());
    say(json.as_bytes())
}

fn say(bytes: &[u8]) -> i64 {
    // SAFETY: the bytes are valid for the length of the call.
    unsafe { libc::write(0, bytes.as_ptr().cast(), bytes.len()) as i64 }
}
