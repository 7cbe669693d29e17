//! Programs of CODE mode in a pool of workers, with ten calls each that are answered at once: what is
//! measured is what the sandbox adds.
//!
//! The workers are this program, not the product: it dispatches to them as the product does.

use crate::table::Table;
use anyhow::Context as _;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Fault, Fut};
use quaymaster_sandbox::{
    Ending, HostCalls, Language, Limits, Namespace, Outcome, Pool, PoolOptions, Run,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const PROGRAM: &str =
    "const all = Array.from({ length: 10 }, (_, i) => quaymaster.test.echo({ i }));
return (await Promise.all(all)).reduce((sum, one) => sum + one.i, 0);";
const SINGLE: usize = 200;
const SUSTAINED: Duration = Duration::from_secs(5);
const CONCURRENT: usize = 50;

struct Echo;

impl HostCalls for Echo {
    fn call<'a>(
        &'a self,
        _alias: &'a str,
        _action: &'a str,
        input: JsonObject,
    ) -> Fut<'a, Result<Value, Fault>> {
        Box::pin(async move { Ok(Value::Object(input)) })
    }
}

async fn execute(pool: &Pool) -> anyhow::Result<Outcome> {
    let run = Run {
        code: PROGRAM.to_owned(),
        language: Language::Auto,
        namespaces: vec![Namespace {
            alias: "test".to_owned(),
            actions: vec!["echo".to_owned()],
        }],
        limits: Limits::default(),
    };
    let outcome = pool
        .run(run, Arc::new(Echo), CancellationToken::new())
        .await?;
    anyhow::ensure!(outcome.ending == Ending::Ok(json!(45)), "{outcome:?}");
    Ok(outcome)
}

pub(crate) async fn programs(table: &mut Table) -> anyhow::Result<()> {
    let pool = Pool::new(PoolOptions::default());
    pool.fill();
    let mut times = Vec::new();
    let mut isolation = "";
    for _ in 0..SINGLE {
        // Long enough for the pool to be full again.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let outcome = execute(&pool).await?;
        isolation = outcome.isolation.name();
        times.push(outcome.total);
    }
    let [p50, p95] = [0.5, 0.95].map(|share| at(&mut times, share));
    table.row(
        "a program with 10 parallel calls, from a full pool, without the server in front",
        format!(
            "p50 {:.2} ms, p95 {:.2} ms, isolation {isolation}",
            millis(p50),
            millis(p95)
        ),
        "p50 ≤ 3 ms over the calls",
        Some(millis(p50) <= 3.0),
    );
    let begun = Instant::now();
    let lanes = (0..4).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut done = 0_u32;
            while begun.elapsed() < SUSTAINED {
                execute(&pool).await?;
                done += 1;
            }
            anyhow::Ok(done)
        })
    });
    let mut done = 0;
    for lane in lanes.collect::<Vec<_>>() {
        done += lane.await??;
    }
    let rate = f64::from(done) / begun.elapsed().as_secs_f64();
    table.row(
        "the same, four at a time for five seconds",
        format!("{rate:.0} programs/s"),
        "≥ 150/s",
        Some(rate >= 150.0),
    );
    let begun = Instant::now();
    let all = (0..CONCURRENT).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move { execute(&pool).await.map(|outcome| outcome.total) })
    });
    let mut slowest = Duration::ZERO;
    for one in all.collect::<Vec<_>>() {
        let took = one.await?.context("one of many at once was not answered")?;
        slowest = slowest.max(took);
    }
    table.row(
        "50 programs at once",
        format!(
            "all answered in {:.0} ms, the slowest in {:.0} ms",
            millis(begun.elapsed()),
            millis(slowest)
        ),
        "all answer",
        Some(true),
    );
    Ok(())
}

pub(crate) fn millis(of: Duration) -> f64 {
    of.as_secs_f64() * 1_000.0
}

/// What this share of the times is not above.
pub(crate) fn at(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[(times.len() as f64 * share) as usize]
}
