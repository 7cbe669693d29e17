//! What a door wants to find again when its question comes back answered, while the stateless era
//! leaves it with the client (MCP 2026-07-28, `requestState`).
//!
//! It is sealed, so that it opens only unchanged, in time, for the same credential and for a call
//! with the same method, name and arguments. It is not encrypted.

use quaymaster_core::ask::RequestState;
use quaymaster_core::{Caller, Instant};
use rmcp::model::{JsonObject, RequestStateCodec, SealOptions};
use std::sync::Arc;

/// How long a question may be answered.
const GOOD_FOR_SECONDS: i64 = 30 * 60;

/// What a question belongs to.
pub(crate) struct Subject {
    pub(crate) caller: Arc<Caller>,
    pub(crate) method: &'static str,
    pub(crate) name: String,
    pub(crate) args: Arc<JsonObject>,
}

impl Subject {
    fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let credential = self.caller.credential.to_string();
        serde_json::to_vec(&(credential, self.method, &self.name, &*self.args))
    }
}

pub(crate) struct States {
    codec: RequestStateCodec,
}

impl States {
    pub(crate) fn new(key: &[u8; RequestStateCodec::MIN_KEY_LENGTH]) -> Self {
        States {
            codec: RequestStateCodec::new_unchecked(key),
        }
    }

    pub(crate) fn seal(
        &self,
        state: &RequestState,
        subject: &Subject,
        now: Instant,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let until = now.plus_seconds(GOOD_FOR_SECONDS).micros();
        let subject = subject.bytes()?;
        let options = SealOptions::new().associated_data(&subject);
        Ok(self.codec.seal_json_with(&(until, &state.0), &options)?)
    }

    /// `None` for whatever was not sealed here for this subject, or too long ago: a stranger learns
    /// nothing about why.
    pub(crate) fn open(
        &self,
        sealed: &str,
        subject: &Subject,
        now: Instant,
    ) -> Option<RequestState> {
        let subject = subject.bytes().ok()?;
        let opened = self.codec.open_json_with(sealed, &subject);
        let (until, state): (i64, String) = opened
            .inspect_err(|error| tracing::debug!(%error, "a request state does not open"))
            .ok()?;
        (now.micros() < until).then_some(RequestState(state))
    }
}
