//! The binary: command line, configuration, wiring, shutdown.

mod backup;
mod cli;
mod config;
mod connect;
mod connector;
mod doctor;
mod flow;
mod keys;
mod listen;
mod open;
mod organization;
mod output;
mod proxies;
mod restore;
mod serve;
mod sign_in;
mod token;
mod welcome;

use clap::Parser as _;
use quaymaster_sandbox::worker;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A worker of the sandbox is this program once more. It locks itself, which needs a process of one
    // thread that has read nothing yet.
    if worker::is_meant(std::env::args_os()) {
        worker::main(std::env::args_os());
    }
    // The data directory may have been made by others, with their rights: what is written there is
    // for its owner only, whatever the rights of the directory are.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = cli::Cli::parse();
    output::start_logging(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let json = cli.json;
    let done = runtime.block_on(dispatch(cli));
    // Reading standard input blocks a thread that nothing can end.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(json, &error);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: cli::Cli) -> anyhow::Result<()> {
    let options = &cli.options;
    let json = cli.json;
    match cli.verb.unwrap_or(cli::Verb::Serve) {
        cli::Verb::Serve => serve::serve(&config::Config::read(options)?, json).await,
        cli::Verb::Doctor => doctor::doctor(&config::Config::read(options)?, json).await,
        cli::Verb::Token { verb } => {
            token::token(&config::Config::read(options)?, verb, json).await
        }
        cli::Verb::SignIn { org, email, reset } => {
            let whom = sign_in::Whom { org, email };
            sign_in::sign_in(&config::Config::read(options)?, whom, reset, json).await
        }
        cli::Verb::Organization { verb } => {
            organization::organization(&config::Config::read(options)?, verb, json).await
        }
        cli::Verb::Keys { verb } => keys::keys(&config::Config::read(options)?, verb, json).await,
        cli::Verb::Backup { file } => {
            backup::backup(&config::Config::read(options)?, &file, json).await
        }
        cli::Verb::Restore { file } => {
            restore::restore(&config::Config::read(options)?, &file, json)
        }
        cli::Verb::Connector { verb } => connector::connector(verb, json),
        cli::Verb::Flow { verb } => flow::flow(verb, json).await,
        cli::Verb::Connect { url, token } => connect::connect(&url, token, json).await,
    }
}
