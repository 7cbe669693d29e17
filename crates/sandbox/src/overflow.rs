//! What is nested too deeply.
//!
//! Parsers descend as deep as their source is nested, until there is no stack left and the kernel sends
//! SIGSEGV. While they run, a handler on a stack of its own turns that into an answer, the last one of this
//! worker. At any other time the signal ends it as usual.

#![expect(
    unsafe_code,
    reason = "a handler of signals, on a stack that it is given"
)]

use crate::frame;
use crate::lock::STACK;
use serde::Serialize;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

const OWN_STACK: usize = 64 * 1024;

static WATCHED: AtomicBool = AtomicBool::new(false);
static CONNECTION: AtomicI32 = AtomicI32::new(-1);
/// The answer, made beforehand: a handler must not allocate (signal-safety(7)).
static ANSWER: OnceLock<Vec<u8>> = OnceLock::new();

/// Installs the handler, with what it says to the server. To be called before the worker is locked.
pub(crate) fn watch(connection: &File, answer: &impl Serialize) {
    let mut bytes = Vec::new();
    if frame::append(&mut bytes, answer).is_err() {
        return;
    }
    let _ = ANSWER.set(bytes);
    CONNECTION.store(connection.as_raw_fd(), Ordering::Relaxed);
    let stack = libc::stack_t {
        // For as long as the process lives.
        ss_sp: Box::leak(vec![0_u8; OWN_STACK].into_boxed_slice())
            .as_mut_ptr()
            .cast(),
        ss_flags: 0,
        ss_size: OWN_STACK,
    };
    // SAFETY: the stack is valid memory of that size that nothing else uses and that is never freed.
    if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } != 0 {
        return;
    }
    // SAFETY: a sigaction is numbers and an optional function; all zero is a valid one.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction =
        on_fault as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as *const () as usize;
    // Once: after it returns, the same instruction faults again and ends the process by the signal.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND;
    // SAFETY: the action is initialised, and its handler does only what signal-safety(7) allows.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut()) };
}

extern "C" fn on_fault(_signal: c_int, _info: *mut libc::siginfo_t, _context: *mut c_void) {
    if !WATCHED.load(Ordering::Relaxed) {
        return;
    }
    if let Some(answer) = ANSWER.get() {
        // SAFETY: write(2) is safe in a handler; the answer is never changed or freed.
        unsafe {
            libc::write(
                CONNECTION.load(Ordering::Relaxed),
                answer.as_ptr().cast(),
                answer.len(),
            )
        };
        // SAFETY: _exit(2) is safe in a handler, and runs nothing more of this process.
        unsafe { libc::_exit(0) };
    }
}

/// Runs `work`; a stack overflow in it ends the worker with an answer.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> T {
    const { assert!(STACK > OWN_STACK as u64) };
    WATCHED.store(true, Ordering::Relaxed);
    let done = work();
    WATCHED.store(false, Ordering::Relaxed);
    done
}
