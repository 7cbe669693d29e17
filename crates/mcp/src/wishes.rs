//! What the client of one session wants to be told, as it said in requests of its own. The
//! stateless era says so in each request instead.

use quaymaster_core::log::Level;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// Watched URIs of one session.
const MOST_WATCHED: usize = 1_000;
/// Of a watched URI, in bytes.
const LONGEST: usize = 4_096;

#[derive(Default)]
pub(crate) struct Wishes {
    /// Position in [`Level::ALL`] and one; zero as long as the client wants no lines.
    level: AtomicU8,
    watched: Mutex<HashSet<String>>,
}

impl Wishes {
    pub(crate) fn level(&self) -> Option<Level> {
        let position = usize::from(self.level.load(Ordering::Relaxed)).checked_sub(1)?;
        Level::ALL.get(position).copied()
    }

    pub(crate) fn set_level(&self, level: Level) {
        self.level.store(level as u8 + 1, Ordering::Relaxed);
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watches(&self, uri: &str) -> bool {
        self.watched().contains(uri)
    }

    /// Whether there was room.
    pub(crate) fn watch(&self, uri: String) -> bool {
        let mut watched = self.watched();
        if uri.len() > LONGEST || (watched.len() >= MOST_WATCHED && !watched.contains(&uri)) {
            return false;
        }
        watched.insert(uri);
        true
    }

    pub(crate) fn unwatch(&self, uri: &str) {
        self.watched().remove(uri);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_the_last_one_set() {
        let wishes = Wishes::default();
        assert_eq!(wishes.level(), None);
        for level in Level::ALL {
            wishes.set_level(level);
            assert_eq!(wishes.level(), Some(level));
        }
    }

    #[test]
    fn a_session_watches_so_many_resources_and_no_more() {
        let wishes = Wishes::default();
        for index in 0..MOST_WATCHED {
            assert!(wishes.watch(format!("a://{index}")));
        }
        assert!(!wishes.watch("a://more".to_owned()));
        assert!(wishes.watch("a://0".to_owned()), "watched already");
        wishes.unwatch("a://0");
        assert!(!wishes.watch("a".repeat(LONGEST + 1)));
        assert!(wishes.watch("a://more".to_owned()));
    }
}
