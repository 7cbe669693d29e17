//! One writer at a time for each file, by striped mutexes.
//!
//! A file is known by its directory's inode and its name, so that two paths that lead to one file
//! through a symbolic link share a lock.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

const STRIPES: usize = 256;

/// Directory (device, inode) and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PlaceKey {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) name: String,
}

pub(crate) struct Locks {
    stripes: Vec<Mutex<()>>,
}

/// Held until dropped.
pub(crate) struct Held<'a> {
    _guards: Vec<MutexGuard<'a, ()>>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Locks {
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Locks all places at once, in one order for everybody, so that two moves in opposite
    /// directions cannot wait for each other.
    pub(crate) fn hold(&self, places: &[&PlaceKey]) -> Held<'_> {
        let mut stripes: Vec<usize> = places.iter().map(|place| stripe(place)).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let lock = |index: usize| {
            self.stripes[index]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        Held {
            _guards: stripes.into_iter().map(lock).collect(),
        }
    }
}

fn stripe(place: &PlaceKey) -> usize {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    (hasher.finish() as usize) % STRIPES
}
