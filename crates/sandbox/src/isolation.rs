//! How well a worker is shut in on this machine.

use quaymaster_core::{Code, Fault};
use serde::{Deserialize, Serialize};

/// What holds a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// An empty file system, no network and no other process in sight, besides what
    /// [`Isolation::Seccomp`] has.
    Full,
    /// A list of system calls, none of which opens or sends anything, and resource limits.
    Seccomp,
}

impl Isolation {
    pub const fn name(self) -> &'static str {
        match self {
            Isolation::Full => "full",
            Isolation::Seccomp => "seccomp",
        }
    }
}

/// The step of shutting in that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For example `unshare` or `seccomp`.
    pub stage: String,
    /// The system's error number; 0 when it gave none.
    pub errno: i32,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.errno == 0 {
            f.write_str(&self.stage)
        } else {
            let error = std::io::Error::from_raw_os_error(self.errno);
            write!(f, "{}: {error}", self.stage)
        }
    }
}

/// What [`probe`](crate::probe) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    pub isolation: Isolation,
    /// Why it is not [`Isolation::Full`].
    pub lacks: Option<Failure>,
}

impl std::fmt::Display for Probed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.lacks {
            None => write!(f, "programs run with {} isolation", self.isolation.name()),
            Some(lacks) => write!(
                f,
                "JavaScript runs with {} isolation, without namespaces ({lacks}). {}",
                self.isolation.name(),
                lacks.fix()
            ),
        }
    }
}

impl Failure {
    /// What an operator does about a machine that cannot isolate fully.
    pub fn fix(&self) -> &'static str {
        match self.stage.as_str() {
            "seccomp" | "no_new_privs" => {
                "Use a Linux kernel with CONFIG_SECCOMP_FILTER, and do not run the server under an emulator such as gVisor's ptrace platform or qemu-user."
            }
            "unshare" if self.errno == 28 => {
                "Raise the number of user namespaces: sysctl -w user.max_user_namespaces=10000."
            }
            "unshare" | "uid_map" | "gid_map" | "setgroups" | "mount" | "pivot_root" => {
                "Let the server make user namespaces: on Ubuntu, sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile with `userns,`; on Debian, sysctl -w kernel.unprivileged_userns_clone=1; in Docker, a seccomp profile that allows unshare, mount and pivot_root."
            }
            stage if stage.starts_with("python") => {
                "Install CPython 3.9 or newer as python3 where every user can read it (Debian: apt-get install python3), or set sandbox.python.root to a directory with a system that has it."
            }
            "cgroup" => {
                "Let the server limit sessions by control groups: in its systemd unit Delegate=yes and DelegateSubgroup=server, or set sandbox.require_cgroup to false."
            }
            "memory" => {
                "Let the server see the processes that it starts: no hidepid for its /proc, and a kernel with CONFIG_PROC_CHILDREN. Or let it limit sessions by control groups: in its systemd unit Delegate=yes and DelegateSubgroup=server."
            }
            "setuid" | "mount_system" | "mount_python" | "mount_devices" | "mount_given"
            | "listener" | "loopback" => {
                "Let the server make user namespaces and mounts in them; docs/sandbox.md has an AppArmor profile, a seccomp profile for Docker and a systemd unit."
            }
            "spawn" => {
                "Mount /proc, let the server's own file be executed, and raise the limits of processes and open files."
            }
            _ => {
                "Look at the server's log, and at what limits the service manager or container sets."
            }
        }
    }

    /// The fault of a run on a machine that cannot isolate at all.
    pub fn fault(&self) -> Fault {
        Fault::new(
            Code::SandboxUnavailable,
            format!("This host cannot shut programs in ({self})."),
        )
        .hint(self.fix())
        .detail("stage", self.stage.clone())
        .detail("errno", self.errno)
    }
}
