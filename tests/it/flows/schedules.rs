//! Schedules on a running server: what happens when a time comes while the run before goes on, what is made up
//! for, and times of a zone whose clocks change. Tests move the times that the database has, since a schedule is
//! not finer than a minute.

use super::{create, flows, runs};
use quaymaster_tests::{Act, Asked, Database, Desk, Upstream, fresh_postgres};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A desk whose database is reached beside its server.
struct Timed {
    desk: Desk,
    /// None for SQLite.
    url: Option<String>,
}

impl Timed {
    async fn open(database: Database) -> Timed {
        let url = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(fresh_postgres().await),
        };
        let mut settings = vec![("EGRESS_ALLOW", r#"["127.0.0.1"]"#)];
        settings.extend(url.as_deref().map(|url| ("DATABASE_URL", url)));
        let desk = Desk::open_with(Database::Sqlite, &settings).await;
        Timed { desk, url }
    }

    /// Makes all schedules due, since so many seconds.
    async fn are_due(&self, since: i64) {
        let at = jiff::Zoned::now().timestamp().as_microsecond() - since * 1_000_000;
        let sql = format!("UPDATE flow_triggers SET next_at = {at} WHERE kind = 'cron'");
        match &self.url {
            Some(url) => {
                let done = tokio::process::Command::new("psql")
                    .args([url, "-q", "-c", &sql])
                    .status()
                    .await;
                assert!(done.unwrap().success());
            }
            None => {
                crate::outside::sqlite(self.desk.server.data.path(), &sql).await;
            }
        }
    }

    /// How many runs there are of each flow that has any, once so many have ended and none goes on.
    async fn ended(&self, wanted: usize) -> BTreeMap<String, usize> {
        let (_, listed) = self.desk.rest("GET", &flows(&self.desk), None).await;
        let listed = listed["flows"].as_array().unwrap();
        for _ in 0..300 {
            let all = runs(&self.desk).await;
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
        panic!("{wanted} runs did not end: {:?}", runs(&self.desk).await);
    }

    async fn next_starts(&self, flow: &str) -> Vec<Value> {
        let path = format!("{}/{flow}", flows(&self.desk));
        let (status, read) = self.desk.rest("GET", &path, None).await;
        assert_eq!(status, 200, "{read}");
        read["nextStarts"].as_array().unwrap().clone()
    }
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
    const TAKES: Duration = Duration::from_secs(8);
    for database in Database::BOTH {
        let arrived: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
        let service = {
            let arrived = arrived.clone();
            Upstream::start("127.0.0.1", move |asked: &Asked| {
                let name = asked.target.trim_start_matches('/').to_owned();
                *arrived.lock().unwrap().entry(name).or_default() += 1;
                let mut acts = vec![Act::Wait(TAKES)];
                acts.extend(Act::json("1"));
                acts
            })
            .await
        };
        let have_arrived = async |wanted: [(&str, usize); 3]| {
            let wanted = counts(wanted);
            for _ in 0..100 {
                if *arrived.lock().unwrap() == wanted {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            panic!("{:?} and not {wanted:?}", arrived.lock().unwrap());
        };
        let timed = Timed::open(database).await;
        for (name, overlap) in [
            ("unsaid", ""),
            ("skips", ", overlap: skip"),
            ("allows", ", overlap: allow"),
        ] {
            let step = format!("http: {{ get: \"{}/{name}\" }}", service.url());
            create(&timed.desk, &scheduled(name, overlap, &step)).await;
        }
        timed.are_due(1).await;
        have_arrived([("unsaid", 1), ("skips", 1), ("allows", 1)]).await;
        // All are due at the same time and taken together, so the others had their turn when this one begins.
        timed.are_due(1).await;
        have_arrived([("unsaid", 1), ("skips", 1), ("allows", 2)]).await;
        let ended = timed.ended(4).await;
        assert_eq!(ended, counts([("unsaid", 1), ("skips", 1), ("allows", 2)]));
        // What was left out is not made up for, and the next time runs again.
        timed.are_due(1).await;
        have_arrived([("unsaid", 2), ("skips", 2), ("allows", 3)]).await;
        let ended = timed.ended(7).await;
        assert_eq!(ended, counts([("unsaid", 2), ("skips", 2), ("allows", 3)]));
    }
}

#[tokio::test]
async fn a_time_that_was_missed_is_made_up_for_once_and_only_where_that_is_said() {
    for database in Database::BOTH {
        let timed = Timed::open(database).await;
        for (name, more) in [("leaves", ""), ("last", ", catch_up: last")] {
            create(&timed.desk, &scheduled(name, more, "map: \"1\"")).await;
        }
        timed.are_due(7_200).await;
        assert_eq!(timed.ended(1).await, counts([("last", 1)]));
        timed.are_due(1).await;
        let ended = timed.ended(3).await;
        assert_eq!(ended, counts([("leaves", 1), ("last", 2)]));
    }
}

#[tokio::test]
async fn the_next_times_of_a_flow_are_those_of_its_zone_in_summer_and_in_winter() {
    for database in Database::BOTH {
        let timed = Timed::open(database).await;
        let source = r#"
flow: each_season
triggers:
  - cron: { schedule: "0 8 1 7 *", timezone: Europe/Paris }
  - cron: { schedule: "0 8 15 1 *", timezone: Europe/Paris }
steps:
  - map: "1"
"#;
        create(&timed.desk, source).await;
        let next = timed.next_starts("each_season").await;
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
        create(&timed.desk, &utc).await;
        for time in timed.next_starts("greenwich").await {
            let time = time.as_str().unwrap();
            assert!(time.ends_with("T08:00:00.000Z"), "{time}");
        }
        let path = format!("{}/greenwich/disable", flows(&timed.desk));
        assert_eq!(timed.desk.rest("POST", &path, None).await.0, 200);
        assert!(timed.next_starts("greenwich").await.is_empty());
        let wrong = source.replace("Europe/Paris", "Europe/Pariss");
        let body = json!({ "source": wrong });
        let (status, fault) = timed
            .desk
            .rest("POST", &flows(&timed.desk), Some(body))
            .await;
        assert_eq!(status, 422, "{fault}");
    }
}
