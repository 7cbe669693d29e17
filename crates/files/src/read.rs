//! `read_file`: a page of a file, by lines or by bytes.

use crate::documents::is_document;
use crate::fault_of::fault_of;
use crate::home::Home;
use crate::jail::{Meta, open_file_at};
use crate::mime;
use crate::path::RelPath;
use crate::text::eol::EolStyle;
use crate::text::{Facts, LineReader, TextFacts, Units, encoding};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// In which form a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadAs {
    #[default]
    Auto,
    Text,
    Base64,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadFile {
    /// File to read, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// First line, from 1; negative counts from the end (-20 = the last 20 lines). Default 1.
    #[serde(default)]
    pub start_line: Option<i64>,
    /// Last line, inclusive; -1 = the last line of the file.
    #[serde(default = "last_line")]
    pub end_line: i64,
    /// First byte, from 0. Reads by bytes instead of lines; do not combine with lines.
    #[serde(default)]
    pub offset: Option<u64>,
    /// Bytes to read from `offset`, at most 262144. Default `max_bytes`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 262_144))]
    pub length: Option<u64>,
    /// auto = text if it is text or a PDF or office file, else image, audio or base64; text = refuse
    /// what has no text; base64 = bytes.
    #[serde(default, rename = "as")]
    pub read_as: ReadAs,
    /// Encoding label (WHATWG), for example `windows-1252`. Default: detected.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Put the line number and a tab before each line. They are not part of the file.
    #[serde(default = "yes")]
    pub line_numbers: bool,
    /// Largest page in bytes.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 262_144))]
    pub max_bytes: u64,
    /// An etag: if the file still has it, only `not_modified: true` is answered.
    #[serde(default)]
    pub if_none_match: Option<String>,
}

fn last_line() -> i64 {
    -1
}

pub(crate) fn yes() -> bool {
    true
}

fn page() -> u64 {
    65_536
}

/// Where the next page starts; one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NextPage {
    /// Pass as `start_line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u64>,
    /// Pass as `offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// An image or a sound that fits into an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub mime: String,
    pub data_base64: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReadFileResult {
    pub path: String,
    pub etag: String,
    /// Bytes of the whole file.
    pub size: u64,
    pub mime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The encoding is a guess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding_detected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eol: Option<EolStyle>,
    /// The file starts with a byte order mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bom: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u64>,
    /// Last line of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u64>,
    /// The text, with line numbers if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The bytes in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// Lines that were cut after 2,000 characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub clipped_lines: Vec<u64>,
    /// There is more than this page.
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextPage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_modified: Option<bool>,
    /// The text was taken out of a PDF or office file: lines and bytes are those of the text, and tools
    /// that edit text do not edit the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extracted: Option<bool>,
    /// For an image or audio block of the answer; then neither `content` nor `blob` is set.
    #[serde(skip)]
    #[schemars(skip)]
    pub media: Option<Media>,
}

impl Home {
    /// A page of a file.
    ///
    /// `NOT_FOUND`, `IS_A_DIRECTORY`, `NOT_TEXT`, `LINE_OUT_OF_RANGE`, `ENCODING_UNSUPPORTED`,
    /// `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn read_file(&self, ask: &ReadFile) -> Result<ReadFileResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let by_bytes = by_bytes(ask)?;
        let forced = ask
            .encoding
            .as_deref()
            .map(encoding::by_label)
            .transpose()?;
        let (place, _) = self.existing_file(&path)?;
        let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
        let facts = self.facts(&file, &meta, forced, path.as_str())?;
        let mut result = ReadFileResult::about(&place.path, &facts);
        let same = |etag: &String| etag.trim().trim_matches('"') == facts.etag;
        if ask.if_none_match.as_ref().is_some_and(same) {
            result.not_modified = Some(true);
            return Ok(result);
        }
        let io = |error: std::io::Error| fault_of(&error, path.as_str());
        match (&facts.text, ask.read_as) {
            (None, ReadAs::Text) => return Err(not_text(path.as_str(), &result.mime)),
            (None, ReadAs::Auto)
                if !by_bytes
                    && mime::is_media(&result.mime)
                    && facts.size <= self.limits.media_max =>
            {
                let bytes = read_range(&file, 0, facts.size).map_err(io)?;
                let data_base64 = STANDARD.encode(bytes);
                result.media = Some(Media {
                    mime: result.mime.clone(),
                    data_base64,
                });
            }
            (None, ReadAs::Auto) | (_, ReadAs::Base64) => {
                self.page_of_bytes(&mut result, ask, &file).map_err(io)?;
            }
            (Some(text), _) => self.page_of_text(&mut result, ask, (&file, &meta), text)?,
        }
        Ok(result)
    }

    pub(crate) fn page_of_text(
        &self,
        result: &mut ReadFileResult,
        ask: &ReadFile,
        (file, meta): (&File, &Meta),
        text: &TextFacts,
    ) -> Result<(), Fault> {
        if by_bytes(ask)? {
            let io = |error: std::io::Error| fault_of(&error, &ask.path);
            return self.page_of_chars(result, ask, file, text).map_err(io);
        }
        self.page_of_lines(result, ask, file, meta, text)
    }

    fn range(&self, ask: &ReadFile, size: u64) -> (u64, u64) {
        let start = ask.offset.unwrap_or(0).min(size);
        let length = ask
            .length
            .unwrap_or(ask.max_bytes)
            .clamp(1, self.limits.page_max);
        (start, length.min(size - start))
    }

    fn page_of_bytes(
        &self,
        result: &mut ReadFileResult,
        ask: &ReadFile,
        file: &File,
    ) -> std::io::Result<()> {
        let (start, length) = self.range(ask, result.size);
        let bytes = read_range(file, start, length)?;
        result.end_at(start + bytes.len() as u64);
        result.blob = Some(STANDARD.encode(bytes));
        Ok(())
    }

    /// Bytes as text: characters cut at either end are left to the neighbouring pages.
    fn page_of_chars(
        &self,
        result: &mut ReadFileResult,
        ask: &ReadFile,
        file: &File,
        text: &TextFacts,
    ) -> std::io::Result<()> {
        let (start, length) = self.range(ask, result.size);
        let width = text.units.width() as u64;
        let start = (start - start % width).max(if start == 0 { text.bom } else { 0 });
        let want = length.max(4).min(result.size - start.min(result.size));
        let mut bytes = read_range(file, start, want)?;
        let at_end = start + bytes.len() as u64 >= result.size;
        let first = if start == 0 { 0 } else { lead(&bytes, text) };
        if !at_end {
            bytes.truncate(whole_chars(&bytes, text));
        }
        result.end_at(start + bytes.len() as u64);
        let first = first.min(bytes.len());
        result.content = Some(encoding::decode(&bytes[first..], text.encoding));
        Ok(())
    }

    fn page_of_lines(
        &self,
        result: &mut ReadFileResult,
        ask: &ReadFile,
        file: &File,
        meta: &Meta,
        text: &TextFacts,
    ) -> Result<(), Fault> {
        let total = text.lines;
        let (start, end) = line_range(ask, total)?;
        let io = |error: std::io::Error| fault_of(&error, &ask.path);
        let mut lines = LineReader::at_line(file, meta.size, text, start).map_err(io)?;
        let most = ask.max_bytes.clamp(1, self.limits.page_max) as usize;
        let mut content = String::new();
        let mut number = start;
        while number <= end && number - start < self.limits.page_lines {
            let keep = self.limits.line_chars * 4;
            let Some(line) = lines.next(keep).map_err(io)? else {
                break;
            };
            let mut shown = encoding::decode(&line.bytes, text.encoding);
            if line.clipped {
                shown.truncate(shown.trim_end_matches('\u{fffd}').len());
            }
            let clipped = clip(&mut shown, self.limits.line_chars) || line.clipped;
            let mut row = String::new();
            if ask.line_numbers {
                let _ = write!(row, "{number}\t");
            }
            row.push_str(&shown);
            row.push_str(line.eol.text());
            if content.len() + row.len() > most {
                if number > start {
                    break;
                }
                row.truncate(row.floor_char_boundary(most));
                result.clipped_lines.push(number);
            } else if clipped {
                result.clipped_lines.push(number);
            }
            content.push_str(&row);
            number += 1;
        }
        result.content = Some(content);
        result.start_line = Some(start);
        result.end_line = Some(number - 1);
        if number <= end {
            result.truncated = true;
            result.next = Some(NextPage {
                start_line: Some(number),
                offset: None,
            });
        }
        Ok(())
    }
}

/// Whether bytes are asked for and not lines.
pub(crate) fn by_bytes(ask: &ReadFile) -> Result<bool, Fault> {
    let by_bytes = ask.offset.is_some() || ask.length.is_some();
    if by_bytes && (ask.start_line.is_some() || ask.end_line != -1) {
        return Err(Fault::invalid_arg(
            "/offset",
            "not",
            "`offset` and `length` cannot be combined with `start_line` and `end_line`.",
        )
        .hint("Read by lines or by bytes."));
    }
    Ok(by_bytes)
}

impl ReadFileResult {
    pub(crate) fn about(path: &RelPath, facts: &Facts) -> Self {
        let text = facts.text.as_ref();
        ReadFileResult {
            path: path.to_string(),
            etag: facts.etag.clone(),
            size: facts.size,
            mime: mime::of(path.as_str(), facts),
            encoding: text.map(|text| encoding::name(text.encoding)),
            encoding_detected: text.filter(|text| text.guessed).map(|_| true),
            eol: text.map(TextFacts::style),
            bom: text.map(|text| text.bom > 0),
            total_lines: text.map(|text| text.lines),
            start_line: None,
            end_line: None,
            content: None,
            blob: None,
            clipped_lines: Vec::new(),
            truncated: false,
            next: None,
            not_modified: None,
            extracted: None,
            media: None,
        }
    }

    fn end_at(&mut self, offset: u64) {
        if offset < self.size {
            self.truncated = true;
            self.next = Some(NextPage {
                start_line: None,
                offset: Some(offset),
            });
        }
    }
}

/// The asked range within the file's lines; an empty file has the empty range 1..0.
fn line_range(ask: &ReadFile, total: u64) -> Result<(u64, u64), Fault> {
    let start = match ask.start_line {
        None => 1,
        Some(0) => {
            return Err(
                Fault::invalid_arg("/start_line", "minimum", "Lines count from 1.")
                    .hint("Use 1 for the first line, -1 for the last."),
            );
        }
        Some(line) if line < 0 => total.saturating_sub(line.unsigned_abs() - 1).max(1),
        Some(line) => line.unsigned_abs(),
    };
    let end = match ask.end_line {
        line if line < 0 => (total + 1).saturating_sub(line.unsigned_abs()),
        line => line.unsigned_abs().min(total),
    };
    if start > total && !(total == 0 && start == 1) {
        return Err(out_of_range(&ask.path, start, total));
    }
    if ask.end_line >= 0 && ask.end_line.unsigned_abs() < start {
        return Err(Fault::invalid_arg(
            "/end_line",
            "minimum",
            "`end_line` lies before `start_line`.",
        ));
    }
    Ok((start, end))
}

pub(crate) fn out_of_range(path: &str, line: u64, total: u64) -> Fault {
    Fault::new(
        Code::LineOutOfRange,
        format!("{path} has {total} lines; there is no line {line}."),
    )
    .hint("Read the file again for its current line numbers.")
    .detail("total_lines", total)
}

pub(crate) fn not_text(path: &str, mime: &str) -> Fault {
    let hint = if is_document(mime) {
        "It cannot be searched or edited as text; read_file answers the text that is in it."
    } else {
        "Read it with `as: base64`, or name its `encoding` if it is text."
    };
    Fault::new(Code::NotText, format!("{path} is not text ({mime})."))
        .hint(hint)
        .detail("mime", mime)
}

/// Cuts after `most` characters; whether anything was cut.
pub(crate) fn clip(text: &mut String, most: usize) -> bool {
    if text.len() <= most {
        return false;
    }
    let cut = text.char_indices().nth(most).map(|(at, _)| at);
    cut.is_some_and(|at| {
        text.truncate(at);
        true
    })
}

pub(crate) fn read_range(file: &File, start: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    let mut have = 0;
    while have < bytes.len() {
        match file.read_at(&mut bytes[have..], start + have as u64) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(have);
    Ok(bytes)
}

/// Bytes at the start that belong to a character of the page before.
fn lead(bytes: &[u8], text: &TextFacts) -> usize {
    if text.encoding != encoding_rs::UTF_8 {
        return 0;
    }
    bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80)
        .count()
}

/// Bytes up to the end of the last whole character.
fn whole_chars(bytes: &[u8], text: &TextFacts) -> usize {
    match text.units {
        Units::Bytes if text.encoding == encoding_rs::UTF_8 => match std::str::from_utf8(bytes) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => bytes.len(),
        },
        Units::Bytes => bytes.len(),
        units => {
            let end = bytes.len() - bytes.len() % 2;
            let high = match units {
                Units::Utf16Le => end.checked_sub(1),
                _ => end.checked_sub(2),
            };
            let cut = high.is_some_and(|at| bytes[at] & 0xfc == 0xd8);
            end - if cut { 2 } else { 0 }
        }
    }
}
