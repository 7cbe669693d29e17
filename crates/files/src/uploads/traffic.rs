//! Who works on which upload right now: a part that is still being written must not reach into a
//! file that is already in the workspace.

use quaymaster_core::id::UploadId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Flow {
    writers: u32,
    completing: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Traffic {
    flows: Arc<Mutex<HashMap<UploadId, Flow>>>,
}

/// One part being written; ends when dropped.
pub(crate) struct Writing {
    traffic: Traffic,
    id: UploadId,
}

/// One upload being completed; ends when dropped.
pub(crate) struct Completing {
    traffic: Traffic,
    id: UploadId,
}

impl Traffic {
    fn flows(&self) -> MutexGuard<'_, HashMap<UploadId, Flow>> {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` while the upload is being completed.
    pub(crate) fn write(&self, id: &UploadId) -> Option<Writing> {
        let mut flows = self.flows();
        let flow = flows.entry(id.clone()).or_default();
        if flow.completing {
            return None;
        }
        flow.writers += 1;
        Some(Writing {
            traffic: self.clone(),
            id: id.clone(),
        })
    }

    /// `None` while a part is being written, or another call completes the upload.
    pub(crate) fn complete(&self, id: &UploadId) -> Option<Completing> {
        let mut flows = self.flows();
        let flow = flows.entry(id.clone()).or_default();
        if flow.completing || flow.writers > 0 {
            return None;
        }
        flow.completing = true;
        Some(Completing {
            traffic: self.clone(),
            id: id.clone(),
        })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut flows = self.traffic.flows();
        if let Some(flow) = flows.get_mut(&self.id) {
            flow.writers -= 1;
            if flow.writers == 0 {
                flows.remove(&self.id);
            }
        }
    }
}

impl Drop for Completing {
    fn drop(&mut self) {
        self.traffic.flows().remove(&self.id);
    }
}
