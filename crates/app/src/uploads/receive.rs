//! Parts on their way in.

use super::{expiry, must_be_open, part_length, unknown_upload};
use crate::App;
use crate::homes::blocking;
use quaymaster_core::{Code, Fault, Instant, hex};
use quaymaster_files::Staging;
use quaymaster_store::upload::{Destination, Upload, UploadPart};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

impl App {
    /// Begins to receive a part. `announced` is the digest of its `Content-Digest`, in hex.
    pub async fn receive_part(
        &self,
        upload: &Upload,
        n: i64,
        announced: Option<String>,
    ) -> Result<Receiver, Fault> {
        let length = part_length(upload, n)?;
        let exclusive = self.signer.lock(&upload.id).read_owned().await;
        let part = self.signer.part_lock(&upload.id, n).lock_owned().await;
        let staging = self.staging_of(upload).await?;
        // Read under the locks: it may have been completed or aborted meanwhile.
        let upload = self
            .store
            .upload_by_id(&upload.id)
            .await?
            .ok_or_else(unknown_upload)?;
        let now = self.now();
        must_be_open(&upload, now)?;
        let known = self
            .store
            .upload_parts(&upload.id)
            .await?
            .into_iter()
            .find(|part| part.n == n);
        let same = match (&known, &announced) {
            (Some(known), Some(announced)) => known.sha256 == *announced,
            _ => false,
        };
        let expires_at = expiry(&upload, now);
        if known.is_some() && !same {
            let mut tx = self.store.begin().await?;
            tx.set_upload_part(&upload.id, n, 0, None, expires_at)
                .await?;
            tx.commit().await?;
        }
        let sink = if same {
            Sink::Verify
        } else {
            let (id, size, part_size) = (upload.id.clone(), upload.size, upload.part_size);
            let writer = blocking(move || {
                let (n, part_size) = (n.cast_unsigned(), part_size.cast_unsigned());
                staging.part_writer(&id, n, part_size, size.cast_unsigned())
            });
            Sink::Write(writer.await?)
        };
        Ok(Receiver {
            app: self.clone(),
            upload,
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

    /// Where the bytes of a session are. Settles what a crash interrupted, before its state is looked at.
    async fn staging_of(&self, upload: &Upload) -> Result<Arc<Staging>, Fault> {
        match &upload.destination {
            Destination::File { workspace, .. } => {
                let workspace = self.believed_workspace(&upload.org, workspace).await?;
                Ok(self.home(&workspace).await?.staging().clone())
            }
            Destination::Document { .. } => self.document_staging().await,
        }
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
    upload: Upload,
    n: i64,
    length: i64,
    received: i64,
    sha: Sha256,
    announced: Option<String>,
    expires_at: Instant,
    sink: Sink,
    _locks: (
        tokio::sync::OwnedRwLockReadGuard<()>,
        tokio::sync::OwnedMutexGuard<()>,
    ),
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
        let Receiver {
            app,
            upload,
            n,
            length,
            received,
            sha,
            announced,
            expires_at,
            sink,
            _locks,
        } = self;
        let writer = match sink {
            Sink::Write(writer) => writer,
            Sink::Verify => {
                let actual = hex(&sha.finalize());
                if received == length && announced.as_ref() == Some(&actual) {
                    return Ok(UploadPart {
                        n,
                        size: length,
                        sha256: actual,
                    });
                }
                return Err(checksum_mismatch(announced.as_deref(), &actual));
            }
        };
        if !app.may_send(&upload).await? {
            return Err(super::unknown_upload());
        }
        let done = blocking(move || writer.finish()).await?;
        if let Some(announced) = &announced
            && *announced != done.sha256
        {
            return Err(checksum_mismatch(Some(announced), &done.sha256));
        }
        let mut tx = app.store.begin().await?;
        tx.set_upload_part(&upload.id, n, length, Some(&done.sha256), expires_at)
            .await?;
        tx.commit().await?;
        Ok(UploadPart {
            n,
            size: length,
            sha256: done.sha256,
        })
    }
}

fn checksum_mismatch(announced: Option<&str>, actual: &str) -> Fault {
    Fault::new(
        Code::ChecksumMismatch,
        "The bytes of the part do not have the announced digest.",
    )
    .hint("Send the part again.")
    .detail("expected", announced)
    .detail("actual", actual)
}
