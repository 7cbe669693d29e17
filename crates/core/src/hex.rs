//! Lower-case hexadecimal, as digests and signatures are written.

use std::fmt::Write as _;

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
