//! How often steps run: counts within spans of time, on this node.

use quaymaster_core::id::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts of a workspace that were used lately; as many of before are kept besides. What was not used
/// among so many others is forgotten, however long its span is.
const MOST: usize = 2_000;

#[derive(Default)]
pub(crate) struct FlowRates(Mutex<HashMap<WorkspaceId, Windows>>);

/// The counts of a workspace, by key.
#[derive(Default)]
struct Windows {
    lately: HashMap<String, Window>,
    before: HashMap<String, Window>,
}

#[derive(Clone, Copy)]
struct Window {
    since: Instant,
    per: Duration,
    count: u32,
}

impl Windows {
    fn of(&mut self, key: &str, per: Duration, now: Instant) -> &mut Window {
        let known = self.lately.get(key).or_else(|| self.before.get(key));
        let known = known.filter(|known| known.per == per);
        let window = known.filter(|known| now.duration_since(known.since) < per);
        let window = window.copied().unwrap_or(Window {
            since: now,
            per,
            count: 0,
        });
        if self.lately.len() >= MOST && !self.lately.contains_key(key) {
            self.before = std::mem::take(&mut self.lately);
        }
        let kept = self.lately.entry(key.to_owned());
        kept.insert_entry(window).into_mut()
    }
}

impl FlowRates {
    /// Takes one of `max` in `per`; none, or how long to wait.
    pub(crate) fn take(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        max: u32,
        per: Duration,
    ) -> Option<Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let windows = all.entry(workspace.clone()).or_default();
        let window = windows.of(key, per, now);
        if window.count < max {
            window.count += 1;
            return None;
        }
        Some(per.saturating_sub(now.duration_since(window.since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_core::clock::{SystemClock, SystemEntropy};

    const MINUTE: Duration = Duration::from_mins(1);

    fn workspace() -> WorkspaceId {
        WorkspaceId::fresh(&SystemClock, &SystemEntropy)
    }

    #[test]
    fn a_span_has_room_for_so_many_and_workspaces_count_apart() {
        let rates = FlowRates::default();
        let (one, other) = (workspace(), workspace());
        assert_eq!(rates.take(&one, "k", 2, MINUTE), None);
        assert_eq!(rates.take(&one, "k", 2, MINUTE), None);
        let wait = rates.take(&one, "k", 2, MINUTE).unwrap();
        assert!(wait > Duration::from_secs(50) && wait <= MINUTE);
        assert_eq!(rates.take(&one, "another", 2, MINUTE), None);
        assert_eq!(rates.take(&other, "k", 2, MINUTE), None);
        // What was counted in another span of time tells nothing of this one.
        assert_eq!(rates.take(&one, "k", 2, Duration::from_secs(30)), None);
    }

    #[test]
    fn a_workspace_with_very_many_keys_keeps_the_counts_of_those_it_uses() {
        let rates = FlowRates::default();
        let (one, other) = (workspace(), workspace());
        for _ in 0..2 {
            assert_eq!(rates.take(&one, "used", 2, MINUTE), None);
            assert_eq!(rates.take(&other, "theirs", 2, MINUTE), None);
        }
        for turn in 0..10 * MOST {
            rates.take(&one, &turn.to_string(), 1, MINUTE);
            if turn % 1_000 == 0 {
                assert!(rates.take(&one, "used", 2, MINUTE).is_some());
            }
        }
        let all = rates.0.lock().unwrap();
        let windows = &all[&one];
        assert!(windows.lately.len() <= MOST && windows.before.len() <= MOST);
        drop(all);
        assert!(rates.take(&other, "theirs", 2, MINUTE).is_some());
    }
}
