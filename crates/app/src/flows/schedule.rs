//! Schedules: when a flow is due, and starting those that are.
//!
//! When a schedule is due next stands in its row. Whoever moves it on, of all nodes, begins the run in
//! the same transaction, so that each time is taken once.

use super::queue::Waiting;
use super::shelf::Ready;
use crate::App;
use quaymaster_core::id::FlowId;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_flows::format::{CatchUp, Cron, Overlap, Trigger};
use quaymaster_store::flow::Flow;
use quaymaster_store::flow_run::{Run, RunState};
use quaymaster_store::flow_trigger::DueFlow;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::str::FromStr as _;
use std::time::Duration;

/// Schedules are exact to a minute.
const LOOK: Duration = Duration::from_secs(1);
/// Runs that are begun in one transaction.
const AT_A_TIME: usize = 100;
/// What is later than this was missed.
const MISSED_SECONDS: i64 = 60;
/// Times to come that are told of a flow.
const TOLD: usize = 5;

/// The times of a trigger, read once.
pub(super) struct Schedule {
    times: croner::Cron,
    zone: jiff::tz::TimeZone,
}

impl Schedule {
    /// None for what is no schedule, which a save refuses.
    pub(super) fn of(cron: &Cron) -> Option<Self> {
        Some(Schedule {
            times: croner::Cron::from_str(&cron.schedule).ok()?,
            zone: match &cron.timezone {
                Some(name) => jiff::tz::TimeZone::get(name).ok()?,
                None => jiff::tz::TimeZone::UTC,
            },
        })
    }

    /// When it is due after that; none when it has no time any more.
    pub(super) fn next_after(&self, after: Instant) -> Option<Instant> {
        let after = jiff::Timestamp::from_microsecond(after.micros()).ok()?;
        let after = after.to_zoned(self.zone.clone());
        let next = self.times.find_next_occurrence(&after, false).ok()?;
        Some(Instant::from_micros(next.timestamp().as_microsecond()))
    }
}

/// Whether a time that came is one to run for.
fn is_wanted(cron: &Cron, at: Instant, now: Instant) -> bool {
    cron.catch_up == CatchUp::Last || now.seconds_since(at) <= MISSED_SECONDS
}

/// What was begun in one look at all schedules.
type Begun = HashSet<FlowId>;

/// A time that is taken.
struct Taken {
    due: DueFlow,
    next: Option<Instant>,
    /// None where the time is left out.
    run: Option<Run>,
}

impl App {
    /// The next times at which the schedules of a flow start it; none of one that is switched off.
    pub async fn next_starts(&self, flow: &Flow) -> Result<Vec<Instant>, Fault> {
        let ready = if flow.enabled {
            self.flow_ready(flow).await?
        } else {
            None
        };
        let mut times = BTreeSet::new();
        for schedule in ready.iter().flat_map(|ready| ready.schedules()) {
            let first = schedule.next_after(self.now());
            let all = std::iter::successors(first, |at| schedule.next_after(*at));
            times.extend(all.take(TOLD));
        }
        Ok(times.into_iter().take(TOLD).collect())
    }

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

    /// Starts all that is due, in batches.
    async fn start_due_flows(&self) -> Result<(), Fault> {
        let (now, most) = (self.now(), i64::try_from(AT_A_TIME).unwrap_or(i64::MAX));
        let mut begun = Begun::new();
        let mut behind: Option<DueFlow> = None;
        loop {
            let due = self.store.due_flows(now, behind.as_ref(), most).await?;
            let is_last = due.len() < AT_A_TIME;
            behind = due.last().cloned();
            let mut batch = Vec::with_capacity(due.len());
            for due in due {
                let flow = due.flow.id.clone();
                match self.due_time(due, &mut begun).await {
                    Ok(taken) => batch.extend(taken),
                    Err(fault) => tracing::warn!(%fault, %flow, "a flow was not started"),
                }
            }
            self.take_due_batch(&batch).await;
            if is_last || self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// What becomes of a time that came; none when it has to wait, and is due still.
    async fn due_time(&self, due: DueFlow, begun: &mut Begun) -> Result<Option<Taken>, Fault> {
        let left_out = |due, next| {
            let run = None;
            Ok(Some(Taken { due, next, run }))
        };
        let flow = &due.flow;
        let ready = if flow.enabled {
            self.flow_ready(flow).await?
        } else {
            None
        };
        let Some(ready) = ready else {
            return left_out(due, None);
        };
        let index = usize::try_from(due.n).unwrap_or(usize::MAX);
        let Some(Trigger::Cron(cron)) = ready.prepared.flow().triggers.get(index) else {
            return left_out(due, None);
        };
        let now = self.now();
        let schedule = ready.schedule(due.n);
        let next = schedule.and_then(|schedule| schedule.next_after(now));
        if !is_wanted(cron, due.at, now) {
            return left_out(due, next);
        }
        if cron.overlap == Overlap::Skip
            && (begun.contains(&flow.id) || self.store.has_open_run(&flow.org, &flow.id).await?)
        {
            return left_out(due, next);
        }
        let input = ready.prepared.input(cron.input.clone());
        let run = match self.may_begin(&ready, input).await {
            Ok(input) => self.scheduled_run(&ready, input, due.at),
            // There may be room for it before it is missed.
            Err(fault)
                if fault.code == Code::RateLimited
                    && is_wanted(cron, due.at, now.plus_seconds(1)) =>
            {
                return Ok(None);
            }
            Err(fault) => self.failed_run(&ready, &fault, due.at),
        };
        begun.insert(flow.id.clone());
        Ok(Some(Taken {
            due,
            next,
            run: Some(run),
        }))
    }

    /// Whether a scheduled run may begin, which is counted then.
    async fn may_begin(
        &self,
        ready: &Ready,
        input: Result<JsonObject, Fault>,
    ) -> Result<JsonObject, Fault> {
        let (input, flow) = (input?, &ready.flow);
        self.make_room_for_run(&flow.org).await?;
        let workspace = self.believed_workspace(&flow.org, &flow.workspace).await?;
        self.count_call(&workspace).await?;
        Ok(input)
    }

    /// What people find where a run should be.
    fn failed_run(&self, ready: &Ready, fault: &Fault, at: Instant) -> Run {
        tracing::warn!(%fault, flow = %ready.flow.id, "a schedule was left out");
        Run {
            state: RunState::Failed,
            error: Some(fault.to_json()),
            ended_at: Some(self.now()),
            ..self.scheduled_run(ready, JsonObject::new(), at)
        }
    }

    fn scheduled_run(&self, ready: &Ready, input: JsonObject, at: Instant) -> Run {
        let waiting = Waiting {
            started_by: "cron",
            label: "cron",
            caller: shown("cron", "cron"),
            owner: None,
            due: Some(at),
        };
        self.waiting_run(ready, Value::Object(input), waiting)
    }

    /// All of a batch, or, when one of it stands in the way of the others, each for itself.
    async fn take_due_batch(&self, batch: &[Taken]) {
        let Err(fault) = self.take_due_times(batch).await else {
            return;
        };
        tracing::warn!(%fault, "schedules are taken one by one");
        for one in batch {
            if let Err(fault) = self.take_due_times(std::slice::from_ref(one)).await {
                tracing::warn!(%fault, flow = %one.due.flow.id, "a flow was not started");
            }
        }
    }

    async fn take_due_times(&self, batch: &[Taken]) -> Result<(), Fault> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let mut not_ours = Vec::new();
        for Taken { due, next, run } in batch {
            let is_ours = tx.take_due_flow(due, *next).await?;
            match run {
                Some(run) if is_ours => tx.add_run(run, &[]).await?,
                Some(run) if run.state == RunState::Ready => not_ours.push(&run.workspace),
                _ => {}
            }
        }
        tx.commit().await?;
        // Whoever took it counted it too.
        for workspace in not_ours {
            self.uncount_call(workspace).await;
        }
        self.run_wake.notify_one();
        Ok(())
    }
}

/// What expressions see as `.caller` of a run that nobody called: by which way it came, and whose it
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
        let schedule = Schedule::of(cron).unwrap();
        schedule.next_after(after).unwrap().to_string()
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
