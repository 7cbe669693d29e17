//! Schedules on a running server: what happens when a time comes while the run before goes on, what is made up
//! for, and times of a zone whose clocks change. Tests move the times that the database has, since a schedule is
//! not finer than a minute.

use super::{create, desk_on, flows, runs};
use crate::outside::change_rows;
use quaymaster_tests::{Database, Desk, OutsideService};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Makes all schedules due, since so many seconds.
async fn are_due(desk: &Desk, since: i64) {
    let at = jiff::Zoned::now().timestamp().as_microsecond() - since * 1_000_000;
    let sql = format!("UPDATE flow_triggers SET next_at = {at} WHERE kind = 'cron'");
    change_rows(&desk.server, &sql).await;
}

/// How many runs there are of each flow that has any, once so many have ended and none goes on.
async fn all_ended(desk: &Desk, wanted: usize) -> BTreeMap<String, usize> {
    let (_, listed) = desk.rest("GET", &flows(desk), None).await;
    let listed = listed["flows"].as_array().unwrap();
    for _ in 0..300 {
        let all = runs(desk).await;
        if all.len() >= wanted && all.iter().all(|run| run["state"] == "done") {
            let mut counts = BTreeMap::new();
            for run in &all {
                assert_eq!(run["startedBy"], "cron", "{run}");
                let mut flows = listed.iter();
                let flow = flows.find(|flow| flow["id"] == run["flowId"]).unwrap();
                let name = flow["name"].as_str().unwrap().to_owned();
                *counts.entry(name).or_default() += 1;
            }
            return counts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted} runs did not end: {:?}", runs(desk).await);
}

async fn next_starts(desk: &Desk, flow: &str) -> Vec<Value> {
    let path = format!("{}/{flow}", flows(desk));
    let (status, read) = desk.rest("GET", &path, None).await;
    assert_eq!(status, 200, "{read}");
    read["nextStarts"].as_array().unwrap().clone()
}

/// A flow that is due once a year, and in a test when the test says so.
fn scheduled(name: &str, more: &str, step: &str) -> String {
    format!(
        "flow: {name}\ntriggers:\n  - cron: {{ schedule: \"0 0 1 1 *\"{more} }}\nlimits: {{ step_timeout: 1m, timeout: 5m }}\nsteps:\n  - {step}\n"
    )
}

fn counts<const N: usize>(of: [(&str, usize); N]) -> BTreeMap<String, usize> {
    of.map(|(name, count)| (name.to_owned(), count)).into()
}

#[tokio::test]
async fn a_time_that_comes_while_the_run_before_goes_on_is_left_out_unless_both_may_run() {
    for database in Database::BOTH {
        let service = OutsideService::start(|_| (200, json!(1))).await;
        let ca_file = service.ca_file();
        let settings = [
            ("EGRESS_ALLOW", r#"["127.0.0.1"]"#),
            ("EGRESS_CA_FILE", ca_file.to_str().unwrap()),
        ];
        let desk = Desk::open_with(database, &settings).await;
        let have_arrived = async |wanted: [(&str, usize); 3]| {
            let wanted = counts(wanted);
            service.has_come(wanted.values().sum()).await;
            let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
            for asked in service.asked() {
                let name = asked.path.trim_start_matches('/').to_owned();
                *arrived.entry(name).or_default() += 1;
            }
            assert_eq!(arrived, wanted);
        };
        for (name, overlap) in [
            ("unsaid", ""),
            ("skips", ", overlap: skip"),
            ("allows", ", overlap: allow"),
        ] {
            let step = format!("http: {{ get: \"{}/{name}\" }}", service.url);
            create(&desk, &scheduled(name, overlap, &step)).await;
        }
        // Their runs go on until they are let go.
        service.hold();
        are_due(&desk, 1).await;
        have_arrived([("unsaid", 1), ("skips", 1), ("allows", 1)]).await;
        // All are due at the same time and taken together, so the others had their turn when this one begins.
        are_due(&desk, 1).await;
        have_arrived([("unsaid", 1), ("skips", 1), ("allows", 2)]).await;
        service.let_go();
        let ended = all_ended(&desk, 4).await;
        assert_eq!(ended, counts([("unsaid", 1), ("skips", 1), ("allows", 2)]));
        // What was left out is not made up for, and the next time runs again.
        are_due(&desk, 1).await;
        have_arrived([("unsaid", 2), ("skips", 2), ("allows", 3)]).await;
        let ended = all_ended(&desk, 7).await;
        assert_eq!(ended, counts([("unsaid", 2), ("skips", 2), ("allows", 3)]));
    }
}

#[tokio::test]
async fn a_time_that_was_missed_is_made_up_for_once_and_only_where_that_is_said() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        for (name, more) in [("leaves", ""), ("last", ", catch_up: last")] {
            create(&desk, &scheduled(name, more, "map: \"1\"")).await;
        }
        are_due(&desk, 7_200).await;
        assert_eq!(all_ended(&desk, 1).await, counts([("last", 1)]));
        are_due(&desk, 1).await;
        let ended = all_ended(&desk, 3).await;
        assert_eq!(ended, counts([("leaves", 1), ("last", 2)]));
    }
}

#[tokio::test]
async fn the_next_times_of_a_flow_are_those_of_its_zone_in_summer_and_in_winter() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        let source = r#"
flow: each_season
triggers:
  - cron: { schedule: "0 8 1 7 *", timezone: Europe/Paris }
  - cron: { schedule: "0 8 15 1 *", timezone: Europe/Paris }
steps:
  - map: "1"
"#;
        create(&desk, source).await;
        let next = next_starts(&desk, "each_season").await;
        assert_eq!(next.len(), 5, "{next:?}");
        let next: Vec<&str> = next.iter().map(|time| time.as_str().unwrap()).collect();
        assert!(next.is_sorted(), "{next:?}");
        // Eight in the morning, two hours before Greenwich in summer and one in winter.
        for times in next.windows(2) {
            let seasons = times
                .iter()
                .map(|time| match time.split_once('-').unwrap().1 {
                    "07-01T06:00:00.000Z" => "summer",
                    "01-15T07:00:00.000Z" => "winter",
                    other => panic!("{other}"),
                });
            let seasons: Vec<&str> = seasons.collect();
            assert_ne!(seasons[0], seasons[1], "{next:?}");
        }

        let utc = source
            .replace("each_season", "greenwich")
            .replace(", timezone: Europe/Paris", "");
        create(&desk, &utc).await;
        for time in next_starts(&desk, "greenwich").await {
            let time = time.as_str().unwrap();
            assert!(time.ends_with("T08:00:00.000Z"), "{time}");
        }
        let path = format!("{}/greenwich/disable", flows(&desk));
        assert_eq!(desk.rest("POST", &path, None).await.0, 200);
        assert!(next_starts(&desk, "greenwich").await.is_empty());
        let wrong = source.replace("Europe/Paris", "Europe/Pariss");
        let body = json!({ "source": wrong });
        let (status, fault) = desk.rest("POST", &flows(&desk), Some(body)).await;
        assert_eq!(status, 422, "{fault}");
    }
}
