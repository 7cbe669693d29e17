//! How many requests a connection may send, as the definition documents it.

use crate::definition::RateLimit;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections that are remembered; those that wait for nothing are forgotten first.
const REMEMBERED: usize = 10_000;

/// One bucket for each limit of each connection, in this process. A bucket is kept as the instant
/// at which it is full again (the generic cell rate algorithm).
#[derive(Debug, Default)]
pub(crate) struct Limits {
    full_at: Mutex<HashMap<(String, usize), Instant>>,
}

impl Limits {
    /// Takes a token from every bucket that counts this module's calls, or none at all and says how
    /// long to wait.
    pub(crate) fn take(
        &self,
        connection: &str,
        limits: &[RateLimit],
        module: Option<&str>,
        now: Instant,
    ) -> Result<(), Duration> {
        let counted: Vec<(usize, &RateLimit)> = limits
            .iter()
            .enumerate()
            .filter(|(_, limit)| limit.requests > 0 && limit.per_s > 0)
            .filter(|(_, limit)| limit.module.is_none() || limit.module.as_deref() == module)
            .collect();
        if counted.is_empty() {
            return Ok(());
        }
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() > REMEMBERED {
            full_at.retain(|_, at| *at > now);
        }
        let mut taken = Vec::with_capacity(counted.len());
        for (nr, limit) in counted {
            let period = Duration::from_secs(u64::from(limit.per_s));
            let key = (connection.to_owned(), nr);
            let from = full_at.get(&key).map_or(now, |at| (*at).max(now));
            let at = from + period / limit.requests;
            let wait = at.saturating_duration_since(now + period);
            if !wait.is_zero() {
                return Err(wait);
            }
            taken.push((key, at));
        }
        full_at.extend(taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(requests: u32, per_s: u32, module: Option<&str>) -> RateLimit {
        RateLimit {
            requests,
            per_s,
            module: module.map(str::to_owned),
            note: None,
        }
    }

    #[test]
    fn as_many_go_as_the_limit_says_and_then_one_after_the_other() {
        let limits = Limits::default();
        let rules = [limit(5, 10, None)];
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(limits.take("a", &rules, None, start), Ok(()));
        }
        assert_eq!(
            limits.take("a", &rules, None, start),
            Err(Duration::from_secs(2))
        );
        assert_eq!(
            limits.take("b", &rules, None, start),
            Ok(()),
            "another connection"
        );
        let later = start + Duration::from_secs(2);
        assert_eq!(limits.take("a", &rules, None, later), Ok(()));
        assert!(limits.take("a", &rules, None, later).is_err());
    }

    #[test]
    fn a_refused_call_takes_from_no_bucket() {
        let limits = Limits::default();
        let rules = [limit(100, 100, None), limit(1, 100, Some("slow"))];
        let now = Instant::now();
        assert!(limits.take("a", &rules, Some("slow"), now).is_ok());
        for _ in 0..200 {
            assert!(limits.take("a", &rules, Some("slow"), now).is_err());
        }
        for _ in 0..99 {
            assert!(limits.take("a", &rules, Some("fast"), now).is_ok());
        }
        assert!(limits.take("a", &rules, Some("fast"), now).is_err());
    }
}
