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
        self.record_file_event(actor, workspace, "trash.restored", details)
            .await?;
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
        self.record_file_event(actor, workspace, "trash.purged", json!({ "id": trash }))
            .await
    }

    async fn record_file_event(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        action: &str,
        details: serde_json::Value,
    ) -> Result<(), Fault> {
        let mut event = self.event(&actor.org, &actor.label, action, details);
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }
}
