//! Schedules: when a flow is due, and starting those that are.
//!
//! When a schedule is due next stands in its row. Whoever moves it on, of all nodes, begins the run in
//! the same transaction, so that each time is taken once.

use super::{durable, reading};
use crate::App;
use quaymaster_core::{Fault, Instant};
use quaymaster_flows::format::{CatchUp, Cron, Overlap, Trigger};
use quaymaster_store::flow::Flow;
use serde_json::{Value, json};
use std::str::FromStr as _;
use std::time::Duration;

/// Schedules are exact to a minute.
const LOOK: Duration = Duration::from_secs(1);
const AT_A_TIME: i64 = 50;
/// What is later than this was missed.
const MISSED_SECONDS: i64 = 60;

/// When a schedule is due after that; none for one that has no time any more.
pub(super) fn next_after(cron: &Cron, after: Instant) -> Option<Instant> {
    let schedule = croner::Cron::from_str(&cron.schedule).ok()?;
    let zone = match &cron.timezone {
        Some(name) => jiff::tz::TimeZone::get(name).ok()?,
        None => jiff::tz::TimeZone::UTC,
    };
    let after = jiff::Timestamp::from_microsecond(after.micros()).ok()?;
    let next = schedule
        .find_next_occurrence(&after.to_zoned(zone), false)
        .ok()?;
    Some(Instant::from_micros(next.timestamp().as_microsecond()))
}

/// Whether a time that came is one to run for.
fn is_wanted(cron: &Cron, at: Instant, now: Instant) -> bool {
    cron.catch_up == CatchUp::Last || now.seconds_since(at) <= MISSED_SECONDS
}

impl App {
    pub(super) async fn follow_schedules(self) {
        loop {
            if let Err(fault) = self.start_due_flows().await {
                tracing::warn!(%fault, "schedules were not looked at");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    async fn start_due_flows(&self) -> Result<(), Fault> {
        for (flow, n, at) in self.store.due_flows(self.now(), AT_A_TIME).await? {
            if let Err(fault) = self.start_due_flow(&flow, n, at).await {
                tracing::warn!(%fault, flow = %flow.id, "a flow was not started");
            }
        }
        Ok(())
    }

    async fn start_due_flow(&self, flow: &Flow, n: i64, at: Instant) -> Result<(), Fault> {
        let version = self
            .store
            .flow_version(&flow.org, &flow.id, flow.version)
            .await?;
        let prepared = version.and_then(|version| reading::prepared(&version.source).ok());
        let index = usize::try_from(n).unwrap_or(usize::MAX);
        let trigger = prepared
            .as_ref()
            .and_then(|prepared| prepared.flow().triggers.get(index));
        let now = self.now();
        let cron = match trigger {
            Some(Trigger::Cron(cron)) if flow.enabled => Some(cron),
            _ => None,
        };
        let next = cron.and_then(|cron| next_after(cron, now));
        let mut run = None;
        if let (Some(cron), Some(prepared)) = (cron, &prepared)
            && is_wanted(cron, at, now)
        {
            let is_free = cron.overlap == Overlap::Allow
                || !self.store.has_open_run(&flow.org, &flow.id).await?;
            if is_free {
                run = Some(prepared.input(cron.input.clone())?);
            }
        }
        if run.is_some() {
            let workspace = self.believed_workspace(&flow.org, &flow.workspace).await?;
            if let Err(fault) = self.count_call(&workspace).await {
                tracing::warn!(%fault, flow = %flow.id, "a schedule was left out");
                run = None;
            }
        }
        let mut tx = self.store.begin().await?;
        if !tx.take_due_flow(flow, n, at, next).await? {
            return Ok(());
        }
        if let Some(input) = run {
            let waiting = durable::Waiting {
                started_by: "cron",
                label: "cron",
                due: Some(at),
            };
            let run = self.waiting_run(flow, Value::Object(input), &waiting);
            tx.add_run(&run, &[]).await?;
        }
        tx.commit().await?;
        self.run_wake.notify_one();
        Ok(())
    }
}

/// What expressions see as `.caller` of a run that nobody waits for: by which way it came, and whose it
/// is.
pub(super) fn shown(started_by: &str, label: &str) -> Value {
    json!({ "kind": started_by, "credential": label, "user": null })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(schedule: &str, timezone: Option<&str>) -> Cron {
        let mut value = json!({ "schedule": schedule });
        if let Some(zone) = timezone {
            value["timezone"] = zone.into();
        }
        serde_json::from_value(value).unwrap()
    }

    fn next(cron: &Cron, after: &str) -> String {
        let after: Instant = serde_json::from_value(json!(after)).unwrap();
        next_after(cron, after).unwrap().to_string()
    }

    #[test]
    fn times_are_those_of_the_zone_also_when_its_clocks_change() {
        let weekdays = cron("0 8 * * 1-5", Some("Europe/Paris"));
        assert_eq!(
            next(&weekdays, "2026-11-27T07:00:00Z"),
            "2026-11-30T07:00:00.000Z"
        );
        assert_eq!(
            next(&weekdays, "2026-06-12T05:59:59Z"),
            "2026-06-12T06:00:00.000Z"
        );
        // The hour from two to three is left out in spring, and there twice in autumn.
        let night = cron("30 2 * * *", Some("Europe/Paris"));
        let spring = next(&night, "2026-03-28T12:00:00Z");
        assert!(
            spring.starts_with("2026-03-29T0") || spring.starts_with("2026-03-30T0"),
            "{spring}"
        );
        let autumn = next(&night, "2026-10-24T12:00:00Z");
        assert_eq!(autumn, "2026-10-25T00:30:00.000Z");
        let after = next(&night, &autumn);
        assert_eq!(after, "2026-10-26T01:30:00.000Z");
        assert_eq!(
            next(&cron("*/5 * * * *", None), "2026-01-01T00:00:00Z"),
            "2026-01-01T00:05:00.000Z"
        );
    }

    #[test]
    fn a_time_that_was_missed_runs_only_when_it_is_caught_up() {
        let mut daily = cron("0 8 * * *", None);
        let at = Instant::from_micros(1_795_200_000_000_000);
        assert!(is_wanted(&daily, at, at.plus_seconds(30)));
        assert!(!is_wanted(&daily, at, at.plus_seconds(3_600)));
        daily.catch_up = CatchUp::Last;
        assert!(is_wanted(&daily, at, at.plus_seconds(3_600)));
    }
}
