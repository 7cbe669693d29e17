//! Passwords: argon2id (RFC 9106) with 19 MiB, two passes, one lane, as PHC strings.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use quaymaster_core::Fault;
use tokio::sync::Semaphore;

/// A digest takes about a fifth of a second of one core, so two at a time.
pub(crate) struct Passwords {
    permits: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            permits: Semaphore::new(2),
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
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| Fault::internal())?;
        tokio::task::spawn_blocking(move || {
            scheme()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|_| Fault::internal())
        })
        .await
        .unwrap_or_else(|_| Err(Fault::internal()))
    }

    pub(crate) async fn matches(&self, password: String, digest: Option<String>) -> bool {
        let Ok(_permit) = self.permits.acquire().await else {
            return false;
        };
        let known = digest.is_some();
        let digest = digest.unwrap_or_else(|| NOBODY.to_owned());
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&digest)
                .is_ok_and(|hash| scheme().verify_password(password.as_bytes(), &hash).is_ok())
        });
        matches.await.unwrap_or(false) && known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_digest_only() {
        let passwords = Passwords::default();
        let digest = passwords.digest("correct horse".into()).await.unwrap();
        assert!(
            digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{digest}"
        );
        assert!(
            passwords
                .matches("correct horse".into(), Some(digest.clone()))
                .await
        );
        assert!(!passwords.matches("wrong horse".into(), Some(digest)).await);
        assert!(!passwords.matches("correct horse".into(), None).await);
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
