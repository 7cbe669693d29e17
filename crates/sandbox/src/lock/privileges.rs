//! Rights that a worker does not need, which are all.

use super::Stage as _;
use crate::isolation::Failure;
use crate::sys;

/// The user of last resort on every Linux system.
const NOBODY: u32 = 65534;
const CAP_KILL: u32 = 5;
const CAP_SETGID: u32 = 6;
const CAP_SETUID: u32 = 7;
/// More than any kernel has.
const CAPABILITIES: u32 = 64;

/// Started by root, a worker becomes nobody, so that it has not even the server's name.
///
/// Not where root lacks the capabilities for it, as in some containers: there the server could not
/// kill its worker any more. A failure leaves the user as it is, and takes nothing of the rest away.
pub(crate) fn leave_root() {
    let able = [CAP_KILL, CAP_SETGID, CAP_SETUID]
        .into_iter()
        .all(sys::may_have);
    if sys::effective().0 == 0 && able {
        let _ = sys::become_user(NOBODY);
    }
}

/// No capability now or later.
pub(crate) fn drop_all() -> Result<(), Failure> {
    for capability in 0..CAPABILITIES {
        // Refused for those the kernel does not know, and for all where there is none to begin with.
        let _ = sys::never_have(capability);
    }
    sys::have_none().stage("capset")?;
    sys::no_new_privs().stage("no_new_privs")
}
