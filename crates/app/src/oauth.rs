//! The OAuth authorization server (OAuth 2.1 with RFC 7591, 7009, 7636, 8707, 9207 and client ID
//! metadata documents): who may ask, what a person grants, and the tokens that come of it.
//!
//! Clients are public and prove themselves by PKCE, so there are no client secrets; tokens are
//! opaque rows, so a revocation holds at the next request; registration writes nothing, because the
//! client's id is its own signed metadata.
//!
//! - [`client`]: who a client is: registered (`registration`) or by a document at its own address
//!   (`document`, fetched by `documents`); [`redirect`]: where an answer may go
//! - [`OAuthError`], [`Params`]; here: scopes; `resource`: what tokens are for, `hosted`: who signs in
//!   to hosted servers
//! - [`authorize`]: from the client's question to a code
//! - [`token`]: codes and refresh tokens against access tokens; `revocation`: given back

pub mod authorize;
pub mod client;
mod document;
mod documents;
mod error;
pub mod hosted;
mod params;
pub mod redirect;
mod registration;
mod resource;
mod revocation;
pub mod token;

pub(crate) use documents::Documents;
pub use error::{OAuthCode, OAuthError};
pub use params::Params;

use crate::App;
use quaymaster_core::{Scope, Scopes};

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
/// How often one grant is refreshed: as often at once, then so often a second. A client needs one a
/// day, and each leaves two rows.
pub(crate) const REFRESH_BURST: f64 = 30.0;
pub(crate) const REFRESHES_A_SECOND: f64 = 0.1;

/// What a client may ask for, besides `offline_access`.
pub const SCOPES: [Scope; 2] = [Scope::ReadTools, Scope::WriteTools];
/// Refresh tokens are always given; who asks for them by this name (`OpenID` Connect Core §11) gets
/// no refusal.
pub const OFFLINE_ACCESS: &str = "offline_access";

impl App {
    /// The issuer (RFC 8414 §2): the origin of the public address.
    pub fn issuer(&self) -> &str {
        &self.settings.public_url
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
}
