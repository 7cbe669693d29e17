//! The files of a workspace for people: listed, looked at, taken away, sent in, changed.
//!
//! The same [`Home`](quaymaster_files::Home) as the file tools work on, with the same limits. Agents'
//! changes are calls and stand in the audit; those of people are events.

mod documents;
mod history;
mod sending;

pub(crate) use documents::DocumentTexts;
pub use history::{FileChange, FileChangeRow};
pub use sending::{CompleteResult, FileReceiver, NewFile};

use crate::App;
use crate::actor::Actor;
use crate::homes::blocking;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
pub use quaymaster_files::{
    CreateDirectory, CreateDirectoryResult, DeleteFile, DeleteFileResult, Entry, EntryType,
    EolStyle, FileInfo, GetFileInfo, ListFiles, ListFilesResult, MoveFile, MoveFileResult,
    NextPage, Order, ReadAs, ReadFile, ReadFileResult, Sort, WriteEol, WriteFile, WriteFileResult,
    WriteMode,
};
use quaymaster_files::{Download, Home};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes read at a time.
const CHUNK: u64 = 256 * 1024;

/// A file that somebody takes away.
pub struct TakenAway {
    pub name: String,
    pub size: u64,
    pub etag: String,
    pub mime: String,
    pub is_text: bool,
    file: Arc<Download>,
}

impl TakenAway {
    /// The bytes in order.
    pub fn bytes(self) -> impl Stream<Item = Result<Vec<u8>, Fault>> + Send + 'static {
        try_unfold((self.file, 0), |(file, at)| async move {
            let reading = file.clone();
            let bytes = blocking(move || reading.read(at, CHUNK)).await?;
            let next = at + bytes.len() as u64;
            Ok((!bytes.is_empty()).then_some((bytes, (file, next))))
        })
    }
}

impl App {
    pub async fn list_files(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: ListFiles,
    ) -> Result<ListFilesResult, Fault> {
        self.in_home(actor, workspace, move |home| home.list_files(&ask))
            .await
    }

    pub async fn file_info(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: GetFileInfo,
    ) -> Result<FileInfo, Fault> {
        self.in_home(actor, workspace, move |home| home.get_file_info(&ask))
            .await
    }

    /// A page of a file.
    pub async fn read_file(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: ReadFile,
    ) -> Result<ReadFileResult, Fault> {
        self.in_home(actor, workspace, move |home| home.read_file(&ask))
            .await
    }

    pub async fn take_away(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        path: String,
    ) -> Result<TakenAway, Fault> {
        let file = self
            .in_home(actor, workspace, move |home| home.open_download(&path))
            .await?;
        Ok(TakenAway {
            name: file.name().to_owned(),
            size: file.size,
            etag: file.etag.clone(),
            mime: file.mime.clone(),
            is_text: file.is_text,
            file: Arc::new(file),
        })
    }

    /// Writes a text of at most 1 MiB.
    pub async fn write_file(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: WriteFile,
    ) -> Result<WriteFileResult, Fault> {
        let told = |written: &WriteFileResult| {
            let details = json!({
                "path": written.path, "size": written.size, "created": written.created,
                "etag": written.etag,
            });
            (!written.unchanged && !written.dry_run).then_some(("file.written", details))
        };
        self.change_in_home(actor, workspace, move |home| home.write_file(&ask), told)
            .await
    }

    pub async fn create_directory(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: CreateDirectory,
    ) -> Result<CreateDirectoryResult, Fault> {
        let told = |made: &CreateDirectoryResult| {
            let details = json!({ "path": made.path });
            made.created.then_some(("file.directory_created", details))
        };
        let make = move |home: &Home| home.create_directory(&ask);
        self.change_in_home(actor, workspace, make, told).await
    }

    pub async fn move_file(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: MoveFile,
    ) -> Result<MoveFileResult, Fault> {
        let told = |moved: &MoveFileResult| {
            let details = json!({ "from": moved.source, "to": moved.destination });
            Some(("file.moved", details))
        };
        self.change_in_home(actor, workspace, move |home| home.move_file(&ask), told)
            .await
    }

    /// Moves a file or directory to the trash.
    pub async fn delete_file(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        ask: DeleteFile,
    ) -> Result<DeleteFileResult, Fault> {
        let told = |deleted: &DeleteFileResult| {
            let details = json!({
                "path": deleted.path, "files": deleted.deleted_files, "trash_id": deleted.trash_id,
            });
            (deleted.kind.is_some() && !deleted.dry_run).then_some(("file.deleted", details))
        };
        self.change_in_home(actor, workspace, move |home| home.delete_file(&ask), told)
            .await
    }

    /// A change of files and what is told of it, to the end even when nobody waits for it any more.
    async fn change_in_home<T: Send + 'static>(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        work: impl FnOnce(&Home) -> Result<T, Fault> + Send + 'static,
        told: impl FnOnce(&T) -> Option<(&'static str, Value)> + Send + 'static,
    ) -> Result<T, Fault> {
        let (app, actor, workspace) = (self.clone(), actor.clone(), workspace.clone());
        let task = self.tasks.spawn(async move {
            let done = app.in_home(&actor, &workspace, work).await?;
            if let Some((action, details)) = told(&done) {
                app.file_changed(&actor, &workspace, action, details).await;
            }
            Ok(done)
        });
        task.await.map_err(|_| Fault::internal())?
    }

    /// Work on a workspace's files, in turn with that of everybody.
    async fn in_home<T: Send + 'static>(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        work: impl FnOnce(&Home) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let workspace = self.believed_workspace(&actor.org, workspace).await?;
        let _turn = self.file_turn(&workspace.id).await?;
        let home = self.home(&workspace).await?;
        blocking(move || work(&home)).await
    }

    /// Says who changed a file. The file has changed before: no transaction spans both.
    pub(crate) async fn file_changed(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        action: &str,
        details: Value,
    ) {
        let mut event = self.event(&actor.org, &actor.label, action, details);
        event.workspace = Some(workspace.clone());
        let files = by_person(&event.details);
        let recorded = async {
            let mut tx = self.store.begin().await?;
            tx.record(&event).await?;
            tx.record_files(&event, &files).await?;
            tx.commit().await
        };
        if let Err(error) = recorded.await {
            tracing::error!(%error, action, "a change of a file was not recorded");
        }
    }
}

/// The paths in the details of an event.
fn by_person(details: &Value) -> Vec<FileChange> {
    if details["to"].is_string() {
        let moved = json!({ "source": details["from"], "destination": details["to"] });
        return history::told_in(&moved, true);
    }
    let one = json!({ "path": details["path"], "etag": details["etag"] });
    history::told_in(&one, false)
}
