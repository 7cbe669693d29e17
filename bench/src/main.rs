//! Measures the release binary and prints one table with ratios. Nothing is asserted: numbers
//! depend on the machine, only what ran side by side in one run can be compared.
//!
//! Run by `cargo xtask bench`, which builds everything for release first.

mod calls;
mod code;
mod connectors;
mod echo;
mod execute;
mod files;
mod flows;
mod hosted;
mod import;
mod listening;
mod load;
mod memory;
mod pages;
mod python;
mod server;
mod table;
mod uploads;
mod upstream;

use anyhow::Context as _;
use quaymaster_sandbox::worker;
use table::Table;

fn main() -> anyhow::Result<()> {
    // The workers of the parts `code` and `python`.
    if worker::is_meant(std::env::args_os()) {
        worker::main(std::env::args_os());
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure())
}

async fn measure() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments
        .next()
        .context("usage: quaymaster-bench <path of quaymaster>")?;
    if first == "echo" {
        return echo::serve().await;
    }
    if first == "upstream" {
        return upstream::serve().await;
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
    if wanted("connectors") {
        connectors::rest_backed(&binary, &mut table).await?;
        connectors::large_catalog(&binary, &mut table).await?;
    }
    if wanted("code") {
        code::programs(&mut table).await?;
        execute::over_mcp(&binary, &mut table).await?;
    }
    if wanted("tokens") {
        hosted::tokens(&binary, &mut table).await?;
    }
    if wanted("hosted") {
        hosted::large(&binary, &mut table).await?;
    }
    if wanted("python") {
        python::sessions(&mut table).await?;
    }
    if wanted("flows") {
        flows::tools(&binary, &mut table).await?;
        flows::runs(&binary, &mut table).await?;
    }
    if wanted("memory") {
        memory::many_files(&binary, &mut table).await?;
    }
    if wanted("pages") {
        pages::long_lists(&binary, &mut table).await?;
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
