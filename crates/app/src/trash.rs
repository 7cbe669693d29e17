//! What was deleted and can come back.

use crate::App;
use crate::actor::Actor;
use crate::homes::blocking;
use quaymaster_core::Fault;
use quaymaster_core::id::{TrashId, WorkspaceId};
pub use quaymaster_files::{EntryType, Restored, TrashItem};
use serde_json::json;

impl App {
    pub async fn trash(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<TrashItem>, Fault> {
        let workspace = self.believed_workspace(&actor.org, workspace).await?;
        let home = self.home(&workspace).await?;
        blocking(move || home.list_trash()).await
    }

    /// Puts a deleted file or directory back where it was, or at `to`. Answers where it is
    /// now.
    pub async fn restore(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        trash: TrashId,
        to: Option<String>,
    ) -> Result<Restored, Fault> {
        let found = self.believed_workspace(&actor.org, workspace).await?;
        let home = self.home(&found).await?;
        let restored = blocking(move || home.restore_trash(&trash, to.as_deref())).await?;
        let details = json!({ "path": restored.path });
        self.file_changed(actor, workspace, "trash.restored", details)
            .await;
        Ok(restored)
    }

    /// Deletes for good.
    pub async fn purge(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        trash: TrashId,
    ) -> Result<(), Fault> {
        let found = self.believed_workspace(&actor.org, workspace).await?;
        let home = self.home(&found).await?;
        let id = trash.clone();
        blocking(move || home.purge_trash(&id)).await?;
        self.file_changed(actor, workspace, "trash.purged", json!({ "id": trash }))
            .await;
        Ok(())
    }
}
