//! How often somebody may be wrong: about one thing (a credential, an address of mail), and from
//! one place about anything.
//!
//! Invariants: what is remembered is bounded; when it is full the oldest is forgotten, so that
//! nobody is refused because others guess; counting takes the same short time however much is
//! remembered.

use quaymaster_core::{Code, Fault, Place};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_mins(1);
/// Wrong guesses in a window about one thing, from one address.
const ABOUT_ONE: u32 = 20;
/// Wrong guesses in a window from one place about anything: above what an office behind one
/// address mistypes, below what makes one password tried on every account worth it.
const FROM_ONE_PLACE: u32 = 100;
/// Counts that are remembered.
const MOST: usize = 20_000;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    About(Option<IpAddr>, String),
    From(Place),
}

/// Wrong guesses within windows of a minute.
#[derive(Default)]
pub(crate) struct Guesses {
    /// Whether all guesses from one place are counted together, too.
    by_place: bool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    open: HashMap<Key, (Instant, u32)>,
    /// Every window that was opened, oldest first; some are gone from `open` already.
    order: VecDeque<(Instant, Key)>,
}

impl Counts {
    /// Counts one more; how many there are now.
    fn add(&mut self, key: Key, now: Instant) -> u32 {
        while self.order.len() >= MOST
            || (self.order.front()).is_some_and(|(since, _)| now.duration_since(*since) > WINDOW)
        {
            let Some((since, key)) = self.order.pop_front() else {
                break;
            };
            if self.open.get(&key).is_some_and(|(open, _)| *open == since) {
                self.open.remove(&key);
            }
        }
        if let Some((_, count)) = self.open.get_mut(&key) {
            *count = count.saturating_add(1);
            return *count;
        }
        self.order.push_back((now, key.clone()));
        self.open.insert(key, (now, 1));
        1
    }

    fn take_back(&mut self, key: &Key) {
        if let Some((_, count)) = self.open.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(key);
            }
        }
    }
}

impl Guesses {
    /// Also limits what one place guesses about many things.
    pub(crate) fn by_place() -> Self {
        Guesses {
            by_place: true,
            counts: Mutex::default(),
        }
    }

    /// Takes part in guessing a password: counted as wrong before it is looked at, so that many
    /// guesses at once are no way around the limit, and taken back when it was right.
    pub(crate) fn attempt<'a>(
        &'a self,
        address: Option<IpAddr>,
        about: &str,
    ) -> Result<Attempt<'a>, Fault> {
        if self.one_more(address, about) {
            return Err(
                Fault::new(Code::RateLimited, "Too many attempts. Wait a minute.")
                    .detail("retry_after_s", 60),
            );
        }
        Ok(Attempt {
            guesses: self,
            about: Key::About(address, about.to_owned()),
            from: self.place_of(address),
        })
    }

    /// Counts a wrong guess; `true` when there were too many within a minute.
    pub(crate) fn one_more(&self, address: Option<IpAddr>, about: &str) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let about = Key::About(address, about.to_owned());
        if counts.add(about, now) > ABOUT_ONE {
            // Not of the place as well: insisting on one thing ends nobody else's chances.
            return true;
        }
        let place = self.place_of(address);
        place.is_some_and(|place| counts.add(place, now) > FROM_ONE_PLACE)
    }

    fn place_of(&self, address: Option<IpAddr>) -> Option<Key> {
        let place = address.filter(|_| self.by_place).and_then(Place::of);
        place.map(Key::From)
    }
}

/// A guess that is not judged yet.
#[must_use]
pub(crate) struct Attempt<'a> {
    guesses: &'a Guesses,
    about: Key,
    from: Option<Key>,
}

impl Attempt<'_> {
    /// It was right, or nobody looked at it: it does not count.
    pub(crate) fn take_back(self) {
        let counts = &self.guesses.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.take_back(&self.about);
        if let Some(from) = &self.from {
            counts.take_back(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> Option<IpAddr> {
        let text = format!("2001:db8:{:x}:{:x}::1", n / 50_000, n % 50_000);
        text.parse().ok()
    }

    #[test]
    fn the_twenty_first_guess_in_a_minute_is_one_too_many() {
        let guesses = Guesses::default();
        assert!((0..20).all(|_| !guesses.one_more(None, "a")));
        assert!(guesses.one_more(None, "a"));
        assert!(!guesses.one_more(None, "b"));
    }

    #[test]
    fn right_passwords_do_not_count_and_one_among_too_many_guesses_is_not_looked_at() {
        let guesses = Guesses::by_place();
        for _ in 0..300 {
            guesses.attempt(address(1), "a").unwrap().take_back();
        }
        let open: Vec<_> = (0..20).map(|_| guesses.attempt(address(1), "a")).collect();
        assert!(open.iter().all(Result::is_ok), "all at once");
        assert!(guesses.attempt(address(1), "a").is_err());
    }

    #[test]
    fn one_place_does_not_try_a_password_on_every_account() {
        let guesses = Guesses::by_place();
        let tries = |n: usize| {
            // Every time another address of the same network.
            let from = format!("2001:db8::{n:x}").parse().ok();
            guesses.attempt(from, &format!("{n}@example.com")).is_ok()
        };
        assert_eq!((1..1_000).filter(|&n| tries(n)).count(), 100);
        assert!(
            guesses.attempt(address(2), "1@example.com").is_ok(),
            "elsewhere"
        );
        let here = "127.0.0.1".parse().ok();
        let local = |n: usize| guesses.attempt(here, &format!("{n}@example.com")).is_ok();
        assert!((0..1_000).all(local), "loopback tells nobody from anybody");
    }

    #[test]
    fn insisting_on_one_address_leaves_the_others_of_the_place_alone() {
        let guesses = Guesses::by_place();
        assert_eq!(
            (0..1_000)
                .filter(|_| guesses.attempt(address(1), "a").is_ok())
                .count(),
            20
        );
        assert!(guesses.attempt(address(1), "b").is_ok());
    }

    #[test]
    fn made_up_names_lock_nobody_out_and_are_forgotten() {
        let guesses = Guesses::by_place();
        for n in 0..3 * MOST {
            assert!(!guesses.one_more(address(n), "made up"), "{n}");
        }
        assert!(guesses.attempt(address(3 * MOST), "owner").is_ok());
        let counts = guesses.counts.lock().unwrap();
        assert!(counts.open.len() <= MOST && counts.order.len() <= MOST);
    }

    #[test]
    fn a_window_ends_after_a_minute() {
        let mut counts = Counts::default();
        let now = Instant::now();
        let key = || Key::About(None, "a".to_owned());
        assert_eq!(counts.add(key(), now), 1);
        assert_eq!(counts.add(key(), now + WINDOW), 2);
        let later = now + WINDOW + Duration::from_millis(1);
        assert_eq!(counts.add(key(), later), 1);
        assert_eq!((counts.open.len(), counts.order.len()), (1, 1));
    }
}
