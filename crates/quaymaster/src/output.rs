//! What goes to the terminal.

use crate::cli::Cli;
use quaymaster_core::Fault;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use tracing_subscriber::EnvFilter;

/// Logs go to standard error: text on a terminal, JSON otherwise. `QUAYMASTER_LOG` sets the filter.
pub(crate) fn start_logging(cli: &Cli) {
    let serves = matches!(cli.verb, None | Some(crate::cli::Verb::Serve));
    let standard = if serves { "info" } else { "warn" };
    let filter =
        EnvFilter::try_from_env("QUAYMASTER_LOG").unwrap_or_else(|_| EnvFilter::new(standard));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).init();
    } else {
        builder.json().init();
    }
}

/// One JSON object for scripts, or a text for people.
pub(crate) fn print(json: bool, value: &Value, text: &str) {
    let line = if json {
        value.to_string()
    } else {
        text.trim_end().to_owned()
    };
    // A closed pipe is no reason to panic.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

pub(crate) fn print_error(json: bool, error: &anyhow::Error) {
    if json {
        let value = match error.downcast_ref::<Fault>() {
            Some(fault) => fault.to_json(),
            None => {
                json!({ "code": "INTERNAL", "message": format!("{error:#}"), "retryable": false })
            }
        };
        let _ = writeln!(std::io::stdout().lock(), "{value}");
    }
    let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
}
