//! 512 MiB in eight parallel parts.

use crate::load::{Connection, structured};
use crate::server::{Server, memory, seconds_since};
use crate::table::Table;
use anyhow::Context as _;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const SIZE: usize = 512 * 1024 * 1024;

pub(crate) async fn parallel_parts(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let target = server.target();
    let mut connection = Connection::open(&target).await?;
    let asked = json!({ "path": "big.bin", "size": SIZE });
    let begun = Instant::now();
    let session = structured(&connection.call(1, "create_upload_session", &asked).await?)?;
    let part_size = session["part_size"].as_u64().context("no part size")? as usize;
    let count = session["part_count"].as_u64().context("no part count")? as usize;
    let template = session["part_url_template"]
        .as_str()
        .context("no template")?;
    let (_, path) = template
        .split_once(&target.address)
        .context("an odd template")?;
    let part = Arc::new(vec![0xa5u8; part_size]);
    let parallel = Arc::new(Semaphore::new(8));
    let mut parts = Vec::new();
    for n in 0..count {
        let (part, parallel, address) = (part.clone(), parallel.clone(), target.address.clone());
        let path = path.replace("{n}", &n.to_string());
        parts.push(tokio::spawn(async move {
            let _permit = parallel.acquire().await?;
            put(&address, &path, &part).await
        }));
    }
    for part in parts {
        part.await??;
    }
    let sent = seconds_since(begun);
    let done = json!({ "upload_id": session["upload_id"] });
    structured(&connection.call(2, "complete_upload_session", &done).await?)?;
    let completed = seconds_since(begun);
    let (_, peak) = memory(server.pid())?;
    let rate = SIZE as f64 / 1024.0 / 1024.0 / completed;
    table.row(
        "upload of 512 MiB in 8 parallel parts, with digests and syncs",
        format!(
            "{sent:.2} s sent, {completed:.2} s completed, {rate:.0} MiB/s, peak {peak:.0} MiB"
        ),
        "",
        None,
    );
    Ok(())
}

async fn put(address: &str, path: &str, part: &[u8]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        part.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(part).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}
