//! `doctor`: looks at the installation as a client and as an operator would.

use crate::config::Config;
use crate::{open, output};
use anyhow::Context as _;
use quaymaster_app::{App, isolation};
use quaymaster_core::clock::SystemEntropy;
use quaymaster_sandbox::Sessions;
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

struct Finding {
    what: &'static str,
    good: bool,
    said: String,
}

pub(crate) async fn doctor(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    let mut note = |what, result: anyhow::Result<String>| {
        let (good, said) = match result {
            Ok(said) => (true, said),
            Err(error) => (false, format!("{error:#}")),
        };
        findings.push(Finding { what, good, said });
    };
    note("data directory", data_directory(config));
    let javascript = isolation::told_of_javascript(&quaymaster_sandbox::probe().await);
    note("sandbox", javascript.map_err(anyhow::Error::msg));
    // A session is made as for a call.
    let sessions = Sessions::new(open::python_options(config), Arc::new(SystemEntropy));
    let python = isolation::told_of_python(&sessions.probe().await);
    note("python", python.map_err(anyhow::Error::msg));
    match open::app_in_use(config).await {
        Ok(app) => {
            note(
                "database",
                app.ping()
                    .await
                    .map(|()| app.store_kind().to_owned())
                    .map_err(Into::into),
            );
            let url = open::known_public_url(config);
            note("server", server(&url).await);
            note("clock", clock(&app, &url).await);
            note("MCP call", play_client(&app, &url).await);
            app.shut_down(Duration::from_secs(5)).await;
        }
        Err(error) => note("database", Err(error)),
    }
    let mut text = String::new();
    for finding in &findings {
        let mark = if finding.good { "ok  " } else { "FAIL" };
        let _ = writeln!(text, "{mark}  {}: {}", finding.what, finding.said);
    }
    let values: Vec<_> = findings
        .iter()
        .map(
            |finding| json!({ "check": finding.what, "ok": finding.good, "message": finding.said }),
        )
        .collect();
    let good = findings.iter().all(|finding| finding.good);
    output::print(as_json, &json!({ "ok": good, "checks": values }), &text);
    anyhow::ensure!(good, output::Told("something needs attention"));
    Ok(())
}

fn data_directory(config: &Config) -> anyhow::Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    open::make_data_directory(&config.data)?;
    let mode = std::fs::metadata(&config.data)?.permissions().mode() & 0o777;
    anyhow::ensure!(
        mode & 0o077 == 0,
        "{} may be opened by others (mode {mode:o}); run chmod 700 on it",
        config.data.display()
    );
    let probe = config.data.join(".doctor");
    std::fs::write(&probe, b"probe").context("it cannot be written")?;
    std::fs::remove_file(&probe)?;
    Ok(config.data.display().to_string())
}

fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().timeout(Duration::from_secs(10)).build()?)
}

async fn server(url: &str) -> anyhow::Result<String> {
    let answer = client()?
        .get(format!("{url}/health"))
        .send()
        .await
        .with_context(|| format!("nothing answers at {url}; is the server running?"))?;
    anyhow::ensure!(
        answer.status().is_success(),
        "{url}/health answers {}",
        answer.status()
    );
    Ok(format!("answers at {url}"))
}

/// The server's clock against this one, by the header `Date`: tokens and caps depend on it.
async fn clock(app: &App, url: &str) -> anyhow::Result<String> {
    let answer = client()?.get(format!("{url}/health")).send().await?;
    let date = answer
        .headers()
        .get("date")
        .and_then(|date| date.to_str().ok())
        .context("no Date header")?;
    let theirs = httpdate_seconds(date).context("the Date header does not read")?;
    let apart = (app.now().micros() / 1_000_000 - theirs).abs();
    anyhow::ensure!(
        apart <= 5,
        "this machine and the server are {apart} seconds apart"
    );
    Ok(format!("{} UTC", app.now()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7) as seconds since 1970.
fn httpdate_seconds(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|at| at.timestamp().as_second())
}

/// Connects with a token made for it, lists the tools, and revokes the token.
async fn play_client(app: &App, url: &str) -> anyhow::Result<String> {
    let org = app.organization_at_command_line(None).await?;
    let owner = app.actor_at_command_line(&org.id).await?;
    let workspace = app
        .workspaces(&owner)
        .await?
        .into_iter()
        .next()
        .context("there is no workspace")?;
    // Listened to before there is a token: from here on Ctrl-C leaves none behind.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let fresh = app
        .create_probe_token(&owner, &workspace.id, "Doctor")
        .await?;
    let endpoint = format!("{url}/mcp");
    let listed = tokio::select! {
        listed = list_tools(&endpoint, fresh.token.expose_secret()) => listed,
        _ = interrupt.recv() => Err(anyhow::anyhow!("stopped")),
    };
    app.revoke(&owner, &fresh.credential.id).await?;
    Ok(format!("{} tools listed with a read-only token", listed?))
}

async fn list_tools(endpoint: &str, token: &str) -> anyhow::Result<usize> {
    let version = "2026-07-28";
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/list",
        "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "doctor", "version": env!("CARGO_PKG_VERSION") },
        } },
    });
    let answer = client()?
        .post(endpoint)
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version)
        .header("mcp-method", "tools/list")
        .json(&body)
        .send()
        .await?;
    let status = answer.status();
    let text = answer.text().await?;
    anyhow::ensure!(status.is_success(), "{endpoint} answers {status}");
    let tools = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .find_map(|message| message["result"]["tools"].as_array().map(Vec::len));
    tools.context("the answer lists no tools")
}
