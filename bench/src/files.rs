//! Large files and large trees.

use crate::load::{Connection, structured};
use crate::server::{Server, memory, seconds_since};
use crate::table::Table;
use anyhow::Context as _;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

const MIB: usize = 1024 * 1024;

/// Reads 200 lines in the middle of a 200 MiB file and replaces one of them.
pub(crate) async fn large_file(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let mut connection = Connection::open(&server.target()).await?;
    connection.call(1, "list_files", &json!({})).await?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(server.home().join("big.txt"))?);
    let mut lines = 0u64;
    let mut written = 0;
    while written < 200 * MIB {
        let line = format!("{lines:010} the quick brown fox\n");
        file.write_all(line.as_bytes())?;
        written += line.len();
        lines += 1;
    }
    file.flush()?;
    drop(file);
    let middle = lines / 2;
    let read = json!({ "path": "big.txt", "start_line": middle, "end_line": middle + 199 });
    let begun = Instant::now();
    structured(&connection.call(2, "read_file", &read).await?)?;
    let cold = seconds_since(begun);
    let begun = Instant::now();
    structured(&connection.call(3, "read_file", &read).await?)?;
    let warm = seconds_since(begun);
    let begun = Instant::now();
    let edit = json!({ "path": "big.txt", "start_line": middle, "end_line": middle, "content": "other\n" });
    structured(&connection.call(4, "replace_lines", &edit).await?)?;
    let edited = seconds_since(begun);
    let (_, peak) = memory(server.pid())?;
    table.row(
        "200 MiB file: 200 lines in the middle, first and second time",
        format!("{:.0} ms, {:.1} ms", cold * 1_000.0, warm * 1_000.0),
        "",
        None,
    );
    table.row(
        "200 MiB file: replace one line; peak memory of the server",
        format!("{edited:.2} s, {peak:.0} MiB"),
        "constant memory",
        Some(peak < 80.0),
    );
    Ok(())
}

/// Counts a word in 100,000 files of 1 GiB, beside `rg` on the same tree, warm, best of three.
pub(crate) async fn search_beside_ripgrep(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let mut connection = Connection::open(&server.target()).await?;
    connection.call(1, "list_files", &json!({})).await?;
    let home = server.home();
    make_tree(&home)?;
    let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
    for round in 0..4 {
        let begun = Instant::now();
        let search =
            json!({ "query": "needle", "output": "count", "case": "sensitive", "limit": 1000 });
        let answer = structured(&connection.call(10 + round, "search_files", &search).await?)?;
        let took = seconds_since(begun);
        anyhow::ensure!(
            answer["timed_out"] != true,
            "the search ran out of time: {answer}"
        );
        let begun = Instant::now();
        let status = std::process::Command::new("rg")
            .args(["--count", "--case-sensitive", "--fixed-strings", "needle"])
            .arg(&home)
            .stdout(std::process::Stdio::null())
            .status()
            .context("rg is not installed")?;
        anyhow::ensure!(status.success(), "rg found nothing");
        let rg = seconds_since(begun);
        if round > 0 {
            (ours, theirs) = (ours.min(took), theirs.min(rg));
        }
    }
    let ratio = ours / theirs;
    table.row(
        "content search of 100,000 files, 1 GiB, counting",
        format!("{ours:.2} s; rg {theirs:.2} s; {ratio:.2} × rg"),
        "≤ 1.2 × rg",
        Some(ratio <= 1.2),
    );
    Ok(())
}

/// 1,000 directories of 100 files of about 10 KiB; the word stands in one file of a hundred.
fn make_tree(root: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for n in 0..260 {
        let _ = writeln!(text, "line {n} of some text about quays and keys");
    }
    for directory in 0..1_000 {
        let path = root.join(format!("d{directory:04}"));
        std::fs::create_dir(&path)?;
        for file in 0..100 {
            let mut content = format!("file {directory} {file}\n{text}");
            if file == directory % 100 {
                content.push_str("a needle\n");
            }
            std::fs::write(path.join(format!("f{file:03}.txt")), content)?;
        }
    }
    Ok(())
}
