//! A file on its way in, of any size that a workspace takes: staged beside the tree, then renamed into
//! place whole.

use crate::App;
use crate::actor::Actor;
use crate::homes::blocking;
use quaymaster_core::Fault;
use quaymaster_core::id::{UploadId, WorkspaceId};
pub use quaymaster_files::CompleteResult;
use quaymaster_files::{Home, PartWriter, UploadTarget, Work};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For the digest of what arrived.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a sent file shall become.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub path: String,
    /// Bytes of the whole file.
    pub size: u64,
    pub overwrite: bool,
    /// Etag of the file to replace, or `*`.
    pub if_match: Option<String>,
}

impl NewFile {
    fn target(&self) -> UploadTarget<'_> {
        UploadTarget {
            path: &self.path,
            size: self.size,
            overwrite: self.overwrite,
            if_match: self.if_match.as_deref(),
        }
    }
}

/// Takes the bytes of a file in their order. Dropped before [`FileReceiver::finish`], nothing changes.
pub struct FileReceiver {
    app: App,
    actor: Actor,
    workspace: WorkspaceId,
    new: NewFile,
    staged: Staged,
    writer: Option<PartWriter>,
}

/// Room on the disk, given back when the file did not come to its place.
struct Staged {
    home: Arc<Home>,
    id: UploadId,
    is_placed: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.is_placed {
            return;
        }
        let (home, id) = (self.home.clone(), self.id.clone());
        let free = move || {
            if let Err(fault) = home.abort_upload(&id) {
                tracing::warn!(%fault, "what was sent of a file was not freed");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(free)),
            Err(_) => free(),
        }
    }
}

impl App {
    /// Begins to receive a file: there is room for it, and it may be put where it is meant to.
    pub async fn receive_file(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        new: NewFile,
    ) -> Result<FileReceiver, Fault> {
        let found = self.believed_workspace(&actor.org, workspace).await?;
        let home = self.home(&found).await?;
        let id = UploadId::fresh(&*self.clock, &*self.entropy);
        let (new, staged, writer) = blocking(move || {
            home.begin_upload(&id, &new.target())?;
            let staged = Staged {
                home,
                id,
                is_placed: false,
            };
            // A file of nothing has no part.
            let writer = match new.size {
                0 => None,
                size => Some(
                    staged
                        .home
                        .staging()
                        .part_writer(&staged.id, 0, size, size)?,
                ),
            };
            Ok((new, staged, writer))
        })
        .await?;
        Ok(FileReceiver {
            app: self.clone(),
            actor: actor.clone(),
            workspace: workspace.clone(),
            new,
            staged,
            writer,
        })
    }
}

impl FileReceiver {
    /// Takes the next bytes. More than were announced are refused.
    pub async fn write(mut self, bytes: Vec<u8>) -> Result<FileReceiver, Fault> {
        if bytes.is_empty() {
            return Ok(self);
        }
        blocking(move || {
            let Some(writer) = &mut self.writer else {
                return Err(Fault::invalid_arg(
                    "/size",
                    "maximum",
                    "More bytes arrived than were announced.",
                ));
            };
            writer.write(&bytes)?;
            Ok(self)
        })
        .await
    }

    /// Puts the file in its place, also when nobody waits for it any more.
    pub async fn finish(self) -> Result<CompleteResult, Fault> {
        let tasks = self.app.tasks.clone();
        let placed = tasks.spawn(self.placed());
        placed.await.map_err(|_| Fault::internal())?
    }

    async fn placed(self) -> Result<CompleteResult, Fault> {
        let FileReceiver {
            app,
            actor,
            workspace,
            new,
            staged,
            writer,
        } = self;
        let _turn = app.file_turn(&workspace).await?;
        let placed = blocking(move || {
            // As a whole: of its parts alone, the flag would be a copy.
            let mut staged = staged;
            if let Some(writer) = writer {
                writer.finish()?;
            }
            let work = Work {
                cancelled: &|| false,
                deadline: Instant::now() + PATIENCE,
                report: &|_, _, _| {},
            };
            let target = new.target();
            let nothing = |_: &str| Ok(());
            let placed = staged
                .home
                .complete_upload(&staged.id, &target, None, &work, &nothing)?;
            staged.is_placed = true;
            Ok(placed)
        })
        .await?;
        let details = json!({
            "path": placed.path, "size": placed.size, "created": !placed.replaced, "etag": placed.etag,
        });
        app.file_changed(&actor, &workspace, "file.written", details)
            .await;
        Ok(placed)
    }
}
