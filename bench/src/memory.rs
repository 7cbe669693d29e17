//! Memory with ten thousand files: a page of the list and a search, beside the bare queries of the
//! same database by another program.

use crate::load::{Connection, Target, structured};
use crate::server::Server;
use crate::table::Table;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use tokio::process::Command;

const FILES: usize = 10_000;
/// Of which the median counts.
const ROUNDS: usize = 51;

/// Both queries as SQLite runs them itself, each so often; prints the two medians in milliseconds.
const BARE: &str = "import sqlite3, statistics, sys, time\n\
    base = sqlite3.connect(sys.argv[1])\n\
    owner, org = base.execute('SELECT owner, org_id FROM memory_files LIMIT 1').fetchone()\n\
    def median(sql, *values):\n\
    \x20   times = []\n\
    \x20   for _ in range(51):\n\
    \x20       begun = time.perf_counter()\n\
    \x20       assert base.execute(sql, values).fetchall()\n\
    \x20       times.append((time.perf_counter() - begun) * 1000)\n\
    \x20   return statistics.median(times)\n\
    print(median('SELECT id, path, version, sha256, size, written_at FROM memory_files WHERE org_id = ? AND owner = ? AND deleted_at IS NULL AND path >= ? ORDER BY path LIMIT 100', org, owner, 'notes/5'),\n\
    \x20   median('SELECT f.path FROM memory_words w JOIN memory_files f ON f.seq = w.rowid WHERE memory_words MATCH ? ORDER BY w.rank LIMIT 100', 'words : \"harbour\" *'))\n";

pub(crate) async fn many_files(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let target = Target {
        token: server.api_key(binary).await?,
        ..server.target()
    };
    let mut connection = Connection::open(&target).await?;
    let begun = Instant::now();
    for number in 0..FILES {
        let topic = if number % 100 == 0 {
            "harbour"
        } else {
            "meadow"
        };
        let write = json!({
            "command": "create",
            "path": format!("notes/{}/{number:05}.md", number / 100),
            "content": format!("# Note {number}\n\nAbout the {topic} and what was said of it.\n"),
        });
        let answer = connection
            .call(number as u64 + 1, "write_memory", &write)
            .await?;
        anyhow::ensure!(structured(&answer)?["version"] == 1, "{answer}");
    }
    table.row(
        "write 10,000 memory files, one after another, each synced",
        format!(
            "{:.2} ms a file",
            begun.elapsed().as_secs_f64() * 1e3 / FILES as f64
        ),
        "",
        None,
    );
    let list = json!({ "prefix": "notes/5", "limit": 100 });
    let listed = median_of(&mut connection, &list, "entries", 100).await?;
    let search = json!({ "query": "harbour", "limit": 100 });
    let found = median_of(&mut connection, &search, "results", 100).await?;
    let (bare_list, bare_search) = bare(&server).await?;
    table.row(
        "read_memory: a page of 100 of 10,000 files",
        format!("{listed:.2} ms; the bare query {bare_list:.2} ms"),
        "≤ 20 ms",
        Some(listed <= 20.0),
    );
    table.row(
        "read_memory: a search that finds 100 of 10,000 files",
        format!("{found:.2} ms; the bare query {bare_search:.2} ms"),
        "≤ 10 ms",
        Some(found <= 10.0),
    );
    Ok(())
}

/// Milliseconds of a call, which answers so many.
async fn median_of(
    connection: &mut Connection,
    arguments: &Value,
    items: &str,
    wanted: usize,
) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let answer = connection
            .call(100_000 + round as u64, "read_memory", arguments)
            .await?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        let count = structured(&answer)?[items].as_array().map(Vec::len);
        anyhow::ensure!(count == Some(wanted), "{answer}");
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}

async fn bare(server: &Server) -> anyhow::Result<(f64, f64)> {
    let output = Command::new("python3")
        .args(["-c", BARE])
        .arg(server.data.path().join("quaymaster.db"))
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || {
        let error = || String::from_utf8_lossy(&output.stderr).into_owned();
        numbers.next().with_context(error)?.with_context(error)
    };
    Ok((next()?, next()?))
}
