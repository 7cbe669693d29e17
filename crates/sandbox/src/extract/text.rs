//! Plain text in whatever encoding it is.

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Looked at to tell text from what is none.
const HEAD: usize = 8 * 1024;
/// Looked at to guess an encoding.
const GUESS: usize = 256 * 1024;

fn mark(bytes: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(bytes).map(|(encoding, _)| encoding)
}

pub(super) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let wide = mark(bytes).is_some_and(|it| it == UTF_16LE || it == UTF_16BE);
    wide || !head.contains(&0)
}

/// Without its mark, with line ends of one kind.
pub(super) fn decode(bytes: &[u8]) -> String {
    let encoding = mark(bytes).unwrap_or_else(|| {
        if std::str::from_utf8(bytes).is_ok() {
            return UTF_8;
        }
        let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        detector.feed(&bytes[..bytes.len().min(GUESS)], true);
        detector.guess(None, chardetng::Utf8Detection::Allow)
    });
    decode_as(bytes, encoding)
}

pub(super) fn decode_as(bytes: &[u8], encoding: &'static Encoding) -> String {
    let (text, _, _) = encoding.decode(bytes);
    one_line_end(text)
}

fn one_line_end(text: Cow<'_, str>) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_found_and_line_ends_made_one() {
        assert_eq!(decode("a\r\nb\rc".as_bytes()), "a\nb\nc");
        assert_eq!(decode(b"\xef\xbb\xbfa"), "a");
        assert_eq!(decode(b"\xff\xfea\0b\0"), "ab");
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode("Grüße aus Köln, für alle");
        assert_eq!(decode(&latin), "Grüße aus Köln, für alle");
        assert!(!is_text(b"a\0b") && is_text(b"\xff\xfea\0"));
    }
}
