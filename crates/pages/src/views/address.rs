//! Parts of addresses on this server.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// One segment of a path: everything but unreserved characters percent-encoded (RFC 3986 §2.3).
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|half| char::from(DIGITS[usize::from(half)])));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("ws_01h-a.b~"), "ws_01h-a.b~");
        assert_eq!(segment("../a?b#c é"), "..%2Fa%3Fb%23c%20%C3%A9");
    }
}
