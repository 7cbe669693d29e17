//! The resources that tokens are for (RFC 8707): the MCP endpoint, and hosted servers that people
//! sign clients in to.
//!
//! A hosted server has two addresses and is one audience: a token that was asked for with one of
//! them is good at both.

use super::{OAuthCode, OAuthError, Params};
use crate::App;
use quaymaster_core::caller::{Audience, Side};
use quaymaster_core::id::ServerId;
use quaymaster_core::{Code, Fault};
use quaymaster_store::server::Server;
use url::Url;

impl App {
    /// The resource (RFC 8707) that an audience stands for, by one of its addresses.
    pub fn resource(&self, audience: &Audience, side: Side) -> String {
        match (audience, side) {
            (Audience::Mcp, _) => self.settings.endpoint(),
            (Audience::Server(server), Side::Endpoint) => self.settings.endpoint_of(server),
            (Audience::Server(server), Side::Protocol) => self.settings.protocol_of(server),
        }
    }

    /// Where the metadata of a resource stand: the well-known path goes between host and path
    /// (RFC 9728 §3.1).
    pub fn resource_metadata(&self, audience: &Audience, side: Side) -> String {
        let origin = self.issuer();
        let resource = self.resource(audience, side);
        let path = resource.strip_prefix(origin).unwrap_or_default();
        format!("{origin}/.well-known/oauth-protected-resource{path}")
    }

    /// A hosted server that clients are signed in to by OAuth, for somebody who is not known yet.
    /// One that takes tokens alone is refused like one that never was.
    pub async fn server_to_sign_in_to(&self, server: &ServerId) -> Result<Server, Fault> {
        let found = self.store.server_at_address(server).await?;
        found
            .filter(|server| server.auth_mode.takes_oauth())
            .ok_or_else(|| {
                Fault::new(
                    Code::McpOauthDisabled,
                    "There is no hosted server here that clients sign in to by OAuth.",
                )
                .hint("Present a token of the server, or set its authMode to oauth_and_bearer.")
            })
    }

    /// What the parameters `resource` ask for, if they ask; what is not ours is refused, and so are
    /// two at once.
    pub(super) fn audience_asked(&self, params: &Params) -> Result<Option<Audience>, OAuthError> {
        let mut asked = None;
        for resource in params.all("resource") {
            let audience = self.audience_named(resource);
            if audience.is_none()
                || asked
                    .as_ref()
                    .is_some_and(|other| Some(other) != audience.as_ref())
            {
                return Err(OAuthError::new(
                    OAuthCode::InvalidTarget,
                    format!(
                        "This server gives tokens for {} only, or for one hosted server below it.",
                        self.settings.endpoint()
                    ),
                ));
            }
            asked = audience;
        }
        Ok(asked)
    }

    /// Clients add and drop one trailing slash.
    fn audience_named(&self, resource: &str) -> Option<Audience> {
        // The parser brings scheme and host to lower case and drops the default port.
        let normal = |text: &str| -> String {
            let url = Url::parse(text).map_or_else(|_| text.to_owned(), Url::into);
            url.strip_suffix('/').unwrap_or(&url).to_owned()
        };
        let asked = normal(resource);
        let endpoint = normal(&self.settings.endpoint());
        if asked == endpoint {
            return Some(Audience::Mcp);
        }
        let below = asked.strip_prefix(&endpoint);
        let server = match below.and_then(|rest| rest.strip_prefix('/')) {
            Some(server) => server,
            None => asked
                .strip_prefix(&normal(self.issuer()))?
                .strip_prefix("/api/v1/mcp/servers/")?
                .strip_suffix("/protocol")?,
        };
        server.parse().ok().map(Audience::Server)
    }
}
