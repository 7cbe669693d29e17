//! Turns of calls: a number for all tenants together, and fewer for each of them, so that no tenant keeps all others waiting.

use quaymaster_core::{Code, Fault};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

pub(super) struct Turns {
    all: Semaphore,
    of_one: usize,
    /// How long a call waits for its turn.
    patience: Duration,
    tenants: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'t> {
    _all: SemaphorePermit<'t>,
    _own: OwnedSemaphorePermit,
}

impl Turns {
    pub(super) fn new(all: usize, of_one: usize, patience: Duration) -> Turns {
        Turns {
            all: Semaphore::new(all),
            of_one,
            patience,
            tenants: Mutex::default(),
        }
    }

    /// Waits for the tenant's own turn first: whoever has used up its share stands in nobody else's way.
    pub(super) async fn of(&self, tenant: &str) -> Result<Turn<'_>, Fault> {
        let until = Instant::now() + self.patience;
        let tenant = self.tenant(tenant);
        let own = timeout_at(until, tenant.acquire_owned()).await;
        let own = own
            .map_err(|_| self.share_is_used())?
            .map_err(|_| Fault::internal())?;
        let all = timeout_at(until, self.all.acquire()).await;
        let all = all
            .map_err(|_| {
                Fault::new(
                    Code::Unavailable,
                    "Too many programs are running at this moment.",
                )
                .hint("Try again in some seconds.")
            })?
            .map_err(|_| Fault::internal())?;
        Ok(Turn {
            _all: all,
            _own: own,
        })
    }

    fn tenant(&self, tenant: &str) -> Arc<Semaphore> {
        let mut tenants = self.tenants();
        // Nobody runs or waits with one that is here alone.
        tenants.retain(|name, turns| name == tenant || Arc::strong_count(turns) > 1);
        let new = || Arc::new(Semaphore::new(self.of_one));
        tenants.entry(tenant.to_owned()).or_insert_with(new).clone()
    }

    fn tenants(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share_is_used(&self) -> Fault {
        let most = self.of_one;
        Fault::new(
            Code::RateLimited,
            format!("The organization runs {most} Python programs already, which is its share of this server."),
        )
        .hint("Wait for some of them to end, or do more in one program.")
        .detail("at_once", most)
        .detail("retry_after_s", 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_tenant_takes_its_share_and_others_get_the_rest() {
        let turns = Turns::new(3, 2, Duration::from_millis(20));
        let first = turns.of("one").await.unwrap();
        let second = turns.of("one").await.unwrap();
        let refused = turns.of("one").await.err().unwrap();
        assert_eq!(refused.code, Code::RateLimited);
        let other = turns.of("two").await.unwrap();
        // There is none left for anybody, and that is nobody's fault.
        let refused = turns.of("two").await.err().unwrap();
        assert_eq!(refused.code, Code::Unavailable);
        drop(first);
        let again = turns.of("two").await.unwrap();
        drop((second, other, again));
        drop(turns.of("three").await.unwrap());
        assert_eq!(
            turns.tenants().len(),
            1,
            "those without a turn are forgotten"
        );
    }
}
