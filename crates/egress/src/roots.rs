//! Whose certificates are believed.

use crate::PolicyError;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

/// The authorities of the system (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heard), or Mozilla's
/// where it has none, as in a small container; and `extra`.
pub(crate) fn tls(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, PolicyError> {
    let mut roots = system().clone();
    for certificate in extra {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Read once: it is the same for everybody in the process, and takes a while.
fn system() -> &'static RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a certificate authority of the system was left out");
        }
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            tracing::debug!("the system has no certificate authorities; Mozilla's are believed");
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    })
}
