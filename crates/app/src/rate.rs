//! How often a credential may call.

use quaymaster_core::id::CredentialId;
use quaymaster_core::{Code, Fault};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Entries from which on those are thrown away that no longer tell anything.
const MOST: usize = 20_000;

/// A token bucket for each credential.
pub(crate) struct Rates {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<CredentialId, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rates {
    /// Of tool calls. Bursts of twice the rate pass.
    pub(crate) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Rates::with_burst(per_second, per_second * 2.0)
    }

    pub(crate) fn with_burst(per_second: f64, burst: f64) -> Self {
        Rates {
            per_second,
            burst,
            buckets: Mutex::default(),
        }
    }

    /// One call more.
    pub(crate) fn one_more(&self, credential: &CredentialId) -> Result<(), Fault> {
        if self.take(credential) {
            return Ok(());
        }
        Err(Fault::new(
            Code::RateLimited,
            "This credential makes too many calls a second.",
        )
        .hint("Wait a second, then go on more slowly.")
        .detail("retry_after_s", 1)
        .detail("calls_per_second", self.per_second))
    }

    /// Whether there is room for one more, which is then taken.
    pub(crate) fn take(&self, credential: &CredentialId) -> bool {
        let burst = self.burst;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if buckets.len() >= MOST && !buckets.contains_key(credential) {
            // Full buckets tell nothing that a new one would not.
            let full_after = Duration::from_secs_f64(burst / self.per_second);
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < full_after);
        }
        let bucket = buckets.entry(credential.clone()).or_insert(Bucket {
            tokens: burst,
            at: now,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.per_second).min(burst);
        bucket.at = now;
        let has_room = bucket.tokens >= 1.0;
        if has_room {
            bucket.tokens -= 1.0;
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_core::clock::{SystemClock, SystemEntropy};

    #[test]
    fn a_burst_passes_and_what_is_more_is_refused() {
        let rates = Rates::new(5);
        let credential = CredentialId::fresh(&SystemClock, &SystemEntropy);
        let passed = (0..100)
            .filter(|_| rates.one_more(&credential).is_ok())
            .count();
        assert!((10..15).contains(&passed), "{passed}");
    }
}
