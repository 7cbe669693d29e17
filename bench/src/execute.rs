//! Programs of CODE mode through the whole server: `quaymaster_execute` with ten calls of a local service, beside
//! the same calls made directly, and as tools of the server.

use crate::code::{at, millis};
use crate::connectors::{definition, text};
use crate::hosted::Workspace;
use crate::load::{Connection, Target, measured, structured};
use crate::server::Server;
use crate::table::Table;
use crate::upstream::{Direct, Upstream};
use futures_util::future::try_join_all;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const CALLS: usize = 10;
const PROGRAM: &str = "const ships = Array.from({ length: 10 }, (_, i) => quaymaster.ships.get_ship({ id: String(i), fields: 'name' }));
return (await Promise.all(ships)).reduce((sum, ship) => sum + ship.tons, 0);";
/// The service has one ship, of 70 tons.
const TONS: u64 = 700;
/// Rounds that do not count, and those that do.
const FIRST: usize = 20;
const SINGLE: usize = 200;
const CLIENTS: usize = 8;
const CONCURRENT: usize = 50;

pub(crate) async fn over_mcp(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    std::fs::write(directory.path().join("ships.yaml"), definition("ships"))?;
    let server = Server::start_with(binary, &[("DEFINITIONS", text(directory.path())?)]).await?;
    let upstream = Upstream::start().await?;
    let workspace = Workspace::open(&server, binary).await?;
    let account = json!({
        "connector": "ships", "name": "main", "auth": "token", "isLocal": true,
        "fields": { "url": format!("http://{}", upstream.address), "token": "harbour-secret" },
    });
    workspace.connect(&account).await?;
    let code = workspace.hosted("CODE").await?;
    let tools = workspace.hosted("TOOLS").await?;
    beside_the_calls(&code, &tools, &upstream, table).await?;
    sustained(&code, table).await?;
    many_at_once(&code, table).await
}

/// One execution after the other; the service itself, and the tools of the same server, take turns with them.
async fn beside_the_calls(
    code: &Target,
    tools: &Target,
    upstream: &Upstream,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut client = Connection::open(code).await?;
    let mut direct = Direct::open(upstream, CALLS).await?;
    let mut callers = clients(tools, CALLS).await?;
    let (mut ours, mut bare, mut called) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..FIRST + SINGLE {
        // Long enough for the pool to be full again.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let begun = Instant::now();
        direct.ask_all().await?;
        let directly = begun.elapsed();
        let as_tools = call_all(&mut callers).await?;
        let executed = execute(&mut client).await?;
        if round >= FIRST {
            bare.push(directly);
            called.push(as_tools);
            ours.push(executed);
        }
    }
    let [ours_p50, ours_p95] = [0.5, 0.95].map(|share| millis(at(&mut ours, share)));
    let [bare_p50, bare_p95] = [0.5, 0.95].map(|share| millis(at(&mut bare, share)));
    let [called_p50, called_p95] = [0.5, 0.95].map(|share| millis(at(&mut called, share)));
    let over = ours_p50 - bare_p50;
    table.row(
        "quaymaster_execute with 10 parallel calls of a local service, over MCP, from a full pool",
        format!(
            "p50 {ours_p50:.2} ms, p95 {ours_p95:.2} ms; the calls made directly p50 {bare_p50:.2} ms, p95 {bare_p95:.2} ms; \
             {:.1} × them, {over:.2} ms over them",
            ours_p50 / bare_p50
        ),
        "p50 ≤ 3 ms over the calls",
        Some(over <= 3.0),
    );
    table.row(
        "the same 10 calls as tools of the server, at the same time",
        format!(
            "p50 {called_p50:.2} ms, p95 {called_p95:.2} ms; the program is {:.2} ms over them",
            ours_p50 - called_p50
        ),
        "",
        None,
    );
    Ok(())
}

async fn sustained(target: &Target, table: &mut Table) -> anyhow::Result<()> {
    let clients = clients(target, CLIENTS).await?;
    let found = measured(target, clients, |mut client: Connection| async move {
        execute(&mut client).await?;
        Ok(client)
    })
    .await?;
    table.row(
        "quaymaster_execute as before, 8 clients for five seconds",
        format!(
            "{:.0} executions/s, p50 {:.2} ms, p99 {:.2} ms",
            found.per_second, found.p50_ms, found.p99_ms
        ),
        "≥ 150/s",
        Some(found.per_second >= 150.0),
    );
    Ok(())
}

async fn many_at_once(target: &Target, table: &mut Table) -> anyhow::Result<()> {
    let clients = clients(target, CONCURRENT).await?;
    let begun = Instant::now();
    let all = clients
        .into_iter()
        .map(|mut client| tokio::spawn(async move { execute(&mut client).await }));
    let (mut answered, mut slowest) = (0, Duration::ZERO);
    for one in all.collect::<Vec<_>>() {
        match one.await? {
            Ok(took) => {
                answered += 1;
                slowest = slowest.max(took);
            }
            Err(error) => eprintln!("one of many executions at once: {error:#}"),
        }
    }
    table.row(
        "50 executions at once, over MCP",
        format!(
            "{answered} answered in {:.0} ms, the slowest in {:.0} ms",
            millis(begun.elapsed()),
            millis(slowest)
        ),
        "all answer",
        Some(answered == CONCURRENT),
    );
    Ok(())
}

async fn clients(target: &Target, number: usize) -> anyhow::Result<Vec<Connection>> {
    let mut open = Vec::new();
    for _ in 0..number {
        open.push(Connection::open(target).await?);
    }
    Ok(open)
}

/// What one execution took.
async fn execute(client: &mut Connection) -> anyhow::Result<Duration> {
    let program = json!({ "code": PROGRAM });
    let begun = Instant::now();
    let answer = client
        .call(next_id(), "quaymaster_execute", &program)
        .await?;
    let took = begun.elapsed();
    let answer = structured(&answer)?;
    anyhow::ensure!(answer["result"] == TONS, "{answer}");
    Ok(took)
}

/// What the calls of the program take as tools, one over each connection.
async fn call_all(callers: &mut [Connection]) -> anyhow::Result<Duration> {
    let ship = json!({ "id": "7", "fields": "name" });
    let begun = Instant::now();
    let all = callers
        .iter_mut()
        .map(|caller| caller.call(next_id(), "ships__get_ship", &ship));
    let answers = try_join_all(all).await?;
    let took = begun.elapsed();
    for answer in answers {
        structured(&answer)?;
    }
    Ok(took)
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
