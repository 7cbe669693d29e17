//! Configuration: command line over environment over file over defaults.

mod mistakes;

use crate::cli::Options;
use anyhow::Context as _;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// What can be configured. In the environment each name has `QUAYMASTER_` in front.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub listen: SocketAddr,
    pub data: PathBuf,
    /// A directory of connectors beside those in the program: `<key>.yaml` and `<key>/connector.yaml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definitions: Option<PathBuf>,
    /// Without it, `http://` and the address listened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Other addresses under which browsers may reach the server.
    pub allowed_origins: Vec<String>,
    /// `postgres://…`; without it, a SQLite file in the data directory. `DATABASE_URL` works too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// 64 hexadecimal digits; without it, a key file in the data directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub server_name: String,
    pub server_title: String,
    /// Tool calls a day of a new workspace.
    pub daily_cap: i64,
    /// Bytes of a new workspace.
    pub quota_bytes: i64,
    /// Bytes of one document of the knowledge base.
    pub document_bytes: i64,
    /// Bytes of all documents of an organization.
    pub documents_quota_bytes: i64,
    /// Bytes of all memory of an organization, the versions that are kept included.
    pub memory_quota_bytes: i64,
    /// Tool calls a second of one credential.
    pub calls_per_second: u32,
    /// By which the operator's own backend makes organizations and acts in them; off without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_key: Option<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed, as `10.0.0.0/8` or an address.
    pub trusted_proxies: Vec<String>,
    /// How mail goes out. In the environment `MAIL_SMTP_URL` and `MAIL_FROM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    pub egress: EgressConfig,
    pub sandbox: SandboxConfig,
}

/// The operator's mail server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    /// `smtps://user:password@host:465`, `smtp://user:password@host:587?tls=required` or, without
    /// a password, `smtp://host:25`.
    pub smtp_url: String,
    /// The sender, as `Quaymaster <quaymaster@example.com>`.
    pub from: String,
}

/// The way out, `[egress]` in the file. In the environment `QUAYMASTER_EGRESS_` is in front.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EgressConfig {
    /// What may be reached beside public servers by https: ranges, addresses, host names.
    pub allow: Vec<String>,
    /// The same for the metadata of OAuth clients alone, whose addresses any member may name.
    pub allow_client_metadata: Vec<String>,
    /// Certificate authorities beside those of the system, as a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// How strangers' programs run, `[sandbox]` in the file. In the environment `QUAYMASTER_SANDBOX_` is in
/// front, and `QUAYMASTER_SANDBOX_PYTHON_` for its part.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SandboxConfig {
    /// No start on a machine that cannot run programs shut in, JavaScript or Python.
    pub required: bool,
    /// No Python where a session as a whole has no limits by control groups: for many tenants.
    pub require_cgroup: bool,
    pub python: PythonConfig,
}

/// `[sandbox.python]` in the file.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PythonConfig {
    /// A directory with a system that has python3, instead of the machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    pub egress: PythonReach,
    /// Host names for `egress = "allowlist"`, as `example.com` or `*.example.com`.
    pub allow: Vec<String>,
}

/// Which hosts Python reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PythonReach {
    Off,
    /// Those of the services whose credentials it has.
    #[default]
    Connectors,
    Allowlist,
}

/// Variables that are no settings: where the file is, what the bridge and the `.env` download use,
/// the filter of the log.
const NOT_SETTINGS: &[&str] = &["CONFIG", "TOKEN", "MCP_URL", "URL", "LOG"];

const MOST_DOCUMENT_BYTES: i64 = 256 * 1024 * 1024;

impl Config {
    pub(crate) fn read(options: &Options) -> anyhow::Result<Config> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        match &options.config {
            Some(file) => {
                anyhow::ensure!(
                    file.is_file(),
                    "there is no configuration file {}",
                    file.display()
                );
                figment = figment.merge(Toml::file_exact(file));
            }
            None => figment = figment.merge(Toml::file("quaymaster.toml")),
        }
        if let Ok(url) = std::env::var("DATABASE_URL") {
            figment = figment.merge(Serialized::default("database_url", url));
        }
        let environment = Env::prefixed("QUAYMASTER_").filter(|name| {
            let name = name.as_str().to_ascii_uppercase();
            !NOT_SETTINGS.contains(&name.as_str())
        });
        // A table's name stands in front of its keys.
        let environment = environment.map(|name| {
            let tables = ["egress", "mail", "sandbox_python", "sandbox"];
            let table = tables.into_iter().find_map(|table| {
                let key = name.as_str().get(table.len() + 1..)?;
                let start = name.as_str().get(..=table.len())?;
                let is_it = start.eq_ignore_ascii_case(&format!("{table}_"));
                is_it.then(|| format!("{}.{key}", table.replace('_', ".")))
            });
            table.unwrap_or_else(|| name.as_str().to_owned()).into()
        });
        figment = figment.merge(environment);
        if let Some(listen) = options.listen {
            figment = figment.merge(Serialized::default("listen", listen));
        }
        if let Some(data) = &options.data {
            figment = figment.merge(Serialized::default("data", data));
        }
        if let Some(definitions) = &options.definitions {
            figment = figment.merge(Serialized::default("definitions", definitions));
        }
        if let Some(url) = &options.public_url {
            figment = figment.merge(Serialized::default("public_url", url));
        }
        let mut config: Config = figment.extract().map_err(mistakes::told)?;
        config.public_url = config.public_url.as_deref().map(checked_url).transpose()?;
        anyhow::ensure!(
            is_quotable(&config.server_name),
            "server_name is 1 to 100 printable ASCII characters without \" and \\; server_title may \
             be any text"
        );
        anyhow::ensure!(
            config.calls_per_second > 0,
            "calls_per_second must be at least 1"
        );
        anyhow::ensure!(
            config
                .service_key
                .as_ref()
                .is_none_or(|key| key.len() >= 32),
            "service_key has at least 32 characters, since it opens every organization"
        );
        anyhow::ensure!(config.daily_cap >= 0, "daily_cap must not be negative");
        anyhow::ensure!(config.quota_bytes >= 0, "quota_bytes must not be negative");
        anyhow::ensure!(
            (0..=MOST_DOCUMENT_BYTES).contains(&config.document_bytes),
            "document_bytes is 0 to {MOST_DOCUMENT_BYTES}: a document is read by a worker that has 512 MiB"
        );
        anyhow::ensure!(
            config.documents_quota_bytes >= 0,
            "documents_quota_bytes must not be negative"
        );
        anyhow::ensure!(
            config.memory_quota_bytes >= 0,
            "memory_quota_bytes must not be negative"
        );
        Ok(config)
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.data.join("quaymaster.db")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.data.join("key")
    }

    /// What a running server tells others on this machine.
    pub(crate) fn server_file(&self) -> PathBuf {
        self.data.join("server.json")
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: default_data(),
            definitions: None,
            public_url: None,
            allowed_origins: Vec::new(),
            database_url: None,
            key: None,
            server_name: "quaymaster".into(),
            server_title: "Quaymaster".into(),
            daily_cap: 10_000,
            quota_bytes: 10 * 1024 * 1024 * 1024,
            document_bytes: 64 * 1024 * 1024,
            documents_quota_bytes: 5 * 1024 * 1024 * 1024,
            memory_quota_bytes: 1024 * 1024 * 1024,
            calls_per_second: 500,
            service_key: None,
            trusted_proxies: Vec::new(),
            mail: None,
            egress: EgressConfig::default(),
            sandbox: SandboxConfig::default(),
        }
    }
}

fn default_data() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("XDG_DATA_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map_or_else(
            || Path::new("quaymaster-data").to_owned(),
            |base| base.join("quaymaster"),
        )
}

/// As browsers name an origin: scheme and host in lower case, no port that goes without saying
/// (RFC 6454 §6.2). What goes by the text, as the names of cookies do, goes by this one.
fn checked_url(url: &str) -> anyhow::Result<String> {
    let url = Url::parse(url.trim()).context("public_url is not a URL")?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.path().trim_end_matches('/').is_empty()
        && url.query().is_none()
        && url.fragment().is_none();
    anyhow::ensure!(
        plain,
        "public_url is scheme and host only, for example https://tools.example.com"
    );
    Ok(url.origin().ascii_serialization())
}

/// Whether a text fits into the challenge of a refusal, between quotes (RFC 9110 §5.6.4).
fn is_quotable(text: &str) -> bool {
    let fits = |c: char| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\');
    (1..=100).contains(&text.len()) && !text.trim().is_empty() && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_kept_as_browsers_name_it() {
        for (typed, kept) in [
            ("HTTPS://Tools.Example", "https://tools.example"),
            ("https://tools.example:443/", "https://tools.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(checked_url(typed).unwrap(), kept);
        }
        for wrong in [
            "tools.example",
            "ftp://tools.example",
            "https://u:hidden@tools.example",
            "https://tools.example/base",
            "https://tools.example/?a",
            "https://tools.example/#a",
            "https://:hidden",
        ] {
            let error = format!("{:#}", checked_url(wrong).unwrap_err());
            assert!(
                error.contains("public_url") && !error.contains("hidden"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_that_breaks_the_challenge_of_a_refusal_is_none() {
        for good in ["quaymaster", "Tools of Harbour (2)"] {
            assert!(is_quotable(good), "{good}");
        }
        for bad in ["", " ", "a\"b", "a\\b", "Grüße", "a\nb", &"x".repeat(101)] {
            assert!(!is_quotable(bad), "{bad:?}");
        }
    }
}
