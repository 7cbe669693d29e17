//! `write_file`: the whole content of a file, or more at its end.

use crate::diff::{Diff, unified};
use crate::etag::Wanted;
use crate::fault_of::{already_exists, fault_of};
use crate::home::Home;
use crate::jail::{Place, open_file_at};
use crate::path::RelPath;
use crate::produce::{check_kind, require};
use crate::read::{read_range, yes};
use crate::text::eol::with_eol;
use crate::text::{Eol, Facts, encoding};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::File;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WriteMode {
    #[default]
    Overwrite,
    Create,
    Append,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteEol {
    #[default]
    Keep,
    Lf,
    Crlf,
    AsIs,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// File to write, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// The content, at most 1 MiB; larger files by `create_upload_session` or by appending.
    pub content: String,
    /// Encoding label (WHATWG), or `base64` when `content` is bytes in base64. Default utf-8;
    /// when appending text, the file's own encoding.
    #[serde(default)]
    pub encoding: Option<String>,
    /// overwrite = replace or create; create = fail if it exists; append = add at the end.
    #[serde(default)]
    pub mode: WriteMode,
    /// Create missing directories of the path.
    #[serde(default = "yes")]
    pub create_parents: bool,
    /// Line ends: keep = as most lines of the existing file (its byte order mark stays too), a
    /// new file as given; lf or crlf = convert; `as_is` = write what is given.
    #[serde(default)]
    pub eol: WriteEol,
    /// Write only if the file's etag is this one (from an earlier answer); `*` = only if it exists.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Write nothing; answer what would happen, with a diff.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WriteFileResult {
    pub path: String,
    pub etag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_etag: Option<String>,
    /// The file did not exist before.
    pub created: bool,
    /// Bytes of the file now.
    pub size: u64,
    pub bytes_written: u64,
    /// With `dry_run`, when old and new content are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff_truncated: Option<bool>,
    pub dry_run: bool,
    /// The file already had this content.
    pub unchanged: bool,
}

/// Diffs of larger files help nobody.
const DIFF_FROM: u64 = 4 << 20;

impl Home {
    /// Writes a file. `ALREADY_EXISTS`, `PRECONDITION_FAILED`, `IS_A_DIRECTORY`, `TOO_LARGE`,
    /// `ENCODING_UNSUPPORTED`, `QUOTA_EXCEEDED`, `NOT_FOUND` (directory), `INVALID_ARG`,
    /// `PATH_OUTSIDE_WORKSPACE`, `INSUFFICIENT_STORAGE`.
    pub fn write_file(&self, ask: &WriteFile) -> Result<WriteFileResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let wanted = Wanted::parse(ask.if_match.as_deref(), "/if_match")?;
        let given = self.given(ask)?;
        // Before any directory is made for a file that must already exist.
        if wanted.is_some() && self.place_for_file(&path, true, true)?.is_none() {
            require(wanted.as_ref(), &path, None)?;
        }
        let Some(mut place) = self.place_for_file(&path, ask.create_parents, ask.dry_run)? else {
            return self.rehearse_new(ask, &path, &given);
        };
        let _held = self.hold(&mut place)?;
        check_kind(&place)?;
        let old = if place.meta.is_some() {
            let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
            let facts = self.facts(&file, &meta, None, path.as_str())?;
            place.meta = Some(meta);
            Some((file, facts))
        } else {
            None
        };
        let etag = old.as_ref().map(|(_, facts)| facts.etag.as_str());
        if ask.mode == WriteMode::Create
            && let Some(etag) = etag
        {
            return Err(already_exists(path.as_str()).detail("current_etag", etag));
        }
        let bytes = self.bytes(ask, &given, old.as_ref().map(|(_, facts)| &**facts))?;
        let precondition = require(wanted.as_ref(), &path, etag);
        if let Some((_, facts)) = &old
            && is_same(ask, &bytes, facts)
        {
            return Ok(answer(&place.path, facts, Some(facts), ask, 0));
        }
        precondition?;
        let kept = match &old {
            Some((_, facts)) if ask.mode == WriteMode::Append => facts.size,
            _ => 0,
        };
        if kept + bytes.len() as u64 > self.limits.edit_max {
            return Err(too_large(
                kept + bytes.len() as u64,
                self.limits.edit_max,
                "append",
            ));
        }
        let facts = self.produce(
            &place,
            ask.dry_run,
            None,
            kept + bytes.len() as u64,
            |out| {
                if let Some((file, _)) = old.as_ref().filter(|_| kept > 0) {
                    out.copy(file, 0..kept, path.as_str())?;
                }
                out.write(&bytes, path.as_str())
            },
        )?;
        let old_facts = old.as_ref().map(|(_, facts)| &**facts);
        let mut result = answer(&place.path, &facts, old_facts, ask, bytes.len() as u64);
        if ask.dry_run {
            let diff = self.diff_of(&place, old.as_ref(), &bytes, &facts, kept)?;
            result.diff_truncated = diff.as_ref().map(|diff| diff.truncated);
            result.diff = diff.map(|diff| diff.text);
        }
        Ok(result)
    }

    fn rehearse_new(
        &self,
        ask: &WriteFile,
        path: &RelPath,
        given: &Given<'_>,
    ) -> Result<WriteFileResult, Fault> {
        let bytes = self.bytes(ask, given, None)?;
        let mut scanner = crate::text::Scanner::new(None);
        scanner.feed(&bytes);
        Ok(answer(
            path,
            &scanner.finish(),
            None,
            ask,
            bytes.len() as u64,
        ))
    }

    /// The content before line ends and encoding.
    fn given<'a>(&self, ask: &'a WriteFile) -> Result<Given<'a>, Fault> {
        let base64 = ask
            .encoding
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case("base64"));
        let given = if base64 {
            let bytes = STANDARD.decode(ask.content.trim()).map_err(|error| {
                Fault::invalid_arg(
                    "/content",
                    "contentEncoding",
                    format!("Not base64: {error}."),
                )
                .hint("Use standard base64 with padding, or leave `encoding` out for text.")
            })?;
            Given::Bytes(bytes)
        } else {
            Given::Text(&ask.content)
        };
        let size = match &given {
            Given::Bytes(bytes) => bytes.len(),
            Given::Text(text) => text.len(),
        };
        if size as u64 > self.limits.write_max {
            return Err(too_large(
                size as u64,
                self.limits.write_max,
                "create_upload_session",
            ));
        }
        Ok(given)
    }

    /// The bytes to write: line ends, mark and encoding as asked for and as the old file has them.
    fn bytes(
        &self,
        ask: &WriteFile,
        given: &Given<'_>,
        old: Option<&Facts>,
    ) -> Result<Vec<u8>, Fault> {
        let text = match given {
            Given::Bytes(bytes) => return Ok(bytes.clone()),
            Given::Text(text) => *text,
        };
        let old_text = old.and_then(|facts| facts.text.as_ref());
        let appending = ask.mode == WriteMode::Append && old.is_some_and(|facts| facts.size > 0);
        let encoding = match (&ask.encoding, old_text) {
            (Some(label), _) => encoding::by_label(label)?,
            (None, Some(old)) if appending => old.encoding,
            _ => encoding_rs::UTF_8,
        };
        let eol = match ask.eol {
            WriteEol::Keep => old_text.map_or(Eol::None, crate::text::TextFacts::dominant),
            WriteEol::Lf => Eol::Lf,
            WriteEol::Crlf => Eol::CrLf,
            WriteEol::AsIs => Eol::None,
        };
        let text = if eol == Eol::None {
            Cow::Borrowed(text)
        } else {
            with_eol(text, eol).into()
        };
        let marked = text.starts_with('\u{feff}');
        let utf_16 = crate::text::Units::of(encoding) != crate::text::Units::Bytes;
        let keeps_mark = ask.eol == WriteEol::Keep
            && old_text.is_some_and(|old| old.bom > 0 && old.encoding == encoding);
        // Without its mark a UTF-16 file would be taken for bytes.
        let mark = !appending && !marked && !text.is_empty() && (utf_16 || keeps_mark);
        let text = if mark {
            Cow::Owned(format!("\u{feff}{text}"))
        } else {
            text
        };
        let bytes = encoding::encode(&text, encoding)?;
        if bytes.len() as u64 > self.limits.write_max * 2 {
            return Err(too_large(
                bytes.len() as u64,
                self.limits.write_max,
                "append",
            ));
        }
        Ok(bytes)
    }

    fn diff_of(
        &self,
        place: &Place,
        old: Option<&(File, Arc<Facts>)>,
        bytes: &[u8],
        new: &Facts,
        kept: u64,
    ) -> Result<Option<Diff>, Fault> {
        let (Some((file, facts)), Some(new_text)) = (old, &new.text) else {
            return Ok(None);
        };
        let Some(old_text) = facts.text.as_ref().filter(|_| facts.size <= DIFF_FROM) else {
            return Ok(None);
        };
        let old_bytes = read_range(file, 0, facts.size)
            .map_err(|error| fault_of(&error, place.path.as_str()))?;
        let mut new_bytes = old_bytes[..kept as usize].to_vec();
        new_bytes.extend_from_slice(bytes);
        let before = encoding::decode(&old_bytes, old_text.encoding);
        let after = encoding::decode(&new_bytes, new_text.encoding);
        Ok(Some(unified(&before, &after, 1, self.limits.diff_max)))
    }
}

enum Given<'a> {
    Text(&'a str),
    Bytes(Vec<u8>),
}

/// Whether the file already is what is wanted.
fn is_same(ask: &WriteFile, bytes: &[u8], old: &Facts) -> bool {
    if ask.mode == WriteMode::Append {
        return bytes.is_empty();
    }
    if bytes.len() as u64 != old.size {
        return false;
    }
    let mut scanner = crate::text::Scanner::new(None);
    scanner.feed(bytes);
    scanner.finish().etag == old.etag
}

fn answer(
    path: &RelPath,
    new: &Facts,
    old: Option<&Facts>,
    ask: &WriteFile,
    written: u64,
) -> WriteFileResult {
    let unchanged = old.is_some_and(|old| old.etag == new.etag);
    WriteFileResult {
        path: path.to_string(),
        etag: new.etag.clone(),
        old_etag: old.map(|old| old.etag.clone()),
        created: old.is_none(),
        size: new.size,
        bytes_written: written,
        diff: None,
        diff_truncated: None,
        dry_run: ask.dry_run,
        unchanged,
    }
}

pub(crate) fn too_large(size: u64, limit: u64, instead: &str) -> Fault {
    let hint = match instead {
        "create_upload_session" => "Upload it with create_upload_session, or append it in pieces.",
        "append" => "Write it in smaller pieces with `mode: append`.",
        _ => "Work on a smaller file or a smaller part of it.",
    };
    Fault::new(
        Code::TooLarge,
        format!("{size} bytes are more than the {limit} allowed here."),
    )
    .hint(hint)
    .detail("size", size)
    .detail("limit", limit)
    .detail("use", instead)
}
