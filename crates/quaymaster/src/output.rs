//! What goes to the terminal.

use crate::cli::Cli;
use quaymaster_core::Fault;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Logs go to standard error: text on a terminal, JSON otherwise. `QUAYMASTER_LOG` sets the filter.
pub(crate) fn start_logging(cli: &Cli) {
    let serves = matches!(cli.verb, None | Some(crate::cli::Verb::Serve));
    let standard = if serves { "info" } else { "warn" };
    let filter =
        EnvFilter::try_from_env("QUAYMASTER_LOG").unwrap_or_else(|_| EnvFilter::new(standard));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if std::io::stderr().is_terminal() {
        layer.with_target(false).boxed()
    } else {
        layer.json().boxed()
    };
    let filter = filter.and(filter_fn(holds_no_messages));
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
}

/// Below these levels the libraries log whole messages and headers, with the tokens, links and file
/// contents in them. No filter turns that on.
fn holds_no_messages(metadata: &Metadata<'_>) -> bool {
    let least = match metadata.target().split("::").next() {
        // A line of its own for each call that a client made wrongly tells an operator nothing.
        Some("rmcp") => Level::ERROR,
        Some("hyper" | "h2" | "reqwest") => Level::DEBUG,
        _ => return true,
    };
    *metadata.level() <= least
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

/// A failure whose particulars were printed already: scripts get one object, not two.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) &'static str);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Told {}

pub(crate) fn print_error(json: bool, error: &anyhow::Error) {
    if json && !error.is::<Told>() {
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
