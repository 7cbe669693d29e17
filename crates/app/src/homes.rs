//! The home directories of workspaces, opened at first use.

use crate::App;
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use quaymaster_files::{Home, Limits};
use quaymaster_store::workspace::Workspace;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) struct Homes {
    root: PathBuf,
    open: Mutex<HashMap<WorkspaceId, Arc<Home>>>,
    /// Work on one workspace's files at a time; the rest waits, and other workspaces do not.
    busy: Mutex<HashMap<WorkspaceId, Arc<Semaphore>>>,
    /// One home is opened at a time, and settled before anybody uses it.
    opening: tokio::sync::Mutex<()>,
}

impl Homes {
    pub(crate) fn new(root: PathBuf) -> Self {
        Homes {
            root,
            open: Mutex::default(),
            busy: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }
    }

    fn get(&self, workspace: &WorkspaceId) -> Option<Arc<Home>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(workspace)
            .cloned()
    }

    fn all(&self) -> Vec<(WorkspaceId, Arc<Home>)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter()
            .map(|(id, home)| (id.clone(), home.clone()))
            .collect()
    }
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "file work panicked");
            Err(Fault::internal())
        })
}

const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// Nobody is still making a session of that age.
const LEFT_BEHIND_SECONDS: i64 = 3_600;

/// Calls that work on one workspace's files at the same time. All workspaces share the threads
/// that may block.
const AT_A_TIME: usize = 16;

impl App {
    /// Room for one more piece of work on a workspace's files.
    pub(crate) async fn file_turn(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<OwnedSemaphorePermit, Fault> {
        let turns = {
            let mut busy = self
                .homes
                .busy
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            busy.entry(workspace.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(AT_A_TIME)))
                .clone()
        };
        turns.acquire_owned().await.map_err(|_| Fault::internal())
    }

    /// The home of a workspace, with its quota of today. There is one at a time, because its locks
    /// are in memory.
    pub(crate) async fn home(&self, workspace: &Workspace) -> Result<Arc<Home>, Fault> {
        let quota = u64::try_from(workspace.quota_bytes).unwrap_or(0);
        let home = match self.homes.get(&workspace.id) {
            Some(home) => home,
            None => self.open_home(&workspace.id, quota).await?,
        };
        home.set_quota_bytes(quota);
        Ok(home)
    }

    async fn open_home(
        &self,
        workspace: &WorkspaceId,
        quota_bytes: u64,
    ) -> Result<Arc<Home>, Fault> {
        let _alone = self.homes.opening.lock().await;
        if let Some(home) = self.homes.get(workspace) {
            return Ok(home);
        }
        let (app, root) = (self.clone(), self.homes.root.join(workspace.as_str()));
        let home = blocking(move || {
            let limits = Limits {
                quota_bytes,
                ..Limits::default()
            };
            Home::open(&root, limits, app.clock.clone(), app.entropy.clone()).map(Arc::new)
        })
        .await?;
        self.settle_uploads(workspace, &home).await?;
        let mut open = self
            .homes
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.insert(workspace.clone(), home.clone());
        Ok(home)
    }

    /// Removes the files of a workspace that is no more. What cannot be removed is told in the log.
    pub(crate) async fn remove_home(&self, workspace: &WorkspaceId) {
        {
            let mut open = self
                .homes
                .open
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            open.remove(workspace);
        }
        let root = self.homes.root.join(workspace.as_str());
        let removed = blocking(move || {
            match std::fs::remove_dir_all(&root) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, root = %root.display(), "files of a deleted workspace stay");
                }
                _ => {}
            }
            Ok(())
        });
        let _ = removed.await;
    }

    /// Frees what is past its time: old rows, trash and abandoned uploads.
    pub(crate) async fn sweep(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = self.stop.cancelled() => return,
            }
            if let Err(error) = self.store.sweep(self.now()).await {
                tracing::warn!(%error, "old rows were not swept");
            }
            if let Err(fault) = self.expire_uploads().await {
                tracing::warn!(%fault, "abandoned uploads were not swept");
            }
            if let Err(fault) = self.settle_document_uploads(LEFT_BEHIND_SECONDS).await {
                tracing::warn!(%fault, "what uploads of documents left was not swept");
            }
            if let Err(fault) = self.sweep_documents().await {
                tracing::warn!(%fault, "what deleted documents left was not swept");
            }
            for (workspace, home) in self.homes.all() {
                let now = self.now();
                if let Err(fault) = blocking(move || home.sweep_trash(now)).await {
                    tracing::warn!(%fault, %workspace, "the trash was not swept");
                }
            }
        }
    }
}
