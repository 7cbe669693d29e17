//! What an operator decides about the way out.

use crate::allow::{Allow, AllowError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What may be reached, and whose certificates are believed. Fixed for the life of an
/// [`Egress`](crate::Egress): a connection that is kept open was checked by the same policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Beside public servers by https.
    pub allow: Vec<Allow>,
    /// Certificate authorities beside those of the system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How long resolving, connecting and the TLS handshake may take together.
    pub connect_timeout: Duration,
}

/// Why a policy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("egress.allow: {0}")]
    Allow(#[from] AllowError),
    #[error("egress.ca_file: {path} cannot be read as PEM certificates: {reason}")]
    CaFile { path: PathBuf, reason: String },
    #[error("egress: TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl Default for Policy {
    /// Public servers only, by https.
    fn default() -> Self {
        Policy {
            allow: Vec::new(),
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl Policy {
    /// From the settings `egress.allow` and `egress.ca_file` (a PEM file with one certificate or
    /// several).
    pub fn configured(allow: &[String], ca_file: Option<&Path>) -> Result<Policy, PolicyError> {
        let allow = allow.iter().map(|entry| entry.parse());
        Ok(Policy {
            allow: allow.collect::<Result<_, AllowError>>()?,
            extra_roots: ca_file.map(certificates).transpose()?.unwrap_or_default(),
            ..Policy::default()
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PolicyError> {
    let refused = |reason: String| PolicyError::CaFile {
        path: path.to_owned(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(error.to_string()))?;
    if found.is_empty() {
        return Err(refused("there is no certificate in it".into()));
    }
    for certificate in &found {
        let checked = rustls::RootCertStore::empty().add(certificate.clone());
        checked.map_err(|error| refused(error.to_string()))?;
    }
    Ok(found)
}
