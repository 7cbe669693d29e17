//! Chores of the project, run as `cargo xtask <verb>`.
//!
//! Invariants: nothing that is missing is skipped; it is named together with the command that
//! installs it, and the chore fails. Whatever a chore starts has ended when the chore has ended,
//! however that came about.
//!
//! - [`bench`]: the release binary, measured
//! - [`check`]: rules about the repository that neither the compiler nor clippy knows
//! - [`sdk`]: the parts of the SDKs that are written from the document of the API
//! - [`test`]: the whole test command, step by step, and its report
//! - [`tools`]: what the tests need besides Rust, installed below the target directory
//! - [`postgres`]: a temporary PostgreSQL server
//! - [`workspace`]: what cargo and git say about the repository

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

mod bench;
mod check;
mod postgres;
mod sdk;
mod test;
mod tools;
mod workspace;

const USAGE: &str = "\
cargo xtask check                  check the rules of the repository
cargo xtask sdk                    write the parts of the SDKs that docs/openapi.json says
cargo xtask tools                  install what the tests need below the target directory
cargo xtask test                   run everything: tools, format, check, clippy, build, tests
cargo xtask test --only <filter>   run only tests whose name contains <filter>, no lints
cargo xtask bench [<part>]         build for release and measure, side by side with others
cargo xtask pg -- <command...>     run a command beside a temporary PostgreSQL server";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => check::run(),
        ["sdk"] => sdk::run(),
        ["tools"] => tools::run(),
        ["test"] => test::run(None),
        ["test", "--only", filter] => test::run(Some(filter)),
        ["bench", part @ ..] => bench::run(part),
        ["pg", "--", program, rest @ ..] => beside_postgres(program, rest),
        // Not for people: the process that ends the server when the chore has ended.
        [postgres::GUARD, bin, dir, port] => {
            postgres::guard(Path::new(bin), Path::new(dir), port).map(|()| ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("failed: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs one command with the environment that tests get, and passes on its exit code.
fn beside_postgres(program: &str, args: &[&str]) -> Result<ExitCode> {
    let workspace = workspace::Workspace::read()?;
    let tools = tools::install(&workspace)?;
    let cluster = postgres::Cluster::start()?;
    let mut command = Command::new(program);
    command.args(args);
    test::environment(&mut command, &tools, &cluster);
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => bail!("cannot run {program}: {error}"),
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
