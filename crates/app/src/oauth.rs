//! The OAuth authorization server (OAuth 2.1 with RFC 7591, 7009, 7636, 8707, 9207 and client ID
//! metadata documents): who may ask, what a person grants, and the tokens that come of it.
//!
//! Clients are public and prove themselves by PKCE, so there are no client secrets; tokens are
//! opaque rows, so a revocation holds at the next request; registration writes nothing, because the
//! client's id is its own signed metadata.
//!
//! - [`client`]: who a client is: registered (`registration`) or by a document at its own address
//!   (`document`); [`redirect`]: where an answer may go
//! - [`authorize`]: from the client's question to a code
//! - [`token`]: codes and refresh tokens against access tokens, and revocation

pub mod authorize;
pub mod client;
mod document;
pub mod redirect;
mod registration;
pub mod token;

pub(crate) use document::Documents;

use crate::App;
use quaymaster_core::caller::Audience;
use quaymaster_core::{Code, Fault, Scope, Scopes};
use url::Url;

/// An authorization code is good for this long, once.
pub const CODE_SECONDS: i64 = 60;
/// Some clients never refresh while a conversation goes on.
pub const ACCESS_SECONDS: i64 = 24 * 3_600;
/// From the last refresh on.
pub const REFRESH_SECONDS: i64 = 90 * 86_400;
/// Several processes of one client refresh with the same token at once: it works for this long
/// after its first use, and this many times more.
pub const GRACE_SECONDS: i64 = 120;
pub const GRACE_USES: i64 = 10;

/// What a client may ask for, besides `offline_access`.
pub const SCOPES: [Scope; 2] = [Scope::ReadTools, Scope::WriteTools];
/// Refresh tokens are always given; who asks for them by this name (`OpenID` Connect Core §11) gets
/// no refusal.
pub const OFFLINE_ACCESS: &str = "offline_access";

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

/// Parameters of a query or form. Unknown ones are left alone (RFC 6749 §3.1).
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(text: &[u8]) -> Self {
        Params(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter that may stand once; one without a value counts as absent.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(OAuthError::new(
                OAuthCode::InvalidRequest,
                format!("The parameter {name} stands more than once."),
            ));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    pub fn needed(&self, name: &str) -> Result<&str, OAuthError> {
        self.one(name)?.ok_or_else(|| {
            OAuthError::new(
                OAuthCode::InvalidRequest,
                format!("The parameter {name} is missing."),
            )
        })
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl App {
    /// The issuer (RFC 8414 §2): the origin of the public address.
    pub fn issuer(&self) -> &str {
        &self.settings.public_url
    }

    /// The resource (RFC 8707) that an audience stands for.
    pub fn resource(&self, audience: Audience) -> String {
        match audience {
            Audience::Mcp => self.settings.endpoint(),
        }
    }

    /// Where the metadata of a resource stand: the well-known path goes between host and path
    /// (RFC 9728 §3.1).
    pub fn resource_metadata(&self, audience: Audience) -> String {
        let path = match audience {
            Audience::Mcp => "/mcp",
        };
        let origin = self.issuer();
        format!("{origin}/.well-known/oauth-protected-resource{path}")
    }

    /// What the parameters `resource` ask for: none is the MCP endpoint, another server's address is
    /// refused. Clients add and drop one trailing slash.
    fn audience_of(&self, params: &Params) -> Result<Audience, OAuthError> {
        let ours = self.resource(Audience::Mcp);
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let foreign = params.all("resource").any(|asked| {
            // The parser brings scheme and host to lower case and drops the default port.
            let asked = Url::parse(asked).map_or_else(|_| asked.to_owned(), Url::into);
            let known = Url::parse(&ours).map_or_else(|_| ours.clone(), Url::into);
            bare(&asked) != bare(&known)
        });
        if foreign {
            return Err(OAuthError::new(
                OAuthCode::InvalidTarget,
                format!("This server gives tokens for {ours} only."),
            ));
        }
        Ok(Audience::Mcp)
    }
}

/// The scopes of a parameter `scope`: names that are not ours are passed over, as RFC 6749 §3.3
/// allows, since clients ask for what other servers know. None of ours is all of them.
fn scopes_asked(text: Option<&str>) -> Result<Scopes, OAuthError> {
    /// Asked by clients of `OpenID` Connect, whatever the server says it knows.
    const OF_OPENID: [&str; 5] = ["openid", "profile", "email", "offline_access", "address"];
    let names = || text.unwrap_or_default().split_ascii_whitespace();
    let known: Scopes = SCOPES
        .into_iter()
        .filter(|scope| names().any(|name| name == scope.name()))
        .collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if names().all(|name| OF_OPENID.contains(&name)) {
        return Ok(SCOPES.into_iter().collect());
    }
    Err(OAuthError::new(
        OAuthCode::InvalidScope,
        "The scopes of this server are read:tools and write:tools.",
    ))
}

/// Scopes as a client reads them: names with spaces between.
pub fn scope_text(scopes: Scopes) -> String {
    let names: Vec<_> = scopes.iter().map(Scope::name).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_others_are_passed_over_and_none_of_ours_is_refused() {
        let asked = |text| scopes_asked(text).map(scope_text);
        assert_eq!(asked(None).unwrap(), "read:tools write:tools");
        assert_eq!(asked(Some("")).unwrap(), "read:tools write:tools");
        assert_eq!(
            asked(Some("read:tools offline_access")).unwrap(),
            "read:tools"
        );
        assert_eq!(
            asked(Some("openid email profile")).unwrap(),
            "read:tools write:tools"
        );
        // Nobody gets an administrator's powers by consent.
        assert_eq!(
            asked(Some("admin")).unwrap_err().code,
            OAuthCode::InvalidScope
        );
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        let params = Params::parse(b"state=a&state=b&empty=&scope=x");
        assert_eq!(
            params.one("state").unwrap_err().code,
            OAuthCode::InvalidRequest
        );
        assert_eq!(params.one("empty").unwrap(), None);
        assert_eq!(params.one("scope").unwrap(), Some("x"));
        assert!(params.needed("missing").is_err());
    }
}
