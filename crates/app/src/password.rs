//! Passwords: argon2id (RFC 9106) with 19 MiB, two passes, one lane, as PHC strings.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use quaymaster_core::{Code, Fault};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bytes of the longest password that anybody has.
pub(crate) const LONGEST: usize = 1_024;
/// A digest takes about a fifth of a second of one core.
const AT_A_TIME: usize = 2;
/// Who comes when so many wait already is sent away, instead of waiting for seconds.
const WAITING: usize = 32;

/// Bounded in what runs and in what waits, because strangers ask for it.
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    /// Places in the queue, those that run included.
    places: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            running: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Semaphore::new(AT_A_TIME + WAITING),
        }
    }
}

fn scheme() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Compared with when nobody has the address, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXRoaW5nc2FsdHk$QSFy7I2rJ9H1aYbVxXS1Cw3bCVPvB7nU8rZEvz1LJ3k";

impl Passwords {
    pub(crate) async fn digest(&self, password: String) -> Result<String, Fault> {
        self.in_turn(move || {
            scheme()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|_| Fault::internal())
        })
        .await?
    }

    /// Whether it is the password. `UNAVAILABLE` when too many wait: then nobody looked at it.
    pub(crate) async fn matches(
        &self,
        password: String,
        digest: Option<String>,
    ) -> Result<bool, Fault> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let known = digest.is_some();
        let digest = digest.unwrap_or_else(|| NOBODY.to_owned());
        let matches = self.in_turn(move || {
            PasswordHash::new(&digest)
                .is_ok_and(|hash| scheme().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| Fault::internal())?;
        // The permit goes with the thread: a client that hung up does not end the work.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(running);
            done
        });
        done.await.map_err(|_| Fault::internal())
    }
}

fn busy() -> Fault {
    Fault::new(
        Code::Unavailable,
        "Too many people sign in at this moment, so this was not looked at.",
    )
    .hint("Try again in a few seconds.")
    .detail("retry_after_s", 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn a_password_matches_its_own_digest_only() {
        let passwords = Passwords::default();
        let matches = async |password: &str, digest: Option<&String>| {
            let matches = passwords.matches(password.to_owned(), digest.cloned());
            matches.await.unwrap()
        };
        let digest = passwords.digest("correct horse".into()).await.unwrap();
        assert!(
            digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{digest}"
        );
        assert!(matches("correct horse", Some(&digest)).await);
        assert!(!matches("wrong horse", Some(&digest)).await);
        assert!(!matches("correct horse", None).await);
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[tokio::test]
    async fn work_whose_client_hung_up_still_counts_as_running() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let passwords = Arc::new(Passwords::default());
        for _ in 0..200 {
            let passwords = passwords.clone();
            let asked = tokio::spawn(async move {
                let work = || {
                    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
                    MOST.fetch_max(running, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(100));
                    RUNNING.fetch_sub(1, Ordering::SeqCst);
                };
                passwords.in_turn(work).await
            });
            tokio::time::sleep(Duration::from_millis(1)).await;
            asked.abort();
        }
        assert_eq!(MOST.load(Ordering::SeqCst), AT_A_TIME);
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_sent_away_and_a_long_password_waits_for_nobody() {
        let passwords = Arc::new(Passwords::default());
        let held: Vec<_> = (0..AT_A_TIME + WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move {
                    let work = || std::thread::sleep(Duration::from_millis(300));
                    passwords.in_turn(work).await
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let refused = passwords.matches("correct horse".into(), None).await;
        assert_eq!(refused.unwrap_err().code, Code::Unavailable);
        let long = passwords.matches("x".repeat(LONGEST + 1), None).await;
        assert!(!long.unwrap());
        for held in held {
            held.abort();
        }
    }
}
