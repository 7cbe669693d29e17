//! A body that is a file: taken in pieces, with patience for as long as something arrives.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use quaymaster_core::{Code, Fault};
use std::time::Duration;

/// A client that sends nothing for this long is gone.
const STALLED: Duration = Duration::from_secs(30);
/// Who takes longer only holds a place.
pub(crate) const WHOLE: Duration = Duration::from_hours(1);
/// Bytes that are gathered before they go to the disk.
const GATHERED: usize = 512 * 1024;

pub(crate) fn late(what: &str) -> Fault {
    Fault::new(Code::Timeout, format!("The {what} did not arrive in time.")).hint("Send it again.")
}

/// The next piece, large enough to be worth writing; none at the end. `what` is what arrives, for faults.
pub(crate) async fn piece(body: &mut Body, what: &str) -> Result<Option<Vec<u8>>, Fault> {
    let mut gathered = Vec::new();
    while gathered.len() < GATHERED {
        match next(body, what).await? {
            Some(bytes) => gathered.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(Some(gathered).filter(|gathered| !gathered.is_empty()))
}

async fn next(body: &mut Body, what: &str) -> Result<Option<Bytes>, Fault> {
    loop {
        let frame = match tokio::time::timeout(STALLED, body.frame()).await {
            Err(_) => return Err(late(what)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => {
                let message = "The body ended too early.";
                return Err(Fault::invalid_arg("/body", "minLength", message)
                    .hint(format!("Send the {what} again.")));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers are of no interest.
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
}
