//! Text on its way out of a worker: cut into messages, and counted.

use super::{MAX_TEXT, Reason, Told};
use crate::worker::say;
use std::fs::File;

/// Bytes of one message, well below the longest frame also when all of them are escaped.
const MESSAGE: usize = 128 * 1024;

/// Where readers write to.
pub(super) struct Sink<'c> {
    connection: Option<&'c File>,
    buffer: String,
    sent: usize,
    /// Something was written that is no heading.
    has_body: bool,
    /// The end of what was written: how many line ends, up to two.
    ends: usize,
    #[cfg(test)]
    all: String,
}

impl<'c> Sink<'c> {
    pub(super) fn new(connection: &'c File) -> Sink<'c> {
        Sink {
            connection: Some(connection),
            buffer: String::new(),
            sent: 0,
            has_body: false,
            ends: 2,
            #[cfg(test)]
            all: String::new(),
        }
    }

    /// Text as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Reason> {
        self.has_body |= text.contains(|c: char| !c.is_whitespace());
        self.push(text)
    }

    fn push(&mut self, text: &str) -> Result<(), Reason> {
        if text.is_empty() {
            return Ok(());
        }
        if self.sent + self.buffer.len() + text.len() > MAX_TEXT {
            return Err(Reason::TooLarge);
        }
        let kept = text.trim_end_matches('\n');
        let ends = text.len() - kept.len();
        self.ends = if kept.is_empty() {
            self.ends + ends
        } else {
            ends
        }
        .min(2);
        for c in text.chars() {
            self.buffer.push(c);
            if self.buffer.len() >= MESSAGE {
                self.flush();
            }
        }
        Ok(())
    }

    /// Ends the line that was begun.
    pub(super) fn line_end(&mut self) -> Result<(), Reason> {
        if self.ends == 0 {
            self.push("\n")
        } else {
            Ok(())
        }
    }

    /// Leaves a line empty, unless one is.
    pub(super) fn gap(&mut self) -> Result<(), Reason> {
        self.line_end()?;
        if self.ends == 1 {
            self.push("\n")
        } else {
            Ok(())
        }
    }

    /// A paragraph, unless it is empty.
    pub(super) fn paragraph(&mut self, text: &str) -> Result<(), Reason> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        self.gap()?;
        self.text(text)?;
        self.push("\n")
    }

    /// A line, unless it is empty.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Reason> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(());
        }
        self.line_end()?;
        self.text(text)?;
        self.push("\n")
    }

    /// A heading of Markdown, from level 1. A document of nothing but headings that we made has no text.
    pub(super) fn heading(&mut self, level: usize, text: &str) -> Result<(), Reason> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            return Ok(());
        }
        self.gap()?;
        self.push(&"#".repeat(level.clamp(1, 6)))?;
        self.push(" ")?;
        self.push(&words.join(" "))?;
        self.push("\n\n")
    }

    /// A heading of the document itself, which is text of it.
    pub(super) fn own_heading(&mut self, level: usize, text: &str) -> Result<(), Reason> {
        self.heading(level, text)?;
        self.has_body |= !text.trim().is_empty();
        Ok(())
    }

    pub(super) fn has_body(&self) -> bool {
        self.has_body
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.buffer);
        self.sent += text.len();
        #[cfg(test)]
        self.all.push_str(&text);
        if let Some(connection) = self.connection {
            say(connection, &Told::Text(text));
        }
    }

    /// Sends the rest.
    pub(super) fn finish(&mut self) -> Result<(), Reason> {
        if !self.has_body {
            return Err(Reason::NoText);
        }
        if !self.buffer.is_empty() {
            self.flush();
        }
        Ok(())
    }
}

#[cfg(test)]
impl Sink<'static> {
    /// What a reader writes, for its tests.
    pub(super) fn of(
        read: impl FnOnce(&mut Sink<'static>) -> Result<(), Reason>,
    ) -> Result<String, Reason> {
        let mut sink = Sink {
            connection: None,
            buffer: String::new(),
            sent: 0,
            has_body: false,
            ends: 2,
            all: String::new(),
        };
        read(&mut sink)?;
        sink.finish()?;
        Ok(sink.all)
    }
}
