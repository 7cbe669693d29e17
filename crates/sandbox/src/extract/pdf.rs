//! PDF: the characters of each page in their order on it, below a heading with its number.
//!
//! The library that reads fonts and pages panics on many files that are not quite right. Each page is therefore read for
//! itself once something went wrong, and what could be read of the others is kept.

use super::Reason;
use super::sink::Sink;
use super::widths;
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
    widths::spell_out(&mut document);
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
        let one = AssertUnwindSafe(|| output_doc_page(&document, &mut page, number));
        broken += usize::from(!matches!(catch_unwind(one), Ok(Ok(()))));
    }
    if let Some(reason) = page.failed {
        return Err(reason);
    }
    if broken > 0 && !page.sink.has_body() {
        return Err(Reason::Malformed);
    }
    Ok(())
}

/// Characters as they come, made into lines by where they stand.
struct Page<'s, 'c> {
    sink: &'s mut Sink<'c>,
    /// The last page that was begun.
    begun: u32,
    /// Its heading is still to be written: a page without a character has none.
    is_fresh: bool,
    height: f64,
    is_first: bool,
    last_end: f64,
    last_y: f64,
    failed: Option<Reason>,
}

impl<'s, 'c> Page<'s, 'c> {
    fn new(sink: &'s mut Sink<'c>) -> Page<'s, 'c> {
        Page {
            sink,
            begun: 0,
            is_fresh: true,
            height: 0.0,
            is_first: false,
            last_end: f64::MAX,
            last_y: 0.0,
            failed: None,
        }
    }

    fn say(&mut self, text: &str) -> Result<(), OutputError> {
        let said = if std::mem::take(&mut self.is_fresh) {
            let heading = self.sink.heading(1, &format!("Page {}", self.begun));
            heading.and_then(|()| self.sink.text(text))
        } else {
            self.sink.text(text)
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
        media: &MediaBox,
        _: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.begun = number;
        self.is_fresh = true;
        self.height = media.ury - media.lly;
        (self.last_end, self.last_y) = (f64::MAX, 0.0);
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        if self.is_fresh {
            Ok(())
        } else {
            self.say("\n")
        }
    }

    /// A gap of a tenth of the size of the font is a space; one to the left and down, or far down, a new line.
    fn output_character(
        &mut self,
        trm: &Transform,
        width: f64,
        _: f64,
        font_size: f64,
        character: &str,
    ) -> Result<(), OutputError> {
        let size = {
            let along = (trm.m11 * font_size + trm.m21 * font_size).abs();
            let across = (trm.m12 * font_size + trm.m22 * font_size).abs();
            (along * across).sqrt()
        };
        let (x, y) = (trm.m31, self.height - trm.m32);
        let mut said = String::new();
        if std::mem::take(&mut self.is_first) && !self.is_fresh {
            let down = (y - self.last_y).abs();
            if down > size * 1.5 {
                said.push_str("\n\n");
            } else if x < self.last_end && down > size * 0.5 {
                said.push('\n');
            } else if x > self.last_end + size * 0.1 {
                said.push(' ');
            }
        }
        said.push_str(character);
        (self.last_y, self.last_end) = (y, x + width * size);
        if self.is_fresh && said.trim().is_empty() {
            return Ok(());
        }
        self.say(&said)
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.is_first = true;
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}
