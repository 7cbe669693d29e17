//! Completing a session, and settling one that a crash interrupted.

use super::{must_be_open, must_be_whole, unknown_upload};
use crate::App;
use crate::homes::blocking;
use quaymaster_core::Fault;
use quaymaster_core::id::{UploadId, WorkspaceId};
use quaymaster_core::tool::Ctx;
use quaymaster_files::{CompleteResult, Home, UploadTarget, Work};
use quaymaster_store::upload::{Destination, Upload, UploadState};
use quaymaster_store::workspace::Workspace;
use std::sync::Arc;
use std::time::Duration;

/// Hashing five gibibytes takes a few seconds; a slow disk some more.
const COMPLETE_WITHIN: Duration = Duration::from_mins(10);

impl App {
    /// Moves the file into place. A repeat gets the answer of the first time.
    pub(crate) async fn complete_upload(
        &self,
        workspace: &Workspace,
        id: &UploadId,
        sha256: Option<String>,
        if_match: Option<String>,
        ctx: Ctx,
    ) -> Result<String, Fault> {
        // Settles what a crash interrupted, before the state is looked at.
        let home = self.home(workspace).await?;
        let _alone = self.signer.lock(id).write_owned().await;
        // Read under the lock: somebody may have completed it meanwhile.
        let upload = self.settled(&home, id).await?;
        if let (UploadState::Completed, Some(result)) = (upload.state, &upload.result) {
            return Ok(result.clone());
        }
        must_be_open(&upload, self.now())?;
        let parts = self.store.upload_parts(id).await?;
        must_be_whole(&upload, &parts)?;
        let mut tx = self.store.begin().await?;
        let ours = tx
            .move_upload(id, UploadState::Open, UploadState::Completing)
            .await?;
        tx.commit().await?;
        if !ours {
            return Err(unknown_upload());
        }
        let placed = self
            .place(home.clone(), &upload, sha256, if_match, ctx)
            .await;
        match placed {
            Ok(done) => {
                let result = self.finish(&upload, &done).await?;
                self.signer.forget(id);
                Ok(result)
            }
            Err(fault) => {
                self.settled(&home, id).await?;
                Err(fault)
            }
        }
    }

    async fn place(
        &self,
        home: Arc<Home>,
        upload: &Upload,
        sha256: Option<String>,
        if_match: Option<String>,
        ctx: Ctx,
    ) -> Result<CompleteResult, Fault> {
        let (app, upload) = (self.clone(), upload.clone());
        let runtime = tokio::runtime::Handle::current();
        let digest = sha256.or_else(|| upload.sha256.clone());
        blocking(move || {
            let wanted = UploadTarget {
                path: &upload.path,
                size: upload.size.cast_unsigned(),
                overwrite: upload.overwrite,
                if_match: if_match.as_deref().or(upload.if_match.as_deref()),
            };
            let work = Work {
                cancelled: &|| ctx.cancel.is_cancelled(),
                deadline: std::time::Instant::now() + COMPLETE_WITHIN,
                report: &|done, total, what| ctx.report(done, total, what),
            };
            let remember = |digest: &str| {
                runtime.block_on(async {
                    let mut tx = app.store.begin().await?;
                    tx.set_upload_digest(&upload.id, digest).await?;
                    tx.commit().await?;
                    Ok(())
                })
            };
            home.complete_upload(&upload.id, &wanted, digest.as_deref(), &work, &remember)
        })
        .await
    }

    async fn finish(&self, upload: &Upload, done: &CompleteResult) -> Result<String, Fault> {
        let mut answer = serde_json::to_value(done).map_err(|_| Fault::internal())?;
        answer["upload_id"] = upload.id.as_str().into();
        answer["completed_at"] = self.now().to_string().into();
        if let Some(mime) = &upload.mime {
            answer["mime"] = mime.as_str().into();
        }
        let result = answer.to_string();
        let mut tx = self.store.begin().await?;
        tx.move_upload(&upload.id, UploadState::Completing, UploadState::Completed)
            .await?;
        tx.set_upload_result(&upload.id, &result).await?;
        tx.commit().await?;
        Ok(result)
    }

    /// Brings a home that was just opened and the database together after a crash: completions
    /// that were under way are finished or taken back, bytes of unknown sessions are freed.
    pub(crate) async fn settle_uploads(
        &self,
        workspace: &WorkspaceId,
        home: &Arc<Home>,
    ) -> Result<(), Fault> {
        let all = self.store.unfinished_uploads().await?;
        let mut keep = Vec::new();
        let is_here = |upload: &Upload| match &upload.destination {
            Destination::File { workspace: of, .. } => of == workspace,
            Destination::Document { .. } => false,
        };
        for upload in all.into_iter().filter(is_here) {
            if self.settle_one(home, &upload).await? {
                home.restore_reservation(&upload.id, upload.size.cast_unsigned());
                keep.push(upload.id);
            }
        }
        let home = home.clone();
        blocking(move || home.sweep_uploads(&keep)).await?;
        Ok(())
    }

    /// A session as it is now, for whoever holds its lock alone. A completion that is under way
    /// then is one that failed halfway, and is settled first.
    pub(super) async fn settled(&self, home: &Arc<Home>, id: &UploadId) -> Result<Upload, Fault> {
        let read = async || -> Result<Upload, Fault> {
            let found = self.store.upload_by_id(id).await?;
            found.ok_or_else(unknown_upload)
        };
        let upload = read().await?;
        if upload.state != UploadState::Completing {
            return Ok(upload);
        }
        self.settle_one(home, &upload).await?;
        read().await
    }

    /// Says by what is on the disk how far an unfinished session came, and writes that down.
    /// `true` while its bytes are still staged.
    async fn settle_one(&self, home: &Arc<Home>, upload: &Upload) -> Result<bool, Fault> {
        let (staged, etag) = {
            let (home, id, path) = (home.clone(), upload.id.clone(), upload.path.clone());
            blocking(move || Ok((home.staging().staged(&id)?, home.current_etag(&path)))).await?
        };
        let to = match (staged, upload.state) {
            (Some(_), UploadState::Completing) => UploadState::Open,
            (Some(_), _) => return Ok(true),
            // The bytes are gone, as after restoring a backup: the client starts again.
            (None, _) => UploadState::Expired,
        };
        let arrived = upload
            .final_sha256
            .as_ref()
            .map(|digest| format!("sha256:{digest}"));
        if staged.is_none()
            && upload.state == UploadState::Completing
            && let Some(etag) = etag
            && arrived.as_ref() == Some(&etag)
        {
            let done = CompleteResult {
                path: upload.path.clone(),
                etag,
                old_etag: None,
                size: upload.size.cast_unsigned(),
                mime: upload
                    .mime
                    .clone()
                    .unwrap_or_else(|| "application/octet-stream".into()),
                replaced: upload.overwrite,
            };
            self.finish(upload, &done).await?;
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        tx.move_upload(&upload.id, upload.state, to).await?;
        tx.commit().await?;
        Ok(staged.is_some())
    }
}
