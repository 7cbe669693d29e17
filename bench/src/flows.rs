//! Flows: what steps cost beyond their calls, long lists of them, how soon a client is told of a change,
//! and many runs that webhooks and schedules start.

use crate::hosted::at;
use crate::listening::Listener;
use crate::load::{Connection, Target, measure_over, message};
use crate::server::{Server, seconds_since};
use crate::table::Table;
use crate::upstream::{self, Upstream};
use anyhow::Context as _;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use quaymaster_core::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, sleep, timeout};

const FLOWS: usize = 1_000;
const LISTED: usize = 100;
const SAVED: usize = 100;
/// Runs a second that webhooks start, for a minute.
const HOOKS_A_SECOND: usize = 100;
/// Flows with schedules of every minute each.
const SCHEDULED: usize = 600;
const SCHEDULES: usize = 10;
const SENDERS: usize = 8;
const SECRET: &str = "harbour-hook-secret";
const PATIENCE: Duration = Duration::from_mins(3);

/// A server whose flows may reach the service, and a key of every scope.
struct Desk {
    server: Server,
    key: String,
}

impl Desk {
    async fn open(binary: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Desk> {
        let server = Server::start_with(binary, settings).await?;
        let key = server.api_key(binary).await?;
        Ok(Desk { server, key })
    }

    fn target(&self) -> Target {
        Target {
            token: self.key.clone(),
            ..self.server.target()
        }
    }

    async fn rest(&self, verb: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let path = format!("/api/v1/workspaces/{}/{path}", self.server.workspace);
        self.server.rest(&self.key, verb, &path, body).await
    }

    async fn save(&self, name: &str, source: &str) -> anyhow::Result<()> {
        let path = format!("flows/{name}");
        let saved = self
            .rest("PUT", &path, &json!({ "source": source }))
            .await?;
        anyhow::ensure!(
            saved["flow"]["name"] == name || saved["name"] == name,
            "{saved}"
        );
        Ok(())
    }
}

/// Two calls of a local service and a value of both, beside the calls alone; a list of 1,000 flows;
/// and a change of one of them.
pub(crate) async fn tools(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let upstream = Upstream::start().await?;
    let allowed = json!([upstream.address]).to_string();
    let desk = Desk::open(binary, &[("EGRESS_ALLOW", allowed.as_str())]).await?;
    let source = format!(
        "flow: ship\ntriggers:\n  - mcp_tool: {{ description: Two looks at a ship }}\nsteps:\n  \
         - id: one\n    http: {{ get: \"http://{0}/v1/ships/7\" }}\n  \
         - id: two\n    http: {{ get: \"http://{0}/v1/ships/8\" }}\n  \
         - map: \"{{ name: .steps.one.body.name, tons: (.steps.one.body.tons + .steps.two.body.tons) }}\"\n",
        upstream.address
    );
    desk.save("ship", &source).await?;
    let target = desk.target();
    let answer = Connection::open(&target)
        .await?
        .call(1, "ship", &json!({}))
        .await?;
    let answer = message(&answer)?;
    anyhow::ensure!(answer.to_string().contains("140"), "{answer}");
    let bare = upstream::measure(&upstream, 1).await?;
    let ours = measure_over(&target, "ship", json!({}), 1).await?;
    let added = ours.p50_ms - 2.0 * bare.p50_ms;
    table.row(
        "a flow of two local HTTP calls and a map: what it adds to its calls",
        format!(
            "p50 {added:.2} ms ({:.2} ms, a bare call {:.2} ms), p99 {:.2} ms",
            ours.p50_ms, bare.p50_ms, ours.p99_ms
        ),
        "≤ 3 ms",
        Some(added <= 3.0),
    );
    for number in 0..FLOWS {
        let name = format!("flow_{number:04}");
        desk.save(&name, &tool(&name, 0)).await?;
    }
    let mut connection = Connection::open(&target).await?;
    let mut times = Vec::new();
    for _ in 0..=LISTED {
        let begun = Instant::now();
        let answer = connection.request(1, "tools/list", None, json!({})).await?;
        times.push(seconds_since(begun) * 1_000.0);
        anyhow::ensure!(answer.contains("flow_0000"), "the list has no flows");
    }
    let first = times.remove(0);
    let [p50, p99] = at(&mut times);
    table.row(
        "tools/list of 1,000 flows, first time, then p50 and p99",
        format!("{first:.1} ms, {p50:.2} ms, {p99:.2} ms"),
        "≤ 10 ms",
        Some(p50 <= 10.0),
    );
    told(&desk, table).await
}

/// From a description that is saved to the client that is told, with 1,000 flows beside it.
async fn told(desk: &Desk, table: &mut Table) -> anyhow::Result<()> {
    let mut listener = Listener::open(&desk.target()).await?;
    let mut times = Vec::new();
    for round in 1..=SAVED {
        let begun = Instant::now();
        desk.save("flow_0000", &tool("flow_0000", round)).await?;
        let told = listener.until(b"notifications/tools/list_changed");
        timeout(Duration::from_secs(10), told).await??;
        times.push(seconds_since(begun) * 1_000.0);
        // Changes that come together are told together.
        sleep(Duration::from_millis(200)).await;
    }
    let [p50, p99] = at(&mut times);
    table.row(
        "a changed description, from the request that saves it to the client that is told: p50 and p99",
        format!("{p50:.0} ms, {p99:.0} ms"),
        "≤ 1 s",
        Some(p99 <= 1_000.0),
    );
    Ok(())
}

fn tool(name: &str, round: usize) -> String {
    format!(
        "flow: {name}\ntriggers:\n  - mcp_tool: {{ description: \"Adds one, {round}\" }}\ninput:\n  type: object\n  \
         properties: {{ n: {{ type: integer }} }}\nsteps:\n  - map: (.input.n // 0) + 1\n"
    )
}

/// For a minute, as many runs as webhooks and schedules begin: none may be lost, none done twice.
pub(crate) async fn runs(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    many_runs(binary, table, "SQLite", &[]).await?;
    match std::env::var("BENCH_POSTGRES") {
        Ok(url) => {
            let settings = [("DATABASE_URL", url.as_str())];
            many_runs(binary, table, "PostgreSQL", &settings).await
        }
        Err(_) => {
            eprintln!("no PostgreSQL: BENCH_POSTGRES is not set");
            Ok(())
        }
    }
}

async fn many_runs(
    binary: &Path,
    table: &mut Table,
    database: &str,
    settings: &[(&str, &str)],
) -> anyhow::Result<()> {
    let desk = Desk::open(binary, settings).await?;
    desk.rest("PUT", "flow-secrets/HOOK_KEY", &json!({ "value": SECRET }))
        .await?;
    let hooked = "flow: hooked\ntriggers:\n  - webhook: { path: hooked, auth: { bearer: { secret: HOOK_KEY } }, respond: async }\n\
                  input:\n  type: object\n  properties: { n: { type: integer } }\nsteps:\n  - map: .input.n + 1\n";
    desk.save("hooked", hooked).await?;
    let schedule = "  - cron: { schedule: \"* * * * *\", overlap: allow }\n".repeat(SCHEDULES);
    for number in 0..SCHEDULED {
        let name = format!("each_minute_{number:03}");
        let source = format!("flow: {name}\ntriggers:\n{schedule}steps:\n  - map: .run.trigger\n");
        desk.save(&name, &source).await?;
    }
    // Schedules come due at a full minute; webhooks begin with them.
    let now = Timestamp::from_microsecond(SystemClock.now().micros())?;
    let minute = now.round(
        TimestampRound::new()
            .smallest(Unit::Minute)
            .mode(RoundMode::Ceil),
    )?;
    sleep(now.duration_until(minute).unsigned_abs()).await;
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let address = desk.server.address.clone();
        let path = format!("/hooks/{}/hooked", desk.server.workspace);
        senders.push(tokio::spawn(send(address, path, sender)));
    }
    let mut accepted = HashSet::new();
    for sender in senders {
        accepted.extend(sender.await??);
    }
    let counted = desk.counted(minute, &accepted).await?;
    let (hooks, crons) = (accepted.len(), SCHEDULED * SCHEDULES);
    let is_exact = counted.hooks == hooks && counted.crons == crons;
    let wanted = HOOKS_A_SECOND * 60;
    table.row(
        &format!("{database}: {wanted} webhooks in a minute and {crons} schedules of that minute"),
        format!(
            "{hooks} taken, {} of them done once; {} schedules done; the last run ended after {:.1} s",
            counted.hooks, counted.crons, counted.last_s
        ),
        "200 a second, none lost or doubled",
        Some(is_exact && hooks == wanted && counted.last_s <= 62.0),
    );
    Ok(())
}

/// What became of the runs that began in one minute.
struct Counted {
    /// Webhooks whose run was done, once.
    hooks: usize,
    /// Runs that schedules of that minute began and that were done; what is over the number of each flow counts
    /// as two.
    crons: usize,
    /// From the full minute to the end of the last run.
    last_s: f64,
}

impl Desk {
    /// Waits until no run of that minute is open.
    async fn counted(
        &self,
        minute: Timestamp,
        accepted: &HashSet<String>,
    ) -> anyhow::Result<Counted> {
        let begun = Instant::now();
        loop {
            let (counted, open) = self.count(minute, accepted).await?;
            if open == 0 || begun.elapsed() > PATIENCE {
                return Ok(counted);
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn count(
        &self,
        minute: Timestamp,
        accepted: &HashSet<String>,
    ) -> anyhow::Result<(Counted, usize)> {
        let (mut hooks, mut crons) = (0, HashMap::<String, usize>::new());
        let (mut open, mut last) = (0, minute);
        let mut before = String::new();
        loop {
            let path = format!("flow-runs?limit=500{before}");
            let page = self.rest("GET", &path, &Value::Null).await?;
            for run in page["runs"].as_array().context("no runs")? {
                let text = |name: &str| run[name].as_str().unwrap_or_default();
                let started: Timestamp = text("startedAt").parse()?;
                let is_hook = text("startedBy") == "webhook";
                if !is_hook && started != minute {
                    continue;
                }
                if text("state") != "done" {
                    open += usize::from(matches!(text("state"), "ready" | "running"));
                    continue;
                }
                last = last.max(text("endedAt").parse()?);
                if !is_hook {
                    *crons.entry(text("flowId").to_owned()).or_default() += 1;
                } else if accepted.contains(text("id")) {
                    hooks += 1;
                }
            }
            let Some(next) = page["next"].as_str() else {
                break;
            };
            before = format!("&before={next}");
        }
        let doubled = |count: usize| count + count.saturating_sub(SCHEDULES);
        let counted = Counted {
            hooks,
            crons: crons.into_values().map(doubled).sum(),
            last_s: last.duration_since(minute).as_secs_f64(),
        };
        Ok((counted, open))
    }
}

/// The share of one sender; answers the runs that were begun.
async fn send(address: String, path: String, sender: usize) -> anyhow::Result<Vec<String>> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut ticks = interval(Duration::from_secs(1) * SENDERS as u32 / HOOKS_A_SECOND as u32);
    let mut runs = Vec::new();
    let mut answer = vec![0; 16 * 1024];
    for number in (sender..HOOKS_A_SECOND * 60).step_by(SENDERS) {
        ticks.tick().await;
        let body = json!({ "n": number }).to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {SECRET}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut read = 0;
        // The answer is one small object.
        while !answer[..read].ends_with(b"}") {
            let more = stream.read(&mut answer[read..]).await?;
            anyhow::ensure!(more > 0, "the server closed the connection");
            read += more;
        }
        let text = String::from_utf8_lossy(&answer[..read]);
        let (_, body) = text.split_once("\r\n\r\n").context("no body")?;
        let body: Value = serde_json::from_str(body)?;
        runs.extend(body["run_id"].as_str().map(str::to_owned));
    }
    Ok(runs)
}
