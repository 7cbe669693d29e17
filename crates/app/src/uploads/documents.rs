//! Sessions whose bytes become a document of the knowledge base.
//!
//! They belong to the organization: whoever administers it sees, completes and aborts all of them. To complete one is to read
//! the staged file into the shelf as if it arrived just then. The document's row and the end of the session are one
//! transaction: before it nothing has happened, and after it nothing happens a second time.

use super::{
    IDLE_SECONDS, ceil, missing_parts, must_abort, must_be_open, must_be_whole, part_size,
};
use crate::App;
use crate::actor::Admin;
use crate::documents::{About, Document};
use crate::homes::blocking;
use quaymaster_core::id::{DocumentId, UploadId};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_files::Staging;
use quaymaster_store::Tx;
use quaymaster_store::upload::{Destination, Upload, UploadPart, UploadState};
use serde_json::json;
use std::io::Read as _;
use std::sync::Arc;

/// Open sessions of one organization.
const MOST_OPEN: i64 = 250;
/// Of a staged file, read at once.
const PIECE: usize = 1024 * 1024;

/// What a new session shall become.
#[derive(Debug, Clone)]
pub struct NewDocumentUpload {
    pub path: String,
    /// Without one, the name in the path.
    pub title: Option<String>,
    /// A document at that path gets these bytes; without this it is refused.
    pub replace: bool,
    /// Of the whole document, in bytes.
    pub size: i64,
    /// 64 hexadecimal digits.
    pub sha256: Option<String>,
}

/// A session, and how far it is.
#[derive(Debug, Clone)]
pub struct DocumentUpload {
    pub id: UploadId,
    pub path: String,
    pub title: String,
    pub replace: bool,
    pub state: UploadState,
    /// In bytes, as the three below.
    pub size: i64,
    pub part_size: i64,
    pub received_bytes: i64,
    pub part_count: i64,
    /// Ranges of numbers, for example `3-7,9`.
    pub missing_parts: String,
    /// While it is open: where on this server a part is put, with `{n}` for its number.
    pub part_path: Option<String>,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// Once it is completed.
    pub document: Option<DocumentId>,
}

/// A file that goes when whoever asked for a session hangs up before it has a row.
struct Staged {
    staging: Arc<Staging>,
    id: UploadId,
    is_dropped: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_dropped {
            return;
        }
        let (staging, id) = (self.staging.clone(), self.id.clone());
        let free = move || {
            if let Err(fault) = staging.remove(&id) {
                tracing::warn!(%fault, "what was staged for an upload was not freed");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(free)),
            Err(_) => free(),
        }
    }
}

impl App {
    /// Begins a session.
    ///
    /// # Errors
    /// As for a document that is sent at once; a size or digest that is none; too many open sessions.
    pub async fn create_document_upload(
        &self,
        admin: &Admin,
        new: NewDocumentUpload,
    ) -> Result<DocumentUpload, Fault> {
        let about = About::new(&new.path, new.title.as_deref(), new.replace)?;
        let sha256 = new.sha256.as_deref().map(digest).transpose()?;
        if new.size < 0 {
            let message = "A size is not negative.";
            return Err(Fault::invalid_arg("/size", "minimum", message));
        }
        self.check_size(new.size, false)?;
        let (part_size, now) = (part_size(new.size), self.now());
        let upload = Upload {
            id: UploadId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            destination: Destination::Document {
                user: admin.user.clone(),
                title: about.title.clone(),
            },
            path: about.path.clone(),
            size: new.size,
            part_size,
            part_count: ceil(new.size, part_size),
            mime: None,
            sha256,
            overwrite: about.replace,
            if_match: None,
            idempotency_key: None,
            state: UploadState::Open,
            created_at: now,
            expires_at: now.plus_seconds(IDLE_SECONDS),
            final_sha256: None,
            result: None,
        };
        // Asked again with the row; asked here so that no room on the disk is taken in vain.
        let mut tx = self.store.begin().await?;
        self.check_session(&mut tx, admin, &about, new.size).await?;
        drop(tx);
        let staging = self.document_staging().await?;
        let id = upload.id.clone();
        let staged = blocking(move || {
            let staged = Staged {
                staging,
                id,
                is_dropped: true,
            };
            let size = new.size.cast_unsigned();
            staged.staging.stage(&staged.id, size)?;
            Ok(staged)
        });
        let mut staged = staged.await?;
        let added = self.add_session(admin, &about, &upload).await;
        staged.is_dropped = false;
        if let Err(fault) = added {
            self.unstage(&upload.id).await;
            return Err(fault);
        }
        self.told(upload, &[])
    }

    async fn check_session(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        about: &About,
        size: i64,
    ) -> Result<(), Fault> {
        self.check_room(tx, admin, about, size).await?;
        let open = tx.open_document_uploads(&admin.org, None).await?;
        if open.documents < MOST_OPEN {
            return Ok(());
        }
        Err(Fault::new(
            Code::QuotaExceeded,
            format!("{MOST_OPEN} upload sessions of the organization are open already."),
        )
        .hint("Complete or abort some of them.")
        .detail("limit", MOST_OPEN))
    }

    async fn add_session(
        &self,
        admin: &Admin,
        about: &About,
        upload: &Upload,
    ) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        self.check_session(&mut tx, admin, about, upload.size)
            .await?;
        tx.add_upload(upload).await?;
        let details = json!({ "upload": upload.id, "path": upload.path, "size": upload.size });
        let event = self.event(&admin.org, &admin.label, "document.upload_created", details);
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The open sessions, oldest first.
    pub async fn document_uploads(&self, admin: &Admin) -> Result<Vec<DocumentUpload>, Fault> {
        let open = UploadState::Open;
        let mut all = Vec::new();
        for upload in self.store.document_uploads(&admin.org, open).await? {
            let parts = self.store.upload_parts(&upload.id).await?;
            all.push(self.told(upload, &parts)?);
        }
        Ok(all)
    }

    pub async fn document_upload(
        &self,
        admin: &Admin,
        id: &UploadId,
    ) -> Result<DocumentUpload, Fault> {
        let upload = self.session(admin, id).await?;
        let parts = self.store.upload_parts(id).await?;
        self.told(upload, &parts)
    }

    /// A session of the organization; another's is not found.
    async fn session(&self, admin: &Admin, id: &UploadId) -> Result<Upload, Fault> {
        let found = self.store.document_upload(&admin.org, id).await?;
        found.ok_or_else(unknown)
    }

    fn told(&self, upload: Upload, parts: &[UploadPart]) -> Result<DocumentUpload, Fault> {
        let missing_parts = missing_parts(&upload, parts);
        let Destination::Document { title, .. } = upload.destination else {
            return Err(unknown());
        };
        let part_path = match upload.state {
            UploadState::Open => Some(self.part_path_template(&upload.id)?),
            _ => None,
        };
        Ok(DocumentUpload {
            id: upload.id,
            path: upload.path,
            title,
            replace: upload.overwrite,
            state: upload.state,
            size: upload.size,
            part_size: upload.part_size,
            received_bytes: parts.iter().map(|part| part.size).sum(),
            part_count: upload.part_count,
            missing_parts,
            part_path,
            created_at: upload.created_at,
            expires_at: upload.expires_at,
            document: upload.result.and_then(|id| id.parse().ok()),
        })
    }

    /// Makes the document, which waits to be read. A repeat answers the same document as it is by then.
    ///
    /// # Errors
    /// Parts that are missing, another digest than the announced one; as for a document that is sent at once. The session
    /// stays open then.
    pub async fn complete_document_upload(
        &self,
        admin: &Admin,
        id: &UploadId,
    ) -> Result<Document, Fault> {
        // Strangers wait for no lock.
        self.session(admin, id).await?;
        let _alone = self.signer.lock(id).write_owned().await;
        // Read under the lock: somebody may have completed it meanwhile.
        let upload = self.session(admin, id).await?;
        if let (UploadState::Completed, Some(document)) = (upload.state, &upload.result) {
            let document: DocumentId = document.parse().map_err(|_| Fault::internal())?;
            return self.document(admin, &document).await;
        }
        must_be_open(&upload, self.now())?;
        must_be_whole(&upload, &self.store.upload_parts(id).await?)?;
        let document = self.arrive(admin, upload).await?;
        self.unstage(id).await;
        self.signer.forget(id);
        Ok(document)
    }

    /// Reads a staged file into the shelf.
    async fn arrive(&self, admin: &Admin, upload: Upload) -> Result<Document, Fault> {
        let Destination::Document { title, .. } = &upload.destination else {
            return Err(unknown());
        };
        let (id, size) = (upload.id.clone(), upload.size);
        let about = About {
            path: upload.path.clone(),
            title: title.clone(),
            replace: upload.overwrite,
            upload: Some(upload),
        };
        let staging = self.document_staging().await?;
        let mut file = blocking(move || staging.open_staged(&id)).await?;
        let mut receiver = self.receive(admin, about, size).await?;
        loop {
            let (back, bytes) = blocking(move || {
                let mut bytes = vec![0; PIECE];
                let read = file.read(&mut bytes).map_err(|error| {
                    tracing::error!(%error, "a staged document cannot be read");
                    Fault::internal()
                })?;
                bytes.truncate(read);
                Ok((file, bytes))
            })
            .await?;
            if bytes.is_empty() {
                break;
            }
            file = back;
            receiver = receiver.write(bytes).await?;
        }
        receiver.finish().await
    }

    /// Ends a session without a document and frees its bytes. Once more changes nothing.
    pub async fn abort_document_upload(
        &self,
        admin: &Admin,
        id: &UploadId,
    ) -> Result<DocumentUpload, Fault> {
        self.session(admin, id).await?;
        let _alone = self.signer.lock(id).write_owned().await;
        let upload = self.session(admin, id).await?;
        if must_abort(&upload, "Delete the document instead.")? {
            let mut tx = self.store.begin().await?;
            let details = json!({ "upload": id, "path": upload.path });
            let event = self.event(&admin.org, &admin.label, "document.upload_aborted", details);
            tx.record(&event).await?;
            self.end_session(tx, &upload, UploadState::Aborted).await?;
        }
        self.document_upload(admin, id).await
    }

    /// Ends a session that nobody sent anything to for long, for whoever holds its lock alone.
    pub(super) async fn expire_document_upload(&self, id: &UploadId) -> Result<(), Fault> {
        let upload = self.store.upload_by_id(id).await?.ok_or_else(unknown)?;
        if upload.state == UploadState::Open && upload.expires_at <= self.now() {
            let tx = self.store.begin().await?;
            self.end_session(tx, &upload, UploadState::Expired).await?;
        }
        Ok(())
    }

    /// Ends a session without a document, and frees its bytes.
    async fn end_session(&self, mut tx: Tx, upload: &Upload, to: UploadState) -> Result<(), Fault> {
        tx.move_upload(&upload.id, upload.state, to).await?;
        tx.commit().await?;
        self.unstage(&upload.id).await;
        self.signer.forget(&upload.id);
        Ok(())
    }

    /// Brings the staged files and the database together after a crash. Sessions without a file, as after restoring a
    /// backup, end, and so do those that expired; files of no open session that are older than so many seconds go.
    pub(crate) async fn settle_document_uploads(&self, seconds: i64) -> Result<(), Fault> {
        let before = UploadId::first_at(self.now().plus_seconds(-seconds));
        // In this order: a session has its file before it has a row.
        let unfinished = self.store.unfinished_uploads().await?;
        let staging = self.document_staging().await?;
        let all = staging.clone();
        let staged = blocking(move || all.all()).await?;
        let is_document =
            |upload: &Upload| matches!(upload.destination, Destination::Document { .. });
        let mut keep = Vec::new();
        for upload in unfinished.into_iter().filter(is_document) {
            if staged.contains(&upload.id) {
                self.expire_upload(&upload).await?;
                keep.push(upload.id);
            } else {
                let mut tx = self.store.begin().await?;
                tx.move_upload(&upload.id, upload.state, UploadState::Expired)
                    .await?;
                tx.commit().await?;
            }
        }
        blocking(move || {
            let is_stray = |id: &&UploadId| **id < before && !keep.contains(*id);
            for id in staged.iter().filter(is_stray) {
                staging.remove(id)?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn document_staging(&self) -> Result<Arc<Staging>, Fault> {
        let path = self.shelf.uploads();
        let open = || async move { blocking(move || Staging::open(&path)).await.map(Arc::new) };
        self.staged_documents.get_or_try_init(open).await.cloned()
    }

    async fn unstage(&self, id: &UploadId) {
        let removed = async {
            let (staging, id) = (self.document_staging().await?, id.clone());
            blocking(move || staging.remove(&id)).await
        };
        if let Err(fault) = removed.await {
            tracing::warn!(%fault, "the bytes of an upload were not freed");
        }
    }
}

/// SHA-256 in lower-case hexadecimal.
fn digest(given: &str) -> Result<String, Fault> {
    if given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(given.to_ascii_lowercase());
    }
    let message = "A SHA-256 has 64 hexadecimal digits.";
    Err(Fault::invalid_arg("/sha256", "pattern", message))
}

fn unknown() -> Fault {
    Fault::new(Code::UploadNotFound, "There is no such upload session.")
        .hint("Begin one with POST /api/v1/documents/uploads.")
}
