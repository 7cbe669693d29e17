//! One pass over a file's bytes in constant memory: digest, encoding, line ends, and a sparse
//! index of lines by which a page in the middle of a big file is found without reading the rest.

use super::encoding::{self, Units};
use super::eol::{Eol, EolStyle};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};
use quaymaster_core::hex;
use sha2::{Digest, Sha256};

/// Text or not is decided by this many bytes.
const HEAD: usize = 8 * 1024;
/// What the guess of an encoding looks at.
const SAMPLE: usize = 64 * 1024;
/// Lines between two entries of the index, at first.
const STRIDE: u64 = 1024;
/// When the index has this many entries, every other one is dropped.
const INDEX_MAX: usize = 1 << 15;

/// What one pass over a file tells.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// `sha256:<hex>`
    pub(crate) etag: String,
    pub(crate) size: u64,
    /// Media type by the first bytes.
    pub(crate) sniffed: Option<&'static str>,
    /// `None`: not text.
    pub(crate) text: Option<TextFacts>,
}

#[derive(Debug, Clone)]
pub(crate) struct TextFacts {
    pub(crate) encoding: &'static Encoding,
    /// Neither UTF-8 nor declared by a mark.
    pub(crate) guessed: bool,
    /// Length of the byte order mark.
    pub(crate) bom: u64,
    pub(crate) units: Units,
    pub(crate) lines: u64,
    lf: u64,
    crlf: u64,
    stride: u64,
    /// Where the lines 1, 1 + stride, 1 + 2 × stride … start.
    starts: Vec<u64>,
}

impl TextFacts {
    pub(crate) fn style(&self) -> EolStyle {
        match (self.lf, self.crlf) {
            (0, 0) => EolStyle::None,
            (_, 0) => EolStyle::Lf,
            (0, _) => EolStyle::Crlf,
            _ => EolStyle::Mixed,
        }
    }

    /// The end that most lines have; `None` when no line has one.
    pub(crate) fn dominant(&self) -> Eol {
        if self.lf == 0 && self.crlf == 0 {
            Eol::None
        } else if self.crlf > self.lf {
            Eol::CrLf
        } else {
            Eol::Lf
        }
    }

    /// A line at or before `line` (1-based) and where it starts.
    pub(crate) fn near(&self, line: u64) -> (u64, u64) {
        let slot = (line.saturating_sub(1) / self.stride) as usize;
        let slot = slot.min(self.starts.len().saturating_sub(1));
        let start = self.starts.get(slot).copied().unwrap_or(self.bom);
        (slot as u64 * self.stride + 1, start)
    }

    /// Memory of the index, for the bounded cache.
    pub(crate) fn weight(&self) -> usize {
        self.starts.len() * size_of::<u64>()
    }
}

pub(crate) struct Scanner {
    sha: Sha256,
    size: u64,
    forced: Option<&'static Encoding>,
    head: Vec<u8>,
    decided: bool,
    bom: Option<(&'static Encoding, usize)>,
    binary: bool,
    sniffed: Option<&'static str>,
    units: Units,
    /// Offset of the next byte that the line scan sees.
    at: u64,
    /// The unit before `at` is a carriage return.
    after_cr: bool,
    /// Half a unit at the end of the previous chunk.
    odd: Option<u8>,
    lf: u64,
    crlf: u64,
    line_start: u64,
    stride: u64,
    starts: Vec<u64>,
    utf8_rest: Vec<u8>,
    invalid: bool,
    sample: Vec<u8>,
}

impl Scanner {
    /// `forced` is the encoding an agent named.
    pub(crate) fn new(forced: Option<&'static Encoding>) -> Self {
        Scanner {
            sha: Sha256::new(),
            size: 0,
            forced,
            head: Vec::new(),
            decided: false,
            bom: None,
            binary: false,
            sniffed: None,
            units: Units::Bytes,
            at: 0,
            after_cr: false,
            odd: None,
            lf: 0,
            crlf: 0,
            line_start: 0,
            stride: STRIDE,
            starts: Vec::new(),
            utf8_rest: Vec::new(),
            invalid: false,
            sample: Vec::new(),
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        self.sha.update(chunk);
        self.size += chunk.len() as u64;
        if self.decided {
            self.scan(chunk);
            return;
        }
        self.head.extend_from_slice(chunk);
        if self.head.len() >= HEAD {
            self.decide();
        }
    }

    fn decide(&mut self) {
        self.decided = true;
        let head = std::mem::take(&mut self.head);
        self.bom = encoding::of_bom(&head);
        let encoding = self.forced.or(self.bom.map(|(encoding, _)| encoding));
        self.units = encoding.map_or(Units::Bytes, Units::of);
        self.sniffed = infer::get(&head).map(|kind| kind.mime_type());
        let nul = || memchr::memchr(0, &head[..head.len().min(HEAD)]).is_some();
        self.binary = self.forced.is_none()
            && ((self.units == Units::Bytes && nul()) || head.starts_with(b"%PDF-"));
        // A mark counts when it is the mark of the encoding in use.
        if self.forced.is_some() && self.bom.map(|(encoding, _)| encoding) != self.forced {
            self.bom = None;
        }
        let bom = self.bom.map_or(0, |(_, length)| length);
        self.at = bom as u64;
        self.line_start = self.at;
        self.starts.push(self.at);
        self.scan(&head[bom..]);
    }

    fn scan(&mut self, chunk: &[u8]) {
        if self.binary || chunk.is_empty() {
            return;
        }
        if self.units == Units::Bytes {
            self.check_utf8(chunk);
            for position in memchr::memchr_iter(b'\n', chunk) {
                let cr = if position == 0 {
                    self.after_cr
                } else {
                    chunk[position - 1] == b'\r'
                };
                self.line_end(cr, self.at + position as u64 + 1);
            }
            self.at += chunk.len() as u64;
            self.after_cr = chunk.ends_with(b"\r");
            return;
        }
        let odd = self.odd.take();
        let bytes = odd.into_iter().chain(chunk.iter().copied());
        let mut first = None;
        for byte in bytes {
            let Some(high) = first.take() else {
                first = Some(byte);
                continue;
            };
            let unit = match self.units {
                Units::Utf16Le => u16::from_le_bytes([high, byte]),
                _ => u16::from_be_bytes([high, byte]),
            };
            self.at += 2;
            if unit == u16::from(b'\n') {
                self.line_end(self.after_cr, self.at);
            }
            self.after_cr = unit == u16::from(b'\r');
        }
        self.odd = first;
    }

    fn check_utf8(&mut self, mut chunk: &[u8]) {
        if self.invalid {
            return;
        }
        // A character may be cut by the end of the previous chunk.
        while !self.utf8_rest.is_empty() {
            let Some((byte, rest)) = chunk.split_first() else {
                return;
            };
            self.utf8_rest.push(*byte);
            chunk = rest;
            match std::str::from_utf8(&self.utf8_rest) {
                Ok(_) => self.utf8_rest.clear(),
                Err(error) if error.error_len().is_some() => {
                    self.sample.append(&mut self.utf8_rest);
                    return self.take_sample(chunk);
                }
                Err(_) => {}
            }
        }
        if let Err(error) = std::str::from_utf8(chunk) {
            let good = error.valid_up_to();
            if error.error_len().is_some() {
                self.take_sample(&chunk[good.saturating_sub(1024)..]);
            } else {
                self.utf8_rest = chunk[good..].to_vec();
            }
        }
    }

    fn take_sample(&mut self, bytes: &[u8]) {
        self.invalid = true;
        self.sample
            .extend_from_slice(&bytes[..bytes.len().min(SAMPLE)]);
    }

    fn line_end(&mut self, cr: bool, next: u64) {
        if cr {
            self.crlf += 1;
        } else {
            self.lf += 1;
        }
        self.line_start = next;
        let line = self.lf + self.crlf; // lines before `next`
        if line.is_multiple_of(self.stride) {
            self.starts.push(next);
            if self.starts.len() >= INDEX_MAX {
                let mut keep = false;
                self.starts.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.stride *= 2;
            }
        }
    }

    pub(crate) fn finish(mut self) -> Facts {
        if !self.decided {
            self.decide();
        }
        if !self.utf8_rest.is_empty() {
            self.sample = std::mem::take(&mut self.utf8_rest);
            self.invalid = true;
        }
        let etag = format!("sha256:{}", hex(&self.sha.clone().finalize()));
        let known_binary = self.sniffed.is_some_and(|mime| !mime.starts_with("text/"));
        let declared = self.forced.or(self.bom.map(|(encoding, _)| encoding));
        let binary = self.binary || (declared.is_none() && self.invalid && known_binary);
        let text = (!binary).then(|| self.text(declared));
        Facts {
            etag,
            size: self.size,
            sniffed: self.sniffed,
            text,
        }
    }

    fn text(&mut self, declared: Option<&'static Encoding>) -> TextFacts {
        let guessed = declared.is_none() && self.invalid;
        let encoding = match declared {
            Some(encoding) => encoding,
            None if guessed => {
                let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
                detector.feed(&self.sample, true);
                detector.guess(None, Utf8Detection::Deny)
            }
            None => UTF_8,
        };
        let final_eol = self.line_start == self.size;
        TextFacts {
            encoding,
            guessed,
            bom: self.bom.map_or(0, |(_, length)| length as u64),
            units: self.units,
            lines: self.lf + self.crlf + u64::from(!final_eol),
            lf: self.lf,
            crlf: self.crlf,
            stride: self.stride,
            starts: std::mem::take(&mut self.starts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bytes: &[u8], chunk: usize) -> Facts {
        let mut scanner = Scanner::new(None);
        bytes.chunks(chunk).for_each(|chunk| scanner.feed(chunk));
        scanner.finish()
    }

    #[test]
    fn the_size_of_chunks_changes_nothing() {
        let mut text = "\u{feff}é\r\nzwei\n".repeat(2000).into_bytes();
        text.extend_from_slice("letzte €".as_bytes());
        let whole = facts(&text, text.len());
        for chunk in [1, 3, 8191, 8192, 8193] {
            let parts = facts(&text, chunk);
            assert_eq!(
                format!("{parts:?}"),
                format!("{whole:?}"),
                "chunks of {chunk}"
            );
        }
        let text = whole.text.unwrap();
        assert_eq!(
            (text.lines, text.style(), text.bom),
            (4001, EolStyle::Mixed, 3)
        );
        assert_eq!(text.encoding, UTF_8);
        assert!(!text.guessed);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_guessed_and_nul_is_binary() {
        let latin = facts(b"un caf\xe9 noir\n", 4).text.unwrap();
        assert_eq!(
            (latin.encoding, latin.guessed),
            (encoding_rs::WINDOWS_1252, true)
        );
        assert!(facts(b"a\0b", 4).text.is_none());
        assert!(facts(b"%PDF-1.7\n", 99).text.is_none());
    }

    #[test]
    fn a_mark_declares_utf_16() {
        let text = facts(b"\xff\xfea\0\r\0\n\0b\0", 3).text.unwrap();
        assert_eq!((text.lines, text.style(), text.bom), (2, EolStyle::Crlf, 2));
    }

    #[test]
    fn the_index_stays_small() {
        let lines = facts(&vec![b'\n'; 40 << 20], 1 << 20).text.unwrap();
        assert!(lines.starts.len() < INDEX_MAX);
        let (line, start) = lines.near(30_000_000);
        assert_eq!(line - 1, start);
        assert!(line <= 30_000_000 && 30_000_000 - line < lines.stride);
    }
}
