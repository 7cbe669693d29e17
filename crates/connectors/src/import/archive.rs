//! Archives: only files of documents are taken out, and only into memory.

use super::read::MOST_BYTES;
use flate2::read::GzDecoder;
use quaymaster_core::{Code, Fault};
use std::io::{Cursor, Read};

const MOST_FILES: usize = 20_000;
/// What may come out of a compressed tar archive, files that are passed over included.
const MOST_UNPACKED: u64 = 512 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    TarGz,
}

/// What the first bytes say.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(Kind::Zip);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Some(Kind::TarGz);
    }
    (bytes.get(257..262) == Some(b"ustar")).then_some(Kind::Tar)
}

/// The JSON and YAML files of an archive with their names.
pub(super) fn unpack(kind: Kind, bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut taken = Taken::default();
    match kind {
        Kind::Zip => zip(bytes, &mut taken)?,
        Kind::Tar => tar(bytes, &mut taken)?,
        Kind::TarGz => tar(GzDecoder::new(bytes).take(MOST_UNPACKED), &mut taken)?,
    }
    Ok(taken.files)
}

#[derive(Default)]
struct Taken {
    files: Vec<(String, Vec<u8>)>,
    bytes: usize,
    entries: usize,
}

impl Taken {
    /// Takes a file, or passes it over when it is no document.
    fn file(&mut self, name: &str, content: &mut dyn Read) -> Result<(), Fault> {
        self.entries += 1;
        if self.entries > MOST_FILES {
            return Err(too_large(&format!("more than {MOST_FILES} files")));
        }
        let name = safe(name)?;
        let ending = name.rsplit('.').next().unwrap_or_default();
        let is_document = ["json", "yaml", "yml"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known));
        // Made by some systems beside each file.
        if !is_document || name.starts_with("__MACOSX/") || name.contains("/._") {
            return Ok(());
        }
        let left = MOST_BYTES - self.bytes;
        let mut bytes = Vec::new();
        content
            .take(left as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&error))?;
        if bytes.len() > left {
            return Err(too_large(&format!("more than {MOST_BYTES} bytes unpacked")));
        }
        self.bytes += bytes.len();
        self.files.push((name, bytes));
        Ok(())
    }
}

fn zip(bytes: &[u8], taken: &mut Taken) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    for at in 0..archive.len().min(MOST_FILES + 1) {
        let mut entry = archive.by_index(at).map_err(|error| broken(&error))?;
        let name = entry.name().map_err(|error| broken(&error))?.into_owned();
        if entry.is_dir() {
            safe(name.trim_end_matches('/'))?;
            continue;
        }
        if entry.is_symlink() {
            return Err(link(&name));
        }
        taken.file(&name, &mut entry)?;
    }
    Ok(())
}

fn tar(bytes: impl Read, taken: &mut Taken) -> Result<(), Fault> {
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            return Err(link(&name));
        }
        if kind.is_file() {
            taken.file(&name, &mut entry)?;
        }
    }
    Ok(())
}

/// The name without `./`, if it stays inside.
fn safe(name: &str) -> Result<String, Fault> {
    let leads_out = name.starts_with('/')
        || name.contains(['\\', '\0'])
        || name.split('/').any(|part| part == "..")
        || name.as_bytes().get(1) == Some(&b':');
    if leads_out {
        let message = format!("The archive has a file {name:?}, whose name leads out of it.");
        return Err(Fault::new(Code::InvalidArg, message)
            .hint("Pack the folder of the document itself, with names that begin in it."));
    }
    let parts = name
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    Ok(parts.collect::<Vec<_>>().join("/"))
}

fn link(name: &str) -> Fault {
    let message = format!("{name:?} in the archive is a link; only files are read.");
    Fault::new(Code::InvalidArg, message).hint("Pack the file that it leads to instead.")
}

fn broken(error: &dyn std::error::Error) -> Fault {
    let message = format!("The archive cannot be read: {error}.");
    Fault::new(Code::InvalidArg, message)
        .hint("Pack it again as zip, tar or tar.gz, without a password.")
}

fn too_large(what: &str) -> Fault {
    let message = format!("The archive has {what}.");
    Fault::new(Code::TooLarge, message).hint("Pack only the files that the document refers to.")
}
