//! Upload sessions: made by a tool, filled by plain HTTP, completed by a tool.
//!
//! The database says what is known, the disk has the bytes. What is said to be there is there: a
//! part is recorded after its bytes are durable, and marked missing, durably, before other bytes
//! are written over it. Completion records the file's digest before it renames the file into
//! place, so a crash in between is settled at the next start.

use crate::App;
use crate::homes::blocking;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::{CredentialId, UploadId, WorkspaceId};
use quaymaster_core::{Caller, Code, Fault, Instant};
use quaymaster_files::{CompleteResult, Home, UploadTarget, Work};
use quaymaster_store::keys::InstanceSecret;
use quaymaster_store::upload::{Upload, UploadPart, UploadState};
use quaymaster_store::workspace::Workspace;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;

const MIB: i64 = 1024 * 1024;
const SMALLEST_PART: i64 = 8 * MIB;
/// Object stores allow as many, and parts shall map to theirs.
const MOST_PARTS: i64 = 10_000;
const IDLE_SECONDS: i64 = 24 * 3_600;
const LONGEST_SECONDS: i64 = 7 * 24 * 3_600;
/// Hashing five gibibytes takes a few seconds; a slow disk some more.
const COMPLETE_WITHIN: Duration = Duration::from_mins(10);

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

/// Signs and checks the addresses of parts: HMAC-SHA-256 of the session's id.
pub(crate) struct UploadSigner {
    key: InstanceSecret,
    /// Parts are written under a shared lock, completion and abort take it alone.
    locks: Mutex<HashMap<UploadId, Arc<RwLock<()>>>>,
    /// One writer for each part.
    parts: Mutex<HashMap<(UploadId, i64), Arc<tokio::sync::Mutex<()>>>>,
}

impl UploadSigner {
    pub(crate) fn new(key: InstanceSecret) -> Self {
        UploadSigner { key, locks: Mutex::default(), parts: Mutex::default() }
    }

    fn mac(&self, upload: &UploadId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key[..]).ok()?;
        mac.update(upload.as_str().as_bytes());
        Some(mac)
    }

    fn sign(&self, upload: &UploadId) -> Result<String, Fault> {
        let mac = self.mac(upload).ok_or_else(Fault::internal)?;
        Ok(hex(&mac.finalize().into_bytes()))
    }

    fn is_good(&self, upload: &UploadId, presented: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.sign(upload).is_ok_and(|wanted| wanted.as_bytes().ct_eq(presented.as_bytes()).into())
    }

    fn lock(&self, upload: &UploadId) -> Arc<RwLock<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.entry(upload.clone()).or_default().clone()
    }

    fn part_lock(&self, upload: &UploadId, n: i64) -> Arc<tokio::sync::Mutex<()>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.entry((upload.clone(), n)).or_default().clone()
    }

    fn forget(&self, upload: &UploadId) {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner).remove(upload);
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|(id, _), _| id != upload);
    }
}

impl App {
    pub(crate) async fn create_upload(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        new: NewUpload,
    ) -> Result<Upload, Fault> {
        if let Some(key) = &new.idempotency_key
            && let Some(known) = self.store.upload_by_key(&caller.org, &caller.credential, key).await?
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
            workspace: workspace.id.clone(),
            credential: caller.credential.clone(),
            path,
            size,
            part_size,
            part_count: ceil(size, part_size),
            mime: new.mime.clone(),
            sha256: new.sha256.as_ref().map(|digest| digest.to_ascii_lowercase()),
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
                && let Some(known) =
                    self.store.upload_by_key(&caller.org, &caller.credential, key).await?
            {
                return same_upload(known, &new);
            }
            return Err(error.into());
        }
        Ok(upload)
    }

    /// The address of a part with `{n}` for its number. Whoever has it may send parts.
    pub(crate) fn part_url_template(&self, upload: &UploadId) -> Result<String, Fault> {
        let signature = self.signer.sign(upload)?;
        Ok(format!("{}/u/{upload}/parts/{{n}}?t={signature}", self.settings.public_url))
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

    /// The session that a signed address names, while its credential is alive.
    pub async fn upload_at(&self, id: &str, signature: &str) -> Result<(Upload, Vec<UploadPart>), Fault> {
        let id: UploadId = id.parse().map_err(|_| unknown_upload())?;
        if !self.signer.is_good(&id, signature) {
            return Err(unknown_upload());
        }
        let upload = self.store.upload_by_signature(&id).await?.ok_or_else(unknown_upload)?;
        if !self.is_alive(&upload.credential).await? {
            return Err(unknown_upload());
        }
        let parts = self.store.upload_parts(&id).await?;
        Ok((upload, parts))
    }

    /// Begins to receive a part. `announced` is the digest of its `Content-Digest`, in hex.
    pub async fn receive_part(
        &self,
        upload: &Upload,
        n: i64,
        announced: Option<String>,
    ) -> Result<Receiver, Fault> {
        let now = self.now();
        must_be_open(upload, now)?;
        let exclusive = self.signer.lock(&upload.id).read_owned().await;
        let part = self.signer.part_lock(&upload.id, n).lock_owned().await;
        let known = self.store.upload_parts(&upload.id).await?.into_iter().find(|part| part.n == n);
        let workspace = self.believed_workspace(&upload.org, &upload.workspace).await?;
        let home = self.home(&workspace).await?;
        let same = match (&known, &announced) {
            (Some(known), Some(announced)) => known.sha256 == *announced,
            _ => false,
        };
        let expires_at = expiry(upload, now);
        if known.is_some() && !same {
            let mut tx = self.store.begin().await?;
            tx.set_upload_part(&upload.id, n, 0, None, expires_at).await?;
            tx.commit().await?;
        }
        let length = part_length(upload, n)?;
        let sink = if same {
            Sink::Verify
        } else {
            let (id, size, part_size) = (upload.id.clone(), upload.size, upload.part_size);
            let writer = blocking(move || {
                let (n, part_size) = (n.cast_unsigned(), part_size.cast_unsigned());
                home.part_writer(&id, n, part_size, size.cast_unsigned())
            });
            Sink::Write(writer.await?)
        };
        Ok(Receiver {
            app: self.clone(),
            upload: upload.id.clone(),
            n,
            length,
            received: 0,
            sha: Sha256::new(),
            announced,
            expires_at,
            sink,
            _locks: (exclusive, part),
        })
    }

    /// Moves the file into place. A repeat gets the answer of the first time.
    pub(crate) async fn complete_upload(
        &self,
        workspace: &Workspace,
        id: &UploadId,
        sha256: Option<String>,
        if_match: Option<String>,
        work: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<String, Fault> {
        let _alone = self.signer.lock(id).write_owned().await;
        // Read under the lock: somebody may have completed it meanwhile.
        let upload = self.store.upload_by_signature(id).await?.ok_or_else(unknown_upload)?;
        if let (UploadState::Completed, Some(result)) = (upload.state, &upload.result) {
            return Ok(result.clone());
        }
        must_be_open(&upload, self.now())?;
        let parts = self.store.upload_parts(id).await?;
        let missing = missing_parts(&upload, &parts);
        if !missing.is_empty() {
            return Err(Fault::new(Code::UploadIncomplete, "Parts of the upload are missing.")
                .hint("Send the missing parts, then complete again.")
                .detail("missing_parts", missing));
        }
        let mut tx = self.store.begin().await?;
        let ours = tx.move_upload(id, UploadState::Open, UploadState::Completing).await?;
        tx.commit().await?;
        if !ours {
            return Err(unknown_upload());
        }
        let home = self.home(workspace).await?;
        let placed = self.place(home, &upload, sha256, if_match, work).await;
        match placed {
            Ok(done) => {
                let result = self.finish(&upload, &done).await?;
                self.signer.forget(id);
                Ok(result)
            }
            Err(fault) => {
                let mut tx = self.store.begin().await?;
                tx.move_upload(id, UploadState::Completing, UploadState::Open).await?;
                tx.commit().await?;
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
        cancelled: impl Fn() -> bool + Send + Sync + 'static,
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
            let work =
                Work { cancelled: &cancelled, deadline: std::time::Instant::now() + COMPLETE_WITHIN };
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
        tx.move_upload(&upload.id, UploadState::Completing, UploadState::Completed).await?;
        tx.set_upload_result(&upload.id, &result).await?;
        tx.commit().await?;
        Ok(result)
    }

    pub(crate) async fn abort_upload(&self, workspace: &Workspace, id: &UploadId) -> Result<(), Fault> {
        let _alone = self.signer.lock(id).write_owned().await;
        let upload = self.store.upload_by_signature(id).await?.ok_or_else(unknown_upload)?;
        match upload.state {
            UploadState::Aborted => return Ok(()),
            UploadState::Open => {}
            UploadState::Completed | UploadState::Completing => {
                return Err(Fault::new(Code::InvalidArg, "The upload is completed; there is nothing to abort.")
                    .hint("Delete the file instead."));
            }
            UploadState::Expired => return Err(expired()),
        }
        self.close(workspace, &upload, UploadState::Aborted).await
    }

    /// Ends a session without a file and frees its bytes.
    async fn close(&self, workspace: &Workspace, upload: &Upload, to: UploadState) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.move_upload(&upload.id, upload.state, to).await?;
        tx.commit().await?;
        let home = self.home(workspace).await?;
        free(home, upload.id.clone()).await;
        self.signer.forget(&upload.id);
        Ok(())
    }

    pub(crate) async fn expire_uploads(&self) -> Result<(), Fault> {
        let now = self.now();
        for upload in self.store.unfinished_uploads().await? {
            if upload.state == UploadState::Open && upload.expires_at <= now {
                let _alone = self.signer.lock(&upload.id).write_owned().await;
                let workspace = self.believed_workspace(&upload.org, &upload.workspace).await?;
                self.close(&workspace, &upload, UploadState::Expired).await?;
            }
        }
        Ok(())
    }

    /// Brings a home that was just opened and the database together after a crash: completions
    /// that were under way are finished or taken back, bytes of unknown sessions are freed.
    pub(crate) async fn settle_uploads(&self, workspace: &WorkspaceId, home: &Arc<Home>) -> Result<(), Fault> {
        let all = self.store.unfinished_uploads().await?;
        let mut keep = Vec::new();
        for upload in all.into_iter().filter(|upload| upload.workspace == *workspace) {
            let (staged, etag) = {
                let (home, id, path) = (home.clone(), upload.id.clone(), upload.path.clone());
                blocking(move || Ok((home.staged(&id)?, home.current_etag(&path)))).await?
            };
            if staged.is_some() {
                home.restore_reservation(&upload.id, upload.size.cast_unsigned());
                keep.push(upload.id.clone());
                if upload.state == UploadState::Completing {
                    let mut tx = self.store.begin().await?;
                    tx.move_upload(&upload.id, UploadState::Completing, UploadState::Open).await?;
                    tx.commit().await?;
                }
                continue;
            }
            let arrived = upload.final_sha256.as_ref().map(|digest| format!("sha256:{digest}"));
            match (upload.state, etag) {
                (UploadState::Completing, Some(etag)) if arrived.as_ref() == Some(&etag) => {
                    let done = CompleteResult {
                        path: upload.path.clone(),
                        etag,
                        old_etag: None,
                        size: upload.size.cast_unsigned(),
                        mime: upload.mime.clone().unwrap_or_else(|| "application/octet-stream".into()),
                        replaced: upload.overwrite,
                    };
                    self.finish(&upload, &done).await?;
                }
                _ => {
                    // The bytes are gone, as after restoring a backup: the client starts again.
                    let mut tx = self.store.begin().await?;
                    tx.move_upload(&upload.id, upload.state, UploadState::Expired).await?;
                    tx.commit().await?;
                }
            }
        }
        let home = home.clone();
        blocking(move || home.sweep_uploads(&keep)).await?;
        Ok(())
    }
}

enum Sink {
    Write(quaymaster_files::PartWriter),
    /// The part is there already with the announced digest: its bytes are only compared.
    Verify,
}

/// A part on its way. Dropped before [`Receiver::finish`], the part counts as missing.
pub struct Receiver {
    app: App,
    upload: UploadId,
    n: i64,
    length: i64,
    received: i64,
    sha: Sha256,
    announced: Option<String>,
    expires_at: Instant,
    sink: Sink,
    _locks: (tokio::sync::OwnedRwLockReadGuard<()>, tokio::sync::OwnedMutexGuard<()>),
}

impl Receiver {
    /// Bytes that the part has.
    pub fn length(&self) -> i64 {
        self.length
    }

    /// Takes the next bytes, in order.
    pub async fn write(mut self, bytes: Vec<u8>) -> Result<Receiver, Fault> {
        blocking(move || {
            self.received += bytes.len() as i64;
            match &mut self.sink {
                Sink::Write(writer) => writer.write(&bytes)?,
                Sink::Verify => self.sha.update(&bytes),
            }
            Ok(self)
        })
        .await
    }

    /// Makes the part durable and records it.
    pub async fn finish(self) -> Result<UploadPart, Fault> {
        let Receiver { app, upload, n, length, received, sha, announced, expires_at, sink, _locks } = self;
        let writer = match sink {
            Sink::Write(writer) => writer,
            Sink::Verify => {
                let actual = hex(&sha.finalize());
                if received == length && announced.as_ref() == Some(&actual) {
                    return Ok(UploadPart { n, size: length, sha256: actual });
                }
                return Err(checksum_mismatch(announced.as_deref(), &actual));
            }
        };
        let done = blocking(move || writer.finish()).await?;
        if let Some(announced) = &announced
            && *announced != done.sha256
        {
            return Err(checksum_mismatch(Some(announced), &done.sha256));
        }
        let mut tx = app.store.begin().await?;
        tx.set_upload_part(&upload, n, length, Some(&done.sha256), expires_at).await?;
        tx.commit().await?;
        Ok(UploadPart { n, size: length, sha256: done.sha256 })
    }
}

fn checksum_mismatch(announced: Option<&str>, actual: &str) -> Fault {
    Fault::new(Code::ChecksumMismatch, "The bytes of the part do not have the announced digest.")
        .hint("Send the part again.")
        .detail("expected", announced)
        .detail("actual", actual)
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
    let same = known.size == i64::try_from(new.size).unwrap_or(i64::MAX)
        && known.overwrite == new.overwrite
        && known.sha256.as_deref() == new.sha256.as_deref().map(str::to_ascii_lowercase).as_deref()
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

fn part_length(upload: &Upload, n: i64) -> Result<i64, Fault> {
    if !(0..upload.part_count).contains(&n) {
        return Err(Fault::invalid_arg("/n", "maximum", format!("There is no part {n}."))
            .hint(format!("Parts are numbered from 0; there are {}.", upload.part_count)));
    }
    Ok(upload.part_size.min(upload.size - n * upload.part_size))
}

fn expiry(upload: &Upload, now: Instant) -> Instant {
    now.plus_seconds(IDLE_SECONDS).min(upload.created_at.plus_seconds(LONGEST_SECONDS))
}

fn must_be_open(upload: &Upload, now: Instant) -> Result<(), Fault> {
    match upload.state {
        UploadState::Open if upload.expires_at > now => Ok(()),
        UploadState::Open | UploadState::Expired => Err(expired()),
        UploadState::Aborted => {
            Err(Fault::new(Code::InvalidArg, "The upload was aborted.").hint("Create a new upload session."))
        }
        UploadState::Completed | UploadState::Completing => {
            Err(Fault::new(Code::InvalidArg, "The upload is completed; its parts no longer change.")
                .hint("Create a new upload session with overwrite to replace the file."))
        }
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
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_mebibytes_and_at_most_ten_thousand() {
        for size in [0, 1, 8 * MIB, 5 * 1024 * MIB, 100 * 1024 * MIB] {
            let part = part_size(size);
            assert_eq!(part % MIB, 0);
            assert!(part >= 8 * MIB && size.div_ceil(part) <= MOST_PARTS, "{size}");
        }
    }
}
