//! A skill's folder as a zip archive: read only into memory, refused with a reason when it is hostile.

use super::format::{MOST_BYTES, MOST_FILES, SKILL_MD, check_path, check_paths};
use quaymaster_core::{Code, Fault};
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Entries that are looked at, folders and what systems put beside files included.
const MOST_ENTRIES: usize = 4 * MOST_FILES;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub path: String,
    pub bytes: Vec<u8>,
    pub executable: bool,
}

/// The files of the folder that has `SKILL.md`, with paths from that folder on.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Packed>, Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if entries_told(bytes).is_some_and(|told| told != archive.len()) {
        return Err(refused("Two files of the archive have the same name."));
    }
    if archive.len() > MOST_ENTRIES {
        return Err(too_many());
    }
    let mut files: Vec<Packed> = Vec::new();
    let mut room = MOST_BYTES;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(|error| broken(&error))?;
        let name = entry.name().map_err(|error| broken(&error))?.into_owned();
        if entry.is_symlink() {
            return Err(
                refused(&format!("{name:?} is a link.")).hint("Pack the file that it leads to.")
            );
        }
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        if entry.is_dir() {
            check_path(name.trim_end_matches('/')).map_err(|_| leads_out(&name))?;
            continue;
        }
        if !matches!(kind, 0 | 0o100_000) {
            return Err(refused(&format!("{name:?} is no file.")));
        }
        check_path(&name).map_err(|_| leads_out(&name))?;
        if is_litter(&name) {
            continue;
        }
        if files.len() == MOST_FILES {
            return Err(too_many());
        }
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mut content = Vec::new();
        // What an entry says of its size is a stranger's word.
        let most = room as u64 + 1;
        (&mut entry)
            .take(most)
            .read_to_end(&mut content)
            .map_err(|error| broken(&error))?;
        if content.len() > room {
            return Err(Fault::new(
                Code::TooLarge,
                "The files of the skill are larger than 16 MiB.",
            )
            .detail("limit_bytes", MOST_BYTES));
        }
        room -= content.len();
        files.push(Packed {
            path: name,
            bytes: content,
            executable,
        });
    }
    let files = at_root(files)?;
    check_paths(files.iter().map(|file| file.path.as_str()))?;
    Ok(files)
}

/// How many entries the end of the archive tells, which a reader that keeps names apart cannot say.
fn entries_told(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    let told = bytes.get(end + 10..end + 12)?;
    let told = u16::from_le_bytes([told[0], told[1]]);
    (told != u16::MAX).then_some(usize::from(told))
}

/// Many tools pack the folder itself.
fn at_root(mut files: Vec<Packed>) -> Result<Vec<Packed>, Fault> {
    if files.iter().any(|file| file.path == SKILL_MD) {
        return Ok(files);
    }
    let roots: Vec<String> = files
        .iter()
        .filter_map(|file| file.path.strip_suffix(SKILL_MD))
        .filter(|folder| folder.matches('/').count() == 1)
        .map(str::to_owned)
        .collect();
    let [root] = roots.as_slice() else {
        let message = if roots.is_empty() {
            "The archive has no SKILL.md."
        } else {
            "The archive has several skills."
        };
        return Err(refused(message).hint("Pack one folder with its SKILL.md."));
    };
    for file in &mut files {
        match file.path.strip_prefix(root.as_str()) {
            Some(path) => file.path = path.to_owned(),
            None => {
                let message = format!("{:?} stands outside the skill's folder.", file.path);
                return Err(refused(&message).hint("Pack only the folder that has SKILL.md."));
            }
        }
    }
    Ok(files)
}

/// Made by systems, not by people.
fn is_litter(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    name.starts_with("__MACOSX/")
        || last.starts_with("._")
        || matches!(last, ".DS_Store" | "Thumbs.db")
}

/// The folder `name` with the files in it, the same bytes for the same files.
pub fn pack(name: &str, files: &[Packed]) -> Result<Vec<u8>, Fault> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let mode = if file.executable { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(mode);
        writer
            .start_file(format!("{name}/{}", file.path), options)
            .map_err(|error| not_packed(&error))?;
        writer
            .write_all(&file.bytes)
            .map_err(|error| not_packed(&error))?;
    }
    let whole = writer.finish().map_err(|error| not_packed(&error))?;
    Ok(whole.into_inner())
}

fn not_packed(error: &dyn std::error::Error) -> Fault {
    tracing::error!(%error, "a skill was not packed");
    Fault::internal()
}

fn refused(message: &str) -> Fault {
    Fault::new(Code::InvalidArg, message)
}

fn leads_out(name: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(name);
    refused(&format!(
        "The archive has {shown:?}, which cannot be a file of a skill."
    ))
    .hint("Pack the skill's folder itself, with names that begin in it.")
}

fn too_many() -> Fault {
    Fault::new(Code::TooLarge, "The archive has more than 512 files.")
        .detail("limit_files", MOST_FILES)
}

fn broken(error: &dyn std::error::Error) -> Fault {
    refused(&format!("The archive cannot be read: {error}."))
        .hint("Pack the folder again as zip, without a password.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(path: &str, bytes: &[u8]) -> Packed {
        Packed {
            path: path.into(),
            bytes: bytes.to_vec(),
            executable: path.starts_with("scripts/"),
        }
    }

    #[test]
    fn a_folder_survives_packing() {
        let files = [
            packed("SKILL.md", b"x"),
            packed("scripts/a.py", b"print(1)"),
        ];
        let bytes = pack("one", &files).unwrap();
        assert_eq!(bytes, pack("one", &files).unwrap());
        assert_eq!(unpack(&bytes).unwrap(), files);
    }

    #[test]
    fn a_folder_beside_another_is_refused() {
        for others in [&["b/SKILL.md"][..], &["b/x"], &["x"]] {
            let mut files = vec![packed("SKILL.md", b"x")];
            let bytes = {
                let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
                files.extend(others.iter().map(|path| packed(path, b"y")));
                for file in &files {
                    let path = if file.path == SKILL_MD {
                        "a/SKILL.md"
                    } else {
                        &file.path
                    };
                    writer
                        .start_file(path, SimpleFileOptions::default())
                        .unwrap();
                }
                writer.finish().unwrap().into_inner()
            };
            assert_eq!(
                unpack(&bytes).unwrap_err().code,
                Code::InvalidArg,
                "{others:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..200, with: u8) {
            let _ = unpack(&bytes);
            let mut good = pack("one", &[packed("SKILL.md", b"x")]).unwrap();
            let at = at % good.len();
            good[at] = with;
            let _ = unpack(&good);
        }
    }
}
