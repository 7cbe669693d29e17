//! Memory with ten thousand files: a page of the list and a search, beside the bare queries of the
//! same database.

use crate::load::{Connection, Target, structured};
use crate::server::{Server, seconds_since};
use crate::table::Table;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

const FILES: usize = 10_000;
/// Of which the median counts.
const ROUNDS: usize = 51;

const LIST: &str = "SELECT id, path, version, sha256, size, written_at FROM memory_files \
     WHERE org_id = ?1 AND owner = ?2 AND deleted_at IS NULL AND path >= 'notes/5' ORDER BY path LIMIT 100";
const SEARCH: &str = "SELECT f.path FROM memory_words w JOIN memory_files f ON f.seq = w.rowid \
     WHERE f.org_id = ?1 AND f.owner = ?2 AND memory_words MATCH 'words : \"harbour\" *' ORDER BY w.rank LIMIT 100";

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
    let (bare_list, bare_search) = bare(&server)?;
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

/// Both queries as SQLite runs them itself: the medians in milliseconds.
fn bare(server: &Server) -> anyhow::Result<(f64, f64)> {
    let base = rusqlite::Connection::open(server.data.path().join("quaymaster.db"))?;
    let (owner, org): (String, String) = base.query_row(
        "SELECT owner, org_id FROM memory_files LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let median = |sql: &str| -> anyhow::Result<f64> {
        let mut statement = base.prepare(sql)?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let mut rows = statement.query([&org, &owner])?;
            let mut count = 0;
            while rows.next()?.is_some() {
                count += 1;
            }
            times.push(seconds_since(begun) * 1e3);
            anyhow::ensure!(count == 100, "{count} rows");
        }
        times.sort_by(f64::total_cmp);
        Ok(times[ROUNDS / 2])
    };
    Ok((median(LIST)?, median(SEARCH)?))
}
