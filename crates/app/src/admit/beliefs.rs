//! What is believed for half a second without asking the database again.

use super::Known;
use crate::catalog::Own;
use crate::connections::Connected;
use crate::flows::shelf::OrgFlows;
use crate::hosted::Hosted;
use crate::skills::shelf::Shelf;
use quaymaster_core::Who;
use quaymaster_core::id::{AccessTokenId, CredentialId, EndUserId, OrgId, ServerId, WorkspaceId};
use quaymaster_store::oauth::AccessToken;
use quaymaster_store::workspace::Workspace;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// How long a credential is believed without asking the database again. What revokes a credential
/// on this node drops it at once; on others this bounds it.
const BELIEVED: Duration = Duration::from_millis(500);
/// Entries kept; the cache is emptied when it is full, which costs one query each.
const MOST: usize = 10_000;
/// Tools of hosted servers kept, some kilobytes each: three servers as large as they may be.
const MOST_TOOLS: usize = 60_000;

/// What is believed, by what it is about.
type Beliefs<K, T> = Mutex<HashMap<K, Believed<T>>>;

#[derive(Default)]
pub(crate) struct Callers {
    pub(super) credentials: Beliefs<CredentialId, Known>,
    pub(super) access_tokens: Beliefs<AccessTokenId, Arc<AccessToken>>,
    pub(super) workspaces: Beliefs<WorkspaceId, Arc<Workspace>>,
    /// An organization's own, and those of each end user.
    pub(crate) accounts: Beliefs<(OrgId, Option<EndUserId>), Arc<[Connected]>>,
    pub(crate) definitions: Beliefs<OrgId, Arc<[Own]>>,
    pub(crate) shelves: Beliefs<OrgId, Arc<Shelf>>,
    pub(crate) servers: Beliefs<ServerId, Arc<Hosted>>,
    pub(crate) flows: Beliefs<OrgId, Arc<OrgFlows>>,
    pub(super) first_workspaces: Beliefs<OrgId, WorkspaceId>,
    /// The one workspace that is open to anonymous callers, if there is one.
    pub(super) open_workspace: Beliefs<(), Option<Arc<Workspace>>>,
    /// Raised whenever something is forgotten: what was read from the database before that is not
    /// remembered.
    forgotten: AtomicU64,
}

pub(crate) struct Believed<T> {
    since: Monotonic,
    /// It may have changed since, and is asked for again before its time.
    is_doubted: bool,
    what: T,
}

pub(crate) fn fresh<K: std::hash::Hash + Eq, T: Clone>(
    map: &Mutex<HashMap<K, Believed<T>>>,
    key: &K,
) -> Option<T> {
    let map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.get(key)
        .filter(|entry| !entry.is_doubted && entry.since.elapsed() < BELIEVED)
        .map(|entry| entry.what.clone())
}

/// What was believed last, for a look whether it still holds.
pub(crate) fn last<K: std::hash::Hash + Eq, T: Clone>(
    map: &Mutex<HashMap<K, Believed<T>>>,
    key: &K,
) -> Option<T> {
    let map = map.lock().unwrap_or_else(PoisonError::into_inner);
    map.get(key).map(|entry| entry.what.clone())
}

/// Drops what was asked for longest ago, until the others weigh at most `room` without `spared`.
fn keep_newest<K: std::hash::Hash + Eq + Clone, T>(
    map: &mut HashMap<K, Believed<T>>,
    spared: &K,
    room: usize,
    weight: impl Fn(&T) -> usize,
) {
    let others = map.iter().filter(|(key, _)| *key != spared);
    let total: usize = others.clone().map(|(_, known)| weight(&known.what)).sum();
    if total <= room {
        return;
    }
    let mut by_age: Vec<_> = others
        .map(|(key, known)| (known.since, key.clone(), weight(&known.what)))
        .collect();
    by_age.sort_by_key(|(since, ..)| *since);
    let mut left = total;
    for (_, key, weight) in by_age {
        if left <= room {
            break;
        }
        map.remove(&key);
        left -= weight;
    }
}

impl Callers {
    pub(crate) fn generation(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Remembers what was read when the generation was `read_at`, unless something was forgotten
    /// since: that may have been this.
    pub(crate) fn remember<K: std::hash::Hash + Eq, T>(
        &self,
        map: &Mutex<HashMap<K, Believed<T>>>,
        read_at: u64,
        key: K,
        what: T,
    ) {
        let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation() != read_at {
            return;
        }
        if map.len() >= MOST {
            map.clear();
        }
        let believed = Believed {
            since: Monotonic::now(),
            is_doubted: false,
            what,
        };
        map.insert(key, believed);
    }

    /// Remembers a hosted server as [`Callers::remember`] does. Servers that nobody called for the
    /// longest time make room for it.
    pub(crate) fn remember_server(&self, read_at: u64, hosted: Arc<Hosted>) {
        let id = hosted.server.id.clone();
        let room = MOST_TOOLS.saturating_sub(hosted.tools.len());
        let mut map = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        keep_newest(&mut map, &id, room, |known| known.tools.len());
        drop(map);
        self.remember(&self.servers, read_at, id, hosted);
    }

    pub(crate) fn forget_credential(&self, credential: &CredentialId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(credential);
    }

    /// Which end users the members of an organization are is asked again.
    pub(crate) fn forget_members(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| {
                let caller = &known.what.caller;
                caller.org != *org || !matches!(caller.who, Who::SignedIn(..))
            });
    }

    pub(crate) fn forget_access_token(&self, token: &AccessTokenId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.access_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(token);
    }

    pub(crate) fn forget_accounts(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(of, _), _| of != org);
    }

    /// Every server of an organization is made again.
    pub(crate) fn forget_servers(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.servers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| known.what.server.org != *org);
    }

    /// Every server of an organization is asked for again; what did not change is not made again.
    pub(crate) fn doubt_servers(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut map = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, known) in map
            .iter_mut()
            .filter(|(_, known)| known.what.server.org == *org)
        {
            known.is_doubted = true;
        }
    }

    pub(crate) fn forget_definitions(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(org);
    }

    /// The skills of an organization are asked for again; what did not change is not read again.
    pub(crate) fn doubt_shelf(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut map = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = map.get_mut(org) {
            known.is_doubted = true;
        }
    }

    /// The flows of an organization are asked for again; what did not change is not made again.
    pub(crate) fn doubt_flows(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut map = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = map.get_mut(org) {
            known.is_doubted = true;
        }
    }

    pub(crate) fn forget_first_workspace(&self, org: &OrgId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.first_workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(org);
    }

    pub(crate) fn forget_workspace(&self, workspace: &WorkspaceId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.open_workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(workspace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let begun = Monotonic::now();
        let mut map: HashMap<&str, Believed<usize>> = [("a", 30), ("b", 5), ("c", 20), ("d", 10)]
            .into_iter()
            .zip(0..)
            .map(|((key, what), age)| {
                let since = begun + Duration::from_secs(age);
                let is_doubted = false;
                (
                    key,
                    Believed {
                        since,
                        is_doubted,
                        what,
                    },
                )
            })
            .collect();
        let mut kept = |spared, room| {
            keep_newest(&mut map, &spared, room, |weight| *weight);
            let mut keys: Vec<_> = map.keys().copied().collect();
            keys.sort_unstable();
            keys.concat()
        };
        assert_eq!(kept("e", 65), "abcd", "they fit");
        assert_eq!(
            kept("a", 35),
            "abcd",
            "the one that is replaced does not count"
        );
        assert_eq!(kept("a", 30), "acd");
        assert_eq!(kept("e", 59), "cd");
        assert_eq!(kept("e", 0), "");
    }
}
