//! PDF: the characters of each page in their order on it, below a heading with its number.
//!
//! The library that reads fonts and pages panics on many files that are not quite right. Each page is therefore read for
//! itself once something went wrong, and what could be read of the others is kept.

use super::Reason;
use super::lines::{Lines, Place};
use super::sink::Sink;
use super::{fonts, operators};
use pdf_extract::{
    Document, MediaBox, OutputDev, OutputError, Transform, output_doc, output_doc_page,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) fn read(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Reason> {
    let mut document = match catch_unwind(|| Document::load_mem(bytes)) {
        Ok(Ok(document)) => document,
        Ok(Err(error)) if error.to_string().to_ascii_lowercase().contains("password") => {
            return Err(Reason::Encrypted);
        }
        Ok(Err(_)) | Err(_) => return Err(Reason::Malformed),
    };
    // Many files are encrypted with no password, so that programs ask before they print.
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(Reason::Encrypted);
    }
    operators::spell_out(&mut document);
    fonts::spell_out(&mut document);
    let pages = document.get_pages();
    if pages.is_empty() {
        return Err(Reason::Malformed);
    }
    let mut page = Page::new(sink);
    let whole = catch_unwind(AssertUnwindSafe(|| output_doc(&document, &mut page)));
    if matches!(whole, Ok(Ok(()))) {
        return page.failed.map_or(Ok(()), Err);
    }
    let mut broken = 1;
    let begun = page.begun;
    for number in pages.into_keys().filter(|number| *number > begun) {
        if let Some(reason) = page.failed {
            return Err(reason);
        }
        // What was read before something went wrong is kept.
        let _ = page.end_page();
        let one = AssertUnwindSafe(|| output_doc_page(&document, &mut page, number));
        broken += usize::from(!matches!(catch_unwind(one), Ok(Ok(()))));
    }
    let _ = page.end_page();
    if let Some(reason) = page.failed {
        return Err(reason);
    }
    if broken > 0 && !page.sink.has_body() {
        return Err(Reason::Malformed);
    }
    Ok(())
}

/// Characters as they come, below a heading for each page.
struct Page<'s, 'c> {
    sink: &'s mut Sink<'c>,
    /// The last page that was begun.
    begun: u32,
    /// Its heading is still to be written: a page without a character has none.
    is_fresh: bool,
    lines: Lines,
    begins_string: bool,
    failed: Option<Reason>,
}

impl<'s, 'c> Page<'s, 'c> {
    fn new(sink: &'s mut Sink<'c>) -> Page<'s, 'c> {
        Page {
            sink,
            begun: 0,
            is_fresh: true,
            lines: Lines::default(),
            begins_string: true,
            failed: None,
        }
    }

    fn say(&mut self) -> Result<(), OutputError> {
        let text = self.lines.finished();
        if text.is_empty() {
            return Ok(());
        }
        let said = if std::mem::take(&mut self.is_fresh) {
            let heading = self.sink.heading(1, &format!("Page {}", self.begun));
            heading.and_then(|()| self.sink.text(&text))
        } else {
            self.sink.text(&text)
        };
        said.map_err(|reason| {
            self.failed = Some(reason);
            OutputError::FormatError(std::fmt::Error)
        })
    }
}

impl OutputDev for Page<'_, '_> {
    fn begin_page(
        &mut self,
        number: u32,
        _: &MediaBox,
        _: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.begun = number;
        self.is_fresh = true;
        self.lines = Lines::default();
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        self.lines.end_page();
        self.say()
    }

    fn output_character(
        &mut self,
        trm: &Transform,
        width: f64,
        _: f64,
        font_size: f64,
        character: &str,
    ) -> Result<(), OutputError> {
        let begins = std::mem::take(&mut self.begins_string);
        let wide = trm.m11.hypot(trm.m12);
        let towards = if wide > 0.0 {
            (trm.m11 / wide, trm.m12 / wide)
        } else {
            (1.0, 0.0)
        };
        let (x, y) = (trm.m31, trm.m32);
        let along = x * towards.0 + y * towards.1;
        let place = Place {
            along,
            end: along + width * wide * font_size.abs(),
            across: x * towards.1 - y * towards.0,
            size: trm.m21.hypot(trm.m22) * font_size.abs(),
            towards,
        };
        self.lines.take(character, place, begins);
        self.say()
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.begins_string = true;
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}
