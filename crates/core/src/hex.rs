//! Hexadecimal, as digests, signatures and keys are written.

use std::fmt::Write as _;

/// In lower case.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What exactly so many digits say, in either case; nothing stands between or around them.
pub fn unhex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from((digit(*high)? << 4) | digit(*low)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back_and_nothing_else_does() {
        let every: [u8; 256] = std::array::from_fn(|at| at as u8);
        assert_eq!(unhex(&hex(&every)), Some(every));
        assert_eq!(unhex("00fF"), Some([0, 255]));
        for wrong in [
            "", "00f", "00ff0", "00ff00", "00fg", "+0ff", " 00f", "0é0", "éé",
        ] {
            assert_eq!(unhex::<2>(wrong), None, "{wrong:?}");
        }
    }
}
