//! Upload sessions: made by a tool, filled by plain HTTP, completed by a tool. Those of documents are made and completed by the
//! management API or a page, and have a file of their own, `documents`; their parts are received alike.
//!
//! The database says what is known, the disk has the bytes. What is said to be there is there: a
//! part is recorded after its bytes are durable, and marked missing, durably, before other bytes
//! are written over it. Completion records the file's digest before it renames the file into
//! place, so a crash in between is settled at the next start.

mod complete;
mod documents;
mod receive;
mod signer;

pub use documents::{DocumentUpload, NewDocumentUpload};
pub use receive::Receiver;
pub(crate) use signer::UploadSigner;

use crate::App;
use crate::homes::blocking;
use quaymaster_core::id::UploadId;
use quaymaster_core::{Caller, Code, Fault, Instant};
use quaymaster_files::{Home, UploadTarget};
use quaymaster_store::upload::{Destination, Upload, UploadPart, UploadState};
use quaymaster_store::workspace::Workspace;
use std::sync::Arc;

const MIB: i64 = 1024 * 1024;
const SMALLEST_PART: i64 = 8 * MIB;
/// Object stores allow as many, and parts shall map to theirs.
const MOST_PARTS: i64 = 10_000;
const IDLE_SECONDS: i64 = 24 * 3_600;
const LONGEST_SECONDS: i64 = 7 * 24 * 3_600;

/// What a new session shall become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    pub path: String,
    pub size: u64,
    pub sha256: Option<String>,
    pub mime: Option<String>,
    pub overwrite: bool,
    pub if_match: Option<String>,
    pub idempotency_key: Option<String>,
}

impl App {
    pub(crate) async fn create_upload(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        new: NewUpload,
    ) -> Result<Upload, Fault> {
        if let Some(key) = &new.idempotency_key
            && let Some(known) = self
                .store
                .upload_by_key(&caller.org, &caller.credential, key)
                .await?
        {
            return same_upload(known, &new);
        }
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        let part_size = part_size(size);
        let now = self.now();
        let id = UploadId::fresh(&*self.clock, &*self.entropy);
        let home = self.home(workspace).await?;
        let path = {
            let (home, id, new) = (home.clone(), id.clone(), new.clone());
            blocking(move || home.begin_upload(&id, &target(&new))).await?
        };
        let upload = Upload {
            id: id.clone(),
            org: caller.org.clone(),
            destination: Destination::File {
                workspace: workspace.id.clone(),
                credential: caller.credential.clone(),
            },
            path,
            size,
            part_size,
            part_count: ceil(size, part_size),
            mime: new.mime.clone(),
            sha256: new
                .sha256
                .as_ref()
                .map(|digest| digest.to_ascii_lowercase()),
            overwrite: new.overwrite,
            if_match: new.if_match.clone(),
            idempotency_key: new.idempotency_key.clone(),
            state: UploadState::Open,
            created_at: now,
            expires_at: now.plus_seconds(IDLE_SECONDS),
            final_sha256: None,
            result: None,
        };
        let added = async {
            let mut tx = self.store.begin().await?;
            tx.add_upload(&upload).await?;
            tx.commit().await
        };
        if let Err(error) = added.await {
            free(home, id).await;
            if error.is_duplicate()
                && let Some(key) = &new.idempotency_key
                && let Some(known) = self
                    .store
                    .upload_by_key(&caller.org, &caller.credential, key)
                    .await?
            {
                return same_upload(known, &new);
            }
            return Err(error.into());
        }
        Ok(upload)
    }

    /// The address of a part with `{n}` for its number. Whoever has it may send parts.
    pub(crate) fn part_url_template(&self, upload: &UploadId) -> Result<String, Fault> {
        let path = self.part_path_template(upload)?;
        Ok(format!("{}{path}", self.settings.public_url))
    }

    /// The same on this server.
    fn part_path_template(&self, upload: &UploadId) -> Result<String, Fault> {
        let signature = self.signer.sign(upload)?;
        Ok(format!("/u/{upload}/parts/{{n}}?t={signature}"))
    }

    /// A session of the caller's; another's is not found.
    pub(crate) async fn upload_of(&self, caller: &Caller, id: &str) -> Result<Upload, Fault> {
        let id: UploadId = id.parse().map_err(|_| unknown_upload())?;
        self.store
            .upload(&caller.org, &caller.credential, &id)
            .await?
            .ok_or_else(unknown_upload)
    }

    pub(crate) async fn upload_parts(&self, upload: &UploadId) -> Result<Vec<UploadPart>, Fault> {
        Ok(self.store.upload_parts(upload).await?)
    }

    /// The session that a signed address names, while whoever made it may send to it.
    pub async fn upload_at(
        &self,
        id: &str,
        signature: &str,
    ) -> Result<(Upload, Vec<UploadPart>), Fault> {
        let id: UploadId = id.parse().map_err(|_| unknown_upload())?;
        if !self.signer.is_good(&id, signature) {
            return Err(unknown_upload());
        }
        let upload = self
            .store
            .upload_by_id(&id)
            .await?
            .ok_or_else(unknown_upload)?;
        if !self.may_send(&upload).await? {
            return Err(unknown_upload());
        }
        let parts = self.store.upload_parts(&id).await?;
        Ok((upload, parts))
    }

    /// Whether the session's maker may still do what it is for.
    async fn may_send(&self, upload: &Upload) -> Result<bool, Fault> {
        match &upload.destination {
            Destination::File { credential, .. } => self.may_write(credential).await,
            Destination::Document { user, .. } => {
                let member = self.store.member(&upload.org, user).await?;
                Ok(member.is_some_and(|member| member.role.administers()))
            }
        }
    }

    pub(crate) async fn abort_upload(
        &self,
        workspace: &Workspace,
        id: &UploadId,
    ) -> Result<(), Fault> {
        // Settles what a crash interrupted, before the state is looked at.
        let home = self.home(workspace).await?;
        let _alone = self.signer.lock(id).write_owned().await;
        let upload = self.settled(&home, id).await?;
        if must_abort(&upload, "Delete the file instead.")? {
            self.close(home, &upload, UploadState::Aborted).await?;
        }
        Ok(())
    }

    /// Ends a session without a file and frees its bytes.
    async fn close(&self, home: Arc<Home>, upload: &Upload, to: UploadState) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.move_upload(&upload.id, upload.state, to).await?;
        tx.commit().await?;
        free(home, upload.id.clone()).await;
        self.signer.forget(&upload.id);
        Ok(())
    }

    /// Ends sessions that nobody sent anything to for long. One that cannot be ended now is left
    /// for the next time and stops no other.
    pub(crate) async fn expire_uploads(&self) -> Result<(), Fault> {
        for upload in self.store.unfinished_uploads().await? {
            if let Err(fault) = self.expire_upload(&upload).await {
                tracing::warn!(%fault, upload = %upload.id, "an abandoned upload was not ended");
            }
        }
        Ok(())
    }

    async fn expire_upload(&self, upload: &Upload) -> Result<(), Fault> {
        if upload.expires_at > self.now() {
            return Ok(());
        }
        // Somebody who is sending right now is not waited for.
        let Ok(_alone) = self.signer.lock(&upload.id).try_write_owned() else {
            return Ok(());
        };
        let workspace = match &upload.destination {
            Destination::File { workspace, .. } => workspace,
            Destination::Document { .. } => return self.expire_document_upload(&upload.id).await,
        };
        let workspace = self.believed_workspace(&upload.org, workspace).await?;
        let home = self.home(&workspace).await?;
        let upload = self.settled(&home, &upload.id).await?;
        if upload.state == UploadState::Open && upload.expires_at <= self.now() {
            self.close(home, &upload, UploadState::Expired).await?;
        }
        Ok(())
    }
}

fn target(new: &NewUpload) -> UploadTarget<'_> {
    UploadTarget {
        path: &new.path,
        size: new.size,
        overwrite: new.overwrite,
        if_match: new.if_match.as_deref(),
    }
}

/// The same key with the same wishes is the same session; with others it is a mistake.
fn same_upload(known: Upload, new: &NewUpload) -> Result<Upload, Fault> {
    if matches!(known.state, UploadState::Aborted | UploadState::Expired) {
        return Err(Fault::new(
            Code::UploadExpired,
            "The upload session of this idempotency key has ended.",
        )
        .hint("Create a new one with a fresh idempotency key."));
    }
    let same = known.size == i64::try_from(new.size).unwrap_or(i64::MAX)
        && known.overwrite == new.overwrite
        && known.sha256.as_deref()
            == new
                .sha256
                .as_deref()
                .map(str::to_ascii_lowercase)
                .as_deref()
        && known.path == new.path.trim_start_matches("./").trim_start_matches('/');
    if same {
        return Ok(known);
    }
    Err(Fault::invalid_arg(
        "/idempotency_key",
        "unique",
        "This idempotency key belongs to an upload session with other arguments.",
    )
    .hint("Use a fresh key for another file.")
    .detail("upload_id", known.id.as_str()))
}

fn part_size(size: i64) -> i64 {
    let even = ceil(size, MOST_PARTS);
    SMALLEST_PART.max(ceil(even, MIB) * MIB)
}

/// How many pieces of `by` cover `size`; both are positive.
fn ceil(size: i64, by: i64) -> i64 {
    (size + by - 1) / by
}

/// Bytes of part `n` of an upload; `INVALID_ARG` when there is no such part.
pub fn part_length(upload: &Upload, n: i64) -> Result<i64, Fault> {
    if !(0..upload.part_count).contains(&n) {
        return Err(
            Fault::invalid_arg("/n", "maximum", format!("There is no part {n}.")).hint(format!(
                "Parts are numbered from 0; there are {}.",
                upload.part_count
            )),
        );
    }
    Ok(upload.part_size.min(upload.size - n * upload.part_size))
}

fn expiry(upload: &Upload, now: Instant) -> Instant {
    now.plus_seconds(IDLE_SECONDS)
        .min(upload.created_at.plus_seconds(LONGEST_SECONDS))
}

/// Whether there is something to abort; `instead` is what takes a completed one back.
fn must_abort(upload: &Upload, instead: &str) -> Result<bool, Fault> {
    match upload.state {
        UploadState::Aborted => Ok(false),
        UploadState::Open => Ok(true),
        UploadState::Completed | UploadState::Completing => Err(Fault::new(
            Code::InvalidArg,
            "The upload is completed; there is nothing to abort.",
        )
        .hint(instead)),
        UploadState::Expired => Err(expired()),
    }
}

/// The parts are all there.
fn must_be_whole(upload: &Upload, parts: &[UploadPart]) -> Result<(), Fault> {
    let missing = missing_parts(upload, parts);
    if missing.is_empty() {
        return Ok(());
    }
    Err(
        Fault::new(Code::UploadIncomplete, "Parts of the upload are missing.")
            .hint("Send the missing parts, then complete again.")
            .detail("missing_parts", missing),
    )
}

fn must_be_open(upload: &Upload, now: Instant) -> Result<(), Fault> {
    match upload.state {
        UploadState::Open if upload.expires_at > now => Ok(()),
        UploadState::Open | UploadState::Expired => Err(expired()),
        UploadState::Aborted => Err(Fault::new(Code::InvalidArg, "The upload was aborted.")
            .hint("Create a new upload session.")),
        UploadState::Completed | UploadState::Completing => Err(Fault::new(
            Code::InvalidArg,
            "The upload is completed; its parts no longer change.",
        )
        .hint("Create a new upload session to replace what it became.")),
    }
}

/// Numbers of missing parts as ranges: `3-7,9`.
pub(crate) fn missing_parts(upload: &Upload, parts: &[UploadPart]) -> String {
    let there: std::collections::HashSet<i64> = parts.iter().map(|part| part.n).collect();
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for n in (0..upload.part_count).filter(|n| !there.contains(n)) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == n => *end = n,
            _ => ranges.push((n, n)),
        }
    }
    let texts: Vec<_> = ranges
        .into_iter()
        .map(|(from, to)| {
            if from == to {
                from.to_string()
            } else {
                format!("{from}-{to}")
            }
        })
        .collect();
    texts.join(",")
}

async fn free(home: Arc<Home>, id: UploadId) {
    if let Err(fault) = blocking(move || home.abort_upload(&id)).await {
        tracing::warn!(%fault, "the bytes of an upload were not freed");
    }
}

fn unknown_upload() -> Fault {
    Fault::new(Code::UploadNotFound, "There is no such upload session.")
        .hint("Create one with create_upload_session.")
}

fn expired() -> Fault {
    Fault::new(Code::UploadExpired, "The upload session has expired.")
        .hint("Create a new upload session.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_mebibytes_and_at_most_ten_thousand() {
        for size in [0, 1, 8 * MIB, 5 * 1024 * MIB, 100 * 1024 * MIB] {
            let part = part_size(size);
            assert_eq!(part % MIB, 0);
            assert!(part >= 8 * MIB && ceil(size, part) <= MOST_PARTS, "{size}");
        }
    }
}
