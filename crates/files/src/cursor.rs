//! Cursors: opaque to agents, a small JSON in base64url to us. A cursor belongs to the arguments
//! it was made with; anything else is `INVALID_ARG`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quaymaster_core::Fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const LONGEST: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    /// Digest of the arguments and of `n`.
    a: String,
    /// Where the next page starts.
    n: T,
}

/// A short digest of the arguments that decide what is listed.
pub(crate) fn bind(arguments: &impl std::fmt::Debug) -> String {
    let digest = Sha256::digest(format!("{arguments:?}").as_bytes());
    quaymaster_core::hex(&digest[..8])
}

pub(crate) fn write<T: Serialize>(bound: &str, next: T) -> String {
    let envelope = Envelope {
        a: seal(bound, &next),
        n: next,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope).unwrap_or_default())
}

fn seal(bound: &str, next: &impl Serialize) -> String {
    let next = serde_json::to_string(next).unwrap_or_default();
    bind(&(bound, next))
}

pub(crate) fn read<T: DeserializeOwned + Serialize>(bound: &str, text: &str) -> Result<T, Fault> {
    let invalid = || {
        Fault::invalid_arg(
            "/cursor",
            "format",
            "That cursor does not belong to this call.",
        )
        .hint("Pass `next_cursor` of the previous page with the same arguments, or none.")
    };
    if text.len() > LONGEST {
        return Err(invalid());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let envelope: Envelope<T> = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if envelope.a == seal(bound, &envelope.n) {
        Ok(envelope.n)
    } else {
        Err(invalid())
    }
}
