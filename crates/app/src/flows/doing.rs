//! What a run does at a moment, so that its node sees when it only waits.

use quaymaster_core::Instant;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A run that only waits is looked at so often, and put off when nothing began in between.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Doing(Mutex<Now>);

#[derive(Default)]
struct Now {
    /// Of all that ever began; tells one moment from another.
    begun: u64,
    working: u32,
    /// When the waits are over that it is in.
    waits: Vec<Instant>,
}

/// Something goes on until this is dropped.
pub(super) struct Going<'a> {
    doing: &'a Doing,
    /// None of what is no wait.
    wait: Option<Instant>,
}

impl Doing {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn work(&self) -> Going<'_> {
        self.begin(None)
    }

    pub(super) fn wait(&self, end: Instant) -> Going<'_> {
        self.begin(Some(end))
    }

    fn begin(&self, wait: Option<Instant>) -> Going<'_> {
        let mut now = self.now();
        now.begun += 1;
        match wait {
            Some(end) => now.waits.push(end),
            None => now.working += 1,
        }
        Going { doing: self, wait }
    }

    /// When the first of its waits is over, once the run does nothing but wait. Short waits are over
    /// before that is seen.
    pub(super) async fn only_waits(&self) -> Instant {
        let mut before = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let seen = self.first_wait();
            match seen {
                Some((_, end)) if seen == before => return end,
                _ => before = seen,
            }
        }
    }

    fn first_wait(&self) -> Option<(u64, Instant)> {
        let now = self.now();
        let first = now.waits.iter().min()?;
        (now.working == 0).then_some((now.begun, *first))
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        let mut now = self.doing.now();
        match self.wait {
            None => now.working = now.working.saturating_sub(1),
            Some(end) => {
                if let Some(index) = now.waits.iter().position(|one| *one == end) {
                    now.waits.swap_remove(index);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_rests_while_it_waits_and_does_nothing_else() {
        let doing = Doing::default();
        assert_eq!(doing.first_wait(), None);
        let (soon, later) = (Instant::from_micros(5), Instant::from_micros(9));
        let second = doing.wait(later);
        let first = doing.wait(soon);
        assert_eq!(doing.first_wait(), Some((2, soon)));
        let work = doing.work();
        assert_eq!(doing.first_wait(), None);
        drop((work, first));
        assert_eq!(doing.first_wait(), Some((3, later)));
        drop(second);
        assert_eq!(doing.first_wait(), None);
    }
}
