//! How much is called, how often it fails and how long it takes: for charts.
//!
//! Durations come from counts in buckets, each twice as long as the one before: a percentile is close, not
//! exact.

use crate::App;
use crate::activity::name_or_id;
use crate::actor::Actor;
use quaymaster_core::id::{CredentialId, WorkspaceId};
use quaymaster_core::{Fault, Instant};
use quaymaster_store::call_counts::{Counts, HourFilter, Part, hour_of, start_of, start_of_bucket};
use std::collections::BTreeMap;

/// How many parts are told apart; the rest is in the total.
const PARTS: usize = 20;
/// Sets of accounts that are looked at for the accounts in them.
const SETS: i64 = 200;

/// What time a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Since 00:00 UTC, by the hour; what is still to come is empty.
    Today,
    /// The last 24 hours, by the hour.
    Day,
    /// Today and the 6 days before, by 6 hours.
    Week,
    /// Today and the 29 days before, by the day.
    Month,
}

impl Window {
    /// Slots, and hours of one.
    pub fn slots(self) -> (i64, i64) {
        match self {
            Window::Today | Window::Day => (24, 1),
            Window::Week => (28, 6),
            Window::Month => (30, 24),
        }
    }

    /// The first hour, and the one behind the last. Days end in UTC.
    fn hours(self, now: Instant) -> (i64, i64) {
        let (slots, hours) = self.slots();
        let to = match self {
            Window::Day => hour_of(now) + 1,
            _ => hour_of(now.next_utc_day()),
        };
        (to - slots * hours, to)
    }
}

/// Calls and how they went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    pub calls: u64,
    pub errors: u64,
    /// Half of the calls, and 95 of 100, took no longer: microseconds. None without calls.
    pub p50_us: Option<u64>,
    pub p95_us: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Slot {
    pub at: Instant,
    pub measure: Measure,
}

/// A tool, credential or account, with its calls.
#[derive(Debug, Clone)]
pub struct Share {
    /// What a filter takes.
    pub key: String,
    /// What people call it.
    pub name: String,
    pub measure: Measure,
}

#[derive(Debug, Clone)]
pub struct Report {
    pub from: Instant,
    pub to: Instant,
    pub slot_hours: i64,
    pub total: Measure,
    /// One beside the other, without gaps.
    pub slots: Vec<Slot>,
    /// Most called first, at most twenty of each.
    pub tools: Vec<Share>,
    pub credentials: Vec<Share>,
    /// A call that used several counts to each.
    pub accounts: Vec<Share>,
}

impl From<&Counts> for Measure {
    fn from(counts: &Counts) -> Self {
        Measure {
            calls: counts.calls.max(0).cast_unsigned(),
            errors: counts.errors.max(0).cast_unsigned(),
            p50_us: percentile(counts, 50),
            p95_us: percentile(counts, 95),
        }
    }
}

/// The duration that this share of a hundred calls does not exceed, as if the calls of a bucket lay evenly
/// in it.
fn percentile(counts: &Counts, percent: u64) -> Option<u64> {
    let calls = counts.calls.max(0).cast_unsigned();
    let rank = (calls * percent).div_ceil(100).max(1);
    let mut before = 0;
    for (bucket, inside) in counts.buckets.iter().enumerate() {
        let inside = inside.max(&0).cast_unsigned();
        if before + inside >= rank {
            let (from, to) = (start_of_bucket(bucket), start_of_bucket(bucket + 1));
            let part = u128::from(to - from) * u128::from(rank - before) / u128::from(inside);
            return Some(from + u64::try_from(part).unwrap_or(0));
        }
        before += inside;
    }
    None
}

impl App {
    /// Calls of a window, in one workspace or in all that the actor sees.
    pub async fn call_report(
        &self,
        actor: &Actor,
        window: Window,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Report, Fault> {
        let (filter, org) = (self.hours(actor, window, workspace).await, &actor.org);
        let (slots, total) = self.slots(actor, &filter, window).await?;
        let by_days = HourFilter {
            by_days: window != Window::Day && window != Window::Today,
            ..filter.clone()
        };
        let by = |part, most| self.store.calls_by(org, &by_days, part, most);
        let tools = by(Part::Tool, PARTS as i64).await?;
        let credentials = by(Part::Credential, PARTS as i64).await?;
        let accounts = by_account(&by(Part::Accounts, SETS).await?);
        let ids = credentials
            .iter()
            .filter_map(|(id, _)| id.parse::<CredentialId>().ok());
        let names = self.credential_names(org, ids).await?;
        let same = |key: &str| key.to_owned();
        Ok(Report {
            from: start_of(filter.from_hour),
            to: start_of(filter.to_hour),
            slot_hours: window.slots().1,
            total,
            slots,
            tools: shares(tools, same),
            credentials: shares(credentials, |key| match key.parse() {
                Ok(id) => name_or_id(&names, &id),
                Err(_) => key.to_owned(),
            }),
            accounts: shares(accounts, same),
        })
    }

    /// Calls over time alone.
    pub async fn calls_over_time(
        &self,
        actor: &Actor,
        window: Window,
    ) -> Result<(Vec<Slot>, Measure), Fault> {
        let filter = self.hours(actor, window, None).await;
        self.slots(actor, &filter, window).await
    }

    async fn hours(
        &self,
        actor: &Actor,
        window: Window,
        workspace: Option<&WorkspaceId>,
    ) -> HourFilter {
        // A person looks for the call made a moment ago.
        self.flush_audit().await;
        let (from_hour, to_hour) = window.hours(self.now());
        HourFilter {
            workspace: workspace.cloned(),
            is_of_workspaces: !actor.role.administers(),
            from_hour,
            to_hour,
            by_days: window == Window::Month,
        }
    }

    async fn slots(
        &self,
        actor: &Actor,
        filter: &HourFilter,
        window: Window,
    ) -> Result<(Vec<Slot>, Measure), Fault> {
        let (slots, hours) = window.slots();
        let counted = self
            .store
            .calls_over_time(&actor.org, filter, hours)
            .await?;
        let mut total = Counts::default();
        let mut all: BTreeMap<i64, Measure> = BTreeMap::new();
        for (slot, counts) in &counted {
            total.add(counts);
            all.insert(*slot, Measure::from(counts));
        }
        let slot = |n: i64| Slot {
            at: start_of(filter.from_hour + n * hours),
            measure: all.get(&n).copied().unwrap_or_default(),
        };
        Ok(((0..slots).map(slot).collect(), Measure::from(&total)))
    }
}

/// What was counted for sets of accounts, for each account; most called first.
fn by_account(sets: &[(String, Counts)]) -> Vec<(String, Counts)> {
    let mut all: BTreeMap<&str, Counts> = BTreeMap::new();
    for (set, counts) in sets {
        for account in set.split(',') {
            all.entry(account).or_default().add(counts);
        }
    }
    let owned = |(account, counts): (&str, Counts)| (account.to_owned(), counts);
    let mut all: Vec<_> = all.into_iter().map(owned).collect();
    all.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.calls));
    all.truncate(PARTS);
    all
}

fn shares(parts: Vec<(String, Counts)>, name: impl Fn(&str) -> String) -> Vec<Share> {
    let share = |(key, counts): (String, Counts)| Share {
        name: name(&key),
        measure: Measure::from(&counts),
        key,
    };
    parts.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(durations: impl IntoIterator<Item = i64>) -> Counts {
        let mut all = Counts::default();
        for us in durations {
            all.add_call(us, us % 10 == 0);
        }
        all
    }

    #[test]
    fn percentiles_are_close_to_those_of_the_calls_themselves() {
        let measure = Measure::from(&counts(1..=10_000));
        assert_eq!((measure.calls, measure.errors), (10_000, 1_000));
        for (found, wanted) in [(measure.p50_us, 5_000), (measure.p95_us, 9_500)] {
            let found = found.unwrap();
            // A bucket ends at twice its beginning.
            assert!(found.abs_diff(wanted) * 2 < wanted, "{found} {wanted}");
        }
        assert_eq!(Measure::from(&counts([])), Measure::default());
        let long = Measure::from(&counts([i64::MAX]));
        assert!(long.p95_us > Some(500_000_000), "{long:?}");
    }

    #[test]
    fn a_call_with_two_accounts_counts_to_each() {
        let counted = |set: &str, calls| (set.to_owned(), counts(0..calls));
        let rows = vec![counted("github:main,jira:main", 2), counted("jira:main", 3)];
        let parts = by_account(&rows);
        let calls: Vec<_> = parts.iter().map(|(key, one)| (&**key, one.calls)).collect();
        assert_eq!(calls, [("jira:main", 5), ("github:main", 2)]);
    }

    #[test]
    fn a_window_ends_with_the_present_hour_or_day() {
        // 14 November 2023, 22:13 UTC.
        let now = Instant::from_micros(1_700_000_000_000_000);
        for window in [Window::Today, Window::Day, Window::Week, Window::Month] {
            let (from, to) = window.hours(now);
            let (slots, hours) = window.slots();
            assert_eq!(to - from, slots * hours);
            assert!(from <= hour_of(now) && hour_of(now) < to, "{window:?}");
            let is_by_days = window != Window::Day;
            assert_eq!(is_by_days, from % 24 == 0 && to % 24 == 0);
        }
    }
}
