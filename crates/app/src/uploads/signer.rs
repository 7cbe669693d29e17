//! Signed addresses of parts, and who may touch a session at a time.

use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::UploadId;
use quaymaster_core::{Fault, hex};
use quaymaster_store::keys::InstanceSecret;
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::RwLock;

type PartLocks = HashMap<(UploadId, i64), Arc<tokio::sync::Mutex<()>>>;

/// Signs and checks the addresses of parts: HMAC-SHA-256 of the session's id.
pub(crate) struct UploadSigner {
    key: InstanceSecret,
    /// Parts are written under a shared lock, completion and abort take it alone.
    locks: Mutex<HashMap<UploadId, Arc<RwLock<()>>>>,
    /// One writer for each part.
    parts: Mutex<PartLocks>,
}

impl UploadSigner {
    pub(crate) fn new(key: InstanceSecret) -> Self {
        UploadSigner {
            key,
            locks: Mutex::default(),
            parts: Mutex::default(),
        }
    }

    fn mac(&self, upload: &UploadId) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key[..]).ok()?;
        mac.update(upload.as_str().as_bytes());
        Some(mac)
    }

    pub(super) fn sign(&self, upload: &UploadId) -> Result<String, Fault> {
        let mac = self.mac(upload).ok_or_else(Fault::internal)?;
        Ok(hex(&mac.finalize().into_bytes()))
    }

    pub(super) fn is_good(&self, upload: &UploadId, presented: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        self.sign(upload)
            .is_ok_and(|wanted| wanted.as_bytes().ct_eq(presented.as_bytes()).into())
    }

    pub(super) fn lock(&self, upload: &UploadId) -> Arc<RwLock<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        drop_unused(&mut locks);
        locks.entry(upload.clone()).or_default().clone()
    }

    pub(super) fn part_lock(&self, upload: &UploadId, n: i64) -> Arc<tokio::sync::Mutex<()>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        drop_unused(&mut parts);
        parts.entry((upload.clone(), n)).or_default().clone()
    }

    pub(super) fn forget(&self, upload: &UploadId) {
        self.locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(upload);
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|(id, _), _| id != upload);
    }
}

/// Locks that nobody holds can be made again; from some thousands on they are thrown away.
fn drop_unused<K: Eq + std::hash::Hash, T>(locks: &mut HashMap<K, Arc<T>>) {
    const MANY: usize = 4_096;
    if locks.len() >= MANY {
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
    }
}
