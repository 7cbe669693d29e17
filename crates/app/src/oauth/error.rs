//! What a client is told when it does not get what it asked for.

use quaymaster_core::{Code, Fault};

/// The errors of RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2 and RFC 8707 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthCode {
    AccessDenied,
    InvalidClient,
    InvalidClientMetadata,
    InvalidGrant,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    ServerError,
    TemporarilyUnavailable,
    /// No RFC has one for this; the official clients know this name.
    TooManyRequests,
    UnsupportedGrantType,
    UnsupportedResponseType,
}

impl OAuthCode {
    pub const fn name(self) -> &'static str {
        match self {
            OAuthCode::AccessDenied => "access_denied",
            OAuthCode::InvalidClient => "invalid_client",
            OAuthCode::InvalidClientMetadata => "invalid_client_metadata",
            OAuthCode::InvalidGrant => "invalid_grant",
            OAuthCode::InvalidRedirectUri => "invalid_redirect_uri",
            OAuthCode::InvalidRequest => "invalid_request",
            OAuthCode::InvalidScope => "invalid_scope",
            OAuthCode::InvalidTarget => "invalid_target",
            OAuthCode::ServerError => "server_error",
            OAuthCode::TemporarilyUnavailable => "temporarily_unavailable",
            OAuthCode::TooManyRequests => "too_many_requests",
            OAuthCode::UnsupportedGrantType => "unsupported_grant_type",
            OAuthCode::UnsupportedResponseType => "unsupported_response_type",
        }
    }

    /// The HTTP status of an answer to a program.
    pub const fn status(self) -> u16 {
        match self {
            OAuthCode::InvalidClient => 401,
            OAuthCode::ServerError => 500,
            OAuthCode::TemporarilyUnavailable => 503,
            OAuthCode::TooManyRequests => 429,
            _ => 400,
        }
    }
}

/// Why a client does not get what it asked for, in the words of OAuth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    pub code: OAuthCode,
    /// For the client's developer: ASCII without quotes (RFC 6749 §5.2).
    pub description: String,
}

impl OAuthError {
    pub fn new(code: OAuthCode, description: impl Into<String>) -> Self {
        OAuthError {
            code,
            description: description.into(),
        }
    }
}

impl From<Fault> for OAuthError {
    fn from(fault: Fault) -> Self {
        let code = match fault.code {
            Code::Unavailable => OAuthCode::TemporarilyUnavailable,
            _ => OAuthCode::ServerError,
        };
        OAuthError::new(code, fault.message)
    }
}

impl From<quaymaster_store::StoreError> for OAuthError {
    fn from(error: quaymaster_store::StoreError) -> Self {
        Fault::from(error).into()
    }
}
