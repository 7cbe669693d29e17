//! Who may have a worker now: everybody waits for the organization's own work first, so that one that has much leaves room
//! for others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// How long somebody waits for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many at a time, and half of them at most for one organization.
pub(crate) struct Turns {
    most: usize,
    all: Semaphore,
    /// Of each organization that works or waits.
    own: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

/// A turn. Gives it back when dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    pub(crate) lease: Arc<str>,
    own: Option<OwnedSemaphorePermit>,
    _all: SemaphorePermit<'t>,
}

impl Turns {
    pub(crate) fn new(most: usize) -> Turns {
        Turns {
            most: most.max(1),
            all: Semaphore::new(most.max(1)),
            own: Mutex::default(),
        }
    }

    fn own(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Semaphore>>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn, for the organization of that id. None when all stay busy.
    pub(crate) async fn take(&self, lease: &str) -> Option<Turn<'_>> {
        let (lease, own) = {
            let mut all = self.own();
            match all.get_key_value(lease) {
                Some((lease, own)) => (Arc::clone(lease), Arc::clone(own)),
                None => {
                    let lease: Arc<str> = Arc::from(lease);
                    let own = Arc::new(Semaphore::new((self.most / 2).max(1)));
                    all.insert(Arc::clone(&lease), Arc::clone(&own));
                    (lease, own)
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, async {
            let own = own.acquire_owned().await.ok()?;
            Some((own, self.all.acquire().await.ok()?))
        });
        if let Ok(Some((own, all))) = waited.await {
            return Some(Turn {
                turns: self,
                lease,
                own: Some(own),
                _all: all,
            });
        }
        self.forget(&lease);
        None
    }

    /// Forgets the turns of an organization that neither works nor waits.
    fn forget(&self, lease: &Arc<str>) {
        let mut all = self.own();
        if all
            .get(lease)
            .is_some_and(|own| Arc::strong_count(own) == 1)
        {
            all.remove(lease);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.own = None;
        self.turns.forget(&self.lease);
    }
}
