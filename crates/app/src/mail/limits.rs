//! How many mails are sent to strangers on somebody's word: of one organization, and to one address
//! whoever asks.
//!
//! Kept in memory on each node, like the other limits: a restart forgets it. What is remembered is
//! bounded; when it is full nothing more is sent for a while.

use quaymaster_core::id::OrgId;
use quaymaster_core::{Code, Fault, Instant};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

const WINDOW_SECONDS: i64 = 3_600;
/// Of one organization in an hour.
const OF_ONE: u32 = 100;
/// To one address in an hour.
const TO_ONE: u32 = 5;
/// Windows that are remembered.
const MOST: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Of(OrgId),
    To(String),
}

/// When a window began, and how many mails were sent in it.
type Window = (Instant, u32);

#[derive(Default)]
pub(crate) struct MailLimits(Mutex<HashMap<Key, Window>>);

impl MailLimits {
    /// Counts one more mail; refuses it when there were too many, and counts nothing then.
    pub(crate) fn one_more(&self, org: &OrgId, to: &str, now: Instant) -> Result<(), Fault> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = now.plus_seconds(-WINDOW_SECONDS);
        if windows.len() + 2 > MOST {
            windows.retain(|_, (since, _)| *since > over);
        }
        let is_full = windows.len() + 2 > MOST;
        let keys = [
            (Key::Of(org.clone()), OF_ONE, "Your organization sends"),
            (Key::To(to.to_lowercase()), TO_ONE, "One address is sent"),
        ];
        for (key, most, who) in &keys {
            let window = windows.get(key).filter(|(since, _)| *since > over);
            if window.map_or(is_full, |(_, sent)| sent >= most) {
                let since = window.map_or(now, |(since, _)| *since);
                let left = since.plus_seconds(WINDOW_SECONDS).micros() - now.micros();
                return Err(Fault::new(
                    Code::RateLimited,
                    format!("{who} at most {most} invitations an hour by mail."),
                )
                .hint("Wait, or make a link and send it yourself.")
                .detail("retry_after_s", (left / 1_000_000).max(1)));
            }
        }
        for (key, ..) in keys {
            match windows.entry(key) {
                Entry::Occupied(mut window) if window.get().0 > over => window.get_mut().1 += 1,
                Entry::Occupied(mut window) => *window.get_mut() = (now, 1),
                Entry::Vacant(room) => {
                    room.insert((now, 1));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_core::clock::{Clock as _, SystemClock, SystemEntropy};

    #[test]
    fn an_address_and_an_organization_have_a_limit_each_that_ends_with_the_hour() {
        let limits = MailLimits::default();
        let org = || OrgId::fresh(&SystemClock, &SystemEntropy);
        let (ours, theirs, now) = (org(), org(), SystemClock.now());
        for _ in 0..TO_ONE {
            limits.one_more(&ours, "a@example.com", now).unwrap();
        }
        // Whoever asks, and however it is spelled.
        limits.one_more(&theirs, "A@Example.com", now).unwrap_err();
        // What was refused did not count for the organization.
        for number in TO_ONE..OF_ONE {
            let to = format!("{number}@example.com");
            limits.one_more(&ours, &to, now).unwrap();
        }
        let refused = limits.one_more(&ours, "z@example.com", now).unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        limits.one_more(&theirs, "z@example.com", now).unwrap();
        let later = now.plus_seconds(WINDOW_SECONDS);
        limits.one_more(&ours, "a@example.com", later).unwrap();
    }
}
