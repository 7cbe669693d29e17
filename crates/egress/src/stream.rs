//! An answer that is read while it comes.

use crate::EgressError;
use crate::target::Target;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The head of an answer, and its body as it comes. Dropping it ends the exchange.
pub struct Stream {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// What answered: the request's URL, or the last redirect's. Without a fragment.
    pub url: String,
    body: Incoming,
    host: String,
    limits: Limits,
    left: usize,
}

/// What the request allows.
pub(crate) struct Limits {
    pub(crate) deadline: Instant,
    /// For the error that says so.
    pub(crate) timeout: Duration,
    /// Bytes of the body.
    pub(crate) most: usize,
}

impl Stream {
    pub(crate) fn of(
        head: Parts,
        body: Incoming,
        target: Target,
        limits: Limits,
    ) -> Result<Stream, EgressError> {
        let stream = Stream {
            status: head.status,
            headers: head.headers,
            host: target.name(),
            url: target.url.into(),
            body,
            left: limits.most,
            limits,
        };
        if stream.body.size_hint().lower() > stream.limits.most as u64 {
            return Err(stream.too_large());
        }
        Ok(stream)
    }

    /// The next bytes, or none at the end of the body. The error of a byte too many, or of one too
    /// late, ends the exchange.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        loop {
            let frame = timeout_at(self.limits.deadline, self.body.frame()).await;
            let frame = frame.map_err(|_| EgressError::Timeout {
                host: self.host.clone(),
                limit: self.limits.timeout,
            })?;
            let Some(frame) = frame else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| {
                tracing::debug!(host = %self.host, %error, "the answer broke off");
                EgressError::Exchange {
                    host: self.host.clone(),
                }
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if data.len() > self.left {
                return Err(self.too_large());
            }
            self.left -= data.len();
            return Ok(Some(data));
        }
    }

    fn too_large(&self) -> EgressError {
        EgressError::TooLarge {
            host: self.host.clone(),
            limit: self.limits.most,
        }
    }
}

// URLs and headers hold secrets.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
