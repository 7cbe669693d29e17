//! The archives that newer office files are (ECMA-376 part 2): parts by name, and how they refer to each other.
//! What is unpacked is counted, not believed.

use super::Reason;
use super::xml::{self, Step, TOO_LONG};
use std::collections::HashMap;
use std::io::{self, BufReader, Cursor, Read};
use zip::ZipArchive;
use zip::result::ZipError;

/// Parts of one archive.
const MOST_PARTS: usize = 20_000;
/// Bytes unpacked of one archive, whatever its directory says.
const MOST_UNPACKED: u64 = 128 * 1024 * 1024;

pub(super) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// What may still be unpacked.
    left: u64,
}

/// A part while it is unpacked.
struct Counted<'p, R> {
    part: R,
    left: &'p mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(buffer)?;
        *self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(TOO_LONG))?;
        Ok(read)
    }
}

impl<'b> Package<'b> {
    pub(super) fn open(bytes: &'b [u8]) -> Result<Package<'b>, Reason> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(&error))?;
        if archive.len() > MOST_PARTS {
            return Err(Reason::TooLarge);
        }
        Ok(Package {
            archive,
            left: MOST_UNPACKED,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// Tells every step of a part; whether it is there.
    pub(super) fn each(
        &mut self,
        name: &str,
        take: impl FnMut(Step<'_>) -> Result<(), Reason>,
    ) -> Result<bool, Reason> {
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(false),
            Err(error) => return Err(wrong(&error)),
        };
        let counted = Counted {
            part,
            left: &mut self.left,
        };
        xml::each(BufReader::new(counted), take)?;
        Ok(true)
    }

    /// The parts that a part refers to, by id: kind (the last word of its address) and name.
    pub(super) fn relations(
        &mut self,
        of: &str,
    ) -> Result<HashMap<String, (String, String)>, Reason> {
        let (directory, file) = of.rsplit_once('/').unwrap_or(("", of));
        let mut found = HashMap::new();
        self.each(&format!("{directory}/_rels/{file}.rels"), |step| {
            if let Step::Open("Relationship", attributes) = step
                && let Some(id) = attributes.get("Id")
                && let Some(target) = attributes.get("Target")
                && attributes.get("TargetMode").as_deref() != Some("External")
            {
                let kind = attributes.get("Type").unwrap_or_default();
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                found.insert(id, (kind, resolved(directory, &target)));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// A name relative to the directory of another part.
fn resolved(directory: &str, target: &str) -> String {
    let mut at: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        directory.split('/').collect()
    };
    for piece in target.split('/') {
        match piece {
            "" | "." => {}
            ".." => drop(at.pop()),
            piece => at.push(piece),
        }
    }
    at.join("/")
}

fn wrong(error: &ZipError) -> Reason {
    match error {
        ZipError::UnsupportedArchive(what) if what.contains("assword") => Reason::Encrypted,
        _ => Reason::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_resolved_within_the_archive() {
        assert_eq!(
            resolved("ppt/slides", "../notesSlides/n1.xml"),
            "ppt/notesSlides/n1.xml"
        );
        assert_eq!(resolved("xl", "worksheets/s.xml"), "xl/worksheets/s.xml");
        assert_eq!(resolved("xl", "/xl/s.xml"), "xl/s.xml");
        assert_eq!(resolved("xl", "../../../etc/passwd"), "etc/passwd");
    }
}
