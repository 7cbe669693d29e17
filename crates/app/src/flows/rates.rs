//! How often steps run: counts within spans of time, on this node.

use quaymaster_core::id::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts from which on those are thrown away that no longer tell anything.
const MOST: usize = 20_000;

#[derive(Default)]
pub(crate) struct FlowRates(Mutex<HashMap<(WorkspaceId, String), Window>>);

struct Window {
    since: Instant,
    per: Duration,
    count: u32,
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
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST {
            windows.retain(|_, window| window.since.elapsed() < window.per);
        }
        let now = Instant::now();
        let window = windows
            .entry((workspace.clone(), key.to_owned()))
            .or_insert(Window {
                since: now,
                per,
                count: 0,
            });
        let elapsed = now.duration_since(window.since);
        if elapsed >= window.per || window.per != per {
            *window = Window {
                since: now,
                per,
                count: 0,
            };
        }
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

    #[test]
    fn a_span_has_room_for_so_many_and_workspaces_count_apart() {
        let rates = FlowRates::default();
        let workspace = || WorkspaceId::fresh(&SystemClock, &SystemEntropy);
        let (one, other) = (workspace(), workspace());
        let minute = Duration::from_mins(1);
        assert_eq!(rates.take(&one, "k", 2, minute), None);
        assert_eq!(rates.take(&one, "k", 2, minute), None);
        let wait = rates.take(&one, "k", 2, minute).unwrap();
        assert!(wait > Duration::from_secs(50) && wait <= minute);
        assert_eq!(rates.take(&one, "another", 2, minute), None);
        assert_eq!(rates.take(&other, "k", 2, minute), None);
        // What was counted in another span of time tells nothing of this one.
        assert_eq!(rates.take(&one, "k", 2, Duration::from_secs(30)), None);
    }
}
