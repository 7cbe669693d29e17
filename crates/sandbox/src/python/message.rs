//! What server, session and driver say to each other.
//!
//! The server begins with a [`Setup`] and the bytes of its files, all on the control connection. The session
//! answers with [`FromSession::Ready`], with which two files come over: the connection to the driver, and
//! the listener of the proxy if there is one. Then the server says one of the bytes below at a time.
//! The driver is the interpreter that runs strangers' programs: its messages are fields, and none is believed.

use crate::isolation::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Lets the driver go on, and looks after memory while it runs.
pub(crate) const RUN: u8 = b'r';
/// Interrupts the program.
pub(crate) const INTERRUPT: u8 = b'i';
/// Ends all that the program started, and stops the driver until the next [`RUN`].
pub(crate) const SWEEP: u8 = b's';

/// The port of the proxy in the session's own network.
pub(crate) const PROXY_PORT: u16 = 3128;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Whom to become when started by root.
    pub(crate) user: u32,
    pub(crate) network: bool,
    /// Where the directories of the system are taken from; the machine's own root unless said otherwise.
    pub(crate) root: Option<PathBuf>,
    /// The interpreter's path inside.
    pub(crate) program: String,
    /// Arguments of the driver: more places of modules.
    pub(crate) modules: Vec<String>,
    /// Directories besides the system's, at the same place inside.
    pub(crate) directories: Vec<PathBuf>,
    /// Directories that are there also when no file is in them.
    pub(crate) places: Vec<String>,
    /// The bytes follow the setup, in this order.
    pub(crate) files: Vec<File>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) memory: u64,
    pub(crate) processes: u64,
    pub(crate) disk: u64,
    /// End the session when all its processes have more memory than this together, as far as they can be seen.
    pub(crate) watch: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct File {
    /// Absolute.
    pub(crate) path: String,
    pub(crate) length: usize,
    pub(crate) executable: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromSession {
    Ready {
        landlock: u32,
        processes_seen: bool,
    },
    Failed(Failure),
    /// The driver ended, with a status as wait(2) has it.
    Died(i32),
    /// The processes had so many bytes together.
    OverMemory(u64),
    Swept,
}

/// Appends a message of the driver's kind.
pub(crate) fn append_fields<'a>(to: &mut Vec<u8>, fields: impl Iterator<Item = &'a [u8]>) {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    for field in fields {
        to.extend_from_slice(&u32::try_from(field.len()).unwrap_or(0).to_le_bytes());
        to.extend_from_slice(field);
    }
    let length = u32::try_from(to.len() - start - 4).unwrap_or(0);
    to[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// The fields of a message; none when it is not made of fields.
pub(crate) fn fields(mut message: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let (length, rest) = message.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        found.push(field);
        message = rest;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_out_as_they_went_in_and_nothing_else_does() {
        let mut bytes = Vec::new();
        append_fields(&mut bytes, [b"one".as_slice(), b"", b"three"].into_iter());
        assert_eq!(bytes[..4], 20_u32.to_le_bytes());
        let read = fields(&bytes[4..]).unwrap();
        assert_eq!(read, [b"one".as_slice(), b"", b"three"]);
        for cut in 5..bytes.len() {
            let part = fields(&bytes[4..cut]);
            assert!(part.is_none_or(|part| part.len() < 3), "{cut}");
        }
        assert_eq!(fields(&u32::MAX.to_le_bytes()), None);
    }
}
