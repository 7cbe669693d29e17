//! How server and worker talk: a length of four bytes, little end first, and that much JSON.

use serde::Serialize;
use std::io::{self, Read};

/// The longest frame that a server usually reads, which does not trust its worker.
pub(crate) const MAX_FROM_WORKER: usize = 1024 * 1024;

/// Read at once.
const READ: usize = 16 * 1024;

/// Appends a frame with `message`.
pub(crate) fn append(to: &mut Vec<u8>, message: &impl Serialize) -> io::Result<()> {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *to, message)?;
    let length =
        u32::try_from(to.len() - start - 4).map_err(|_| io::Error::other("a frame is too long"))?;
    to[start..start + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Reads one frame, of any length: for the worker, which trusts its server.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

/// Takes frames apart that arrive in pieces.
#[derive(Debug)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// Where the next frame begins.
    at: usize,
    /// The longest frame.
    most: usize,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames::up_to(MAX_FROM_WORKER)
    }
}

/// A frame is longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Frames {
    /// For frames of at most so many bytes.
    pub(crate) fn up_to(most: usize) -> Frames {
        Frames {
            bytes: Vec::new(),
            at: 0,
            most,
        }
    }

    /// Gives memory back that a long frame needed and that is more than `usual`.
    pub(crate) fn shrink(&mut self, usual: usize) {
        if self.bytes.capacity() > usual {
            self.bytes.drain(..self.at);
            self.at = 0;
            self.bytes.shrink_to(usual);
        }
    }

    /// What came behind the frames that were taken, where no more frames come.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.drain(..std::mem::take(&mut self.at));
        bytes
    }

    /// Where to put what arrives next.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.reserve(READ);
        &mut self.bytes
    }

    /// The next frame that is there as a whole.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let rest = &self.bytes[self.at..];
        let Some((length, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*length) as usize;
        if length > self.most {
            return Err(TooLong);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let start = self.at + 4;
        self.at = start + length;
        Ok(Some(&self.bytes[start..start + length]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_arrive() {
        let mut sent = Vec::new();
        append(&mut sent, &json!({ "a": 1 })).unwrap();
        append(&mut sent, &json!("")).unwrap();
        assert_eq!(read(&mut sent.as_slice()).unwrap(), br#"{"a":1}"#);
        for piece in 1..sent.len() {
            let mut frames = Frames::default();
            let mut came = Vec::new();
            for bytes in sent.chunks(piece) {
                frames.room().extend_from_slice(bytes);
                while let Some(frame) = frames.next().unwrap() {
                    came.push(frame.to_vec());
                }
            }
            assert_eq!(came, [br#"{"a":1}"#.to_vec(), br#""""#.to_vec()]);
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_come() {
        let mut frames = Frames::default();
        frames.room().extend_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(frames.next(), Err(TooLong));
    }
}
