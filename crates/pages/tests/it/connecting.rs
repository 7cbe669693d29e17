//! What an OAuth client does before and after the pages.

use quaymaster_app::oauth::Params;
use quaymaster_app::oauth::client::Metadata;
use secrecy::ExposeSecret as _;

use crate::server::{Answer, Browser, Server};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) const WEB: &str = "https://client.example/callback";
pub(crate) const LOCAL: &str = "http://127.0.0.1:3118/callback";

/// A client that registered itself under one redirect address.
pub(crate) struct Client<'a> {
    server: &'a Server,
    id: String,
    redirect: String,
}

impl<'a> Client<'a> {
    pub(crate) fn registered(server: &'a Server, name: &str, redirect: &str) -> Self {
        let metadata = Metadata {
            redirect_uris: vec![redirect.to_owned()],
            client_name: Some(name.to_owned()),
            ..Metadata::default()
        };
        Client {
            server,
            id: server.app.register_client(&metadata).unwrap().id,
            redirect: redirect.to_owned(),
        }
    }

    /// The query of a good question, with other parameters behind it.
    pub(crate) fn query(&self, more: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", "s t&a%te;,\"")
            .extend_pairs(more)
            .finish()
    }

    /// Presses Allow, with the fields of the form besides.
    pub(crate) async fn allow(&self, browser: &mut Browser<'_>, more: &[(&str, &str)]) -> Answer {
        let query = self.query(&[]);
        let fields = [&[("query", &*query), ("answer", "allow")], more].concat();
        browser.submit("/authorize", &fields).await
    }

    /// A code against an access token.
    pub(crate) async fn exchange(&self, code: &str) -> String {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("code_verifier", VERIFIER)
            .append_pair("code", code)
            .finish();
        let tokens = self
            .server
            .app
            .token(Params::parse(body.as_bytes()), None)
            .await;
        tokens.unwrap().access.expose_secret().to_owned()
    }

    /// Connected to a workspace by somebody. Answers the access token.
    pub(crate) async fn connect(&self, browser: &mut Browser<'_>, write: bool) -> String {
        let workspace = self.server.workspace.to_string();
        let mut fields = vec![("workspace", workspace.as_str())];
        fields.extend(write.then_some(("write", "yes")));
        let answer = self.allow(browser, &fields).await;
        let code = parameter(answer.location(), "code").expect(&answer.body);
        self.exchange(&code).await
    }
}

/// A parameter of the query of an address.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
