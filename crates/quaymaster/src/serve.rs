//! `serve`: from the socket to the doors.

use crate::config::Config;
use crate::listen::{self, Limits};
use crate::open::{self, Running};
use crate::proxies::{Proxies, client_address};
use crate::welcome;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use quaymaster_api::ProtocolInfo;
use quaymaster_app::{App, isolation};
use quaymaster_core::Place;
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_mcp::Mcp;
use quaymaster_mcp::origin::Origins;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Calls that are running may end within this time.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn serve(config: &Config, json: bool) -> anyhow::Result<()> {
    raise_file_limit();
    open::make_data_directory(&config.data)?;
    let _lock = open::lock(config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", config.listen))?;
    let address = listener.local_addr()?;
    let public_url = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{address}"));
    let app = open::app(config, public_url.clone()).await?;
    if config.sandbox.required {
        demand_isolation(&app).await?;
    }
    let running = Running {
        public_url: public_url.clone(),
        pid: std::process::id(),
    };
    std::fs::write(config.server_file(), serde_json::to_string(&running)?)?;
    let first = app.first_start().await?;
    app.start_indexing().await?;
    app.start_flows().await?;
    let stop = CancellationToken::new();
    let proxies = Proxies::read(&config.trusted_proxies)?;
    let router = router(config, &app, &public_url, &proxies, &stop);
    warn_of_clear_text(&public_url);
    // Listened to before anybody is told that the server runs, and may stop it.
    let signals = Signals::listen()?;
    welcome::print(config, &app, address, first, json);
    tokio::spawn(stop_on_signal(signals, stop.clone()));
    tokio::spawn(tell_isolation(app.clone()));
    let place_of = move |peer| Place::of(peer).filter(|_| !proxies.trusts(peer));
    let limits = Limits::default();
    listen::serve(listener, router, limits, place_of, stop, PATIENCE).await;
    app.shut_down(PATIENCE).await;
    tracing::info!("stopped");
    Ok(())
}

fn router(
    config: &Config,
    app: &App,
    public_url: &str,
    proxies: &Proxies,
    stop: &CancellationToken,
) -> Router {
    let known = config.allowed_origins.iter().map(String::as_str);
    let origins = Origins::new(std::iter::once(public_url).chain(known));
    let door = Arc::new(app.clone());
    let mcp = Mcp::new(
        door,
        origins.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        app.protocol_key(),
        stop.clone(),
    );
    let protocol = ProtocolInfo {
        newest_with_sessions: quaymaster_mcp::NEWEST_WITH_SESSIONS,
        all: quaymaster_mcp::protocol_versions(),
    };
    // Its keys are strings, so that it always becomes JSON.
    let openapi = || serde_json::to_value(quaymaster_api::openapi()).unwrap_or_default();
    let others = Router::new()
        .merge(quaymaster_api::router(app.clone(), protocol))
        .merge(quaymaster_api::parts::router(app.clone()))
        .merge(quaymaster_api::oauth::router(app.clone()))
        .merge(quaymaster_api::hooks::router(app.clone()))
        .merge(quaymaster_pages::router(app.clone(), openapi))
        .layer(middleware::from_fn_with_state(origins, our_origin_only));
    // Outermost, so that no door goes by the address of a proxy.
    mcp.router()
        .merge(others)
        .layer(middleware::from_fn_with_state(
            proxies.clone(),
            client_address,
        ))
}

/// Over http, browsers keep cookies without `Secure`, and tokens travel in clear.
fn warn_of_clear_text(public_url: &str) {
    let url = url::Url::parse(public_url).ok();
    let is_local = url
        .as_ref()
        .and_then(url::Url::host)
        .is_some_and(|host| match host {
            url::Host::Domain(name) => name == "localhost",
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        });
    if url.is_some_and(|url| url.scheme() == "http") && !is_local {
        tracing::warn!(
            "{public_url} is not https: passwords and tokens travel in clear; put a reverse proxy \
             with TLS in front and set --public-url to its address"
        );
    }
}

/// The public information and the endpoints of OAuth may be read by any page, and a probe asks for
/// the health by address.
async fn our_origin_only(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let checked = match request.uri().path() {
        "/health" => Ok(()),
        path if path == "/api/v1/mcp/info" || quaymaster_api::oauth::owns(path) => {
            origins.check_host(request.uri(), request.headers())
        }
        _ => origins.check(request.uri(), request.headers()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    }
}

/// What asks the server to stop: SIGTERM and Ctrl-C.
struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Signals> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Signals {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// Says once how well this machine shuts programs in.
async fn tell_isolation(app: App) {
    let tried = app.try_isolation().await;
    let is_full = tried
        .javascript
        .as_ref()
        .is_ok_and(|probed| probed.lacks.is_none());
    match isolation::told_of_javascript(&tried.javascript) {
        Ok(said) if is_full => tracing::info!("sandbox: {said}"),
        Ok(said) | Err(said) => tracing::warn!("sandbox: {said}"),
    }
    match isolation::told_of_python(&tried.python) {
        Ok(said) => tracing::info!("python: {said}"),
        Err(said) => tracing::warn!("python: {said}"),
    }
}

/// Where the operator would rather have no server than one without programs.
async fn demand_isolation(app: &App) -> anyhow::Result<()> {
    let tried = app.try_isolation().await;
    let told = [
        isolation::told_of_javascript(&tried.javascript),
        isolation::told_of_python(&tried.python),
    ];
    let lacks: Vec<String> = told.into_iter().filter_map(Result::err).collect();
    anyhow::ensure!(
        lacks.is_empty(),
        "sandbox.required is set, and this machine does not run programs as it should: {}",
        lacks.join("; ")
    );
    Ok(())
}

/// The first signal stops gracefully; a second one stops at once.
async fn stop_on_signal(mut signals: Signals, stop: CancellationToken) {
    signals.next().await;
    tracing::info!("stopping; calls that are running may end");
    stop.cancel();
    signals.next().await;
    std::process::exit(130);
}

/// Connections and home directories hold files open; the usual soft limit of 1,024 is soon used.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files was not raised");
    }
}
