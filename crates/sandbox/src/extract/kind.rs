//! What a document is: by its bytes, and by the end of its name only where these leave a choice.

use super::office::Office;
use super::sink::Sink;
use super::{Form, Reason, excel, html, office, pdf, slides, text, word};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Markdown,
    Csv,
    Html,
    Pdf,
    Office(Office),
    /// A file of Office before 2007, or a newer one with a password.
    OldOffice,
    Unknown,
}

/// The first bytes of a compound file ([MS-CFB] §2.2).
const COMPOUND: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/// A PDF may have something in front (ISO 32000-1, annex H.3, note 13).
const PDF_WITHIN: usize = 1024;

pub(super) fn of(bytes: &[u8], name: &str) -> Kind {
    let head = &bytes[..bytes.len().min(PDF_WITHIN)];
    if head.windows(5).any(|five| five == b"%PDF-") {
        return Kind::Pdf;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return office::kind(bytes).map_or(Kind::Unknown, Kind::Office);
    }
    if bytes.starts_with(COMPOUND) {
        return Kind::OldOffice;
    }
    if bytes.starts_with(b"{\\rtf") || !text::is_text(bytes) {
        return Kind::Unknown;
    }
    if html::looks_like(bytes) {
        return Kind::Html;
    }
    let end = name
        .rsplit_once('.')
        .map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("html" | "htm" | "xhtml") => Kind::Html,
        Some("md" | "markdown" | "mdown") => Kind::Markdown,
        Some("csv" | "tsv") => Kind::Csv,
        _ => Kind::Text,
    }
}

impl Kind {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Kind::Text => "text/plain",
            Kind::Markdown => "text/markdown",
            Kind::Csv => "text/csv",
            Kind::Html => "text/html",
            Kind::Pdf => "application/pdf",
            Kind::Office(office) => office.media_type(),
            Kind::OldOffice => "application/x-ole-storage",
            Kind::Unknown => "application/octet-stream",
        }
    }

    pub(super) const fn is_known(self) -> bool {
        !matches!(self, Kind::Unknown)
    }

    pub(super) const fn form(self) -> Form {
        match self {
            Kind::Text | Kind::OldOffice | Kind::Unknown => Form::Plain,
            Kind::Csv => Form::Table,
            Kind::Markdown | Kind::Html | Kind::Pdf | Kind::Office(_) => Form::Markdown,
        }
    }

    pub(super) fn read(self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Reason> {
        match self {
            Kind::Text | Kind::Markdown | Kind::Csv => sink.text(&text::decode(bytes)),
            Kind::Html => html::read(&html::decode(bytes), sink),
            Kind::Pdf => pdf::read(bytes, sink),
            Kind::Office(Office::Word) => word::read(bytes, sink),
            Kind::Office(Office::Excel) => excel::read(bytes, sink),
            Kind::Office(Office::Slides) => slides::read(bytes, sink),
            Kind::OldOffice if office::is_encrypted(bytes) => Err(Reason::Encrypted),
            Kind::OldOffice | Kind::Unknown => Err(Reason::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_is_stands_in_its_bytes() {
        assert_eq!(of(b"%PDF-1.7\n", "a.docx"), Kind::Pdf);
        assert_eq!(of(b"<!DOCTYPE html><p>a", "a.txt"), Kind::Html);
        assert_eq!(of(b"# A\n", "a.md"), Kind::Markdown);
        assert_eq!(of(b"a,b\n", "a.CSV"), Kind::Csv);
        assert_eq!(of(b"plain", "a"), Kind::Text);
        assert_eq!(of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.md"), Kind::Unknown);
        assert_eq!(of(b"PK\x03\x04nothing", "a.docx"), Kind::Unknown);
        assert_eq!(of(COMPOUND, "a.doc"), Kind::OldOffice);
        assert_eq!(of(b"", "a.txt"), Kind::Text);
    }
}
