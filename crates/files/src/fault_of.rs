//! What the operating system says, as faults. Causes go to the log; no host path leaves here.

use quaymaster_core::{Code, Fault};
use rustix::io::Errno;
use std::io;

/// The fault for an error while working on `path` (relative, as the agent knows it).
pub(crate) fn fault_of(error: &io::Error, path: &str) -> Fault {
    let shown = if path.is_empty() { "the root" } else { path };
    // cap-std reports an escape as "permission denied" without a number.
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
        return outside(shown);
    }
    let Some(errno) = Errno::from_io_error(error) else {
        return match error.kind() {
            io::ErrorKind::NotFound => nothing(shown),
            _ => internal(error),
        };
    };
    match errno {
        Errno::NOENT => nothing(shown),
        Errno::NOTDIR => not_a_directory(shown),
        Errno::ISDIR => is_a_directory(shown),
        Errno::EXIST => already_exists(shown),
        Errno::NOTEMPTY => Fault::new(Code::DirectoryNotEmpty, format!("{shown} has entries."))
            .hint("Delete what is in it first."),

        Errno::NOSPC | Errno::DQUOT => {
            tracing::error!(%error, "the disk of the workspaces is full");
            Fault::new(
                Code::InsufficientStorage,
                "The server's disk is full. Nothing was changed.",
            )
            .hint("Tell the operator of the server; trying again helps only after that.")
        }
        Errno::ACCESS | Errno::PERM | Errno::ROFS => {
            tracing::error!(%error, "the server may not touch a file of a workspace");
            Fault::new(
                Code::Forbidden,
                format!("The server is not allowed to touch {shown}."),
            )
            .hint("Its owner or mode on the server is wrong; tell the operator.")
        }
        Errno::LOOP | Errno::XDEV => outside(shown),
        Errno::NAMETOOLONG => {
            Fault::invalid_arg("/path", "maxLength", "A name in the path is too long.")
                .hint("Use shorter names.")
        }
        Errno::NXIO | Errno::NODEV => not_regular(shown),
        _ => internal(error),
    }
}

fn nothing(shown: &str) -> Fault {
    Fault::not_found(format!("There is nothing at {shown}."))
        .hint("list_files of the directory shows what is there.")
}

pub(crate) fn errno_fault(errno: Errno, path: &str) -> Fault {
    fault_of(&io::Error::from(errno), path)
}

/// Logs the cause and answers `INTERNAL`.
pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Fault {
    tracing::error!(%cause, "file work failed");
    Fault::internal()
}

pub(crate) fn outside(path: &str) -> Fault {
    Fault::new(
        Code::PathOutsideWorkspace,
        format!("{path} leads out of the workspace by a symbolic link."),
    )
    .hint("Use the file's own path inside the workspace.")
}

pub(crate) fn not_regular(path: &str) -> Fault {
    Fault::invalid_arg("/path", "type", format!("{path} is not a regular file."))
        .hint("Pipes, sockets and devices cannot be used; name a regular file.")
}

pub(crate) fn is_a_directory(path: &str) -> Fault {
    Fault::new(Code::IsADirectory, format!("{path} is a directory."))
        .hint("Name a file inside it; list_files shows them.")
}

pub(crate) fn not_a_directory(path: &str) -> Fault {
    Fault::new(
        Code::NotADirectory,
        format!("{path} is not a directory, or leads through a file."),
    )
    .hint("list_files of the parent directory shows what is there.")
}

pub(crate) fn already_exists(path: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("Something is already at {path}."),
    )
    .hint("Choose another path, or pass what allows replacing it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_has_one_code_each_and_no_host_path() {
        for (errno, code) in [
            (Errno::NOENT, Code::NotFound),
            (Errno::NOSPC, Code::InsufficientStorage),
            (Errno::DQUOT, Code::InsufficientStorage),
            (Errno::ACCESS, Code::Forbidden),
            (Errno::PERM, Code::Forbidden),
            (Errno::LOOP, Code::PathOutsideWorkspace),
            (Errno::XDEV, Code::PathOutsideWorkspace),
            (Errno::NAMETOOLONG, Code::InvalidArg),
            (Errno::NXIO, Code::InvalidArg),
            (Errno::ISDIR, Code::IsADirectory),
            (Errno::NOTDIR, Code::NotADirectory),
            (Errno::NOTEMPTY, Code::DirectoryNotEmpty),
            (Errno::EXIST, Code::AlreadyExists),
            (Errno::IO, Code::Internal),
        ] {
            assert_eq!(errno_fault(errno, "a/b").code, code, "{errno}");
        }
        let escape = io::Error::new(io::ErrorKind::PermissionDenied, "led outside of /srv/x");
        let fault = fault_of(&escape, "a/b");
        assert_eq!(fault.code, Code::PathOutsideWorkspace);
        assert!(!fault.to_json().to_string().contains("/srv"));
    }
}
