//! The URL of a request, in the one spelling that is checked and sent.

use crate::EgressError;
use crate::host::Host;
use http::Uri;
use url::Url;

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Without user name, password, fragment, and dot at the end of the host.
    pub url: Url,
    pub uri: Uri,
    pub host: Host,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Target, EgressError> {
        Target::of(Url::parse(text).map_err(|error| invalid(error.to_string()))?)
    }

    pub(crate) fn of(mut url: Url) -> Result<Target, EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it has a user name or password in it"));
        }
        if url.port() == Some(0) {
            return Err(invalid("nothing is at port 0"));
        }
        let host = url.host().ok_or_else(|| invalid("it has no host"))?;
        let host = Host::of(host).map_err(invalid)?;
        if let Host::Name(name) = &host {
            url.set_host(Some(name))
                .map_err(|error| invalid(error.to_string()))?;
        }
        url.set_fragment(None);
        let uri = url.as_str().parse::<Uri>();
        let uri = uri.map_err(|_| invalid("it has characters that must be percent-encoded"))?;
        Ok(Target { url, uri, host })
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// For messages: never more than the host, because paths and queries hold secrets.
    pub(crate) fn name(&self) -> String {
        self.host.to_string()
    }
}

pub(crate) fn invalid(reason: impl Into<String>) -> EgressError {
    EgressError::InvalidAddress {
        reason: reason.into(),
    }
}
