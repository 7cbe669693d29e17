//! Skills as directories, for programs that read files: `<data>/skills/<organization>/<digest>`.
//!
//! The database has the contents; a directory is made from them at first use and can be deleted at any
//! time when nobody has it mounted. Its name is the digest of what is in it, it is written as a draft, synced and renamed, so one
//! that is there is whole, also after a crash.

use crate::App;
use crate::homes::blocking;
use quaymaster_core::id::OrgId;
use quaymaster_core::{Code, Fault, Instant, hex};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DRAFT: &str = "draft-";
/// Since it was last asked for: directories that are no version of now, and drafts of a process that
/// died.
const KEPT: Duration = Duration::from_hours(24);

impl App {
    /// The directory of an enabled skill: `SKILL.md` and the files beside it, for mounting read-only.
    ///
    /// # Errors
    /// `NOT_FOUND` for a skill that is unknown or disabled.
    pub async fn skill_files(&self, org: &OrgId, skill: &str) -> Result<PathBuf, Fault> {
        let shelf = self.shelf(org).await?;
        let found = shelf.find(skill)?;
        let place = self.settings.data.join("skills").join(org.as_str());
        let target = place.join(&found.digest);
        if is_used_again(&target, self.now()) {
            return Ok(target);
        }
        let mut random = [0; 8];
        self.entropy.fill(&mut random);
        let draft = place.join(format!("{DRAFT}{}", hex(&random)));
        let mut files = Vec::with_capacity(found.files.len());
        for file in &found.files {
            let bytes = self.store.skill_content(org, &file.sha256).await?;
            let bytes = bytes.ok_or_else(|| {
                tracing::error!(skill, path = file.path, "a skill's content is missing");
                Fault::internal()
            })?;
            files.push((file.path.clone(), file.executable, bytes));
        }
        blocking(move || {
            write(&draft, &target, &files).map_err(|error| {
                let _ = fs::remove_dir_all(&draft);
                full_or_internal(&error)
            })?;
            Ok(target)
        })
        .await
    }

    /// Deletes directories that no enabled skill of their organization has any more.
    pub(crate) async fn sweep_skill_directories(&self) -> Result<(), Fault> {
        let root = self.settings.data.join("skills");
        let Ok(organizations) = fs::read_dir(&root) else {
            return Ok(());
        };
        for place in organizations.flatten() {
            let Ok(org) = place.file_name().to_string_lossy().parse::<OrgId>() else {
                continue;
            };
            let shelf = self.shelf(&org).await?;
            let now = self.now();
            let current: Vec<String> = shelf.skills.iter().map(|one| one.digest.clone()).collect();
            blocking(move || {
                for entry in fs::read_dir(place.path()).into_iter().flatten().flatten() {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if !current.contains(&name) && is_old(&entry.path(), now) {
                        let _ = fs::remove_dir_all(entry.path());
                    }
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// Whether the directory is there. Its time says when it was last asked for.
fn is_used_again(target: &Path, now: Instant) -> bool {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(now.micros().cast_unsigned());
    fs::File::open(target).is_ok_and(|folder| folder.set_modified(at).is_ok())
}

fn is_old(path: &Path, now: Instant) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|found| found.modified());
    let since = modified
        .ok()
        .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let now = Duration::from_micros(now.micros().cast_unsigned());
    since.is_some_and(|since| since + KEPT < now)
}

fn write(draft: &Path, target: &Path, files: &[(String, bool, Vec<u8>)]) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o755).create(draft)?;
    for (path, executable, bytes) in files {
        let path = draft.join(path);
        if let Some(folder) = path.parent() {
            builder.create(folder)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if *executable { 0o555 } else { 0o444 })
            .open(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    sync_folders(draft)?;
    match fs::rename(draft, target) {
        // Somebody else was faster, with the same content.
        Err(_) if target.is_dir() => fs::remove_dir_all(draft)?,
        done => done?,
    }
    match target.parent() {
        Some(place) => fs::File::open(place)?.sync_all(),
        None => Ok(()),
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    fs::File::open(folder)?.sync_all()
}

fn full_or_internal(error: &io::Error) -> Fault {
    tracing::error!(%error, "a skill's directory was not written");
    if error.kind() == io::ErrorKind::StorageFull {
        return Fault::new(Code::InsufficientStorage, "The server's disk is full.")
            .hint("Tell the operator; nothing was changed.");
    }
    Fault::internal()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_directory_is_whole_or_not_there() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("digest");
        let files = [
            ("SKILL.md".to_owned(), false, b"x".to_vec()),
            ("scripts/deep/a.py".to_owned(), true, b"print(1)".to_vec()),
        ];
        for draft in ["draft-1", "draft-2"] {
            write(&place.path().join(draft), &target, &files).unwrap();
            assert_eq!(
                fs::read(target.join("scripts/deep/a.py")).unwrap(),
                b"print(1)"
            );
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        let mode = fs::metadata(target.join("SKILL.md"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o444);
    }
}
