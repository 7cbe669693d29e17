//! Encodings by their WHATWG label, in both directions.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quaymaster_core::{Code, Fault};

/// How many bytes a line end is made of, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Units {
    /// Every encoding in which the byte 0x0A is always a line feed.
    Bytes,
    Utf16Le,
    Utf16Be,
}

impl Units {
    pub(crate) fn of(encoding: &'static Encoding) -> Units {
        if encoding == UTF_16LE {
            Units::Utf16Le
        } else if encoding == UTF_16BE {
            Units::Utf16Be
        } else {
            Units::Bytes
        }
    }

    pub(crate) fn width(self) -> usize {
        if self == Units::Bytes { 1 } else { 2 }
    }

    /// The position of the first line feed; `bytes` starts at a unit.
    pub(crate) fn find_lf(self, bytes: &[u8]) -> Option<usize> {
        let pair = match self {
            Units::Bytes => return memchr::memchr(b'\n', bytes),
            Units::Utf16Le => [b'\n', 0],
            Units::Utf16Be => [0, b'\n'],
        };
        let (units, _) = bytes.as_chunks::<2>();
        units
            .iter()
            .position(|unit| *unit == pair)
            .map(|index| index * 2)
    }

    /// Whether `bytes` ends with a carriage return.
    pub(crate) fn ends_with_cr(self, bytes: &[u8]) -> bool {
        match self {
            Units::Bytes => bytes.ends_with(b"\r"),
            Units::Utf16Le => bytes.ends_with(&[b'\r', 0]),
            Units::Utf16Be => bytes.ends_with(&[0, b'\r']),
        }
    }
}

/// The encoding that a file starts to declare, and the length of the mark.
pub(crate) fn of_bom(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(head)
}

pub(crate) fn by_label(label: &str) -> Result<&'static Encoding, Fault> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        Fault::new(
            Code::EncodingUnsupported,
            "There is no encoding with that label.",
        )
        .hint("Use a WHATWG label, for example utf-8, windows-1252, utf-16le or shift_jis.")
    })
}

/// The label that answers carry, for example `utf-8`.
pub(crate) fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

/// Text of bytes; what the encoding does not have becomes U+FFFD.
pub(crate) fn decode(bytes: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Whether text can be put into a file of this encoding piece by piece. ISO-2022-JP switches
/// character sets on the way, so that a piece means nothing by itself.
pub(crate) fn editable(encoding: &'static Encoding) -> Result<(), Fault> {
    if encoding == encoding_rs::ISO_2022_JP || encoding == encoding_rs::REPLACEMENT {
        return Err(unsupported(encoding, "cannot be edited in place"));
    }
    Ok(())
}

/// Bytes of text, or `ENCODING_UNSUPPORTED` when a character has none.
pub(crate) fn encode(text: &str, encoding: &'static Encoding) -> Result<Vec<u8>, Fault> {
    editable(encoding)?;
    if encoding == UTF_8 {
        return Ok(text.as_bytes().to_vec());
    }
    if encoding == UTF_16LE {
        return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    }
    if encoding == UTF_16BE {
        return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    let (bytes, _, unmappable) = encoding.encode(text);
    if unmappable {
        let missing = text.chars().find(|c| {
            let mut buffer = [0; 4];
            encoding.encode(c.encode_utf8(&mut buffer)).2
        });
        let what = missing.map_or_else(String::new, |c| format!(" (first: {c:?})"));
        return Err(unsupported(
            encoding,
            &format!("lacks a character of the text{what}"),
        ));
    }
    Ok(bytes.into_owned())
}

/// Decodes for an edit of the whole text: only when encoding it again gives the same bytes.
pub(crate) fn decode_exactly(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Fault> {
    editable(encoding)?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = text.ok_or_else(|| unsupported(encoding, "does not fit the file's bytes"))?;
    if encoding != UTF_8 && encode(&text, encoding)? != bytes {
        return Err(unsupported(encoding, "does not give back the file's bytes"));
    }
    Ok(text.into_owned())
}

fn unsupported(encoding: &'static Encoding, why: &str) -> Fault {
    let message = format!(
        "The encoding {} {why}. Nothing was written.",
        name(encoding)
    );
    Fault::new(Code::EncodingUnsupported, message)
        .hint("Name the right one in `encoding`, or write the whole file with write_file.")
        .detail("encoding", name(encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_without_bytes_is_named() {
        let fault = encode("price: 5 ₿", encoding_rs::WINDOWS_1252).unwrap_err();
        assert!(fault.message.contains("'₿'"), "{fault}");
    }

    #[test]
    fn utf_16_goes_both_ways() {
        for encoding in [UTF_16LE, UTF_16BE] {
            let bytes = encode("aé𝄞\r\n", encoding).unwrap();
            assert_eq!(decode_exactly(&bytes, encoding).unwrap(), "aé𝄞\r\n");
            assert_eq!(Units::of(encoding).find_lf(&bytes), Some(10));
        }
    }
}
