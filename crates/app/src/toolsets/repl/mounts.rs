//! Files that a session sees besides its own: skills at `/mnt/skills/<id>/`, and memory at `/mnt/memory`.

use crate::App;
use crate::memory::Reader;
use crate::skills::shelf::Shelf;
use quaymaster_core::caller::Grant;
use quaymaster_core::id::OrgId;
use quaymaster_core::{Caller, Fault, Fut, Scope};
use quaymaster_sandbox::{MAX_MOUNTED, Mount, MountedFile, Mounts};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a session of a caller sees. Read when the session begins, and as it is then.
pub(super) struct Files {
    app: App,
    org: OrgId,
    shelf: Option<Arc<Shelf>>,
    skills: Vec<String>,
    /// Whoever may read their memory.
    memory: Option<Reader>,
}

impl Files {
    /// An unknown skill is `NOT_FOUND` before anything runs.
    pub(super) async fn of(app: &App, caller: &Caller, skills: &[String]) -> Result<Files, Fault> {
        let shelf = match skills {
            [] => None,
            _ => Some(app.shelf_of(caller).await?),
        };
        let mut bytes = 0;
        for name in skills {
            if let Some(shelf) = &shelf {
                let files = &shelf.find(name)?.files;
                bytes += files.iter().map(|file| file.size).sum::<i64>();
            }
        }
        if usize::try_from(bytes).is_ok_and(|bytes| bytes > MAX_MOUNTED) {
            let message =
                format!("These skills have {bytes} bytes together; a session holds {MAX_MOUNTED}.");
            return Err(Fault::invalid_arg("/skills", "maxBytes", message)
                .hint("Ask for fewer skills at a time."));
        }
        let remembers = caller.has(&Grant::Memory)
            && caller.picks("read_memory")
            && caller.scopes.has(Scope::ReadData);
        Ok(Files {
            app: app.clone(),
            org: caller.org.clone(),
            shelf,
            skills: skills.to_vec(),
            memory: remembers.then(|| Reader::of_caller(caller).ok()).flatten(),
        })
    }

    /// What makes it another session: a skill that was changed meanwhile does.
    pub(super) fn having(&self) -> Value {
        let digest = |name: &String| {
            let shelf = self.shelf.as_ref()?;
            Some(shelf.find(name).ok()?.digest.clone())
        };
        let skills = self.skills.iter().map(|name| json!([name, digest(name)]));
        json!([skills.collect::<Vec<_>>(), self.memory.is_some()])
    }
}

impl Mounts for Files {
    fn mounts(&self) -> Fut<'_, Result<Vec<Mount>, Fault>> {
        Box::pin(async {
            let mut mounts: Vec<Mount> = self.app.python.authorities().into_iter().collect();
            for name in &self.skills {
                let Some(shelf) = &self.shelf else { continue };
                let skill = shelf.find(name)?;
                let files = self.app.skill_contents(&self.org, &skill.files).await?;
                let files = files.into_iter().map(|file| MountedFile {
                    path: file.path,
                    bytes: file.bytes,
                    executable: file.executable,
                });
                mounts.push(Mount {
                    target: format!("/mnt/skills/{name}"),
                    files: files.collect(),
                });
            }
            if let Some(reader) = &self.memory {
                let files = self.app.memory_files(reader).await?.into_iter();
                let files = files.map(|(path, content)| MountedFile {
                    path,
                    bytes: content.into_bytes(),
                    executable: false,
                });
                mounts.push(Mount {
                    target: "/mnt/memory".to_owned(),
                    files: files.collect(),
                });
            }
            Ok(mounts)
        })
    }
}
