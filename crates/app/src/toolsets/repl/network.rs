//! Where programs may go, as the operator decides.

use crate::App;
use quaymaster_egress::{Allow, Place, Proxy, ProxyRules};
use quaymaster_sandbox::{Mount, MountedFile, Network, PythonOptions, Sessions, Visit};
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// Connections of one session at a time.
const CONNECTIONS: usize = 32;
/// Bytes of one session, both ways.
const BYTES: u64 = 1 << 30;
/// Where the authorities of the operator stand inside.
const AUTHORITIES: &str = "/etc/quaymaster";
/// Where systems have theirs.
const OF_SYSTEM: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Which hosts programs reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PythonEgress {
    /// None.
    Off,
    /// Those of the services whose credentials they have.
    #[default]
    Connectors,
    /// These, and no others.
    Listed(Vec<Allow>),
}

/// What an operator decides about Python.
#[derive(Debug, Clone, Default)]
pub struct PythonSettings {
    pub options: PythonOptions,
    pub egress: PythonEgress,
    /// Certificate authorities beside those of the system, as a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// Sessions of Python, with what an operator decided about them.
pub(crate) struct Python {
    pub(crate) sessions: Sessions,
    egress: PythonEgress,
    /// Those of the system and of the operator, as PEM, if the operator has any.
    authorities: Option<Vec<u8>>,
}

impl Python {
    pub(crate) fn new(settings: &PythonSettings, sessions: Sessions) -> Python {
        let own = settings.ca_file.as_deref();
        Python {
            sessions,
            egress: settings.egress.clone(),
            authorities: own.and_then(authorities),
        }
    }

    /// The authorities that programs believe, if they are others than the system's.
    pub(super) fn authorities(&self) -> Option<Mount> {
        let bytes = self.authorities.clone()?;
        Some(Mount {
            target: AUTHORITIES.to_owned(),
            files: vec![MountedFile {
                path: "authorities.pem".to_owned(),
                bytes,
                executable: false,
            }],
        })
    }

    /// Where programs look for them.
    pub(super) fn authority_variables(&self) -> BTreeMap<String, String> {
        if self.authorities.is_none() {
            return BTreeMap::new();
        }
        let at = format!("{AUTHORITIES}/authorities.pem");
        let names = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
        names.map(|name| (name.to_owned(), at.clone())).into()
    }
}

fn authorities(own: &Path) -> Option<Vec<u8>> {
    let system = OF_SYSTEM.iter().find_map(|path| std::fs::read(path).ok());
    let mut all = system.unwrap_or_default();
    match std::fs::read(own) {
        Ok(own) => {
            all.push(b'\n');
            all.extend_from_slice(&own);
            Some(all)
        }
        Err(error) => {
            tracing::warn!(%error, "programs do not get the authorities of egress.ca_file");
            None
        }
    }
}

/// The way out of one session.
pub(super) struct Way {
    proxy: Proxy,
    runtime: tokio::runtime::Handle,
}

impl Way {
    /// None where there is none.
    pub(super) fn new(app: &App, places: &BTreeSet<Place>) -> Option<Way> {
        let (places, names) = match &app.python.egress {
            PythonEgress::Off => return None,
            PythonEgress::Connectors => (places.iter().cloned().collect(), Vec::new()),
            PythonEgress::Listed(names) => (Vec::new(), names.clone()),
        };
        let rules = ProxyRules {
            places,
            names,
            connections: CONNECTIONS,
            bytes: BYTES,
        };
        Some(Way {
            proxy: Proxy::new(app.services.clone(), rules),
            runtime: tokio::runtime::Handle::current(),
        })
    }
}

impl Network for Way {
    fn serve(&self, listener: TcpListener) -> Box<dyn Send + Sync> {
        let _inside = self.runtime.enter();
        match self.proxy.serve(listener) {
            Ok(serving) => Box::new(serving),
            Err(error) => {
                // Programs then find nobody at the proxy's port.
                tracing::error!(%error, "the proxy of a session does not run");
                Box::new(())
            }
        }
    }

    fn visits(&self) -> Vec<Visit> {
        let visits = self.proxy.visits().into_iter();
        visits
            .map(|visit| Visit {
                host: visit.host,
                port: visit.port,
                refused: visit.refused,
                connections: visit.connections,
                bytes: visit.bytes,
            })
            .collect()
    }
}
