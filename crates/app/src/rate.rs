//! Limits on how often: calls of a credential, guesses of a credential.

use quaymaster_core::id::CredentialId;
use quaymaster_core::{Code, Fault};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Entries from which on those are thrown away that no longer tell anything.
const MOST: usize = 20_000;

/// A token bucket for each credential.
pub(crate) struct Rates {
    per_second: f64,
    buckets: Mutex<HashMap<CredentialId, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rates {
    pub(crate) fn new(per_second: u32) -> Self {
        Rates {
            per_second: f64::from(per_second),
            buckets: Mutex::default(),
        }
    }

    /// One call more. Bursts of twice the rate pass.
    pub(crate) fn one_more(&self, credential: &CredentialId) -> Result<(), Fault> {
        let burst = self.per_second * 2.0;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if buckets.len() >= MOST && !buckets.contains_key(credential) {
            // Full buckets tell nothing that a new one would not.
            buckets.retain(|_, bucket| now.duration_since(bucket.at) < Duration::from_secs(2));
        }
        let bucket = buckets.entry(credential.clone()).or_insert(Bucket {
            tokens: burst,
            at: now,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.per_second).min(burst);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
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
}

/// Where from and about whom.
type Guesser = (Option<IpAddr>, String);

/// Bad credentials by address and credential, in windows of a minute.
#[derive(Default)]
pub(crate) struct Guesses {
    seen: Mutex<HashMap<Guesser, (Instant, u32)>>,
}

const WINDOW: Duration = Duration::from_mins(1);
const ALLOWED: u32 = 20;

impl Guesses {
    /// Takes part in guessing a password: counted as wrong before it is looked at, so that many
    /// guesses at once are no way around the limit, and given back when it was right.
    pub(crate) fn attempt<'a>(
        &'a self,
        address: Option<IpAddr>,
        about: &'a str,
    ) -> Result<Attempt<'a>, Fault> {
        if self.one_more(address, Some(about)) {
            return Err(
                Fault::new(Code::RateLimited, "Too many attempts. Wait a minute.")
                    .detail("retry_after_s", 60),
            );
        }
        Ok(Attempt {
            guesses: self,
            address,
            about,
        })
    }

    /// Counts a bad guess; `true` when there were too many within a minute. Good tokens are never
    /// asked about, so nobody can lock another out.
    pub(crate) fn one_more(&self, address: Option<IpAddr>, about: Option<&str>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (since, _)| since.elapsed() <= WINDOW);
        }
        if seen.len() >= MOST {
            // More guessers in a minute than we can count: none of them is let through.
            return true;
        }
        let key = (address, about.unwrap_or_default().to_owned());
        let entry = seen.entry(key).or_insert((Instant::now(), 0));
        if entry.0.elapsed() > WINDOW {
            *entry = (Instant::now(), 0);
        }
        entry.1 += 1;
        entry.1 > ALLOWED
    }
}

/// A guess that is not judged yet.
#[must_use]
pub(crate) struct Attempt<'a> {
    guesses: &'a Guesses,
    address: Option<IpAddr>,
    about: &'a str,
}

impl Attempt<'_> {
    /// It was no guess: it does not count.
    pub(crate) fn was_right(self) {
        let seen = &self.guesses.seen;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = seen.get_mut(&(self.address, self.about.to_owned())) {
            *count = count.saturating_sub(1);
        }
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

    #[test]
    fn the_twenty_first_guess_in_a_minute_is_one_too_many() {
        let guesses = Guesses::default();
        assert!((0..20).all(|_| !guesses.one_more(None, Some("a"))));
        assert!(guesses.one_more(None, Some("a")));
        assert!(!guesses.one_more(None, Some("b")));
    }

    #[test]
    fn right_passwords_do_not_count_and_one_among_too_many_guesses_is_not_looked_at() {
        let guesses = Guesses::default();
        for _ in 0..100 {
            guesses.attempt(None, "a").unwrap().was_right();
        }
        let open: Vec<_> = (0..20).map(|_| guesses.attempt(None, "a")).collect();
        assert!(open.iter().all(Result::is_ok), "all at once");
        assert!(guesses.attempt(None, "a").is_err());
    }
}
