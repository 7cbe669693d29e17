//! Signing an account in at a service's authorization server: OAuth 2.0 (RFC 6749) as its client.
//!
//! Protocol only: nothing is stored here. Servers differ, so answers are read with patience, as JSON
//! or as a form, whatever they call themselves; and no error tells a code, a token or a secret.

mod answer;
mod authorize;
mod device;
mod origins;
mod problem;

pub use device::DeviceCode;
pub use problem::{Problem, ProblemKind};

use crate::definition::{ClientAuth, Definition, OAuth2, Template, TokenFormat};
use crate::redact::Redactor;
use crate::request::{Account, Base, Signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, EgressError, Request, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// The longest answer of an authorization server that is read.
const MOST_BYTES: usize = 256 * 1024;
/// How long a token endpoint may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A client that somebody registered at the service. `Debug` does not show the secret.
#[derive(Debug, Clone)]
pub struct OAuthApp {
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<SecretString>,
    /// Where the secret goes if an account names the host: `https://git.example.com`. None when the
    /// account brought the app itself.
    pub origins: Option<BTreeSet<String>>,
}

/// What a token endpoint gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access_token: SecretString,
    /// None also when the one that was used stays good.
    pub refresh_token: Option<SecretString>,
    /// Seconds that the access token lives; none when nobody says.
    pub expires_in: Option<i64>,
    /// What the definition takes from the answer into the account (`fields_from_token`).
    pub fields: BTreeMap<String, String>,
}

/// The tokens of an answer that a token endpoint gave somebody else, as RFC 6749 §5.1 has its members; none
/// when there is no access token that could be used.
pub fn tokens_of(answer: &Map<String, Value>, oauth2: &OAuth2) -> Option<Tokens> {
    answer::tokens(answer, oauth2)
}

/// An authorization server, for one account and in the name of one app.
pub struct AuthorizationServer<'a> {
    egress: &'a Egress,
    signer: Signer<'a>,
    oauth2: &'a OAuth2,
    app: &'a OAuthApp,
}

/// The parameters of a request, with those among them that nobody may see.
struct Form<'a> {
    pairs: Vec<(&'a str, &'a str)>,
    secrets: Vec<&'a str>,
}

impl<'a> Form<'a> {
    fn of_grant(grant: &'a str) -> Form<'a> {
        Form {
            pairs: vec![("grant_type", grant)],
            secrets: Vec::new(),
        }
    }

    fn secret(&mut self, name: &'a str, value: &'a SecretString) {
        let value = value.expose_secret();
        self.pairs.push((name, value));
        self.secrets.push(value);
    }
}

impl<'a> AuthorizationServer<'a> {
    /// Of the account's way to sign in: `CONNECTION_REQUIRED` when the definition has no such way
    /// by OAuth (any more). Of the account only the fields and `local` are read.
    pub fn new(
        egress: &'a Egress,
        definition: &'a Definition,
        account: &'a Account,
        app: &'a OAuthApp,
    ) -> Result<Self, Fault> {
        let signer = Signer::new(definition, account)?;
        let oauth2 = signer.auth.oauth2.as_ref().ok_or_else(|| {
            let message = format!("{} does not sign in by OAuth.", definition.title);
            Fault::new(Code::ConnectionRequired, message).hint("Connect the account again.")
        })?;
        Ok(AuthorizationServer {
            egress,
            signer,
            oauth2,
            app,
        })
    }

    /// Exchanges an authorization code (RFC 6749 §4.1.3).
    pub async fn exchange(
        &self,
        code: &SecretString,
        redirect_uri: &str,
        verifier: Option<&SecretString>,
    ) -> Result<Tokens, Problem> {
        let mut form = Form::of_grant("authorization_code");
        form.secret("code", code);
        form.pairs.push(("redirect_uri", redirect_uri));
        if let Some(verifier) = verifier.filter(|_| self.has_pkce()) {
            form.secret("code_verifier", verifier);
        }
        self.tokens(form).await
    }

    /// Gets a new access token (RFC 6749 §6). A server that rotates gives a new refresh token, too;
    /// the one that was used is then dead.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Tokens, Problem> {
        let mut form = Form::of_grant("refresh_token");
        form.secret("refresh_token", refresh_token);
        self.tokens(form).await
    }

    /// A token for the app itself (RFC 6749 §4.4).
    pub async fn client_credentials(&self) -> Result<Tokens, Problem> {
        let mut form = Form::of_grant("client_credentials");
        let scope = self.scope();
        if let Some(scope) = &scope {
            form.pairs.push(("scope", scope));
        }
        self.tokens(form).await
    }

    /// Ends a token at the service (RFC 7009). `false` when the service has no such endpoint.
    pub async fn revoke(&self, token: &SecretString, hint: &str) -> Result<bool, Problem> {
        let Some(endpoint) = &self.oauth2.revoke_url else {
            return Ok(false);
        };
        let mut form = Form {
            pairs: vec![("token_type_hint", hint)],
            secrets: Vec::new(),
        };
        form.secret("token", token);
        let redactor = self.redactor(&form);
        let response = self.post(endpoint, &form, TokenFormat::Form).await?;
        if response.status.is_success() {
            return Ok(true);
        }
        Err(self.refusal(&response, &redactor))
    }

    async fn tokens(&self, mut form: Form<'_>) -> Result<Tokens, Problem> {
        for (name, value) in &self.oauth2.token_params {
            if !form.pairs.iter().any(|(own, _)| own == name) {
                form.pairs.push((name, value));
            }
        }
        let redactor = self.redactor(&form);
        let response = self
            .post(&self.oauth2.token_url, &form, self.oauth2.token_format)
            .await?;
        let members = self.read(&response, &redactor)?;
        answer::tokens(&members, self.oauth2).ok_or_else(|| self.unreadable(&response))
    }

    /// An answer that is no error, as an object.
    fn read(
        &self,
        response: &Response,
        redactor: &Redactor,
    ) -> Result<Map<String, Value>, Problem> {
        let members = answer::members(&response.body);
        let is_error = members.as_ref().is_some_and(answer::is_error);
        if is_error || !response.status.is_success() {
            return Err(self.refusal(response, redactor));
        }
        members.ok_or_else(|| self.unreadable(response))
    }

    fn has_pkce(&self) -> bool {
        self.oauth2.pkce == crate::definition::Pkce::S256
    }

    /// The scopes that are asked for, if any.
    fn scope(&self) -> Option<String> {
        let scopes = &self.oauth2.scopes;
        let separator = scopes.separator.as_deref().unwrap_or(" ");
        (!scopes.default.is_empty()).then(|| scopes.default.join(separator))
    }

    fn title(&self) -> &str {
        &self.signer.definition.title
    }

    /// Where an endpoint is, with the account's fields in it.
    fn endpoint(&self, template: &Template) -> Result<Url, Fault> {
        Ok(Base::resolve(template, self.signer)?.url)
    }

    /// Into the network only by an address that the account names, where an administrator said that
    /// it is there.
    fn way_out(&self, template: &Template, url: &Url) -> Result<Egress, EgressError> {
        let names_it = template.names().next().is_some();
        match (url.host_str(), url.port_or_known_default()) {
            (Some(host), Some(port)) if self.signer.account.local && names_it => {
                self.egress.allowing(host, port)
            }
            _ => Ok(self.egress.clone()),
        }
    }

    fn redactor(&self, form: &Form<'_>) -> Redactor {
        let own = self
            .app
            .client_secret
            .iter()
            .map(ExposeSecret::expose_secret);
        let given = form.secrets.iter().copied();
        Redactor::new(self.signer.secrets().chain(own).chain(given))
    }

    /// Sends a form with the client's authentication (RFC 6749 §2.3.1). No redirect is followed: it
    /// would carry the form along. Nothing else gets the app's secret.
    async fn post(
        &self,
        template: &Template,
        form: &Form<'_>,
        format: TokenFormat,
    ) -> Result<Response, Problem> {
        let url = self.confidant(template).map_err(Problem::of_us)?;
        let mut pairs = form.pairs.clone();
        let app = self.app;
        let secret = app.client_secret.as_ref().map(ExposeSecret::expose_secret);
        let mut request = Request::new(Method::POST, url.as_str())
            .timeout(PATIENCE)
            .max_body(MOST_BYTES)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        match (self.oauth2.client_auth, secret) {
            (ClientAuth::Basic, Some(secret)) => {
                request = request.header(AUTHORIZATION, basic(&app.client_id, secret)?);
            }
            (ClientAuth::Body, Some(secret)) => {
                pairs.push(("client_id", &app.client_id));
                pairs.push(("client_secret", secret));
            }
            (_, None) | (ClientAuth::None, _) => pairs.push(("client_id", &app.client_id)),
        }
        let (kind, body) = match format {
            TokenFormat::Form => {
                let body = Serializer::new(String::new()).extend_pairs(&pairs).finish();
                ("application/x-www-form-urlencoded", body)
            }
            TokenFormat::Json => {
                let members = pairs.iter();
                let members = members.map(|(name, value)| ((*name).to_owned(), (*value).into()));
                let body = Value::Object(members.collect()).to_string();
                ("application/json", body)
            }
        };
        let request = request
            .header(CONTENT_TYPE, HeaderValue::from_static(kind))
            .body(body);
        let egress = self.way_out(template, &url);
        let egress = egress.map_err(|error| Problem::unanswered(self.title(), &error))?;
        let sent = egress.send(request).await;
        sent.map_err(|error| Problem::unanswered(self.title(), &error))
    }
}

/// Id and secret are encoded as in a form first, so that a colon in the id parts nothing.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, Problem> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let value = HeaderValue::from_str(&format!("Basic {pair}"));
    let mut value = value.map_err(|_| Problem::of_us(Fault::internal()))?;
    value.set_sensitive(true);
    Ok(value)
}
