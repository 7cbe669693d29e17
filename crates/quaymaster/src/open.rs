//! Opening the data directory.

use crate::config::{Config, EgressConfig, PythonReach};
use anyhow::Context as _;
use quaymaster_app::mail::MailSettings;
use quaymaster_app::{App, PythonEgress, PythonSettings, Settings, WaysOut};
use quaymaster_core::Fault;
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_egress::{Allow, Egress, Policy, PolicyError};
use quaymaster_sandbox::PythonOptions;
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// In the data directory: where a restore unpacks.
pub(crate) const RESTORE: &str = "restore.part";

/// What a running server writes down for the command line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    pub public_url: String,
    pub pid: u32,
}

/// Makes the data directory, readable by its owner only.
pub(crate) fn make_data_directory(data: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("the data directory {} cannot be made", data.display()))
}

/// Held for as long as a server runs on the data directory.
pub(crate) struct Lock(
    #[expect(dead_code, reason = "the lock lives as long as the open file")] File,
);

pub(crate) fn lock(config: &Config) -> anyhow::Result<Lock> {
    let path = config.data.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    file.try_lock().map_err(|_| {
        anyhow::anyhow!(
            "another server uses the data directory {}",
            config.data.display()
        )
    })?;
    Ok(Lock(file))
}

pub(crate) async fn store(config: &Config) -> anyhow::Result<Store> {
    make_data_directory(&config.data)?;
    anyhow::ensure!(
        config.database_url.is_some() || !restore_was_cut_off(config),
        "a restore into {} was cut off; run `quaymaster restore` again",
        config.data.display()
    );
    let keys = match &config.key {
        Some(key) => KeySource::Given(key.clone()),
        None => KeySource::File(config.key_file()),
    };
    let file = config.database_file();
    let location = match &config.database_url {
        Some(url) => {
            anyhow::ensure!(
                url.starts_with("postgres://") || url.starts_with("postgresql://"),
                "database_url must start with postgres://; leave it out for SQLite"
            );
            Location::Url(url)
        }
        None => Location::File(&file),
    };
    // Two processes that start at once must not both bring the schema up to date.
    let guard = File::create(config.data.join("migration.lock"))?;
    guard.lock()?;
    Store::open(location, keys)
        .await
        .context("the database cannot be opened")
}

/// A database that somebody started to use. Makes nothing where there is none: the first start
/// prints a token and a link, and must not be used up by a command that prints neither.
pub(crate) async fn store_in_use(config: &Config) -> anyhow::Result<Store> {
    if config.database_url.is_none() {
        anyhow::ensure!(config.database_file().exists(), nothing_yet(config));
    }
    let store = store(config).await?;
    if store.organizations().await?.is_empty() {
        store.close().await;
        return Err(nothing_yet(config).into());
    }
    Ok(store)
}

fn nothing_yet(config: &Config) -> Fault {
    Fault::not_found(format!(
        "There is nothing in {} yet.",
        config.data.display()
    ))
    .hint("Start the server once, or run `quaymaster token create`.")
}

/// Between the renames of a restore the files are there and the database is not.
pub(crate) fn restore_was_cut_off(config: &Config) -> bool {
    config.data.join(RESTORE).exists() && !config.database_file().exists()
}

/// The product over the data directory. `public_url` is where it is reached.
pub(crate) async fn app(config: &Config, public_url: String) -> anyhow::Result<App> {
    let ways_out = ways_out(config)?;
    start(config, store(config).await?, ways_out, public_url).await
}

/// The ways out, as the configuration allows.
fn ways_out(config: &Config) -> anyhow::Result<WaysOut> {
    let EgressConfig {
        allow,
        allow_client_metadata,
        ca_file,
    } = &config.egress;
    let way = |allow: &[String], setting: &str| {
        let policy = Policy::configured(allow, ca_file.as_deref());
        let made = policy.and_then(Egress::new).map_err(|error| match error {
            PolicyError::Allow(error) => anyhow::anyhow!("{setting}: {error}"),
            error => error.into(),
        });
        made.context("the configuration is not valid")
    };
    Ok(WaysOut {
        services: way(allow, "egress.allow")?,
        client_metadata: way(allow_client_metadata, "egress.allow_client_metadata")?,
    })
}

/// How Python runs, as the configuration says.
fn python(config: &Config) -> anyhow::Result<PythonSettings> {
    let python = &config.sandbox.python;
    anyhow::ensure!(
        python.egress == PythonReach::Allowlist || python.allow.is_empty(),
        "sandbox.python.allow is heard only with sandbox.python.egress = \"allowlist\""
    );
    let egress = match python.egress {
        PythonReach::Off => PythonEgress::Off,
        PythonReach::Connectors => PythonEgress::Connectors,
        PythonReach::Allowlist => {
            let names = python.allow.iter().map(|name| name.parse::<Allow>());
            let names = names.collect::<Result<Vec<_>, _>>();
            PythonEgress::Listed(names.context("sandbox.python.allow")?)
        }
    };
    Ok(PythonSettings {
        options: python_options(config),
        egress,
        ca_file: config.egress.ca_file.clone(),
    })
}

pub(crate) fn python_options(config: &Config) -> PythonOptions {
    PythonOptions {
        root: config.sandbox.python.root.clone(),
        require_cgroup: config.sandbox.require_cgroup,
        ..PythonOptions::default()
    }
}

async fn start(
    config: &Config,
    store: Store,
    ways_out: WaysOut,
    public_url: String,
) -> anyhow::Result<App> {
    let settings = Settings {
        public_url,
        server_name: config.server_name.clone(),
        server_title: config.server_title.clone(),
        data: config.data.clone(),
        definitions: config.definitions.clone(),
        daily_cap: config.daily_cap,
        quota_bytes: config.quota_bytes,
        document_bytes: config.document_bytes,
        documents_quota_bytes: config.documents_quota_bytes,
        memory_quota_bytes: config.memory_quota_bytes,
        calls_per_second: config.calls_per_second,
        service_key: config.service_key.clone().map(Into::into),
        mail: config.mail.as_ref().map(|mail| MailSettings {
            smtp_url: mail.smtp_url.clone().into(),
            from: mail.from.clone(),
            ca_file: config.egress.ca_file.clone(),
        }),
        python: python(config)?,
    };
    Ok(App::start(
        store,
        settings,
        ways_out,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    )
    .await?)
}

/// The product for a command that looks after what is there.
pub(crate) async fn app_in_use(config: &Config) -> anyhow::Result<App> {
    let ways_out = ways_out(config)?;
    let store = store_in_use(config).await?;
    start(config, store, ways_out, known_public_url(config)).await
}

/// The product for a command beside a server that may be running. Makes the first organization
/// when there is none.
pub(crate) async fn app_at_command_line(config: &Config) -> anyhow::Result<App> {
    let app = app(config, known_public_url(config)).await?;
    app.first_start().await?;
    Ok(app)
}

/// Configured, else what the server that runs (or ran last) is reached by, else the default.
pub(crate) fn known_public_url(config: &Config) -> String {
    if let Some(url) = &config.public_url {
        return url.clone();
    }
    let running = std::fs::read_to_string(config.server_file())
        .ok()
        .and_then(|text| serde_json::from_str::<Running>(&text).ok());
    running.map_or_else(
        || format!("http://{}", config.listen),
        |running| running.public_url,
    )
}
