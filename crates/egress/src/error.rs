//! What can go wrong on the way out.

use quaymaster_core::{Code, Fault};
use std::time::Duration;

/// Why nothing came back. Tells no address that a name stands for: whoever names a host must not
/// learn from the answer what is inside the network. The log has the detail, at level debug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The address is no URL, or no host and port.
    #[error("The address cannot be used: {reason}.")]
    InvalidAddress { reason: String },
    /// Anything but `http` and `https`.
    #[error("Only https addresses can be requested.")]
    Scheme,
    /// `http` to a host that the operator did not allow.
    #[error("{host} can be reached by https only.")]
    PlainHttp { host: String },
    /// The name does not resolve, or not to public addresses only. Which of the two stays unsaid.
    #[error("{host} is not the address of a public server.")]
    NotPublic { host: String },
    /// No checked address took the connection.
    #[error("{host} does not take connections.")]
    Connect { host: String },
    /// The host has no certificate that is trusted and its own.
    #[error("No secure connection to {host} could be made.")]
    Tls { host: String },
    /// The connection broke off, or the answer is not HTTP or has too large a header.
    #[error("The exchange with {host} broke off.")]
    Exchange { host: String },
    /// Not done in time.
    #[error("{host} did not answer within {} ms.", .limit.as_millis())]
    Timeout { host: String, limit: Duration },
    /// More bytes than the request asked to take.
    #[error("The answer of {host} has more than {limit} bytes.")]
    TooLarge { host: String, limit: usize },
    /// A redirect that is not followed.
    #[error("{host} redirects, and the redirect was not followed: {reason}.")]
    Redirect { host: String, reason: &'static str },
    /// A header or method that the request itself decides.
    #[error("{name} cannot be set on a request.")]
    NotYours { name: String },
}

impl EgressError {
    /// Whether the same request may succeed later without any change.
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            EgressError::Connect { .. }
                | EgressError::Exchange { .. }
                | EgressError::Timeout { .. }
        )
    }
}

/// Without a status of the upstream's: there was no answer to have one.
impl From<EgressError> for Fault {
    fn from(error: EgressError) -> Fault {
        use EgressError as E;
        const ALLOW: &str = "Check the address. To reach a server inside the network, an operator \
            adds it to `egress.allow`.";
        let message = error.to_string();
        let retryable = error.retryable();
        let mut fault = match error {
            E::InvalidAddress { .. } | E::Scheme => Fault::invalid_arg("", "url", message)
                .hint("Give an address like https://example.com/path."),
            E::NotYours { name } => Fault::invalid_arg("", "header", message).hint(format!(
                "Leave {name} out; it is set as the request needs it."
            )),
            E::PlainHttp { .. } => Fault::invalid_arg("", "https", message).hint(ALLOW),
            E::NotPublic { .. } => upstream(message).hint(ALLOW),
            E::Tls { .. } => upstream(message).hint(
                "The server needs a certificate of a known authority; an operator adds others \
                 by `egress.ca_file`.",
            ),
            E::Connect { .. } | E::Exchange { .. } => upstream(message)
                .hint("Try again in a moment; if it stays so, ask who runs the server."),
            E::Timeout { .. } => Fault::new(Code::Timeout, message)
                .hint("Try again in a moment, or ask for less at once."),
            E::TooLarge { limit, .. } => upstream(message)
                .hint("Ask for less, for example with a filter or a smaller page.")
                .detail("limit_bytes", limit),
            E::Redirect { .. } => {
                upstream(message).hint("Use the address that the server redirects to.")
            }
        };
        fault.retryable = retryable;
        fault
    }
}

fn upstream(message: String) -> Fault {
    Fault::new(Code::UpstreamError, message)
}
