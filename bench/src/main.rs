//! Measures the release binary and prints one table with ratios. Nothing is asserted: numbers
//! depend on the machine, only what ran side by side in one run can be compared.
//!
//! Run by `cargo xtask bench`, which builds everything for release first.

mod calls;
mod echo;
mod files;
mod import;
mod load;
mod server;
mod table;
mod uploads;

use anyhow::Context as _;
use table::Table;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments
        .next()
        .context("usage: quaymaster-bench <path of quaymaster>")?;
    if first == "echo" {
        return echo::serve().await;
    }
    let binary = std::path::PathBuf::from(first);
    let only = arguments.next();
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut table = Table::default();
    if wanted("start") {
        calls::start_and_idle(&binary, &mut table).await?;
    }
    if wanted("calls") {
        calls::beside_echo(&binary, &mut table).await?;
    }
    if wanted("large") {
        files::large_file(&binary, &mut table).await?;
    }
    if wanted("uploads") {
        uploads::parallel_parts(&binary, &mut table).await?;
    }
    if wanted("import") {
        import::large_document(&binary, &mut table)?;
    }
    if wanted("search") {
        files::search_beside_ripgrep(&binary, &mut table).await?;
    }
    table.print();
    Ok(())
}
